// SPDX-License-Identifier: GPL-2.0-only

import Glibc

/// An extended regular expression of POSIX, as `grep -E` takes it. Source: regex(7).
///
/// Repetition counts (`{2,9}`) and back references (`\1`) are refused: with them, a short expression can take any amount
/// of memory and time.
package struct ExtendedExpression: Sendable, Hashable {
  package let text: String

  /// nil if it is not valid.
  package init?(_ text: String) {
    guard Self.problem(in: text) == nil else { return nil }
    self.text = text
  }

  /// The most bytes that an expression may have.
  package static let limit = 300

  /// Why `text` is no valid expression; nil if it is one.
  package static func problem(in text: String) -> String? {
    guard !text.isEmpty else { return "it is empty" }
    guard text.utf8.count <= limit else { return "it has more than \(limit) bytes" }
    guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return "it has control characters" }
    var isEscaped = false
    for byte in text.utf8 {
      switch byte {
      case 0x7b where !isEscaped: return "repetition counts ({…}) are not allowed"
      case 0x31...0x39 where isEscaped: return "back references (\\1) are not allowed"
      default: break
      }
      isEscaped = byte == 0x5c && !isEscaped
    }
    var compiled = regex_t()
    let status = regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB)
    guard status == 0 else {
      var words = [CChar](repeating: 0, count: 200)
      regerror(status, &compiled, &words, words.count)
      return String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    defer { regfree(&compiled) }
    return regexec(&compiled, "", 0, nil, 0) == 0 ? "it matches an empty line, and so every line" : nil
  }

  /// The index of the first line that the expression matches.
  package func firstIndex(in lines: some Collection<String>) -> Int? {
    var compiled = regex_t()
    guard regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB) == 0 else { return nil }
    defer { regfree(&compiled) }
    return lines.enumerated().first { regexec(&compiled, $0.element, 0, nil, 0) == 0 }?.offset
  }
}
