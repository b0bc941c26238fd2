// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// File names in a patch.
extension PatchReader {
  /// The name in a line `--- NAME` or `+++ NAME`, not stripped; nil for /dev/null.
  ///
  /// In a diff that git did not write, no tab need separate the name from what follows it.
  func headerName(_ number: Int, isGit: Bool) throws -> Line? {
    var rest = line(number).dropFirst(4)
    if rest.first == UInt8(ascii: "\"") {
      rest = try unquoted(&rest, number)
    } else if let tab = rest.firstIndex(of: 0x09) {
      rest = rest[..<tab]
    } else if !isGit {
      rest = rest[..<(Self.time(in: rest) ?? rest.endIndex)]
    }
    while let last = rest.last, !isGit, last == 0x20 { rest.removeLast() }
    return rest.elementsEqual("/dev/null".utf8) ? nil : rest
  }

  /// The start of the blanks between a name and its time, or the words of svn.
  private static func time(in rest: Line) -> Int? {
    let endsInYear = rest.count >= 4 && rest.suffix(4).allSatisfy(\.isDigit)
    func isTime(_ text: Line) -> Bool {
      let date = Array(text.prefix(11))
      if date.count == 11, date.map({ $0.isDigit ? 0x30 : $0 }).elementsEqual("0000-00-00 ".utf8) { return true }
      if endsInYear, text.count >= 8, days.contains(where: { text.starts(with: $0.utf8) }) { return true }
      if text.elementsEqual("(working copy)".utf8) { return true }
      guard text.starts(with: "(revision ".utf8) else { return false }
      let number = text.dropFirst("(revision ".utf8.count).prefix(while: \.isDigit)
      return !number.isEmpty && text[number.endIndex...].elementsEqual(")".utf8)
    }
    var at = rest.startIndex
    while let blank = rest[at...].firstIndex(of: 0x20) {
      at = rest[blank...].firstIndex { $0 != 0x20 } ?? rest.endIndex
      if isTime(rest[at...]) { return blank }
    }
    return nil
  }

  private static let days = ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "]

  /// A name as in the release: without `count` leading parts.
  func path(_ name: Line, without count: Int, _ number: Int) throws -> String {
    let parts = name.split(separator: 0x2f, omittingEmptySubsequences: false)
    guard let text = String(validating: name, as: UTF8.self) else {
      throw refused("the name '\(name.shown)' is not UTF-8", line: number)
    }
    guard !name.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
      throw refused("the name '\(text)' has control characters in it", line: number)
    }
    guard !parts.contains(where: { String(decoding: $0, as: UTF8.self).lowercased() == ".git" }) else {
      throw refused("'\(text)' is in git's own folder, which is no part of a release", line: number)
    }
    let path = String(decoding: Array(parts.dropFirst(count).joined(separator: [0x2f])), as: UTF8.self)
    guard isCleanPath(path) else {
      guard parts.count > count || !isCleanPath(text) else {
        throw refused(
          "'\(text)' has no folder that -p\(count) could take off", line: number,
          advice: "say '\(self.name) -p\(parts.count - 1)' in the series")
      }
      throw refused("it changes '\(text)', out of the tree", line: number)
    }
    return path
  }

  /// The path in `diff --git a/NAME b/NAME`, if both names are the same.
  func defaultPath(_ number: Int) throws -> String? {
    let both = line(number).dropFirst("diff --git ".utf8.count)
    var rest = both
    if rest.first == UInt8(ascii: "\"") {
      let first = try unquoted(&rest, number)
      guard rest.first == 0x20 else { return nil }
      rest = rest.dropFirst()
      let second = rest.first == UInt8(ascii: "\"") ? try unquoted(&rest, number) : rest
      return try common(first, second, number)
    }
    // Only the second may be quoted, if the leading folders differ. A name that contains a quote always is.
    if let quote = both.firstIndex(of: UInt8(ascii: "\"")) {
      guard both[..<quote].last == 0x20 else { return nil }
      var second = both[quote...]
      return try common(both[..<(quote - 1)], unquoted(&second, number), number)
    }
    guard let space = blankBetweenNames(both) else { return nil }
    return try common(both[..<space], both[(space + 1)...], number)
  }

  /// The blank between two names that are equal without their leading parts. Names can contain blanks, but only at one
  /// blank are both names of the same length.
  private func blankBetweenNames(_ both: Line) -> Int? {
    let slashes = both.indices.filter { both[$0] == 0x2f }
    guard slashes.count >= strip else { return nil }
    let first = strip == 0 ? both.startIndex : slashes[strip - 1] + 1
    var passed = 0
    for space in both.indices where both[space] == 0x20 && space >= first {
      while passed < slashes.count, slashes[passed] < space { passed += 1 }
      guard strip == 0 || passed + strip <= slashes.count else { return nil }
      let second = strip == 0 ? space + 1 : slashes[passed + strip - 1] + 1
      if space - first == both.endIndex - second { return space }
    }
    return nil
  }

  private func common(_ first: Line, _ second: Line, _ number: Int) throws -> String? {
    let halves = [first, second].map { $0.split(separator: 0x2f, omittingEmptySubsequences: false).dropFirst(strip) }
    guard let half = halves.first, !half.isEmpty, half.elementsEqual(halves[1], by: { $0 == $1 }) else { return nil }
    return try path(first, without: strip, number)
  }

  /// Removes a name, quoted as in C and git, from the start of `rest`.
  func unquoted(_ rest: inout Line, _ number: Int) throws -> Line {
    var out: [UInt8] = []
    rest = rest.dropFirst()
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") { return out[...] }
      guard byte == UInt8(ascii: "\\") else {
        out.append(byte)
        continue
      }
      guard let escaped = rest.popFirst() else { break }
      switch escaped {
      case UInt8(ascii: "a"): out.append(0x07)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "n"): out.append(0x0a)
      case UInt8(ascii: "v"): out.append(0x0b)
      case UInt8(ascii: "f"): out.append(0x0c)
      case UInt8(ascii: "r"): out.append(0x0d)
      case UInt8(ascii: "0")...UInt8(ascii: "3"):
        guard rest.count >= 2, let value = UInt8(String(decoding: [escaped] + rest.prefix(2), as: UTF8.self), radix: 8)
        else { throw refused("a name in quotes that cannot be read", line: number) }
        rest = rest.dropFirst(2)
        out.append(value)
      default: out.append(escaped)
      }
    }
    throw refused("a name in quotes without an end", line: number)
  }
}
