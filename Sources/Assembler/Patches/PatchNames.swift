// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// Names of files in a patch.
extension PatchReader {
  /// The name in a line `--- NAME` or `+++ NAME`, before anything is taken off; nil for /dev/null.
  ///
  /// Of a diff that git did not write, what follows a name need not be behind a tab.
  func headerName(_ number: Int, isGit: Bool) throws -> Line? {
    var rest = line(number).dropFirst(4)
    if rest.first == UInt8(ascii: "\"") {
      rest = try unquoted(&rest, number)
    } else if let tab = rest.firstIndex(of: 0x09) {
      rest = rest[..<tab]
    } else if !isGit {
      let text = rest.shown
      let time = /\ +(\d{4}-\d\d-\d\d .*|(Mon|Tue|Wed|Thu|Fri|Sat|Sun) .*\d{4}|\((revision \d+|working copy)\))$/
      if let match = text.firstMatch(of: time) { rest = Array(text[..<match.range.lowerBound].utf8)[...] }
    }
    while let last = rest.last, !isGit, last == 0x20 { rest.removeLast() }
    return rest.elementsEqual("/dev/null".utf8) ? nil : rest
  }

  /// A name as it stands in the release: without `count` leading parts.
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

  /// The path that both names of `diff --git a/NAME b/NAME` are, where they are one.
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
    // A name can have blanks in it: the halves that are the same are the names.
    for space in both.indices where both[space] == 0x20 {
      var second = both[(space + 1)...]
      if second.first == UInt8(ascii: "\"") { second = try unquoted(&second, number) }
      if let path = try common(both[..<space], second, number) { return path }
    }
    return nil
  }

  private func common(_ first: Line, _ second: Line, _ number: Int) throws -> String? {
    let halves = [first, second].map { $0.split(separator: 0x2f, omittingEmptySubsequences: false).dropFirst(strip) }
    guard let half = halves.first, !half.isEmpty, half.elementsEqual(halves[1], by: { $0 == $1 }) else { return nil }
    return try path(first, without: strip, number)
  }

  /// Takes a name in quotes off `rest`, as C and git write it.
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
