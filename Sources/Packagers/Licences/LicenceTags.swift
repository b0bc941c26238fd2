// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model

/// What the first lines of a file say of its licence: `SPDX-License-Identifier` and `SPDX-FileCopyrightText`.
///
/// Only a comment counts, or a line that begins with the tag: a program that writes tags to other files does not tag
/// itself. Source: SPDX 2.3, annex E; REUSE 3.3.
package struct LicenceTags: Sendable, Equatable {
  /// nil if there is no tag.
  package var expression: SPDXExpression?
  /// The text of an invalid tag, and why it is invalid.
  var unreadable: (text: String, reason: String)?
  /// Copyright holders, verbatim.
  var copyright: [String] = []

  static let lines = 40
  package static let bytes = 8 << 10

  package static func == (a: LicenceTags, b: LicenceTags) -> Bool {
    a.expression == b.expression && a.unreadable?.text == b.unreadable?.text && a.copyright == b.copyright
  }

  init(_ content: FileContent) throws {
    switch content {
    case .link: self.init(head: [])
    case .regular(let bytes):
      self.init(head: try bytes.withPiece(from: 0, count: min(bytes.count, Self.bytes)) { Array($0) })
    }
  }

  package init(head: [UInt8]) {
    var found: [SPDXExpression] = []
    var isIgnored = false
    for line in head.split(separator: 0x0a, maxSplits: Self.lines, omittingEmptySubsequences: false).prefix(Self.lines)
    {
      // Most lines have no tag, and are not decoded.
      guard line.contains(0x53) else { continue }
      let text = String(decoding: line, as: UTF8.self)
      if text.contains("REUSE-IgnoreStart") { isIgnored = true }
      if text.contains("REUSE-IgnoreEnd") { isIgnored = false }
      guard !isIgnored, Self.isComment(text) else { continue }
      if let value = Self.value(of: "SPDX-FileCopyrightText:", in: text) { copyright.append(value.singleLine) }
      // A placeholder, in a document about tags; and what SPDX says where nobody knows.
      guard let value = Self.value(of: "SPDX-License-Identifier:", in: text), value.first != "<",
        value != "NOASSERTION", value != "NONE"
      else { continue }
      do throws(SPDXExpression.Fault) {
        found.append(try SPDXExpression(value, leniently: true))
      } catch {
        unreadable = unreadable ?? (value, error.reason)
      }
    }
    if !found.isEmpty { expression = .all(of: found) }
  }

  /// The start of comments in languages that kernel projects use.
  private static let marks = [
    "//", "/*", "*", "#", ";", "--", "%", "<!--", "..", "!", "(*", "{#", "{-", "dnl ", "rem ", "REM ", "@c ", "C ",
    "\" ",
    ".\\\"", "'\\\"", "\\\"", "@rem ", ":: ", "<%", "\\ ", "|| ", "SPDX-",
  ]

  private static func isComment(_ line: String) -> Bool {
    let start = line.drop { $0.isWhitespace || $0 == "\u{feff}" }
    return marks.contains { start.hasPrefix($0) }
  }

  private static func value(of tag: String, in line: String) -> String? {
    guard let place = line.firstRange(of: tag) else { return nil }
    // Valid-License-Identifier and the like are other tags; a quoted tag is program output.
    if let before = line[..<place.lowerBound].last,
      before.isLetter || before.isNumber || "\"'`-_=".contains(before)
    {
      return nil
    }
    var value = line[place.upperBound...]
    for end in ["*/", "-->", "*)", "#}", "-}", "%>", "\\n", "SPDX-"] {
      if let cut = value.firstRange(of: end) { value = value[..<cut.lowerBound] }
    }
    while let last = value.last, last.isWhitespace || "\\\"'*#;/".contains(last) { value.removeLast() }
    let text = value.trimmed
    return text.isEmpty ? nil : text
  }
}
