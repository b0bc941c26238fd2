// SPDX-License-Identifier: GPL-2.0-only

import CLibArchive
import Diagnostics
import Files

/// A small file that may be compressed, as a whole in memory.
package enum CompressedFile {
  /// What a compressed file begins with: gzip, xz, zstd, bzip2, lzip.
  private static let magics: [[UInt8]] = [
    [0x1f, 0x8b], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], [0x28, 0xb5, 0x2f, 0xfd], Array("BZh".utf8), Array("LZIP".utf8),
  ]

  /// Whether `bytes` begin as a compressed file does.
  package static func isCompressed(_ bytes: [UInt8]) -> Bool { magics.contains { bytes.starts(with: $0) } }

  /// What a compressed file holds; `bytes` themselves when they are not compressed.
  ///
  /// - Parameter limit: the most bytes that are taken; a file that holds more is an error, however small it is.
  package static func unpacked(_ bytes: [UInt8], limit: Int, doing: String) throws -> [UInt8] {
    guard isCompressed(bytes) else { return bytes }
    func refused(_ reason: String, _ advice: String? = nil) -> ReleaseError {
      ReleaseError(.input, doing: doing, reason: reason, advice: advice)
    }
    guard let archive = archive_read_new() else { throw refused("libarchive could not start") }
    defer { archive_read_free(archive) }
    archive_read_support_filter_gzip(archive)
    archive_read_support_filter_xz(archive)
    archive_read_support_filter_zstd(archive)
    archive_read_support_filter_bzip2(archive)
    archive_read_support_filter_lzip(archive)
    archive_read_support_format_raw(archive)
    return try bytes.withUnsafeBytes { input in
      func broken() -> ReleaseError {
        refused(
          archive_error_string(archive).map { String(cString: $0) } ?? "it cannot be decompressed",
          "the file is damaged: get it again")
      }
      var entry: OpaquePointer?
      guard archive_read_open_memory(archive, input.baseAddress, input.count) == ARCHIVE_OK else { throw broken() }
      let first = archive_read_next_header(archive, &entry)
      // Nothing is in it.
      if first == ARCHIVE_EOF { return [] }
      guard first == ARCHIVE_OK else { throw broken() }
      var out: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 256 << 10)
      while true {
        let got = archive_read_data(archive, &piece, piece.count)
        if got < 0 { throw broken() }
        if got == 0 { return out }
        out += piece[..<got]
        if out.count > limit { throw refused("it holds more than \(limit >> 20) MiB when it is unpacked") }
      }
    }
  }
}
