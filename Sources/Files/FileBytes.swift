// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

/// The bytes of a file: in memory, or a range of a `ContentStore`.
///
/// Two values are equal if their bytes are; their digests decide without reading them.
package struct FileBytes: Sendable, Equatable {
  private enum Storage: Sendable {
    case memory([UInt8])
    case stored(ContentStore, offset: Int64, sha256: SHA256Digest)
  }
  private let storage: Storage
  package let count: Int

  package init(_ bytes: [UInt8]) {
    storage = .memory(bytes)
    count = bytes.count
  }

  fileprivate init(_ store: ContentStore, offset: Int64, count: Int, sha256: SHA256Digest) {
    storage = .stored(store, offset: offset, sha256: sha256)
    self.count = count
  }

  package var sha256: SHA256Digest {
    switch storage {
    case .memory(let bytes): SHA256Digest(of: bytes)
    case .stored(_, _, let sha256): sha256
    }
  }

  /// The digest of the present bytes, which differs from `sha256` if a store was tampered with.
  package func computeDigest() throws -> SHA256Digest {
    var hasher = SHA256Digest.Hasher()
    try forEachPiece { hasher.update($0) }
    return hasher.finalize()
  }

  package static func == (a: FileBytes, b: FileBytes) -> Bool {
    if a.count != b.count { return false }
    if case (.memory(let one), .memory(let other)) = (a.storage, b.storage) { return one == other }
    return a.sha256 == b.sha256
  }

  /// All of the bytes.
  package func read() throws -> [UInt8] {
    switch storage {
    case .memory(let bytes): bytes
    case .stored(let store, let offset, _):
      try [UInt8](unsafeUninitializedCapacity: count) { buffer, got in
        try store.read(
          UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]), at: offset)
        got = count
      }
    }
  }

  /// Passes the bytes on in order, in pieces of at most `size`. A piece is valid only during the call.
  package func forEachPiece(of size: Int = 1 << 20, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    for start in stride(from: 0, to: count, by: size) {
      try Task.checkCancellation()
      try withPiece(from: start, count: min(size, count - start), body)
    }
  }

  /// Hands out the bytes from `start` on, `count` of them.
  package func withPiece<R>(
    from start: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws -> R
  ) throws -> R {
    switch storage {
    case .memory(let bytes):
      return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
    case .stored(let store, let offset, _):
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
      defer { buffer.deallocate() }
      try store.read(buffer, at: offset + Int64(start))
      return try body(UnsafeRawBufferPointer(buffer))
    }
  }
}

/// A file that lrelease owns and only appends to: contents of any size lie in it instead of in memory.
///
/// Reading is by pread(2): a truncated file is an error, never a signal.
package final class ContentStore: Sendable {
  /// What messages call it.
  private let path: FilePath
  private let file: FileDescriptor

  private init(_ path: FilePath, _ file: FileDescriptor) {
    self.path = path
    self.file = file
  }

  deinit { try? file.close() }

  /// A new store without a name, in TMPDIR: it is removed with the last reference to it, or with the process.
  package static func temporary() throws -> (store: ContentStore, writer: Writer) {
    let parent = Files.temporaryFolder
    let file = try Files.unnamedFile(in: parent, doing: "making a scratch file in \(parent)")
    let store = ContentStore(FilePath("a scratch file in \(parent)"), file)
    return (store, Writer(store, size: 0))
  }

  /// A new store at `path`, which must not exist.
  package static func create(at path: FilePath, mode: UInt32 = 0o600) throws -> (store: ContentStore, writer: Writer) {
    do {
      let file = try FileDescriptor.open(
        path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: FilePermissions(rawValue: 0o600))
      let store = ContentStore(path, file)
      guard fchmod(file.rawValue, mode) == 0 else { throw Errno(rawValue: errno) }
      return (store, Writer(store, size: 0))
    } catch let error as Errno {
      throw ReleaseError(errno: error.rawValue, doing: "writing \(path)")
    }
  }

  /// Locks the file of the store as long as this process has it.
  func lock() { flock(file.rawValue, LOCK_EX | LOCK_NB) }

  /// A store that was written before.
  package convenience init(reading path: FilePath) throws {
    self.init(path, try Files.openRegular(path, doing: "reading \(path)").file)
  }

  /// All of the store as one content.
  package func whole() throws -> FileBytes {
    do {
      let size = Int64(try Files.status(of: file, doing: "reading \(path)").st_size)
      return range(offset: 0, count: Int(size), sha256: try SHA256Digest(of: file, size: size))
    } catch let error as Errno {
      throw ReleaseError(errno: error.rawValue, doing: "reading \(path)")
    }
  }

  /// A range whose digest is known.
  package func range(offset: Int64, count: Int, sha256: SHA256Digest) -> FileBytes {
    FileBytes(self, offset: offset, count: count, sha256: sha256)
  }

  fileprivate func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let got: Int
      do {
        got = try file.read(fromAbsoluteOffset: offset + Int64(done), into: rest)
      } catch let error as Errno {
        throw ReleaseError(errno: error.rawValue, doing: "reading \(path)")
      }
      guard got > 0 else {
        throw ReleaseError(
          .failed, doing: "reading \(path)", reason: "it was truncated in the meantime", advice: "try again")
      }
      done += got
    }
  }

  fileprivate func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
    do {
      _ = try file.writeAll(toAbsoluteOffset: offset, bytes)
    } catch let error as Errno {
      throw ReleaseError(errno: error.rawValue, doing: "writing \(path)")
    }
  }

  /// Appends contents to a store, one after the other.
  package final class Writer {
    private let store: ContentStore
    private var size: Int64
    private var start: Int64
    private var hasher = SHA256Digest.Hasher()
    /// Small pieces are written together.
    private var pending: [UInt8] = []
    private static let pendingLimit = 256 << 10

    fileprivate init(_ store: ContentStore, size: Int64) {
      self.store = store
      self.size = size
      start = size
    }

    /// Appends to the content that is being written.
    package func append(_ bytes: UnsafeRawBufferPointer) throws {
      hasher.update(bytes)
      size += Int64(bytes.count)
      if pending.count + bytes.count > Self.pendingLimit { try flush(before: bytes.count) }
      if bytes.count >= Self.pendingLimit {
        try store.write(bytes, at: size - Int64(bytes.count))
      } else {
        pending += bytes
      }
    }

    /// Ends the content that is being written, and begins another.
    package func finishContent() -> FileBytes {
      let content = store.range(offset: start, count: Int(size - start), sha256: hasher.finalize())
      start = size
      hasher = SHA256Digest.Hasher()
      return content
    }

    /// Appends one whole content.
    package func add(_ bytes: [UInt8]) throws -> FileBytes {
      try bytes.withUnsafeBytes { try append($0) }
      return finishContent()
    }

    /// Writes buffered bytes. After that, contents can be read.
    package func flush() throws { try flush(before: 0) }

    private func flush(before later: Int) throws {
      guard !pending.isEmpty else { return }
      try pending.withUnsafeBytes { try store.write($0, at: size - Int64(later) - Int64($0.count)) }
      pending.removeAll(keepingCapacity: true)
    }
  }
}

extension Files {
  /// Writes a new file; one that exists already is an error.
  package static func write(_ bytes: FileBytes, to path: FilePath, mode: UInt32 = 0o644) throws {
    let (_, writer) = try ContentStore.create(at: path, mode: mode)
    do {
      try bytes.forEachPiece { try writer.append($0) }
      try writer.flush()
    } catch {
      unlink(path.string)
      throw error
    }
  }
}
