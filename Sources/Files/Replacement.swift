// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import Synchronization
import SystemPackage

extension Files {
  /// Writes a file atomically, replacing an existing one.
  ///
  /// - Parameter overwrites: whether an existing file may be replaced.
  package static func replace(
    _ path: FilePath, with bytes: [UInt8], mode: UInt32 = 0o644, overwrites: Bool = true
  ) throws {
    let replacement = try Replacement(of: path, mode: mode)
    do {
      try bytes.withUnsafeBytes { try replacement.writer.append($0) }
      try replacement.commit(overwrites: overwrites)
    } catch {
      replacement.discard()
      throw error
    }
  }

  /// The same for what is written piece by piece.
  ///
  /// - Parameter body: writes the contents.
  package static func replace<R>(
    _ path: FilePath, mode: UInt32 = 0o644, _ body: (ContentStore.Writer) async throws -> R
  ) async throws -> R {
    let replacement = try Replacement(of: path, mode: mode)
    do {
      let result = try await body(replacement.writer)
      try replacement.commit(overwrites: true)
      return result
    } catch {
      replacement.discard()
      throw error
    }
  }
}

/// A file that is written beside the one that it takes the name of, and locked meanwhile: `NAME.PROCESS-NUMBER.new`. One
/// that a dead process has left is known by the lock that it has not, and removed by the next.
private struct Replacement {
  let writer: ContentStore.Writer
  private let path: FilePath
  private let beside: FilePath

  private static let count = Mutex(0)

  init(of path: FilePath, mode: UInt32) throws {
    Self.sweep(beside: path)
    let number = Self.count.withLock { count in
      count += 1
      return count
    }
    self.path = path
    beside = FilePath("\(path).\(getpid())-\(number).new")
    let (store, writer) = try ContentStore.create(at: beside, mode: mode)
    store.lock()
    self.writer = writer
  }

  func commit(overwrites: Bool) throws {
    try writer.flush()
    // link(2) never replaces anything.
    let isDone =
      overwrites
      ? rename(beside.string, path.string) == 0 : link(beside.string, path.string) == 0 && unlink(beside.string) == 0
    guard isDone else { throw ReleaseError(errno: errno, doing: "writing \(path)") }
  }

  func discard() { unlink(beside.string) }

  private static func sweep(beside path: FilePath) {
    let start = Array("\(path.name).".utf8)
    Files.sweep(path.removingLastComponent()) { $0.starts(with: start) }
  }
}

extension Files {
  /// Removes the files that `replace` was writing to a folder when its process died.
  ///
  /// - Parameter isMeant: which of these names are meant.
  package static func sweep(_ folder: FilePath, _ isMeant: ([UInt8]) -> Bool = { _ in true }) {
    let end = Array(".new".utf8)
    for name in (try? names(in: folder)) ?? [] where name.suffix(end.count) == end[...] && isMeant(name) {
      let parts = name.dropLast(end.count).split(separator: 0x2e, omittingEmptySubsequences: false)
      guard parts.count > 1, let process = parts.last, !process.isEmpty,
        process.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2d })
      else { continue }
      let place = folder.appending(bytes: name)
      guard let lock = try? FileLock(existing: place), (try? lock.tryAcquire(.exclusive)) == true, lock.isInPlace
      else { continue }
      unlink(place.string)
    }
  }
}
