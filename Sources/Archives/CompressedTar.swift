// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes

/// A tar archive in which everything belongs to root and has one time, compressed on all cores.
///
/// Where a block ends depends only on the content (`TarBlocks`), so that the number of cores does not matter. A few
/// blocks are in memory at a time, whatever the size of the archive.
package struct CompressedTar: Sendable {
  package struct Entry: Sendable {
    package var path: String
    /// nil for a folder.
    package var content: FileContent?
    package var mode: UInt32
    /// Whether it lists the others, so that it changes with any of them.
    package var isRecord = false

    package static func folder(_ path: String) -> Entry { Entry(path: path, content: nil, mode: 0o755) }
    package static func file(
      _ path: String, _ content: FileContent, mode: UInt32, isRecord: Bool = false
    ) -> Entry {
      Entry(path: path, content: content, mode: mode, isRecord: isRecord)
    }

    /// How many bytes it has in the archive, or a few more.
    var size: Int {
      // A header; with a long name, two more records.
      let header = path.utf8.count < 100 ? 512 : 1536
      guard case .regular(let bytes) = content else { return header }
      return header + (bytes.count + 511) / 512 * 512
    }
  }

  private let codec: Codec
  private let blocks: BlockLayout
  private let time: Int64
  private let doing: String

  /// - Parameters:
  ///   - blocks: where blocks end; only .xz has any.
  ///   - time: the time of every entry, in seconds since 1970.
  package init(_ codec: Codec, blocks: BlockLayout, time: Int64, doing: String) {
    self.codec = codec
    self.blocks = blocks
    self.time = time
    self.doing = doing
  }

  /// Writes the archive to a store, as one content.
  ///
  /// - Parameter report: is told how many bytes of the uncompressed archive are done, and how many there are.
  package func write(
    _ entries: [Entry], to output: ContentStore.Writer, report: (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
  ) async throws -> FileBytes {
    let total = entries.reduce(10 << 10) { $0 + $1.size }
    switch codec {
    case .xz: try await writeBlocks(entries, total: total, to: output, report: report)
    case .zstd, .gzip: try await writeStream(entries, total: total, to: output, report: report)
    }
    return output.finishContent()
  }

  private func writeBlocks(
    _ entries: [Entry], total: Int, to output: ContentStore.Writer, report: (Int64, Int64) -> Void
  ) async throws {
    var tar = try TarStream(entries, TarBlocks(blocks, entries, total: total), time: time, doing: doing)
    let file = try XZ.Stream(to: output, doing: doing)
    let cache = BlockCache.current
    var started = 0
    var written = 0
    var bytesDone: Int64 = 0
    // Compressed blocks that wait for one before them.
    var waiting: [Int: XZ.Block] = [:]
    try await withThrowingTaskGroup(of: (number: Int, block: XZ.Block).self) { group in
      func take(_ finished: (number: Int, block: XZ.Block)) throws {
        waiting[finished.number] = finished.block
        bytesDone += Int64(finished.block.uncompressedSize)
        while let block = waiting.removeValue(forKey: written) {
          try file.append(block)
          written += 1
        }
        report(min(bytesDone, Int64(total)), Int64(total))
      }
      repeat {
        // Acquire the slot first: a block that waits for one would use memory.
        await CPUSlots.shared.acquire()
        do {
          let input = try tar.next()
          group.addTask(executorPreference: BlockingExecutor.shared) { [started, doing] in
            defer { CPUSlots.shared.release() }
            return (started, try XZ.block(input, cache: cache, doing: doing))
          }
        } catch {
          CPUSlots.shared.release()
          throw error
        }
        started += 1
        while started - written >= 2 * CPUSlots.shared.count, let finished = try await group.next() {
          try take(finished)
        }
      } while !tar.isAtEnd
      for try await finished in group { try take(finished) }
    }
    try file.finish()
  }

  /// One stream on one core: dpkg reads only the first frame of zstd.
  private func writeStream(
    _ entries: [Entry], total: Int, to output: ContentStore.Writer, report: (Int64, Int64) -> Void
  ) async throws {
    await CPUSlots.shared.acquire()
    defer { CPUSlots.shared.release() }
    var tar = try TarStream(entries, .pieces(of: 1 << 20, entries), time: time, doing: doing)
    let writer = try ArchiveWriter(.raw(codec), time: 0, to: output, doing: doing)
    try writer.beginFile("data", size: total, mode: 0o644)
    var bytesDone: Int64 = 0
    while !tar.isAtEnd {
      let piece = try tar.next()
      try piece.withUnsafeBytes { try writer.write($0) }
      bytesDone += Int64(piece.count)
      report(min(bytesDone, Int64(total)), Int64(total))
    }
    try writer.endFile()
    try writer.close()
  }
}

/// The bytes of an uncompressed tar, generated on demand.
private struct TarStream {
  private let writer: ArchiveWriter
  private let entries: [CompressedTar.Entry]
  private var blocks: ArraySlice<Range<Int>>
  private let limit: Int
  /// What is left of the block that is being written.
  private var rest: Range<Int>
  /// The file that is being written, and how much of it is.
  private var current: (bytes: FileBytes, done: Int)?
  private var isClosed = false

  init(_ entries: [CompressedTar.Entry], _ blocks: TarBlocks, time: Int64, doing: String) throws {
    writer = try ArchiveWriter(.gnuTar, time: time, doing: doing)
    self.entries = entries
    self.blocks = blocks.ranges[...]
    limit = blocks.limit
    rest = self.blocks.popFirst() ?? 0..<0
  }

  var isAtEnd: Bool { isClosed && writer.pending == 0 }

  /// The bytes of the next block, or the next piece of one that is too large. The last has the end of the archive, too.
  mutating func next() throws -> [UInt8] {
    if current == nil, rest.isEmpty, writer.pending == 0 { rest = blocks.popFirst() ?? 0..<0 }
    writer.reserve(limit + 2 << 20)
    while writer.pending < limit, try advance() {}
    return writer.take(limit)
  }

  /// Writes a little more.
  ///
  /// - Returns: whether the block goes on.
  private mutating func advance() throws -> Bool {
    if let (bytes, done) = current {
      let count = min(1 << 20, bytes.count - done)
      if count > 0 { try bytes.withPiece(from: done, count: count) { try writer.write($0) } }
      current = (bytes, done + count)
      if done + count == bytes.count {
        try writer.endFile()
        current = nil
      }
    } else if let number = rest.popFirst() {
      let entry = entries[number]
      switch entry.content {
      case nil: try writer.addFolder(entry.path)
      case .regular(let bytes):
        try writer.beginFile(entry.path, size: bytes.count, mode: entry.mode)
        current = (bytes, 0)
      case .link(let target): try writer.addLink(entry.path, to: target)
      }
    } else {
      guard blocks.isEmpty, !isClosed else { return false }
      try writer.close()
      isClosed = true
    }
    return true
  }
}
