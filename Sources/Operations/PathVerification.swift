// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Releases
import SystemPackage

/// Checks single files of a release: those of its folder against SHA256SUMS, and those in its tarball against the list of
/// origins.
package struct PathVerification: Sendable, Encodable {
  package struct File: Sendable, Encodable {
    package var path: String
    package var sha256: SHA256Digest
    /// Of a file in the tarball.
    package var origin: Origin?
  }

  /// What is as it was released.
  package var files: [File] = []
  package var changed: [String] = []
  package var missing: [String] = []

  package var findings: [String] { changed.map { "\($0) is changed" } + missing.map { "\($0) is missing" } }

  /// The file that stands for a release of its own, where it is one of a release folder: a package, or the plan.
  package static func listedFile(_ path: FilePath) throws -> (folder: FilePath, name: String)? {
    guard !Files.isFolder(path), let name = path.lastComponent?.string, Artifact.Kind(fileName: name) != .tarball,
      let folder = try ReleaseFolder(listing: path)
    else { return nil }
    return (folder.path, name)
  }

  /// - Parameters:
  ///   - release: a release folder, or a tarball.
  ///   - paths: names of the folder, or paths in the tarball: files, and folders with what is in them.
  /// - Throws: `ReleaseError` with code `input` for a path that neither list has, `source` for what is no release.
  package init(of paths: [String], in release: FilePath, progress: Progress) async throws {
    var listed = ByPath<SHA256Digest>()
    var tarball = release
    if Files.isFolder(release) {
      for (name, digest) in try ReleaseFolder(release).listed() {
        listed[name] = digest
        if Artifact.Kind(fileName: name) == .tarball { tarball = release.appending(name) }
      }
    }
    let inside = paths.filter { listed[$0] == nil }
    for name in paths {
      guard let digest = listed[name] else { continue }
      let file = release.appending(name)
      guard Files.exists(file) else {
        missing.append(name)
        continue
      }
      let found = try await BlockingExecutor.run { try Files.digest(file, doing: "verifying \(file)").0 }
      if found == digest { files.append(File(path: name, sha256: digest)) } else { changed.append(name) }
    }
    guard !inside.isEmpty else { return }
    let content = try await TarballContent(reading: tarball, progress: progress)
    let records = try Tarball.records(in: content.files, doing: "verifying \(tarball)")
    for path in inside {
      let named = NamedPath(path)
      let matching = records.filter { named.matches($0.path) }
      guard !matching.isEmpty else {
        throw named.isMissing(in: release.string, Array(listed.keys) + records.map(\.path))
      }
      for record in matching { check(record, content.files[record.path]) }
    }
  }

  private mutating func check(_ record: OriginRecord, _ file: FileEntry?) {
    guard let file else { return missing.append(record.path) }
    let entry = TreeEntry(content: file.content, isExecutable: file.isExecutable, origin: record.origin)
    guard OriginRecord(path: record.path, entry: entry) == record else { return changed.append(record.path) }
    files.append(File(path: record.path, sha256: record.sha256, origin: record.origin))
  }
}
