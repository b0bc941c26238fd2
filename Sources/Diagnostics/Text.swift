// SPDX-License-Identifier: GPL-2.0-only

extension String {
  /// The text with control characters made visible, so that input cannot forge a second line or control the terminal.
  package var singleLine: String {
    var out = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": out += "\\n"
      case "\t": out += " "
      case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
        out += "\\u{\(String(scalar.value, radix: 16))}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// The text, or where it has more bytes than `limit`, its beginning and its end.
  package func cut(to limit: Int) -> String {
    guard utf8.count > limit else { return self }
    let head = limit * 2 / 3
    // A byte of a character that was cut through is left out.
    let start = String(decoding: utf8.prefix(head), as: UTF8.self).trimmedOfReplacements
    let end = String(decoding: utf8.suffix(limit - head), as: UTF8.self).trimmedOfReplacements
    return "\(start) … \(end)"
  }

  private var trimmedOfReplacements: String {
    var slice = self[...]
    while slice.last == "\u{fffd}" { slice.removeLast() }
    while slice.first == "\u{fffd}" { slice.removeFirst() }
    return String(slice)
  }

  /// The nearest of `candidates` by edit distance, if it is near enough to be meant.
  package func nearest(in candidates: some Sequence<String>) -> String? {
    let own = count
    let limit = Swift.max(1, own / 3)
    // Longer words are not typing mistakes, and the cost grows with the product of the lengths.
    guard own <= 100 else { return nil }
    return candidates.filter { abs($0.count - own) <= limit }.map { ($0, editDistance(to: $0)) }
      .filter { $0.1 <= limit }
      .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
  }

  /// How many letters were left out, added, replaced, or swapped with the next one.
  private func editDistance(to other: String) -> Int {
    let a = Array(self)
    let b = Array(other)
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = Swift.min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = Swift.min(cost, beforeLast[j - 1] + 1) }
        row.append(cost)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}

extension StringProtocol {
  /// The text without white space at both ends.
  package var trimmed: String {
    var slice = self[...]
    while let first = slice.first, first.isWhitespace { slice.removeFirst() }
    while let last = slice.last, last.isWhitespace { slice.removeLast() }
    return String(slice)
  }
}

extension [String] {
  /// The first few, separated by commas, and how many more there are: for one line.
  package var shortened: String {
    count <= 6 ? joined(separator: ", ") : prefix(5).joined(separator: ", ") + " and \(count - 5) more"
  }
}
