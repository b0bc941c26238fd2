// SPDX-License-Identifier: GPL-2.0-only

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
    } else if start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) || Codec.isSkippableFrame(start) {
      self = .zstd
    } else if start.starts(with: [0x1f, 0x8b]) {
      self = .gzip
    } else {
      return nil
    }
  }

  /// Of zstd, as pzstd and others write one first. Source: RFC 8878, 3.1.2.
  private static func isSkippableFrame(_ start: [UInt8]) -> Bool {
    start.count >= 4 && (0x50...0x5f).contains(start[0]) && start[1..<4].elementsEqual([0x2a, 0x4d, 0x18])
  }
}
