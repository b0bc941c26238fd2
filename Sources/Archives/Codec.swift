// SPDX-License-Identifier: GPL-2.0-only

import Files

extension Codec {
  /// How much of an input of `total` bytes makes a block, for the work to be shared between cores.
  ///
  /// gzip and zstd make one block of everything: dpkg reads the first frame of zstd only.
  func blockSize(total: Int) -> Int { self == .xz ? XZ.blockSize(total: total) : .max }

  /// `bytes` compressed with gzip or zstd: for what is small.
  package func compress(_ bytes: [UInt8], doing: String) throws -> [UInt8] {
    let writer = try ArchiveWriter(.raw(self), time: 0, doing: doing)
    try writer.addFile("data", bytes)
    return try writer.finish()
  }
}
