// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// The number of a kernel release: 7.4, 7.4.2, 7.4-rc3. Suffixes of distributions are dropped.
package struct KernelRelease: Sendable, Hashable, Comparable, CustomStringConvertible {
  package var major: Int
  package var minor: Int
  /// Nil in 7.4, the first of its line.
  package var patch: Int?
  package var candidate: Int?

  package init?(_ text: String) {
    let halves = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = halves[0].split(separator: ".", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count),
      parts.allSatisfy({ !$0.isEmpty && $0.count <= 4 && $0.allSatisfy(\.isASCIIDigit) })
    else { return nil }
    let numbers = parts.compactMap { Int($0) }
    major = numbers[0]
    minor = numbers[1]
    patch = numbers.count == 3 ? numbers[2] : nil
    if halves.count == 2 {
      let digits = halves[1].dropFirst(2)
      guard halves[1].hasPrefix("rc"), digits.allSatisfy(\.isASCIIDigit), let number = Int(digits), number > 0 else {
        return nil
      }
      candidate = number
    }
  }

  package var text: String {
    "\(major).\(minor)" + (patch.map { ".\($0)" } ?? "") + (candidate.map { "-rc\($0)" } ?? "")
  }
  package var description: String { text }

  package static func < (a: Self, b: Self) -> Bool {
    (a.major, a.minor, a.patch ?? 0, a.candidate ?? Int.max) < (b.major, b.minor, b.patch ?? 0, b.candidate ?? Int.max)
  }

  /// Reads the release from the top Makefile of a kernel tree (VERSION, PATCHLEVEL, SUBLEVEL, EXTRAVERSION).
  package init?(makefile bytes: [UInt8]) {
    var values: [String: String] = [:]
    for line in String(decoding: bytes.prefix(4096), as: UTF8.self).lines {
      let halves = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2 else { continue }
      let key = halves[0].trimmed
      if ["VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION"].contains(key), values[key] == nil {
        values[key] = halves[1].trimmed
      }
    }
    guard let version = values["VERSION"], let level = values["PATCHLEVEL"] else { return nil }
    var text = "\(version).\(level)"
    let sublevel = values["SUBLEVEL"] ?? "0"
    if sublevel != "0" { text += ".\(sublevel)" }
    if let extra = values["EXTRAVERSION"], extra.hasPrefix("-rc") { text += extra }
    self.init(text)
  }
}

extension Character {
  /// A range of characters would be wrong: a digit with a combining accent sorts between two plain digits.
  package var isASCIIDigit: Bool { isASCII && isNumber }
}
