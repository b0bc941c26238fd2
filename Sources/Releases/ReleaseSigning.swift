// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// Signs a release. The signatures are beside its files and do not change them.
package struct ReleaseSigning: Sendable {
  package struct Report: Sendable, Encodable {
    package var release: String
    /// The fingerprint of the key.
    package var signedBy: String
    /// The signatures that were written, as paths.
    package var signatures: [String]
    /// The .rpm files, which can be signed only before the release is made.
    package var notSigned: [String]
  }

  private let key: SigningKey
  private let progress: Progress

  package init(_ key: SigningKey, progress: Progress) {
    self.key = key
    self.progress = progress
  }

  /// Signs a release that was opened, and with that found to be what was released: the SHA256SUMS of a folder, and the
  /// tar in the tarball.
  ///
  /// - Parameters:
  ///   - replaces: whether existing signatures are replaced.
  ///   - notSigned: the .rpm files without a signature of their own, for the report.
  /// - Throws: `ReleaseError` with code `conflict` when it is signed already.
  package func sign(_ release: Release, replacing replaces: Bool, notSigned: [String]) async throws -> Report {
    let folder = Files.absolute(release.tarball).removingLastComponent()
    let doing = "signing \(release.path)"
    // A name that is a link to the folder is fine, and the folder has to be itself to be locked.
    let lock = try FileLock(folder: try Files.real(folder))
    guard try lock.tryAcquire(.exclusive) else {
      throw ReleaseError(.conflict, doing: doing, reason: "another run is signing it", advice: "wait for it to end")
    }
    defer { lock.release() }
    let list = release.folder == nil ? [] : [ReleaseFolder.signature]
    let names = list + [signatureName(of: release.tarball.name)]
    let present = names.filter { Files.exists(folder.appending($0)) }
    guard present.isEmpty || replaces else {
      throw ReleaseError(
        .conflict, doing: doing, reason: "it is already signed: there is \(present.joined(separator: " and "))",
        remedy: ReleasesRemedy.replaceSignatures)
    }
    let signatures = try await signatures(
      tarball: release.tarball, sha256: release.sha256, list: release.folder?.path)
    for (name, bytes) in signatures { try write(bytes, to: folder.appending(name)) }
    try Files.synchronize(folder)
    return Report(
      release: release.name, signedBy: key.fingerprint,
      signatures: signatures.map { release.tarball.removingLastComponent().appending($0.name).string },
      notSigned: notSigned)
  }

  /// Signs the files of a release that is being made.
  ///
  /// - Parameter part: the folder that is about to become the release.
  package func sign(_ tarball: Artifact, in part: FilePath) async throws {
    for (name, bytes) in try await signatures(
      tarball: part.appending(tarball.name), sha256: tarball.sha256, list: part)
    {
      try Files.write(bytes, to: part.appending(name))
    }
  }

  private func signatures(
    tarball: FilePath, sha256: SHA256Digest, list: FilePath?
  ) async throws -> [(name: String, bytes: [UInt8])] {
    var signatures: [(name: String, bytes: [UInt8])] = []
    if let list {
      let path = list.appending(ReleaseFolder.checksums)
      signatures.append((ReleaseFolder.signature, try await key.sign(try Files.read(path), what: path.string)))
    }
    let bytes = try await key.sign(tarball: tarball, sha256: sha256, progress: progress)
    signatures.append((signatureName(of: tarball.name), bytes))
    return signatures
  }

  /// Until it is complete, it has a name that a release folder may contain, in case we are killed.
  private func write(_ bytes: [UInt8], to path: FilePath) throws {
    let part = path.removingLastComponent().appending("\(ReleaseFolder.checksums).new")
    try Files.remove(part)
    try Files.write(bytes, to: part)
    try Files.synchronize(part)
    try Files.move(part, to: path)
  }
}
