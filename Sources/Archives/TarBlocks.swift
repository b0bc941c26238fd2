// SPDX-License-Identifier: GPL-2.0-only

import Files

/// The blocks of a compressed tar.
///
/// With `BlockLayout.folders`, a block ends between entries, mostly where one folder ends and another begins. What is in
/// it then depends on the names of the files more than on their sizes: a changed file changes its own block, and the
/// blocks behind it stay as they are. Files of one folder resemble each other, so this compresses nearly as well as
/// blocks of one size do. Records, which change with any file, have blocks of their own.
struct TarBlocks {
  /// The entries of each block, in order.
  let ranges: [Range<Int>]
  /// A block with more bytes is cut into pieces of this size.
  let limit: Int

  /// The dictionary of xz -6 has 8 MiB: a much larger block would need more memory, and not compress much better.
  private static let largest = 17 << 19

  init(_ layout: BlockLayout, _ entries: [CompressedTar.Entry], total: Int) {
    switch layout {
    case .even: self.init(ranges: [entries.indices], limit: Self.evenSize(total: total))
    case .folders: self.init(ranges: Self.ranges(entries), limit: Self.largest)
    }
  }

  private init(ranges: [Range<Int>], limit: Int) {
    self.ranges = ranges
    self.limit = limit
  }

  /// All as one block, cut into pieces of a size.
  static func pieces(of size: Int, _ entries: [CompressedTar.Entry]) -> TarBlocks {
    TarBlocks(ranges: [entries.indices], limit: size)
  }

  /// An even number of blocks of 12 MiB at most; small content is one block.
  private static func evenSize(total: Int) -> Int {
    if total < 4 << 20 { return 4 << 20 }
    let pairs = (total + (24 << 20) - 1) / (24 << 20)
    return (total + 2 * pairs - 1) / (2 * pairs)
  }

  private static func ranges(_ entries: [CompressedTar.Entry]) -> [Range<Int>] {
    var starts = [0]
    starts.reserveCapacity(entries.count + 1)
    for entry in entries { starts.append(starts[starts.count - 1] + entry.size) }
    var blocks: [Range<Int>] = []
    var start = 0
    for end in entries.indices.dropFirst() where entries[end].isRecord != entries[end - 1].isRecord {
      split(start..<end, entries, starts, into: &blocks)
      start = end
    }
    split(start..<entries.count, entries, starts, into: &blocks)
    return blocks
  }

  /// Halves a range that is too large, roughly: of the places in its middle half, at the one that leaves the most
  /// folders; of several, names decide, which are what changes least.
  private static func split(
    _ range: Range<Int>, _ entries: [CompressedTar.Entry], _ starts: [Int], into blocks: inout [Range<Int>]
  ) {
    let (start, size) = (starts[range.lowerBound], starts[range.upperBound] - starts[range.lowerBound])
    guard size > largest, range.count > 1 else { return blocks.append(range) }
    let inner = range.dropFirst()
    let central = inner.filter { (size / 4...size / 4 * 3).contains(starts[$0] - start) }
    let places = central.isEmpty ? Array(inner) : central
    let depths = places.map { entries[$0].path.sharedFolders(with: entries[$0 - 1].path) }
    let least = depths.min() ?? 0
    let borders = zip(places, depths).filter { $1 == least }.map(\.0)
    let place = borders.min { digest(entries[$0]) < digest(entries[$1]) } ?? inner.startIndex
    split(range.lowerBound..<place, entries, starts, into: &blocks)
    split(place..<range.upperBound, entries, starts, into: &blocks)
  }

  private static func digest(_ entry: CompressedTar.Entry) -> SHA256Digest { SHA256Digest(of: Array(entry.path.utf8)) }
}

extension String {
  /// How many folders two paths begin with alike.
  fileprivate func sharedFolders(with other: String) -> Int {
    zip(pathParts, other.pathParts).prefix { $0.isSameInBytes($1) }.count
  }
}
