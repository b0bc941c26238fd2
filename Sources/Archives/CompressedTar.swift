// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes

/// A tar archive in which everything belongs to root and has one time, compressed on all cores.
///
/// Where a block ends depends on nothing but what was written before, so that the number of cores does not show.
package struct CompressedTar: Sendable {
  package struct Entry: Sendable {
    package var path: String
    /// nil for a folder.
    package var content: FileContent?
    package var mode: UInt32

    package static func folder(_ path: String) -> Entry { Entry(path: path, content: nil, mode: 0o755) }
    package static func file(_ path: String, _ content: FileContent, mode: UInt32) -> Entry {
      Entry(path: path, content: content, mode: mode)
    }
  }

  private let codec: Codec
  private let time: Int64
  private let doing: String

  /// - Parameter time: the time of every entry, in seconds since 1970.
  package init(_ codec: Codec, time: Int64, doing: String) {
    self.codec = codec
    self.time = time
    self.doing = doing
  }

  package func bytes(of entries: [Entry]) async throws -> [UInt8] {
    let tar = try ArchiveWriter(.gnuTar, time: time, doing: doing)
    var rest = entries[...]
    let blockSize = codec.blockSize(total: CompressedTar.size(rest, limit: .max))
    let blocks = try await withThrowingTaskGroup(of: (number: Int, block: Codec.Block).self) { group in
      var count = 0
      repeat {
        // Acquire the slot first: a block that waits for one would use memory.
        await CPUSlots.shared.acquire()
        do {
          let input = try next(tar, &rest, blockSize)
          group.addTask(executorPreference: BlockingExecutor.shared) { [count] in
            defer { CPUSlots.shared.release() }
            return (count, try codec.block(input, doing: doing))
          }
        } catch {
          CPUSlots.shared.release()
          throw error
        }
        count += 1
      } while !rest.isEmpty || tar.pending > 0
      var blocks: [(number: Int, block: Codec.Block)] = []
      for try await block in group { blocks.append(block) }
      return blocks.sorted { $0.number < $1.number }.map(\.block)
    }
    return try codec.join(blocks, doing: doing)
  }

  /// Writes entries until a block is full, and the end of the archive after the last one.
  private func next(_ tar: ArchiveWriter, _ rest: inout ArraySlice<Entry>, _ blockSize: Int) throws -> [UInt8] {
    tar.reserve(tar.pending + CompressedTar.size(rest, limit: blockSize))
    while tar.pending < blockSize, let entry = rest.popFirst() {
      switch entry.content {
      case nil: try tar.addFolder(entry.path)
      case .file(let bytes): try tar.addFile(entry.path, bytes, mode: entry.mode)
      case .link(let target): try tar.addLink(entry.path, to: target)
      }
      if rest.isEmpty { try tar.close() }
    }
    return tar.take(blockSize)
  }

  /// What the entries take in the archive, up to the one that reaches `limit`: rather a little more than less.
  private static func size(_ entries: ArraySlice<Entry>, limit: Int) -> Int {
    var size = 10 << 10
    for entry in entries where size < limit {
      // A header; with a long name, two more records.
      size += entry.path.utf8.count < 100 ? 512 : 1536
      if case .file(let bytes) = entry.content { size += (bytes.count + 511) / 512 * 512 }
    }
    return size
  }
}
