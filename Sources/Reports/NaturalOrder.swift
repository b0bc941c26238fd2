// SPDX-License-Identifier: GPL-2.0-only

import Files

/// Text in the order in which people count: `6.1.0-9` before `6.1.0-49`, and `7.2~rc3` before `7.2`.
///
/// Names of targets, kernels and releases are of many kinds; this one takes them all, and no two texts are equal in it.
/// A word stands before a number, as package managers have it: `570.el9` before `570.12.1.el9`.
struct NaturalOrder: Comparable {
  /// A run of digits, or one other character.
  private struct Part: Comparable {
    /// `~`, the end, a character, digits, a character where words come last: in this order.
    var rank: Int
    /// Of two numbers the one with more digits is larger.
    var length = 0
    var bytes: ArraySlice<UInt8> = []

    static func < (a: Self, b: Self) -> Bool {
      (a.rank, a.length) != (b.rank, b.length)
        ? (a.rank, a.length) < (b.rank, b.length) : a.bytes.lexicographicallyPrecedes(b.bytes)
    }
  }

  private let text: String
  private let parts: [Part]

  /// - Parameter wordsLast: `debian-13` before `debian-sid`.
  init(_ text: String, wordsLast: Bool = false) {
    self.text = text
    var parts: [Part] = []
    var rest = Array(text.utf8)[...]
    while let first = rest.first {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      if digits.isEmpty {
        let isWord = (0x61...0x7a).contains(first | 0x20)
        parts.append(Part(rank: first == UInt8(ascii: "~") ? 0 : isWord && wordsLast ? 4 : 2, bytes: [first]))
        rest.removeFirst()
      } else {
        let number = digits.drop { $0 == 0x30 }
        parts.append(Part(rank: 3, length: number.count, bytes: number))
        rest = rest[digits.endIndex...]
      }
    }
    self.parts = parts + [Part(rank: 1)]
  }

  static func == (a: Self, b: Self) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

  static func < (a: Self, b: Self) -> Bool {
    // Each ends with a part that no other equals, so that one is never the beginning of another.
    for (x, y) in zip(a.parts, b.parts) where x != y { return x < y }
    return a.text.precedesInBytes(b.text)
  }
}
