// SPDX-License-Identifier: GPL-2.0-only

/// A pattern for paths, as in .gitignore: `*` and `?` stay within a part, `**` spans parts. `?` and `[a-z]` are
/// one Unicode scalar; all else is compared byte by byte.
///
/// A pattern without `/` matches a name at any depth; with one, it starts at the top, as `/Makefile` does. A pattern that matches a folder matches all that is in it.
package struct Glob: Sendable, Hashable {
  package let pattern: String
  private let parts: [[UInt8]]

  package init(_ pattern: String) {
    self.pattern = pattern
    var parts = pattern.pathParts.map { Array($0.utf8) }
    if !pattern.utf8.contains(0x2f) { parts.insert(Array("**".utf8), at: 0) }
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
      } else if at < pattern.count, byte < name.count, let step = Glob.step(pattern, at, name, byte) {
        at += step.pattern
        byte += step.name
      } else if let last = retry, last.byte < name.count {
        retry = (last.at, last.byte + 1)
        (at, byte) = (last.at, last.byte + 1)
      } else {
        return false
      }
    }
    return true
  }

  /// How many bytes what stands at `at` in the pattern has, and how many of the name at `byte` it takes; nil when it takes
  /// none.
  private static func step(
    _ pattern: [UInt8], _ at: Int, _ name: [UInt8], _ byte: Int
  ) -> (pattern: Int, name: Int)? {
    if pattern[at] == UInt8(ascii: "["),
      let end = pattern[(at + 1)...].dropFirst().firstIndex(of: UInt8(ascii: "]"))
    {
      guard let scalar = scalar(name, byte), set(pattern[(at + 1)..<end], contains: scalar) else { return nil }
      return (end + 1 - at, UTF8.width(scalar))
    }
    if pattern[at] == UInt8(ascii: "?") { return scalar(name, byte).map { (1, UTF8.width($0)) } }
    return pattern[at] == name[byte] ? (1, 1) : nil
  }

  /// The scalar that begins at `byte`; nil in the middle of one.
  private static func scalar(_ name: [UInt8], _ byte: Int) -> Unicode.Scalar? {
    if name[byte] < 0x80 { return Unicode.Scalar(name[byte]) }
    var decoder = UTF8()
    var rest = name[byte...].makeIterator()
    if case .scalarValue(let scalar) = decoder.decode(&rest) { return scalar }
    return nil
  }

  private static func set(_ set: ArraySlice<UInt8>, contains scalar: Unicode.Scalar) -> Bool {
    var members = Array(String(decoding: set, as: UTF8.self).unicodeScalars)[...]
    let negated = members.first == "!" || members.first == "^"
    if negated { members = members.dropFirst() }
    var found = false
    while let low = members.popFirst() {
      if members.first == "-", members.count > 1, let high = members.dropFirst().first {
        members = members.dropFirst(2)
        found = found || (low <= scalar && scalar <= high)
      } else {
        found = found || low == scalar
      }
    }
    return found != negated
  }
}
