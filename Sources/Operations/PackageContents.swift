// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Model
import Packagers
import Processes
import Releases
import SystemPackage

/// What is in a release or a package, and where each file came from.
package struct PackageContents: Sendable, Codable {
  package struct File: Sendable, Codable {
    package var path: String
    package var mode: String
    package var bytes: Int64
    /// Of the content; of the target, for a link.
    package var sha256: SHA256Digest
    package var link: String?
    package var origin: Origin?
    /// What it holds; not part of what is printed.
    var content: FileContent?

    private enum CodingKeys: String, CodingKey { case path, mode, bytes, sha256, link, origin }
  }

  /// Its own metadata, one line each.
  package var header: [String]
  package var files: [File]

  /// - Parameter path: a release folder, a tarball, or a package.
  /// - Throws: `ReleaseError` when it is none of them, with code `different` for a release that was changed.
  package static func read(_ path: FilePath, progress: Progress) async throws -> PackageContents {
    if Files.isFolder(path) { return try release(try await Release(opening: path, progress: progress)) }
    let start = try Files.start(of: path, count: 8)
    if start.starts(with: debMagic) { return try await deb(path, progress) }
    if start.starts(with: rpmMagic) { return try await rpm(path, progress) }
    let content = try await TarballContent(reading: path, progress: progress)
    // The debian.tar of a Debian source package has no records.
    return try content.isRelease ? release(Release(content)) : contents([], content.files, origins: nil, below: "")
  }

  private static let debMagic = Array("!<arch>".utf8)
  private static let rpmMagic: [UInt8] = [0xed, 0xab, 0xee, 0xdb]

  /// Whether a file is a package, by its first bytes.
  static func isPackage(_ start: [UInt8]) -> Bool { start.starts(with: debMagic) || start.starts(with: rpmMagic) }

  /// The part of it that `paths` name: files, and folders with what is in them.
  ///
  /// - Throws: `ReleaseError` with code `input` for a path that is not in it.
  package func only(_ paths: [String], of name: String) throws -> PackageContents {
    guard !paths.isEmpty else { return self }
    var found: PathSet = []
    for path in paths {
      let plain = NamedPath(path)
      let matching = files.map(\.path).filter(plain.matches)
      guard !matching.isEmpty else { throw plain.isMissing(in: name, files.map(\.path)) }
      found.formUnion(matching)
    }
    return PackageContents(header: header, files: files.filter { found.contains($0.path) })
  }

  private static func release(_ release: Release) throws -> PackageContents {
    let plan = release.plan
    var header = ["release  \(release.name)  \(Timestamp(seconds: plan.sourceDate).iso8601)"]
    for rebuild in plan.rebuilds ?? [] {
      header.append("rebuild  \(rebuild.mark), of \(rebuild.basedOn.name) \(rebuild.basedOn.version)")
    }
    for (name, pin) in plan.sources.sorted(by: { $0.key < $1.key }) {
      header.append("source   \(name): \(pin.kind), \(pin.identity)")
    }
    for added in plan.patches ?? [] {
      for patch in added.patches {
        header.append("patch    \(added.mark)/\(patch.name)" + (added.source.map { ", to the source \($0)" } ?? ""))
      }
    }
    let context = try PackagingContext(plan, release.manifest)
    for package in context.packages {
      header += try DKMSPackage(package, in: context).kernels.lines.map { "kernels  \(package.variant): \($0)" }
    }
    header += release.artifacts.map { "artifact \($0.name), SHA-256 \($0.sha256)" }
    let tree = release.tree
    return PackageContents(
      header: header,
      files: tree.paths.compactMap { path in
        tree[path].map { file(path, $0, origin: path == Tarball.originsPath ? nil : $0.origin) }
      })
  }

  private static func deb(_ path: FilePath, _ progress: Progress) async throws -> PackageContents {
    let doing = "reading \(path)"
    let control = try await Command("dpkg-deb", ["--field", path.string]).check(doing: doing, code: .source)
    let files = try await unpack(Command("dpkg-deb", ["--fsys-tarfile", path.string]), path)
    return try await packaged(control.text.split(separator: "\n").map(String.init), files)
  }

  private static func rpm(_ path: FilePath, _ progress: Progress) async throws -> PackageContents {
    let header = try RPMPackage.header(of: path)
    let files = try await unpack(Command("rpm2archive", ["-n", "-"]), path)
    return try await packaged(header.split(separator: "\n").map(String.init), files)
  }

  private static func unpack(_ command: Command, _ path: FilePath) async throws -> ByPath<FileEntry> {
    let doing = "reading \(path)"
    let (input, _) = try Files.openRegular(path, doing: doing)
    defer { try? input.close() }
    let (result, outcome) = try await command.stream(input: input, doing: doing) { tar in
      await BlockingExecutor.run {
        Result { try ArchiveReader(name: path.string, stripsTopFolder: false, wants: { _ in true }).read(tar) }
      }
    }
    // A child that was stopped while it was writing has no error of its own.
    if case .failure(let error) = result, outcome.errors.isEmpty { throw error }
    guard outcome.succeeded else { throw ReleaseError(.source, doing: doing, reason: outcome.complaint) }
    return try result.get().files
  }

  private static func packaged(_ header: [String], _ files: ByPath<FileEntry>) async throws -> PackageContents {
    guard let path = files.keys.first(where: { $0.hasSuffix("/origins.jsonl.gz") }),
      let packed = try files[path]?.content.readFile()
    else {
      return try contents(header, files, origins: nil, below: "")
    }
    let origins = try await Command("gzip", ["-dc"]).check(input: packed, doing: "reading \(path)").output
    let folder = files.keys.filter { $0.hasSuffix("/dkms.conf") }.sortedByBytes().first ?? ""
    return try contents(header, files, origins: origins, below: String(folder.dropLast("dkms.conf".count)))
  }

  private static func contents(
    _ header: [String], _ files: ByPath<FileEntry>, origins: [UInt8]?, below prefix: String
  ) throws -> PackageContents {
    var known = ByPath<Origin>()
    if let origins {
      for record in try OriginRecord.parse(origins, file: "origins") { known[prefix + record.path] = record.origin }
    }
    let listed = files.sortedByBytes(\.key).map { path, file in
      let origin = known[path]
      let entry = TreeEntry(
        content: file.content, isExecutable: file.isExecutable, origin: origin ?? Origin(source: "unknown"))
      return self.file(path, entry, origin: origin)
    }
    return PackageContents(header: header, files: listed)
  }

  private static func file(_ path: String, _ entry: TreeEntry, origin: Origin?) -> File {
    let record = OriginRecord(path: path, entry: entry)
    return File(
      path: path, mode: record.mode, bytes: Int64(entry.content.isLink ? 0 : entry.content.count),
      sha256: record.sha256, link: record.link, origin: origin, content: entry.content)
  }
}
