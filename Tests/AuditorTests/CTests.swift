// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Auditor

/// C as the preprocessor reads it, which is not what a search in the text finds.
@Suite struct CTests {
  private func tests(_ text: String) -> [Directive] { SourceText(Array(text.utf8)).directives.filter(\.isTest) }
  private func names(_ text: String) -> [String] { tests(text).flatMap(\.identifiers) }

  @Test func directives() {
    for (text, expected) in [
      ("#ifdef HAVE_A\n", ["HAVE_A"]), ("  #  ifdef\tHAVE_A\n", ["HAVE_A"]), ("#ifdef HAVE_A", ["HAVE_A"]),
      ("#if defined(HAVE_A) && !defined HAVE_B\n", ["defined", "HAVE_A", "HAVE_B"]),
      ("#elif HAVE_A\r\n", ["HAVE_A"]), ("#elifndef HAVE_A\n", ["HAVE_A"]),
      ("int x; #ifdef HAVE_A\n", []), ("# define HAVE_A\n", []), ("#else HAVE_A\n", []), ("#pragma HAVE_A\n", []),
    ] {
      #expect(names(text) == expected, "\(text)")
    }
  }

  @Test func comments() {
    for (text, expected) in [
      ("/* #ifdef HAVE_A */\n", []), ("/*\n#ifdef HAVE_A\n*/\n", []), ("// #ifdef HAVE_A\n", []),
      ("// so \\\n#ifdef HAVE_A\n", []), ("/* a */ #ifdef HAVE_A\n", ["HAVE_A"]),
      ("/*/ #ifdef HAVE_A\n*/\n", []), ("/**/#ifdef HAVE_A\n", ["HAVE_A"]),
      ("#ifdef /* HAVE_A */ HAVE_B // HAVE_C\n", ["HAVE_B"]), ("#if X /* over\nlines */ && HAVE_A\n", ["X", "HAVE_A"]),
      ("#if/**/HAVE_A\n", ["HAVE_A"]), ("int a = 1 / 2;\n#if A\n", ["A"]), ("/* open\n#if A\n", []),
    ] {
      #expect(names(text) == expected, "\(text)")
    }
  }

  @Test func literals() {
    for (text, expected) in [
      ("p(\"#if A /*\\n\");\n#if B\n", ["B"]), ("p(\"a\\\"\n#if B\n", ["B"]),
      ("c = '\"';\n#if B\n#endif /* ' */\n", ["B"]),
      ("c = '\\'';\n#if B\n", ["B"]), ("#error don't\n#if B\n", ["B"]), ("p(\"// no comment\"); /*\n#if A\n*/\n", []),
      ("p(\"two \\\n#if A\");\n", []), ("#if X == \"HAVE_A\"\n", ["X"]), ("#if 'A' == 65\n", []),
    ] {
      #expect(names(text) == expected, "\(text)")
    }
  }

  @Test func continuedLines() {
    let text = "int a;\n#if A \\\n  && B\\  \n && C\nint b;\n#\\\nifdef D\n#e\\\nlif E\n"
    #expect(tests(text).map(\.identifiers) == [["A", "B", "C"], ["D"], ["E"]])
    #expect(tests(text).map(\.lines) == [2...4, 6...7, 8...9])
    #expect(SourceText(Array(text.utf8)).lineCount == 9)
    for (text, count) in [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("a \\\nb\n", 2), ("/*\n\n*/", 3)] {
      #expect(SourceText(Array(text.utf8)).lineCount == count, "\(text)")
    }
  }

  @Test func includes() {
    let text = SourceText(
      Array(
        "#include <a/b.h>\n# include \"c.h\" // d\n#include MACRO(x)\n#include <it's.h>\n/*\n#include <e.h> */\n#include <f"
          .utf8))
    #expect(text.directives.map(\.header) == ["a/b.h", "c.h", nil, "it's.h", "f"])
  }

  @Test func mentions() {
    let code = """
      #ifdef HAVE_A
      if (IS_ENABLED(HAVE_A) || XHAVE_B) /* HAVE_C */ p("HAVE_D", HAVE_E, HAVE_E);
      #define F HAVE_G
      """
    #expect(SourceText(Array(code.utf8), mentioning: "HAVE_").mentions == ["HAVE_A": 1, "HAVE_E": 2])
  }

  /// Whatever the bytes are, it ends, and the directives stand in order on lines that are there.
  @Test func anyBytes() {
    var generator = SystemRandomNumberGenerator()
    let pieces = [
      "#if A", "\n", "\\\n", "/*", "*/", "//", "\"", "'", "\\", "#", "#endif", "<", " ", "\u{e9}", "HAVE_X", "(",
    ]
    for _ in 0..<2000 {
      let text = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
        pieces.randomElement(using: &generator) ?? ""
      }
      let source = SourceText(Array(text.joined().utf8), mentioning: "HAVE_")
      var last = 0
      for directive in source.directives {
        #expect(directive.lines.lowerBound > last && directive.lines.upperBound <= source.lineCount, "\(text)")
        last = directive.lines.upperBound
      }
      #expect(source.deadLines(["A": false]) <= source.lineCount, "\(text)")
    }
  }

  // MARK: conditions

  @Test func values() {
    let known = ["YES": true, "NO": false]
    for (text, value) in [
      ("#ifdef YES", 1), ("#ifdef NO", 0), ("#ifdef WHO", nil), ("#ifndef NO", 1), ("#if YES", 1), ("#if NO", 0),
      ("#if defined(YES)", 1), ("#if defined YES && defined NO", 0), ("#if !defined(NO) || WHO", 1),
      ("#if WHO || NO", nil), ("#if WHO && NO", 0), ("#if NO && WHO || YES", 1), ("#if 0", 0), ("#if 0x10 == 16", 1),
      ("#if 010 == 8", 1), ("#if 10UL > 9", 1), ("#if -1 < 0", 1), ("#if 1 - 2 + 1", 0), ("#if YES == 1", 1),
      ("#if KERNEL_VERSION(6, 1, 0) < 5", nil), ("#if KERNEL_VERSION(6, 1, 0) < 5 || YES", 1),
      ("#if IS_ENABLED(NO)", 0), ("#if YES ? 1 : 0", nil), ("#if (YES", nil), ("#if", nil), ("#if !(NO || WHO)", nil),
      ("#if YES + ", nil), ("#if 9223372036854775807 + 1 < 0", 1),
    ] as [(String, Int?)] {
      let directive = SourceText(Array(text.utf8)).directives[0]
      #expect(Condition.value(of: directive, known) == value, "\(text)")
    }
  }

  @Test func deadLines() {
    let text = """
      #ifdef NO
      one
      #ifdef WHO
      two
      #else
      three
      #endif
      #elif defined(YES)
      alive
      #else
      four
      #endif
      #if WHO
      alive
      #elif NO
      five
      #elif YES
      alive
      #else
      six
      #endif
      """
    let source = SourceText(Array(text.utf8))
    #expect(source.deadLines(["NO": false, "YES": true]) == 9)
    #expect(source.deadLines(["NO": false]) == 7)
    #expect(source.deadLines(["YES": true]) == 2)
    #expect(source.deadLines([:]) == 0)
  }

  @Test func testsAroundALine() {
    let text = "#ifdef A\n1\n#if B\n2\n#else\n3\n#endif\n4\n#endif\n5\n"
    let source = SourceText(Array(text.utf8))
    for (line, names) in [(2, ["A"]), (4, ["A", "B"]), (6, ["A", "B"]), (8, ["A"]), (10, [])] {
      #expect(source.tests(around: line).flatMap(\.identifiers) == names, "\(line)")
    }
  }
}
