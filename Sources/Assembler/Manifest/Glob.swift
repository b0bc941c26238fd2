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
    return matches(parts[...], names[...])
  }

  private func matches(_ parts: ArraySlice<[UInt8]>, _ names: ArraySlice<[UInt8]>) -> Bool {
    guard let part = parts.first else { return true }  // the pattern named a folder on the way
    if part == Array("**".utf8) {
      let rest = parts.dropFirst()
      if rest.isEmpty { return !names.isEmpty }
      return names.indices.contains { matches(rest, names[$0...]) }
    }
    guard let name = names.first, Glob.matches(part[...], name[...]) else { return false }
    return matches(parts.dropFirst(), names.dropFirst())
  }

  private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    let rest = pattern.dropFirst()
    switch first {
    case UInt8(ascii: "*"):
      return (name.startIndex...name.endIndex).contains { matches(rest, name[$0...]) }
    case UInt8(ascii: "["):
      guard let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "]")) else { break }
      guard let byte = name.first else { return false }
      return set(rest[..<end], contains: byte) && matches(pattern[(end + 1)...], name.dropFirst())
    case UInt8(ascii: "?"):
      return !name.isEmpty && matches(rest, name.dropFirst())
    default: break
    }
    return name.first == first && matches(rest, name.dropFirst())
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
