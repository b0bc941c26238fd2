// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// A tarball: read once through its decompressor, checked, and cached by its hash.
package struct ArchiveSource: Sendable {
  package var path: FilePath
  /// Detached signature of the uncompressed tar, as kernel.org makes them.
  package var signature: FilePath?
  /// Keyring and fingerprints to check it with; nil when the manifest names none.
  package var trust: Trust?
  package var pinnedSHA256: SHA256Digest?
  package var allowsUnsigned: Bool
  package var limits = ArchiveLimits()
  package var cache: FilePath?
  /// A copy that lrelease fetched: it is removed when its content is wrong, so that the next run gets it again.
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

  /// Every file of the archive, without asking who signed it.
  package func readAll(progress: Progress) async throws -> [String: SourceFile] {
    try await readWhole(progress: progress).files
  }

  /// The same, with what identifies the archive.
  package func readWhole(progress: Progress) async throws -> SourceContent {
    try await read(wants: { _ in true }, key: nil, progress: progress)
  }

  package func read(_ selection: Selection, progress: Progress) async throws -> SourceContent {
    try await read(wants: selection.wants, key: selection.digest, progress: progress)
  }

  /// - Parameter selection: digest of what decides `wants`, for the cache; nil reads past it.
  private func read(
    wants: @escaping @Sendable (String) -> Bool, key selection: SHA256Digest?, progress: Progress
  ) async throws -> SourceContent {
    let doing = "reading \(path)"
    let (file, status) = try Files.openRegular(path, doing: doing, code: .source)
    defer { try? file.close() }
    let size = Int64(status.st_size)
    let sha256: SHA256Digest
    do {
      sha256 = try SHA256Digest(of: file, size: size)
    } catch let error as Errno {
      throw ReleaseError(.source, doing: doing, reason: error.description)
    }
    if let pinnedSHA256, pinnedSHA256 != sha256 {
      discard()
      throw ReleaseError(
        .unverified, doing: doing, reason: "its SHA-256 is \(sha256), not \(pinnedSHA256) as pinned",
        advice: "get the file again, or correct the pin if the release was replaced")
    }
    try requireTrust()

    let key = try selection.map { try cacheKey(sha256, $0) }
    if let key, let content = cached(key) { return content }

    let check = try signatureCheck()
    let (result, fingerprint, outcome) = try await discardingWhatIsWrong {
      let feed = try decompressor(file)
      return try await progress.step("reading \(name)", total: size) {
        let reader = ArchiveReader(name: path.string, limits: limits, wants: wants)
        let (read, outcome) = try await feed.stream(input: file, doing: doing) { tar in
          // What the decompressor has taken of the file is how far we are.
          let report = {
            progress.advanced("reading \(name)", (try? file.seek(offset: 0, from: .current)) ?? 0, of: size)
          }
          guard let check else { return (Result { try reader.read(tar) { _ in report() } }, nil as String?) }
          let (inner, fingerprint) = try await check.verify(what: path.string) { sink in
            Result {
              try reader.read(tar) { chunk in
                report()
                try sink.writeToReader(chunk)
              }
            }
          }
          return (inner, fingerprint)
        }
        return (read.0, read.1, outcome)
      }
    }
    // The decompressor's complaint comes first: a truncated file is what it is, not a tar that ends early.
    if case .failure(let error) = result {
      if error is CancellationError { throw error }
      discard()
      // A broken pipe is only the echo of our having stopped.
      if !outcome.errors.isEmpty && !outcome.errors.contains("Broken pipe") { throw damaged(outcome) }
      throw error
    }
    // bzip2 only prints a line about what follows its data.
    guard outcome.succeeded, outcome.errors.isEmpty else { throw damaged(outcome) }
    let read = try result.get()

    let kernel = read.files["Makefile"].flatMap { KernelRelease(makefile: Array($0.content.fileBytes)) }
    let pin = SourcePin(
      kind: "archive", sha256: sha256, kernel: kernel?.text, date: read.newest, signedBy: fingerprint,
      isUnsigned: trust != nil && signature == nil && pinnedSHA256 == nil ? true : nil,
      isPinned: fingerprint == nil && pinnedSHA256 != nil ? true : nil)
    let content = SourceContent(files: read.files.mapValues { SourceFile($0) }, pin: pin)
    if let key { store(content, key) }
    return content
  }

  private func discard() {
    if isFetched { try? Files.remove(path) }
  }

  private func discardingWhatIsWrong<R>(_ body: () async throws -> R) async throws -> R {
    do {
      return try await body()
    } catch let error as ReleaseError where error.code == .source || error.reason == SignatureCheck.mismatch {
      discard()
      throw error
    }
  }

  private func damaged(_ outcome: Command.Outcome) -> ReleaseError {
    discard()
    // The first line: bzip2 goes on about what else it can do.
    let line = outcome.errors.split(separator: "\n").first.map { String($0).trimmed } ?? outcome.ending
    return ReleaseError(
      .source, doing: "reading \(path)", reason: line, advice: "the file is damaged or incomplete: get it again")
  }

  /// Where the manifest names signers, there must be a signature, a pinned hash, or the user's word.
  private func requireTrust() throws {
    guard trust != nil, signature == nil, pinnedSHA256 == nil, !allowsUnsigned else { return }
    throw ReleaseError(
      .unverified, doing: "checking \(path)", reason: "there is no signature beside it (\(signatureName(of: name)))",
      advice: "put it there, give a hash that you trust with --sha256 NAME=DIGEST, or give --allow-unsigned")
  }

  private func signatureCheck() throws -> SignatureCheck? {
    guard let trust, let signature else { return nil }
    return SignatureCheck(trust: trust, signature: try Files.read(signature, limit: 1 << 20))
  }

  private func decompressor(_ file: FileDescriptor) throws -> Command {
    var magic = [UInt8](repeating: 0, count: 6)
    let count = try magic.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: 0, into: $0) }
    let start = Array(magic.prefix(count))
    switch Codec(magic: start) {
    case .xz: return Command("xz", ["-dc", "-T0", "-M4GiB"])
    case .gzip: return Command("gzip", ["-dc"])
    case .zstd: return Command("zstd", ["-dcq", "--long=31"])
    case nil: break
    }
    if start.starts(with: Array("BZh".utf8)) { return Command("bzip2", ["-dc"]) }
    var tail = [UInt8](repeating: 0, count: 5)
    _ = try tail.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: 257, into: $0) }
    if tail == Array("ustar".utf8) { return Command("cat", []) }
    throw ReleaseError(
      .source, doing: "reading \(path)", reason: "it is not a tarball (neither xz, gzip, zstd, bzip2 nor tar)",
      advice: "give a .tar.xz, .tar.gz or .tar.zst")
  }

  // MARK: cache

  private struct CacheIndex: Codable {
    struct File: Codable {
      var path: String
      var isExecutable: Bool
      var link: String?
      var size: Int
    }
    var pin: SourcePin
    var files: [File]
    /// Of the data file, which holds the files one after the other.
    var sha256: SHA256Digest
  }

  /// Everything that decides the outcome of a read, so that a changed keyring or rule reads again.
  private func cacheKey(_ sha256: SHA256Digest, _ selection: SHA256Digest) throws -> String {
    var hasher = SHA256Digest.Hasher()
    hasher.update("3 \(sha256) \(selection) \(pinnedSHA256?.hex ?? "-")\0")
    if let trust {
      hasher.update("\(SHA256Digest(of: try trust.keyringBytes())) \(trust.signers.sorted())\0")
    }
    if let signature { hasher.update(SHA256Digest(of: try Files.read(signature, limit: 1 << 20)).hex) }
    return "\(sha256.hex.prefix(16))-\(hasher.finalize().hex.prefix(32))"
  }

  private func cached(_ key: String) -> SourceContent? {
    guard let folder = cache?.appending(key),
      let index = try? JSON.decode(CacheIndex.self, from: Files.read(folder.appending("index.json"))),
      let data = try? Files.read(folder.appending("data")), SHA256Digest(of: data) == index.sha256
    else { return nil }
    var files: [String: SourceFile] = [:]
    var offset = 0
    for file in index.files {
      guard file.size >= 0, file.size <= data.count - offset else { return nil }
      let content: FileContent =
        file.link.map { .link($0) } ?? .file(Array(data[offset..<offset + file.size]))
      files[file.path] = SourceFile(content: content, isExecutable: file.isExecutable)
      offset += file.size
    }
    return SourceContent(files: files, pin: index.pin)
  }

  /// A cache that cannot be written costs time, not the release.
  private func store(_ content: SourceContent, _ key: String) {
    guard let cache else { return }
    var data: [UInt8] = []
    var files: [CacheIndex.File] = []
    for (path, file) in content.files.sorted(by: { $0.key < $1.key }) {
      switch file.content {
      case .file(let bytes):
        files.append(.init(path: path, isExecutable: file.isExecutable, link: nil, size: bytes.count))
        data += bytes
      case .link(let target):
        files.append(.init(path: path, isExecutable: false, link: target, size: 0))
      }
    }
    let index = CacheIndex(pin: content.pin, files: files, sha256: SHA256Digest(of: data))
    let folder = cache.appending(key)
    do {
      try Files.makeFolder(folder, mode: 0o700)
      try Files.replace(folder.appending("data"), with: data)
      try Files.replace(folder.appending("index.json"), with: try JSON.encode(index))
    } catch {
      try? Files.remove(folder)
    }
  }
}
