// SPDX-License-Identifier: GPL-2.0-only

/// A C file cut into what an audit looks at: its directives, and where its code names what begins with a prefix.
package struct SourceText: Sendable {
  package private(set) var directives: [Directive] = []
  /// How often the code outside of directives has an identifier with the prefix.
  package private(set) var mentions: [String: Int] = [:]
  package private(set) var lineCount = 0

  /// - Parameter prefix: how the identifiers begin that are looked for in the code; none for an empty one.
  package init(_ bytes: [UInt8], mentioning prefix: String = "") {
    lineCount = bytes.count { $0 == UInt8(ascii: "\n") }
    if let last = bytes.last, last != UInt8(ascii: "\n") { lineCount += 1 }
    let (text, joints) = SourceText.spliced(bytes)
    text.withUnsafeBufferPointer { text in
      var scanner = Scanner(text, joints, Array(prefix.utf8), lineCount)
      scanner.run()
      directives = scanner.directives
      mentions = scanner.mentions
    }
  }

  /// Joins the lines that a backslash continues, which comes before all else in C. Blanks between the backslash and the
  /// end of the line are let pass, as gcc and clang do.
  ///
  /// - Returns: the text, and for each joint the place in it where a line has ended.
  private static func spliced(_ bytes: [UInt8]) -> (text: [UInt8], joints: [Int]) {
    guard bytes.contains(UInt8(ascii: "\\")) else { return (bytes, []) }
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    var joints: [Int] = []
    var rest = bytes[...]
    while let mark = rest.firstIndex(of: UInt8(ascii: "\\")) {
      let end = rest[(mark + 1)...].firstIndex { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }
      if let end, rest[end] == UInt8(ascii: "\n") {
        text += rest[..<mark]
        joints.append(text.count)
        rest = rest[(end + 1)...]
      } else {
        text += rest[...mark]
        rest = rest[(mark + 1)...]
      }
    }
    return (text + rest, joints)
  }
}

/// Reads the spliced text once, from its start to its end.
private struct Scanner {
  private let text: UnsafeBufferPointer<UInt8>
  private let joints: [Int]
  private let prefix: [UInt8]
  private var at = 0
  private var nextJoint = 0
  private var line = 1
  private let lineCount: Int
  private(set) var directives: [Directive] = []
  private(set) var mentions: [String: Int] = [:]

  init(_ text: UnsafeBufferPointer<UInt8>, _ joints: [Int], _ prefix: [UInt8], _ lineCount: Int) {
    self.lineCount = lineCount
    self.text = text
    self.joints = joints
    self.prefix = prefix
  }

  mutating func run() {
    // Only white space and comments have been seen since the line began.
    var isLineStart = true
    while at < text.count {
      let byte = text[at]
      switch byte {
      case UInt8(ascii: "\n"):
        newline()
        isLineStart = true
      case UInt8(ascii: "#") where isLineStart:
        at += 1
        directive()
      case UInt8(ascii: "/") where skipComment():
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        isLineStart = false
        skipLiteral(byte)
      case _ where Scanner.isWordByte(byte):
        isLineStart = false
        word()
      default:
        if !Scanner.isBlank(byte) { isLineStart = false }
        at += 1
      }
    }
  }

  // MARK: lines

  private mutating func newline() {
    line += 1
    at += 1
  }

  /// Adds the joints that have been passed to the number of the line.
  private mutating func countJoints(before place: Int) {
    while nextJoint < joints.count, joints[nextJoint] <= place {
      line += 1
      nextJoint += 1
    }
  }

  // MARK: comments, literals, words

  /// - Returns: whether a comment begins here; it has been passed then.
  private mutating func skipComment() -> Bool {
    guard at + 1 < text.count else { return false }
    if text[at + 1] == UInt8(ascii: "/") {
      while at < text.count, text[at] != UInt8(ascii: "\n") { at += 1 }
      return true
    }
    guard text[at + 1] == UInt8(ascii: "*") else { return false }
    at += 2
    while at < text.count {
      if text[at] == UInt8(ascii: "*"), at + 1 < text.count, text[at + 1] == UInt8(ascii: "/") {
        at += 2
        return true
      }
      if text[at] == UInt8(ascii: "\n") { newline() } else { at += 1 }
    }
    return true
  }

  /// Passes a string or character. One that is not closed ends with its line, as an apostrophe in `#error` or in text
  /// that is not compiled.
  private mutating func skipLiteral(_ quote: UInt8) {
    at += 1
    while at < text.count, text[at] != UInt8(ascii: "\n") {
      if text[at] == UInt8(ascii: "\\"), at + 1 < text.count, text[at + 1] != UInt8(ascii: "\n") {
        at += 2
      } else {
        at += 1
        if text[at - 1] == quote { return }
      }
    }
  }

  private mutating func word() {
    let start = at
    while at < text.count, Scanner.isWordByte(text[at]) { at += 1 }
    guard !prefix.isEmpty, text[start] == prefix[0], at - start >= prefix.count else { return }
    let word = text[start..<at]
    if word.starts(with: prefix) { mentions[String(decoding: word, as: UTF8.self), default: 0] += 1 }
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || (0x0b...0x0d).contains(byte) }

  // MARK: directives

  /// Reads a directive behind its `#`, up to the end of its line.
  private mutating func directive() {
    countJoints(before: at - 1)
    let first = line
    skipBlanks()
    let start = at
    while at < text.count, Scanner.isWordByte(text[at]) { at += 1 }
    let kind = Directive.Kind(rawValue: String(decoding: text[start..<at], as: UTF8.self))
    var tokens: [Directive.Token] = []
    while true {
      skipBlanks()
      guard at < text.count, text[at] != UInt8(ascii: "\n") else { break }
      tokens.append(token(isHeader: kind == .include && tokens.isEmpty))
    }
    countJoints(before: at)
    guard let kind else { return }
    // A comment that is not closed, or a backslash at the very end, leads past the last line.
    directives.append(Directive(kind: kind, lines: first...max(first, min(line, lineCount)), tokens: tokens))
  }

  private mutating func skipBlanks() {
    while at < text.count {
      if Scanner.isBlank(text[at]) {
        at += 1
      } else if text[at] != UInt8(ascii: "/") || !skipComment() {
        return
      }
    }
  }

  private mutating func token(isHeader: Bool) -> Directive.Token {
    let start = at
    let byte = text[at]
    func string(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
    if isHeader, byte == UInt8(ascii: "<") {
      while at < text.count, text[at] != UInt8(ascii: "\n"), text[at] != UInt8(ascii: ">") { at += 1 }
      defer { if at < text.count, text[at] == UInt8(ascii: ">") { at += 1 } }
      return .header(string(start + 1..<at))
    }
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
      skipLiteral(byte)
      return .literal(string(start..<at))
    }
    if Scanner.isWordByte(byte) {
      while at < text.count, Scanner.isWordByte(text[at]) { at += 1 }
      let isNumber = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      return isNumber ? .number(string(start..<at)) : .identifier(string(start..<at))
    }
    at += 1
    if at < text.count {
      let pair = string(start..<at + 1)
      if ["&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "##"].contains(pair) {
        at += 1
        return .punctuator(pair)
      }
    }
    return .punctuator(string(start..<at))
  }
}
