// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// A tar archive on disk, compressed or not, open for reading. It is read through the program that decompresses it.
///
/// The file is opened once, so that its digest and its content belong to the same bytes.
package final class ArchiveFile: Sendable {
  package let path: FilePath
  private let file: FileDescriptor
  private let size: Int64
  private let limits: ArchiveLimits
  private var doing: String { "reading \(path)" }

  /// - Throws: `ReleaseError` with code `source` for what is not a regular file.
  package init(_ path: FilePath, limits: ArchiveLimits = ArchiveLimits()) throws {
    self.path = path
    self.limits = limits
    let file: FileDescriptor
    let status: stat
    do {
      (file, status) = try Files.openRegular(path, doing: "reading \(path)", code: .source)
    } catch let error as ReleaseError {
      throw error.suggesting(path)
    }
    self.file = file
    size = Int64(status.st_size)
    guard size <= limits.uncompressed else {
      throw ReleaseError(
        .source, doing: "reading \(path)", reason: "it has \(size) bytes, more than \(limits.uncompressed)")
    }
  }

  deinit { try? file.close() }

  /// The SHA-256 of the file as it is on disk, compressed.
  package func digest() async throws -> SHA256Digest {
    do {
      return try await BlockingExecutor.run { try SHA256Digest(of: file, size: size) }
    } catch let error as Errno {
      throw ReleaseError(.source, doing: doing, reason: error.description, cause: error)
    }
  }

  /// Hands out the bytes of the file as it is on disk.
  package func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    do {
      while true {
        try Task.checkCancellation()
        let count = try file.read(fromAbsoluteOffset: offset, into: buffer)
        if count == 0 { return }
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        offset += Int64(count)
      }
    } catch let error as Errno {
      throw ReleaseError(.source, doing: doing, reason: error.description, cause: error)
    }
  }

  /// What compressed it; nil for a plain tar and for codecs that lrelease reads but does not write.
  package var codec: Codec? {
    get throws { Codec(magic: try start(6)) }
  }

  /// Reads all files.
  package func read(progress: Progress) async throws -> ArchiveReader.Result {
    try await read(wants: { _ in true }, progress: progress, while: { scan in Result { (try scan(nil), ()) } }).archive
  }

  /// Reads the wanted files while `body` processes the bytes of the uncompressed tar.
  ///
  /// - Parameter body: calls `scan` once, with a closure that receives every byte.
  /// - Throws: `ReleaseError` with code `source` for a damaged file, with the message of the decompressor.
  package func read<R: Sendable>(
    wants: @escaping @Sendable (String) -> Bool, progress: Progress,
    while body: (
      _ scan: (_ tee: ((UnsafeRawBufferPointer) throws -> Void)?) throws -> ArchiveReader.Result
    ) async throws -> Result<(ArchiveReader.Result, R), any Error>
  ) async throws -> (archive: ArchiveReader.Result, other: R) {
    let read = try await readOnce(wants: wants, progress: progress, while: body)
    // Hard links to files that are not wanted: once more, with these.
    let needed = read.archive.needed
    guard !needed.isEmpty else { return read }
    var again = try await readOnce(wants: { wants($0) || needed.contains($0) }, progress: progress, while: body)
    guard again.archive.needed.isEmpty else {
      throw ReleaseError(.source, doing: doing, reason: "it was changed in the meantime", advice: "try again")
    }
    again.archive.files = again.archive.files.filter { wants($0.key) }
    return again
  }

  private func readOnce<R: Sendable>(
    wants: @escaping @Sendable (String) -> Bool, progress: Progress,
    while body: (
      _ scan: (_ tee: ((UnsafeRawBufferPointer) throws -> Void)?) throws -> ArchiveReader.Result
    ) async throws -> Result<(ArchiveReader.Result, R), any Error>
  ) async throws -> (archive: ArchiveReader.Result, other: R) {
    _ = try file.seek(offset: 0, from: .start)
    let step = "reading \(path.lastComponent?.string ?? path.string)"
    let (result, outcome) = try await progress.step(step, total: size) {
      try await decompressor().stream(input: file, doing: doing) { tar in
        let reader = ArchiveReader(name: path.string, limits: limits, wants: wants)
        return try await BlockingExecutor.run {
          try await body { tee in
            try reader.read(tar) { [file, size] chunk in
              // The decompressor shares the file offset, which shows how far it has read.
              progress.advanced(step, (try? file.seek(offset: 0, from: .current)) ?? 0, of: size)
              try tee?(chunk)
            }
          }
        }
      }
    }
    // The decompressor's message comes first: it says that a file is truncated, not that a tar ends early.
    if case .failure(let error) = result {
      if error is CancellationError { throw error }
      // A broken pipe only says that we stopped reading.
      if !outcome.errors.isEmpty && !outcome.errors.contains("Broken pipe") { throw damaged(outcome) }
      throw error
    }
    // bzip2 only prints a line about what follows its data.
    guard outcome.succeeded, outcome.errors.isEmpty else { throw damaged(outcome) }
    return try result.get()
  }

  private func damaged(_ outcome: Command.Outcome) -> ReleaseError {
    // The first line: bzip2 goes on about what else it can do.
    let line = outcome.errors.split(separator: "\n").first.map { String($0).trimmed } ?? outcome.ending
    return ReleaseError(
      .source, doing: doing, reason: line, advice: "the file is damaged or incomplete: get it again")
  }

  private func start(_ count: Int, at offset: Int64 = 0) throws -> [UInt8] {
    do {
      return try [UInt8](unsafeUninitializedCapacity: count) { buffer, got in
        got = try file.read(fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))
      }
    } catch let error as Errno {
      throw ReleaseError(.source, doing: doing, reason: error.description, cause: error)
    }
  }

  private func decompressor() throws -> Command {
    switch try codec {
    case .xz: return Command("xz", ["-dc", "-T0", "-M4GiB"])
    case .gzip: return Command("gzip", ["-dc"])
    case .zstd: return Command("zstd", ["-dcq", "--long=31"])
    case nil: break
    }
    let start = try self.start(512)
    if start.starts(with: Array("BZh".utf8)) { return Command("bzip2", ["-dc"]) }
    if isTarHeader(start) { return Command("cat", []) }
    let (reason, advice) = ForeignFile.describe(start) ?? ("it is not a tarball", nil)
    throw ReleaseError(
      .source, doing: doing, reason: reason, advice: advice ?? "give a .tar.xz, .tar.gz, .tar.zst, .tar.bz2 or .tar")
  }
}

/// Whether the first block of a file is the header of a tar entry: by the sum of its bytes, as old tars have no magic.
private func isTarHeader(_ block: [UInt8]) -> Bool {
  guard block.count == 512 else { return false }
  if block[257..<262].elementsEqual("ustar".utf8) { return true }
  let field = block[148..<156].drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
  guard let sum = Int(String(decoding: field, as: UTF8.self), radix: 8), sum > 0 else { return false }
  let others = block[..<148] + block[156...]
  // The field itself counts as spaces. Some programs used signed bytes.
  return others.reduce(8 * 32) { $0 + Int($1) } == sum
    || others.reduce(8 * 32) { $0 + Int(Int8(bitPattern: $1)) } == sum
}
