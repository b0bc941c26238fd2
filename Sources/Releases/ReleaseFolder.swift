// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage

/// A release on disk: written beside its place, renamed when complete, never changed afterwards.
package struct ReleaseFolder: Sendable {
  package static let checksums = "SHA256SUMS"
  /// The signature of that list.
  package static let signature = "SHA256SUMS.asc"
  package static let plan = "plan.json"

  package var path: FilePath
  /// What to do when it exists with other content.
  private let remedy: any Remedy
  /// What messages call it.
  private let kind: String

  package init(_ path: FilePath, kind: String = "release", remedy: any Remedy = ReleasesRemedy.chooseOtherOutput) {
    self.path = path
    self.kind = kind
    self.remedy = remedy
  }

  /// The names and digests that SHA256SUMS lists.
  ///
  /// - Throws: `ReleaseError` with code `different` for a list that is damaged.
  package func listed() throws -> [(name: String, sha256: SHA256Digest)] {
    let doing = "verifying \(path)"
    let lines = try Files.read(path.appending(ReleaseFolder.checksums), doing: doing).lines
    return try lines.filter { !$0.isEmpty }.map { line in
      // Bytes, not characters: the list names exactly this file, not one whose name looks the same.
      let hex = line.prefix { $0 != 0x20 }
      let name = String(validating: line[hex.endIndex...].drop { $0 == 0x20 }, as: UTF8.self)
      guard let digest = SHA256Digest(hex: String(decoding: hex, as: UTF8.self)), let name, isCleanPath(name) else {
        throw ReleaseError(.different, doing: doing, reason: "\(ReleaseFolder.checksums) is damaged")
      }
      return (name, digest)
    }
  }

  /// The folder of a file, where the SHA256SUMS in it lists that file.
  package init?(listing file: FilePath) throws {
    self.init(Files.absolute(file).removingLastComponent())
    guard Files.exists(path.appending(ReleaseFolder.checksums)), try digest(of: file) != nil else { return nil }
  }

  /// The digest of a file as SHA256SUMS lists it.
  package func digest(of file: FilePath) throws -> SHA256Digest? {
    let name = file.lastComponent?.string
    return try listed().first { $0.name == name }?.sha256
  }

  /// The files that SHA256SUMS lists, each checked against its digest.
  ///
  /// - Throws: `ReleaseError` with code `different` that names the files that were changed or are missing.
  package func verified() async throws -> [Artifact] { try await verified(else: []) }

  /// The same for a whole release, which holds nothing else.
  package func whole() async throws -> [Artifact] {
    guard Files.exists(path.appending(ReleaseFolder.checksums)) else {
      let near = releaseBelow.map { Advice("did you mean '\($0)'?") as any Remedy }
      throw ReleaseError(
        .source, doing: "opening the release \(path)", reason: "it holds no \(ReleaseFolder.checksums)",
        remedy: near ?? ReleasesRemedy.nameReleaseFolder)
    }
    let listed = Set(try listed().map(\.name))
    // Signatures are made when the list is there: of the list, such as SHA256SUMS.asc, and of the tar in the tarball.
    let signatures = Set(listed.filter { Artifact.Kind(fileName: $0) == .tarball }.map(signatureName))
    let found = try Files.names(in: path).map { String(decoding: $0, as: UTF8.self) }.filter { name in
      name != ReleaseFolder.checksums && !name.hasPrefix("\(ReleaseFolder.checksums).") && !listed.contains(name)
        && !signatures.contains(name)
    }
    return try await verified(else: found.map { "\($0) is not in \(ReleaseFolder.checksums)" })
  }

  /// The only release in this folder: people name the folder in which releases are made.
  private var releaseBelow: FilePath? {
    let names = (try? Files.names(in: path)) ?? []
    let found = names.map { path.appending(bytes: $0) }.filter { Files.exists($0.appending(ReleaseFolder.checksums)) }
    return found.count == 1 ? found[0] : nil
  }

  private func verified(else findings: [String]) async throws -> [Artifact] {
    let doing = "verifying \(path)"
    return try await BlockingExecutor.run {
      var findings = findings
      var artifacts: [Artifact] = []
      for (name, digest) in try listed() {
        try Task.checkCancellation()
        guard Files.exists(path.appending(name)) else {
          findings.append("\(name) is missing")
          continue
        }
        let (found, size) = try Files.digest(path.appending(name), doing: doing)
        if found != digest { findings.append("\(name) is not what was released") }
        artifacts.append(Artifact(name: name, bytes: size, sha256: digest))
      }
      guard findings.isEmpty else {
        throw ReleaseError(.different, doing: doing, reason: findings.shortened, advice: "restore it or cut again")
      }
      return artifacts
    }
  }

  /// Writes the digests of the files that were written to a folder which is about to become a release.
  package static func writeChecksums(of artifacts: [Artifact], in part: FilePath) throws {
    let sums = artifacts.sortedByBytes(\.name).map { "\($0.sha256)  \($0.name)\n" }
    try Files.write(Array(sums.joined().utf8), to: part.appending(checksums))
  }

  /// Writes the digests of all files in a folder that other programs have filled.
  package static func writeChecksums(in part: FilePath) async throws {
    let sums = try await BlockingExecutor.run {
      try Files.names(in: part).map { name in
        "\(try Files.digest(part.appending(bytes: name)).0)  \(String(decoding: name, as: UTF8.self))\n"
      }
    }
    try Files.write(Array(sums.joined().utf8), to: part.appending(checksums))
  }

  /// Writes a release.
  ///
  /// - Parameters:
  ///   - replaces: whether an existing release is replaced.
  ///   - body: is given the folder to write to, which gets its name when `body` has returned.
  /// - Throws: `ReleaseError` with code `conflict` when the release exists already.
  package func create(replacing replaces: Bool = false, _ body: (FilePath) async throws -> Void) async throws {
    try await directory.create(replacing: replaces, body)
  }

  /// Writes a release, unless it is there.
  ///
  /// - Returns: false when it is: another process may have written it since the caller looked.
  package func createIfMissing(_ body: (FilePath) async throws -> Void) async throws -> Bool {
    try await directory.createIfMissing(body)
  }

  private var directory: AtomicDirectory {
    let doing = "writing the \(kind) \(path)"
    let busy = ReleaseError(
      .conflict, doing: doing, reason: "another cut is writing it", advice: "wait for it to end")
    return AtomicDirectory(path, doing: doing, busy: busy, conflict: conflict)
  }

  package var conflict: ReleaseError {
    ReleaseError(
      .conflict, doing: "writing the \(kind) \(path)", reason: "it exists with other content",
      remedy: remedy)
  }
}
