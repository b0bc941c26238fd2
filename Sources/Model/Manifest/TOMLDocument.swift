// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import TOMLKit

/// A TOML value with its place in the file.
package struct TOMLNode: Sendable {
  package enum Value: Sendable {
    case table([String: TOMLNode])
    case array([TOMLNode])
    case string(String)
    case integer(Int)
    case boolean(Bool)
    /// A number with a fraction, a date or a time: nothing that a manifest uses.
    case other(String)
  }

  package var value: Value
  package var location: SourceLocation
  /// The folder of the manifest that it stands in, as seen from the one that is read: `../lustre`; empty for the same.
  package var folder = ""

  /// What the value is, in words for a message.
  package var kind: String {
    switch value {
    case .table: "a table"
    case .array: "an array"
    case .string: "a string"
    case .integer: "an integer"
    case .boolean: "a boolean"
    case .other(let name): name
    }
  }

  package subscript(key: String) -> TOMLNode? {
    if case .table(let table) = value { table[key] } else { nil }
  }
  package var table: [String: TOMLNode] { if case .table(let table) = value { table } else { [:] } }
  package var string: String? { if case .string(let text) = value { text } else { nil } }
  package var integer: Int? { if case .integer(let number) = value { number } else { nil } }
  package var boolean: Bool? { if case .boolean(let flag) = value { flag } else { nil } }
}

/// Reads TOML with TOMLKit and adds to each value the line and column that TOMLKit does not keep.
package enum TOMLDocument {
  /// - Parameter folder: of the document, as seen from the one that extends it.
  package static func parse(_ bytes: [UInt8], file: String, folder: String = "") throws -> TOMLNode {
    let start = SourceLocation(file: file, line: 1, column: 1)
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      throw ReleaseError(
        .input, at: start, doing: "reading the manifest", reason: "it is UTF-16 text, as Windows PowerShell writes it",
        advice: "save it as UTF-8")
    }
    // The mark that some editors put before UTF-8 is no part of the text.
    let bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ReleaseError(.input, at: start, doing: "reading the manifest", reason: "it is not UTF-8 text")
    }
    if let first = bytes.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }), first == UInt8(ascii: "{") {
      throw ReleaseError(
        .input, at: start, doing: "reading the manifest", reason: "it is JSON, and a manifest is TOML",
        remedy: ModelRemedy.givePlanAsPlan)
    }
    // TOML has none of them, not even in texts and comments; toml++ aborts on some.
    if let control = bytes.indices.first(where: { isForbidden(bytes, at: $0) }) {
      let line = bytes[..<control].count { $0 == 0x0a } + 1
      let what = bytes[control] == 0x0d ? "carriage return without a line feed" : "control character"
      throw ReleaseError(
        .input, at: SourceLocation(file: file, line: line, column: 1), doing: "reading the manifest",
        reason: "it holds a \(what) (byte \(bytes[control]))")
    }
    // toml++ aborts, instead of reporting, in some cases where a key or a value is expected but missing: these are
    // found here first.
    let (locations, missing, tooDeep) = TOMLPositions.scan(text, file: file)
    if let tooDeep {
      throw ReleaseError(
        .input, at: tooDeep, doing: "", reason: "more than \(TOMLPositions.deepest) levels deep",
        advice: "a manifest has five")
    }
    if let missing {
      throw ReleaseError(.input, at: missing.place, doing: "", reason: missing.reason)
    }
    do {
      let table = try TOMLTable(string: text)
      return node(table, path: [], locations: locations, parent: start, folder: folder)
    } catch let error as TOMLParseError {
      let (reason, advice) = error.words
      throw ReleaseError(
        .input,
        at: SourceLocation(file: file, line: error.source.begin.line, column: error.source.begin.column),
        doing: "", reason: reason, advice: advice, cause: error)
    }
  }

  private static func isForbidden(_ bytes: [UInt8], at index: Int) -> Bool {
    switch bytes[index] {
    case 0x09, 0x0a: false
    case 0x0d: index + 1 == bytes.count || bytes[index + 1] != 0x0a
    case 0..<0x20, 0x7f: true
    default: false
    }
  }

  private static func node(
    _ convertible: any TOMLValueConvertible, path: [String], locations: [[String]: SourceLocation],
    parent: SourceLocation, folder: String
  ) -> TOMLNode {
    let location = locations[path] ?? parent
    func child(_ value: any TOMLValueConvertible, _ key: String) -> TOMLNode {
      node(value, path: path + [key], locations: locations, parent: location, folder: folder)
    }
    let value: TOMLNode.Value
    if let table = convertible.table {
      var children: [String: TOMLNode] = [:]
      for key in table.keys {
        if let inner = table[key] { children[key] = child(inner, key) }
      }
      value = .table(children)
    } else if let array = convertible.array {
      value = .array(array.enumerated().map { child($1, String($0)) })
    } else if let text = convertible.string {
      value = .string(text)
    } else if let number = convertible.int {
      value = .integer(number)
    } else if let flag = convertible.bool {
      value = .boolean(flag)
    } else if convertible.double != nil {
      value = .other("a number with a fraction")
    } else {
      value = .other("a date or time")
    }
    return TOMLNode(value: value, location: location, folder: folder)
  }
}

/// Finds where each key of a TOML document stands. TOMLKit reports malformed documents: this scanner then stops early,
/// and the place of the table is used.
struct TOMLPositions {
  private let text: [Unicode.Scalar]
  private let file: String
  private var index = 0
  private var line = 1
  private var column = 1
  private var found: [[String]: SourceLocation] = [:]
  /// How many elements each array of tables has so far.
  private var elements: [[String]: Int] = [:]

  /// Levels of tables and arrays that are read: each costs stack, here and in toml++, which sets no limit to the parts
  /// of a key.
  static let deepest = 32
  private var depth = 0
  /// Where the document goes deeper.
  private var tooDeep: SourceLocation?
  /// Where something stands in place of a key or a value.
  private var missing: (reason: String, place: SourceLocation)?

  /// - Returns: the place of each key path, and the first places where something is missing and where it goes too deep.
  static func scan(
    _ text: String, file: String
  ) -> (found: [[String]: SourceLocation], missing: (reason: String, place: SourceLocation)?, tooDeep: SourceLocation?)
  {
    var scanner = TOMLPositions(text: Array(text.unicodeScalars), file: file)
    scanner.document()
    return (scanner.found, scanner.missing, scanner.tooDeep)
  }

  private init(text: [Unicode.Scalar], file: String) {
    self.text = text
    self.file = file
  }

  private var next: Unicode.Scalar? { index < text.count ? text[index] : nil }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<count where index < text.count {
      if text[index] == "\n" {
        line += 1
        column = 1
      } else {
        column += 1
      }
      index += 1
    }
  }

  private func starts(_ word: String) -> Bool {
    text[index...].starts(with: word.unicodeScalars)
  }

  private mutating func skipBlank(lines: Bool) {
    while let scalar = next {
      if scalar == " " || scalar == "\t" || scalar == "\r" || (lines && scalar == "\n") {
        advance()
      } else if scalar == "#" {
        while let inner = next, inner != "\n" {
          _ = inner
          advance()
        }
      } else {
        return
      }
    }
  }

  private mutating func record(_ path: [String]) {
    if found[path] == nil { found[path] = SourceLocation(file: file, line: line, column: column) }
  }

  /// A table that no heading names begins where something in it does: `package` with `[package.deb]`.
  private mutating func recordParents(of path: [String]) {
    guard path.count > 1, let place = found[path] else { return }
    for count in (1..<path.count).reversed() {
      let parent = Array(path.prefix(count))
      guard found[parent] == nil else { return }
      found[parent] = place
    }
  }

  private mutating func document() {
    var prefix: [String] = []
    while tooDeep == nil {
      skipBlank(lines: true)
      guard let scalar = next else { return }
      let before = index
      if scalar == "[" {
        let isArray = starts("[[")
        let here = (line, column)
        advance(isArray ? 2 : 1)
        skipBlank(lines: false)
        let names = key()
        prefix = resolve(names.dropLast()) + names.suffix(1)
        if isArray {
          let number = elements[prefix, default: 0]
          elements[prefix] = number + 1
          prefix.append(String(number))
        }
        if found[prefix] == nil { found[prefix] = SourceLocation(file: file, line: here.0, column: here.1) }
        recordParents(of: prefix)
        skipBlank(lines: false)
        advance(isArray ? 2 : 1)
      } else {
        pair(in: prefix)
      }
      if index == before { return }
    }
  }

  /// The path with the number of the last element behind each array of tables on the way.
  private func resolve(_ names: some Sequence<String>) -> [String] {
    var path: [String] = []
    for name in names {
      path.append(name)
      if let count = elements[path] { path.append(String(count - 1)) }
    }
    return path
  }

  private mutating func pair(in prefix: [String]) {
    let start = (line, column)
    let path = prefix + key()
    found[path] = SourceLocation(file: file, line: start.0, column: start.1)
    recordParents(of: path)
    skipBlank(lines: false)
    guard next == "=" else { return }
    advance()
    skipBlank(lines: false)
    value(path)
  }

  private mutating func noteMissing(_ what: String) {
    note("a \(what) is expected here", at: (line, column))
  }

  private mutating func note(_ reason: String, at place: (line: Int, column: Int)) {
    if missing == nil { missing = (reason, SourceLocation(file: file, line: place.line, column: place.column)) }
  }

  private mutating func noteTooDeep() {
    if tooDeep == nil { tooDeep = SourceLocation(file: file, line: line, column: column) }
  }

  /// A key with its dots: `a."b c".d`.
  private mutating func key() -> [String] {
    var parts: [String] = []
    while let scalar = next {
      if scalar == "\"" || scalar == "'" {
        parts.append(quoted())
      } else {
        var name = ""
        while let inner = next, inner.isBareKey {
          name.unicodeScalars.append(inner)
          advance()
        }
        if name.isEmpty { break }
        parts.append(name)
      }
      if parts.count > TOMLPositions.deepest { noteTooDeep() }
      skipBlank(lines: false)
      guard tooDeep == nil, next == "." else { return parts }
      advance()
      skipBlank(lines: false)
    }
    noteMissing("key")
    return parts
  }

  private mutating func value(_ path: [String]) {
    depth += 1
    defer { depth -= 1 }
    if depth > TOMLPositions.deepest { return noteTooDeep() }
    switch next {
    case "[":
      advance()
      var number = 0
      while tooDeep == nil {
        skipBlank(lines: true)
        guard let scalar = next else { return }
        if scalar == "]" { return advance() }
        if scalar == "," {
          advance()
          continue
        }
        // Outside of texts, TOML is ASCII; toml++ takes the blanks of Unicode for the end of a value.
        if scalar == "}" || !scalar.isASCII { return noteMissing("value") }
        let before = index
        record(path + [String(number)])
        value(path + [String(number)])
        number += 1
        if index == before { return }
      }
    case "{":
      advance()
      while tooDeep == nil {
        skipBlank(lines: true)
        guard let scalar = next else { return }
        if scalar == "}" { return advance() }
        if scalar == "," {
          advance()
          continue
        }
        let before = index
        pair(in: path)
        if index == before { return }
      }
    case "\"", "'":
      _ = quoted()
    default:
      let (start, place) = (index, (line, column))
      while let scalar = next, !",]}#\n\r".unicodeScalars.contains(scalar) { advance() }
      if TOMLDate.isMalformed(text[start..<index]) { note("a date or time is expected here", at: place) }
    }
  }

  /// Any of the four kinds of string. Its text is needed only for keys, which hold no escapes in practice.
  private mutating func quoted() -> String {
    guard let quote = next else { return "" }
    let start = (line, column)
    let triple = String(repeating: Character(quote), count: 3)
    let isLong = starts(triple)
    advance(isLong ? 3 : 1)
    var out = ""
    while let scalar = next {
      if scalar == "\\" && quote == "\"" {
        // The reader of strings stops at a zero byte.
        if starts("\\u0000") || starts("\\U00000000") { noteMissing("text without a zero byte") }
        advance(2)
      } else if isLong ? starts(triple) : scalar == quote {
        advance(isLong ? 3 : 1)
        // Up to two quotes may stand just before the closing three.
        while isLong, next == quote { advance() }
        return out
      } else if scalar == "\n", !isLong {
        break
      } else {
        out.unicodeScalars.append(scalar)
        advance()
      }
    }
    note(
      "the string that begins here is not closed: \(isLong ? triple : String(Character(quote))) is missing", at: start)
    return out
  }
}

extension Unicode.Scalar {
  /// Letters, digits, `_` and `-` of ASCII, as TOML 1.0 has them.
  fileprivate var isBareKey: Bool {
    switch self {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
    default: false
    }
  }
}
