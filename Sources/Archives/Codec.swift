// SPDX-License-Identifier: GPL-2.0-only

import Files

extension Codec {
  /// `bytes` compressed: for what is small.
  package func compress(_ bytes: [UInt8], doing: String) throws -> [UInt8] {
    let writer = try ArchiveWriter(.raw(self), time: 0, doing: doing)
    try writer.addFile("data", bytes)
    return try writer.finish()
  }
}
