// SPDX-License-Identifier: GPL-2.0-only

import Files
import SystemPackage

/// Compressed blocks of earlier archives, each in a file whose name is the digest of what it was made of: the
/// uncompressed bytes, the settings and the version of liblzma. So they are the bytes that compressing would give.
package struct BlockCache: Sendable {
  /// What archives written in this task take blocks from and add them to; nil for none. It changes the time that they
  /// take, and nothing else.
  @TaskLocal package static var current: BlockCache?

  private let cache: CacheFolder

  package init(_ folder: FilePath) { cache = CacheFolder(folder, limit: 1 << 30) }

  /// Removes the blocks that were not used for longest, until those that are left have 1 GiB at most.
  package func trim() { cache.trim() }

  /// The block that is kept under `key`; nil if there is none, or its bytes are not those that were stored.
  func block(_ key: SHA256Digest, uncompressedSize: UInt64) -> XZ.Block? {
    guard let file = cache.use(key), let stored = try? Files.read(file, limit: 64 << 20),
      stored.count > Self.headerSize, let text = String(validating: stored[..<Self.headerSize], as: UTF8.self)
    else { return nil }
    let fields = text.dropLast().split(separator: " ")
    let bytes = Array(stored[Self.headerSize...])
    guard fields.count == 2, let unpadded = UInt64(fields[1], radix: 16), fields[0] == SHA256Digest(of: bytes).hex
    else { return nil }
    return XZ.Block(bytes: bytes, unpaddedSize: unpadded, uncompressedSize: uncompressedSize)
  }

  /// Keeps a block. A cache that cannot be written costs time, not the release.
  func store(_ block: XZ.Block, _ key: SHA256Digest) {
    let size = String(block.unpaddedSize, radix: 16)
    let header = SHA256Digest(of: block.bytes).hex + " " + String(repeating: "0", count: 16 - size.count) + size + "\n"
    cache.store(key) { try Files.replace($0, with: Array(header.utf8) + block.bytes, mode: 0o600) }
  }

  /// `DIGEST SIZE\n` before the bytes: their SHA-256, and the unpadded size of the block in 16 hexadecimal digits.
  private static let headerSize = 64 + 1 + 16 + 1
}
