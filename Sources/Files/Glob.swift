// SPDX-License-Identifier: GPL-2.0-only

/// A pattern for paths, as in .gitignore: `*` and `?` stay within a part, `**` spans parts. `?` and `[a-z]` are
/// one Unicode scalar; all else is compared byte by byte.
///
/// A pattern without `/` matches a name at any depth; with one, it starts at the top, as `/Makefile` does. A pattern that matches a folder matches all that is in it.
package struct Glob: Sendable, Hashable {
  package let pattern: String
  private let parts: [Part]

  /// What stands between two slashes of a pattern, read once: a pattern can be long, and be held against many paths.
  private enum Part: Sendable, Hashable {
    /// `**`
    case anyParts
    case name([Token])
  }

  private enum Token: Sendable, Hashable {
    /// `*`
    case anyBytes
    /// `?`
    case anyScalar
    case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    case byte(UInt8)
  }

  package init(_ pattern: String) {
    self.pattern = pattern
    var parts = pattern.pathParts.map { part in
      part.isSameInBytes("**") ? Part.anyParts : .name(Glob.tokens(Array(part.utf8)))
    }
    if !pattern.utf8.contains(0x2f) { parts.insert(.anyParts, at: 0) }
    self.parts = parts
  }

  private static func tokens(_ part: [UInt8]) -> [Token] {
    var tokens: [Token] = []
    // Without it, each bracket of many that are not closed would be looked at up to the end.
    let lastEnd = part.lastIndex(of: UInt8(ascii: "]")) ?? -1
    var at = 0
    while at < part.count {
      if part[at] == UInt8(ascii: "["), at + 2 <= lastEnd,
        let end = part[(at + 2)...].firstIndex(of: UInt8(ascii: "]"))
      {
        tokens.append(set(part[(at + 1)..<end]))
        at = end + 1
        continue
      }
      switch part[at] {
      case UInt8(ascii: "*"): tokens.append(.anyBytes)
      case UInt8(ascii: "?"): tokens.append(.anyScalar)
      default: tokens.append(.byte(part[at]))
      }
      at += 1
    }
    return tokens
  }

  private static func set(_ set: ArraySlice<UInt8>) -> Token {
    var members = Array(String(decoding: set, as: UTF8.self).unicodeScalars)[...]
    let isNegated = members.first == "!" || members.first == "^"
    if isNegated { members = members.dropFirst() }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    while let low = members.popFirst() {
      if members.first == "-", members.count > 1, let high = members.dropFirst().first {
        members = members.dropFirst(2)
        if low <= high { ranges.append(low...high) }
      } else {
        ranges.append(low...low)
      }
    }
    return .set(ranges, isNegated: isNegated)
  }

  package func matches(_ path: String) -> Bool {
    let names = path.utf8.split(separator: 0x2f).map { Array($0) }
    // Only the last "**" needs another try: what stands before it has matched as early as it can. So a pattern of any
    // kind takes no more than patterns × names steps.
    var part = 0
    var name = 0
    var retry: (part: Int, name: Int)?
    while part < parts.count {
      if case .anyParts = parts[part] {
        if part + 1 == parts.count { return name < names.count }
        retry = (part + 1, name)
        part += 1
      } else if case .name(let tokens) = parts[part], name < names.count, Glob.matches(tokens, names[name]) {
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

  private static func matches(_ pattern: [Token], _ name: [UInt8]) -> Bool {
    var at = 0
    var byte = 0
    var retry: (at: Int, byte: Int)?
    while at < pattern.count || byte < name.count {
      if at < pattern.count, case .anyBytes = pattern[at] {
        retry = (at + 1, byte)
        at += 1
      } else if at < pattern.count, byte < name.count, let taken = bytes(of: pattern[at], name, byte) {
        at += 1
        byte += taken
      } else if let last = retry, last.byte < name.count {
        retry = (last.at, last.byte + 1)
        (at, byte) = (last.at, last.byte + 1)
      } else {
        return false
      }
    }
    return true
  }

  /// How many bytes of the name at `byte` a token takes; nil when it takes none.
  private static func bytes(of token: Token, _ name: [UInt8], _ byte: Int) -> Int? {
    switch token {
    case .anyBytes: nil
    case .byte(let wanted): wanted == name[byte] ? 1 : nil
    case .anyScalar: scalar(name, byte).map { UTF8.width($0) }
    case .set(let ranges, let isNegated):
      scalar(name, byte).flatMap { scalar in
        ranges.contains { $0.contains(scalar) } != isNegated ? UTF8.width(scalar) : nil
      }
    }
  }

  /// The scalar that begins at `byte`; nil in the middle of one.
  private static func scalar(_ name: [UInt8], _ byte: Int) -> Unicode.Scalar? {
    if name[byte] < 0x80 { return Unicode.Scalar(name[byte]) }
    var decoder = UTF8()
    var rest = name[byte...].makeIterator()
    if case .scalarValue(let scalar) = decoder.decode(&rest) { return scalar }
    return nil
  }
}
