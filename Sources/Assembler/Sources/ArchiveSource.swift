// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Glibc
import Model
import Processes
import Releases
import SystemPackage

/// A tarball: read once through its decompressor, checked, and cached by its hash.
package struct ArchiveSource: Sendable {
  package var path: FilePath
  /// Detached signature of the uncompressed tar, as kernel.org makes it, or of the file itself: see `signatureNames`.
  package var signature: FilePath?
  /// Keyring and fingerprints to check it with; nil if the manifest names none.
  package var trust: Trust?
  package var pinnedSHA256: SHA256Digest?
  package var allowsUnsigned: Bool
  package var limits = ArchiveLimits()
  package var cache: FilePath?
  /// Whether lrelease fetched it: a copy with wrong content is removed, so that the next run fetches it again.
  package var isFetched = false

  package init(
    path: FilePath, signature: FilePath? = nil, trust: Trust? = nil, pinnedSHA256: SHA256Digest? = nil,
    allowsUnsigned: Bool = false, cache: FilePath? = nil
  ) {
    self.path = path
    self.signature = signature
    self.trust = trust
    self.pinnedSHA256 = pinnedSHA256
    self.allowsUnsigned = allowsUnsigned
    self.cache = cache
  }

  private var name: String { path.lastComponent?.string ?? path.string }

  /// Every file of the archive, without checking its signature.
  package func readAll(progress: Progress) async throws -> ByPath<SourceFile> {
    try await readWhole(progress: progress).files
  }

  /// The same, with what identifies the archive.
  package func readWhole(progress: Progress) async throws -> SourceContent {
    try await read(wants: { _ in true }, key: nil, progress: progress)
  }

  package func read(_ selection: Selection, progress: Progress) async throws -> SourceContent {
    try await read(wants: selection.wants, key: selection.digest, progress: progress)
  }

  /// - Parameter selection: digest of the inputs of `wants`, for the cache; nil bypasses the cache.
  private func read(
    wants: @escaping @Sendable (String) -> Bool, key selection: SHA256Digest?, progress: Progress
  ) async throws -> SourceContent {
    let doing = "reading \(path)"
    let file = try ArchiveFile(path, limits: limits)
    let sha256 = try await file.digest()
    if let pinnedSHA256, pinnedSHA256 != sha256 {
      discard()
      throw ReleaseError(
        .unverified, doing: doing, reason: "its SHA-256 is \(sha256), not \(pinnedSHA256) as pinned",
        advice: "get the file again, or correct the pin if the release was replaced")
    }
    try requireTrust()

    let kept = cache.map { FileSetCache<SourcePin>($0, limit: 8 << 30) }
    let key = try selection.map { try cacheKey(sha256, $0) }
    if let key, let known = await BlockingExecutor.run({ kept?.files(key) }) {
      return SourceContent(files: known.files.mapValues { SourceFile($0) }, pin: known.record)
    }

    let check = try signatureCheck()
    let (read, fingerprint) = try await discardingWhatIsWrong {
      if let check, signsFile {
        let (copied, fingerprint) = try await check.verify(what: path.string) { sink in
          await BlockingExecutor.run { Result { try file.forEachPiece { try sink.writeToReader($0) } } }
        }
        try copied.get()
        return (
          try await file.read(wants: wants, progress: progress) { scan in Result { (try scan(nil), ()) } }.archive,
          fingerprint
        )
      }
      return try await file.read(wants: wants, progress: progress) { scan in
        guard let check else { return Result { (try scan(nil), nil as String?) } }
        let (archive, fingerprint) = try await check.verify(what: path.string) { sink in
          Result { try scan { try sink.writeToReader($0) } }
        }
        return archive.map { ($0, fingerprint) }
      }
    }

    let kernel = try read.files["Makefile"].flatMap { KernelRelease(makefile: try $0.content.readFile()) }
    let pin = SourcePin(
      kind: "archive", sha256: sha256, kernel: kernel?.text, date: read.newest, signedBy: fingerprint,
      isUnsigned: trust != nil && signature == nil && pinnedSHA256 == nil ? true : nil,
      isPinned: fingerprint == nil && pinnedSHA256 != nil ? true : nil)
    let content = SourceContent(files: read.files.mapValues { SourceFile($0) }, pin: pin)
    if let key { await BlockingExecutor.run { await kept?.store(read.files, pin, key) } }
    return content
  }

  private func discard() {
    guard isFetched else { return }
    try? Fetcher.forget(path)
    // They belong together: a new tarball never matches the old signature.
    if let signature { try? Fetcher.forget(signature) }
  }

  private func discardingWhatIsWrong<R>(_ body: () async throws -> R) async throws -> R {
    do {
      return try await body()
    } catch let error as ReleaseError where error.code == .source || error.reason == SignatureCheck.mismatch {
      discard()
      throw error
    } catch let error as ReleaseError where error.code == .unverified && isFetched {
      // The server may have a new one next time.
      if let signature { try? Fetcher.forget(signature) }
      throw error
    }
  }

  /// If the manifest names signers, requires a signature, a pinned hash, or the user's permission.
  private func requireTrust() throws {
    guard trust != nil, signature == nil, pinnedSHA256 == nil, !allowsUnsigned else { return }
    throw ReleaseError(
      .unverified, doing: "checking \(path)",
      reason: "there is no signature beside it (\(signatureNames(of: name)[0]))",
      remedy: AssemblerRemedy.giveSignatureOrHash)
  }

  /// Whether the signature is of the compressed file and not of the tar in it, according to its name.
  private var signsFile: Bool { signature?.stem?.isSameInBytes(name) == true }

  private func signatureCheck() throws -> SignatureCheck? {
    guard let trust, let signature else { return nil }
    return SignatureCheck(trust: trust, signature: try Files.read(signature, limit: 1 << 20))
  }

  // MARK: cache

  /// A key of all inputs of a read, so that a changed keyring or rule reads again.
  private func cacheKey(_ sha256: SHA256Digest, _ selection: SHA256Digest) throws -> SHA256Digest {
    var hasher = SHA256Digest.Hasher()
    hasher.update("6 \(sha256) \(selection) \(pinnedSHA256?.hex ?? "-")\0")
    if let trust {
      hasher.update("\(SHA256Digest(of: try trust.keyringBytes())) \(trust.signers.sorted()) \(trust.allowsSHA1)\0")
    }
    if let signature {
      hasher.update("\(SHA256Digest(of: try Files.read(signature, limit: 1 << 20)).hex) \(signsFile)")
    }
    return hasher.finalize()
  }
}
