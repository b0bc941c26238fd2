// SPDX-License-Identifier: GPL-2.0-only

import SystemPackage

/// Feeds libarchive from a descriptor, counts the bytes, and copies them to a tee.
final class ArchiveFeed {
  private let input: FileDescriptor
  private let limit: Int64
  private let tee: ((UnsafeRawBufferPointer) throws -> Void)?
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
  /// How many bytes there were. A tar ends with at least one block of zeros; libarchive does not ask for it.
  private(set) var total: Int64 = 0
  /// How many bytes up to the last one that is not 0.
  private(set) var meaningful: Int64 = 0
  private(set) var failure: (any Error)?
  private(set) var isOverLimit = false

  init(input: FileDescriptor, limit: Int64, tee: ((UnsafeRawBufferPointer) throws -> Void)?) {
    self.input = input
    self.limit = limit
    self.tee = tee
  }

  deinit { buffer.deallocate() }

  func next(_ out: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
    do {
      let count = try read()
      out?.pointee = UnsafeRawPointer(buffer.baseAddress)
      return isOverLimit ? 0 : count
    } catch {
      failure = error
      return -1
    }
  }

  /// Reads on after the end of the archive, so that the decompressor checks its last block.
  func drain() throws {
    while !isOverLimit, try read() > 0 {}
  }

  private func read() throws -> Int {
    try Task.checkCancellation()
    let count = try input.read(into: buffer)
    let chunk = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    let used = chunk.countWithoutZeros
    if used > 0 { meaningful = total + Int64(used) }
    total += Int64(count)
    if total > limit { isOverLimit = true }
    try tee?(chunk)
    return count
  }
}

extension UnsafeRawBufferPointer {
  /// How many bytes there are without the zeros at the end.
  fileprivate var countWithoutZeros: Int {
    var end = count
    while end >= 8, loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
    while end > 0, self[end - 1] == 0 { end -= 1 }
    return end
  }
}
