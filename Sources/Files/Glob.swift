// SPDX-License-Identifier: GPL-2.0-only

/// A pattern for paths, as in .gitignore: `*` and `?` stay within a part, `**` spans parts, `[a-z]` is one character.
///
/// A pattern without `/` matches a name at any depth; with one, it starts at the top, as `/Makefile` does. A pattern that matches a folder matches all that is in it.
package struct Glob: Sendable, Hashable {
  package let pattern: String
  private let parts: [[UInt8]]

  package init(_ pattern: String) {
    self.pattern = pattern
    var parts = pattern.split(separator: "/").map { Array($0.utf8) }
    if !pattern.contains("/") { parts.insert(Array("**".utf8), at: 0) }
    self.parts = parts
  }

  package func matches(_ path: String) -> Bool {
    let names = path.utf8.split(separator: 0x2f).map { Array($0) }
    // Only the last "**" needs another try: what stands before it has matched as early as it can. So a pattern of any
    // kind takes no more than patterns × names steps.
    var part = 0
    var name = 0
    var retry: (part: Int, name: Int)?
    while part < parts.count {
      if parts[part] == Array("**".utf8) {
        if part + 1 == parts.count { return name < names.count }
        retry = (part + 1, name)
        part += 1
      } else if name < names.count, Glob.matches(parts[part], names[name]) {
        part += 1
        name += 1
      } else if let last = retry, last.name + 1 < names.count {
        retry = (last.part, last.name + 1)
        (part, name) = (last.part, last.name + 1)
      } else {
        return false
      }
    }
    return true  // what is left of the path lies in a folder that the pattern named
  }

  private static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
    var at = 0
    var byte = 0
    var retry: (at: Int, byte: Int)?
    while at < pattern.count || byte < name.count {
      if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
        retry = (at + 1, byte)
        at += 1
      } else if at < pattern.count, byte < name.count, let next = Glob.step(pattern, at, name[byte]) {
        at = next
        byte += 1
      } else if let last = retry, last.byte < name.count {
        retry = (last.at, last.byte + 1)
        (at, byte) = (last.at, last.byte + 1)
      } else {
        return false
      }
    }
    return true
  }

  /// Where the pattern goes on when what stands at `at` takes `byte`; nil when it does not.
  private static func step(_ pattern: [UInt8], _ at: Int, _ byte: UInt8) -> Int? {
    if pattern[at] == UInt8(ascii: "["),
      let end = pattern[(at + 1)...].dropFirst().firstIndex(of: UInt8(ascii: "]"))
    {
      return set(pattern[(at + 1)..<end], contains: byte) ? end + 1 : nil
    }
    return pattern[at] == UInt8(ascii: "?") || pattern[at] == byte ? at + 1 : nil
  }

  private static func set(_ set: ArraySlice<UInt8>, contains byte: UInt8) -> Bool {
    var members = set
    let negated = members.first == UInt8(ascii: "!") || members.first == UInt8(ascii: "^")
    if negated { members = members.dropFirst() }
    var found = false
    while let low = members.popFirst() {
      if members.first == UInt8(ascii: "-"), members.count > 1, let high = members.dropFirst().first {
        members = members.dropFirst(2)
        found = found || (low <= byte && byte <= high)
      } else {
        found = found || low == byte
      }
    }
    return found != negated
  }
}
