// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Processes
import SystemPackage

/// The signatures beside a release.
package struct ReleaseSignatures: Sendable {
  private let release: Release
  /// Of the list that names the tarball; nil if there is none.
  package let list: FilePath?
  /// Of the uncompressed tar; nil if there is none.
  package let tar: FilePath?

  package init(of release: Release) {
    self.release = release
    let list = release.listing?.path.appending(ReleaseFolder.signature)
    let tar = release.tarball.removingLastComponent().appending(signatureName(of: release.tarball.name))
    self.list = list.flatMap { Files.exists($0) ? $0 : nil }
    self.tar = Files.exists(tar) ? tar : nil
  }

  /// What the signature of the tar is of: `sample-7.4.tar`.
  package var tarName: String { String(signatureName(of: release.tarball.name).dropLast(".sign".count)) }

  /// Checks the signature of SHA256SUMS.
  ///
  /// - Returns: the fingerprint of the signer.
  /// - Throws: `ReleaseError` with code `unverified`.
  package func checkList(_ trust: Trust) async throws -> String? {
    guard let list, let folder = release.listing else { return nil }
    let path = folder.path.appending(ReleaseFolder.checksums)
    let bytes = try Files.read(path)
    let check = SignatureCheck(trust: trust, signature: try Files.read(list, limit: 1 << 20))
    let signer = try await check.verify(bytes, what: path.string)
    // The list that was compared with the files is also the one whose signature is checked, even if somebody writes
    // here meanwhile.
    let lines = Set(bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) })
    let files =
      release.folder == nil ? [(release.tarball.name, release.sha256)] : release.artifacts.map { ($0.name, $0.sha256) }
    guard files.allSatisfy({ lines.contains(Array("\($0.1)  \($0.0)".utf8)) }) else {
      throw ReleaseError(
        .unverified, doing: "checking the signature of \(path)",
        reason: "the list is not in the form that lrelease writes",
        advice: "make sure that nothing writes to it")
    }
    return signer
  }

  /// Checks the signature of the tar.
  ///
  /// - Returns: the fingerprint of the signer.
  /// - Throws: `ReleaseError` with code `unverified`.
  package func checkTar(_ trust: Trust, progress: Progress) async throws -> String? {
    guard let tar else { return nil }
    let check = SignatureCheck(trust: trust, signature: try Files.read(tar, limit: 1 << 20))
    let what = "the tar in \(release.tarball)"
    let archive = try await ArchiveFile.unchanged(
      release.tarball, release.sha256, doing: "checking the signature of \(what)")
    let read = try await archive.read(wants: ArchiveFile.noFile, progress: progress) { scan in
      let (result, signer) = try await check.verify(what: what) { sink in
        Result { try scan { try sink.writeToReader($0) } }
      }
      return result.map { ($0, signer) }
    }
    return read.other
  }
}

extension ArchiveFile {
  /// For those who read the bytes of the tar, and none of the files in it.
  static let noFile: @Sendable (String) -> Bool = { _ in false }

  /// Opens a tarball that was checked before.
  ///
  /// - Parameter sha256: of the file as it lies there, compressed, when it was checked.
  static func unchanged(_ path: FilePath, _ sha256: SHA256Digest, doing: String) async throws -> ArchiveFile {
    let archive = try ArchiveFile(path)
    guard try await archive.digest() == sha256 else {
      throw ReleaseError(.different, doing: doing, reason: "it changed while it was read", advice: "try again")
    }
    return archive
  }
}
