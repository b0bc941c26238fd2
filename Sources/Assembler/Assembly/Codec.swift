// SPDX-License-Identifier: GPL-2.0-only

import Groundwork

/// How an archive or a part of a package is compressed. The bytes are the same on any machine, with any number of cores.
package enum Codec: String, Sendable, CaseIterable {
  case xz, zstd, gzip

  package var suffix: String {
    switch self {
    case .xz: "xz"
    case .zstd: "zst"
    case .gzip: "gz"
    }
  }

  /// What compressed a file that begins with these bytes; nil for anything else.
  package init?(magic start: [UInt8]) {
    if start.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
      self = .xz
    } else if start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
      self = .zstd
    } else if start.starts(with: [0x1f, 0x8b]) {
      self = .gzip
    } else {
      return nil
    }
  }

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
