// SPDX-License-Identifier: GPL-2.0-only

import Files

extension Codec {
  /// How much of an input of `total` bytes makes a block, for the work to be shared between cores.
  ///
  /// gzip and zstd make one block of everything: dpkg reads the first frame of zstd only.
  func blockSize(total: Int) -> Int { self == .xz ? XZ.blockSize(total: total) : .max }

  /// A piece of the compressed stream that depends on nothing before it.
  enum Block: Sendable {
    case xz(XZ.Block)
    case whole([UInt8])
  }

  func block(_ bytes: [UInt8], doing: String) throws -> Block {
    if self == .xz { return .xz(try XZ.block(bytes, doing: doing)) }
    let writer = try ArchiveWriter(.raw(self), time: 0, doing: doing)
    try writer.addFile("data", bytes)
    return .whole(try writer.finish())
  }

  func join(_ blocks: [Block], doing: String) throws -> [UInt8] {
    var parts: [XZ.Block] = []
    for block in blocks {
      switch block {
      case .whole(let bytes): return bytes
      case .xz(let part): parts.append(part)
      }
    }
    return try XZ.file(parts, doing: doing)
  }

  /// `bytes` compressed, as one block: for what is small.
  package func compress(_ bytes: [UInt8], doing: String) throws -> [UInt8] {
    try join([block(bytes, doing: doing)], doing: doing)
  }
}
