// SPDX-License-Identifier: GPL-2.0-only

import CLZMA
import Diagnostics
import Files

/// The parts of an .xz file. Its blocks are independent, so that they can be compressed in parallel.
///
/// xz and libarchive make blocks as well, of 24 MiB each: too few to keep two cores busy with one release, too much
/// memory for each core, and a changed file would change all that follow. Source: "The .xz File Format" 1.1.0, and liblzma's `lzma/block.h`.
enum XZ {
  struct Block: Sendable {
    var bytes: [UInt8]
    var unpaddedSize: UInt64
    var uncompressedSize: UInt64
  }

  /// The level of dpkg and of xz itself.
  private static let level: UInt32 = 6
  private static let check = LZMA_CHECK_CRC64
  // Macros that Swift does not see: LZMA_FILTER_LZMA2, LZMA_VLI_UNKNOWN, LZMA_STREAM_HEADER_SIZE.
  private static let lzma2: lzma_vli = 0x21
  private static let endOfFilters = lzma_vli.max
  private static let headerSize = 12

  /// A block of `input`, from the cache if it holds it.
  static func block(_ input: [UInt8], cache: BlockCache?, doing: String) throws -> Block {
    guard let cache else { return try compress(input, doing: doing) }
    var hasher = SHA256Digest.Hasher()
    hasher.update("xz -\(level), CRC64, liblzma \(String(cString: lzma_version_string())), \(input.count) bytes\n")
    input.withUnsafeBytes { hasher.update($0) }
    let key = hasher.finalize()
    if let known = cache.block(key, uncompressedSize: UInt64(input.count)) { return known }
    let block = try compress(input, doing: doing)
    cache.store(block, key)
    return block
  }

  /// Compresses a block. It can be cancelled on the way.
  private static func compress(_ input: [UInt8], doing: String) throws -> Block {
    var options = lzma_options_lzma()
    guard lzma_lzma_preset(&options, level) == 0 else { throw failure(LZMA_OPTIONS_ERROR, doing) }
    return try withUnsafeMutablePointer(to: &options) { options in
      var filters = [lzma_filter(id: lzma2, options: options), lzma_filter(id: endOfFilters, options: nil)]
      return try filters.withUnsafeMutableBufferPointer { filters in
        var block = lzma_block()
        block.check = check
        block.filters = filters.baseAddress
        // The header has both sizes, so it is written last; space for the largest possible header is reserved first.
        block.compressed_size = lzma_vli(lzma_block_buffer_bound(input.count))
        block.uncompressed_size = lzma_vli(input.count)
        try demand(lzma_block_header_size(&block), doing)
        var bytes = [UInt8](repeating: 0, count: Int(block.header_size))
        try withUnsafeMutablePointer(to: &block) { try encode(input, as: $0, into: &bytes, doing) }
        try demand(lzma_block_header_encode(&block, &bytes), doing)
        return Block(
          bytes: bytes, unpaddedSize: lzma_block_unpadded_size(&block), uncompressedSize: block.uncompressed_size)
      }
    }
  }

  private static func encode(
    _ input: [UInt8], as block: UnsafeMutablePointer<lzma_block>, into bytes: inout [UInt8], _ doing: String
  ) throws {
    var stream = lzma_stream()
    defer { lzma_end(&stream) }
    try demand(lzma_block_encoder(&stream, block), doing)
    try input.withUnsafeBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = input.count
      try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16 << 10) { output in
        var status = LZMA_OK
        while status == LZMA_OK {
          try Task.checkCancellation()
          stream.next_out = output.baseAddress
          stream.avail_out = output.count
          status = lzma_code(&stream, LZMA_FINISH)
          bytes += output[..<(output.count - stream.avail_out)]
        }
        guard status == LZMA_STREAM_END else { throw failure(status, doing) }
      }
    }
  }

  /// An .xz file in the making: blocks are appended in their order.
  final class Stream {
    private let output: ContentStore.Writer
    private let index: OpaquePointer
    private var flags = lzma_stream_flags()
    private let doing: String

    init(to output: ContentStore.Writer, doing: String) throws {
      guard let index = lzma_index_init(nil) else { throw failure(LZMA_MEM_ERROR, doing) }
      self.output = output
      self.index = index
      self.doing = doing
      flags.check = check
      var bytes = [UInt8](repeating: 0, count: headerSize)
      try demand(lzma_stream_header_encode(&flags, &bytes), doing)
      try append(bytes)
    }

    deinit { lzma_index_end(index, nil) }

    private func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try output.append($0) } }

    func append(_ block: Block) throws {
      try append(block.bytes)
      try demand(lzma_index_append(index, nil, block.unpaddedSize, block.uncompressedSize), doing)
    }

    /// Writes the index and the end of the file.
    func finish() throws {
      flags.backward_size = lzma_index_size(index)
      var list = [UInt8](repeating: 0, count: Int(flags.backward_size))
      var used = 0
      try demand(lzma_index_buffer_encode(index, &list, &used, list.count), doing)
      var footer = [UInt8](repeating: 0, count: headerSize)
      try demand(lzma_stream_footer_encode(&flags, &footer), doing)
      try append(list + footer)
    }
  }

  private static func demand(_ status: lzma_ret, _ doing: String) throws {
    guard status == LZMA_OK else { throw failure(status, doing) }
  }

  private static func failure(_ status: lzma_ret, _ doing: String) -> ReleaseError {
    ReleaseError(
      .failed, doing: doing,
      reason: status == LZMA_MEM_ERROR ? "there is not enough memory to compress" : "liblzma: error \(status.rawValue)")
  }
}
