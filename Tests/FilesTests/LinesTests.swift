// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Testing

struct LinesTests {
  @Test func linesAreCutAtLFWithOrWithoutCR() {
    for (text, lines) in [
      ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]),
      ("a\r\n\r\nb", ["a", "", "b"]),
      ("\n", [""]), ("\r\n", [""]), ("\n\n", ["", ""]), ("a\rb\n", ["a\rb"]), ("a\r\r\n", ["a\r"]),
      ("a\u{2028}b\u{85}c", ["a\u{2028}b\u{85}c"]),
      // An accent on the line end makes it another character, and none on the line.
      ("a\n\u{301}b", ["a", "\u{301}b"]), ("a\r", ["a"]),
    ] as [(String, [String])] {
      #expect(text.lines.map(String.init) == lines, "\(text.debugDescription)")
      #expect(Array(text.utf8).lines.map { String(decoding: $0, as: UTF8.self) } == lines, "\(text.debugDescription)")
    }
    #expect([UInt8]("a\nb\r\nc\r\n".utf8).firstLineInCRLF == 2)
    #expect([UInt8]("a\nb\rc\n\r".utf8).firstLineInCRLF == nil && [UInt8]().firstLineInCRLF == nil)
  }
}
