// SPDX-License-Identifier: GPL-2.0-only

import Files

// Values that packaging copies verbatim into control files, specs and scripts that sites run as root. Anything with a
// special meaning there is refused when it is read, so that nothing has to be quoted.

extension Shape where Value == String {
  /// One line of text for people, as packages show it.
  static var line: Shape {
    .string(
      "one line of plain text, without control characters, macros of rpm (%{…}, %name) and substitutions of a shell",
      #"^(?=[\s\S]*\S)(?![\s\S]*\#(PlainText.macro))[^\#(PlainText.controls)]+$"#, where: PlainText.isLine)
  }

  /// One paragraph or more for people.
  static var paragraphs: Shape {
    .string(
      "lines of plain text, without control characters, macros of rpm (%{…}, %name) and substitutions of a shell",
      #"^(?![\s\S]*\#(PlainText.macro))(?!([\s\S]*\n)?[ \t]*%)([\t\n]|[^\#(PlainText.controls)])*$"#,
      where: PlainText.areParagraphs)
  }

  static var url: Shape {
    .string("a URL", #"^[A-Za-z0-9][A-Za-z0-9+.-]*:[!#&()*+,./0-9:;=?@A-Z\[\]_a-z~-]+$"#) { text in
      guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
      let forbidden = Array("\"'`$%\\<>{}|^".utf8)
      return PlainText.matches(String(text[..<colon]), rest: "+.-") && text[colon...].utf8.count > 1
        && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && !forbidden.contains($0) }
    }
  }

  /// A name that an author gives to a source, an extra or a program.
  static var word: Shape {
    .string("a name of letters, digits, '.', '_', '+' and '-'", "^\(PlainText.wordPattern)$") {
      PlainText.matches($0, first: "_", rest: "._+-")
    }
  }

  /// The version of a source, as its own code compares it.
  static var sourceVersion: Shape {
    .string("a version of letters, digits, '.', '_', '+', '~' and '-'", "^[A-Za-z0-9][A-Za-z0-9._+~-]*$") {
      PlainText.matches($0, rest: "._+~-")
    }
  }

  /// A tag, branch, commit or another expression of git.
  static var gitRef: Shape {
    .string("a tag, branch or commit", #"^(?![- ])[^\#(PlainText.controls)]+$"#) {
      // By bytes, as git does: to Swift, a dash with a combining accent is not a dash.
      $0.utf8.first.map { $0 != UInt8(ascii: "-") && $0 != 0x20 } == true && !PlainText.hasControls($0)
    }
  }

  /// A file or folder beside the manifest, or a place of a source.
  static var place: Shape {
    .string("text that is not empty, without control characters", #"^[^\#(PlainText.controls)]+$"#) {
      !$0.isEmpty && !PlainText.hasControls($0)
    }
  }

  /// A path of the tree that goes into scripts.
  static var plainPath: Shape {
    .string(
      "a relative path of letters, digits and '._+@=,:/-', without '.' or '..'",
      PlainText.pathExpression, where: PlainText.isPath)
  }

  static var buildFolder: Shape {
    .string(
      "a folder of the tree, of letters, digits and '._+@=,:/-', or '.'",
      #"^(\.|"# + PlainText.pathPattern + ")$"
    ) { $0 == "." || PlainText.isPath($0) }
  }

  /// Where dkms takes modules: it refuses other folders. Source: dkms(8), DEST_MODULE_LOCATION.
  static var moduleFolder: Shape {
    .string(
      "a folder below /updates, /extra or /kernel, of letters, digits and '._+/-'",
      #"^/(updates|extra|kernel)(/(?!\.{1,2}(/|$))[A-Za-z0-9._+-]+)*$"#
    ) { text in
      let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      return text.hasPrefix("/") && ["updates", "extra", "kernel"].contains(parts[0])
        && parts.dropFirst().allSatisfy {
          $0 != "." && $0 != ".." && PlainText.matches($0, first: "._+-", rest: "._+-")
        }
    }
  }

  /// The path of a configuration file on a target.
  static var configurationPath: Shape {
    .string(
      "an absolute path below /etc, of letters, digits and '._+@=,:/-'",
      "^/etc/" + PlainText.pathPattern + "$"
    ) { $0.hasPrefix("/etc/") && PlainText.isPath(String($0.dropFirst(5))) }
  }

  /// An extended regular expression without what a shell reads in quotes.
  static var architectures: Shape {
    .string(
      "an expression of letters, digits and '_^|().*+?[]-', with '$' before ')' or '|' or at its end",
      #"^([A-Za-z0-9_^|().*+?\[\]-]|\$(?=[)|]|$))+$"#
    ) { text in
      let bytes = Array(text.utf8)
      return !bytes.isEmpty
        && bytes.indices.allSatisfy { index in
          if bytes[index] != UInt8(ascii: "$") { return PlainText.isPlain(bytes[index], "_^|().*+?[]-") }
          return index + 1 == bytes.count || ")|".utf8.contains(bytes[index + 1])
        }
    }
  }

  /// A command that dkms runs as root. It is in quotes in dkms.conf, which is sourced more often than the command runs.
  static var makeCommand: Shape {
    .string(
      #"one line without control characters, $(…), `…` and '"' that has no '\' before it"#,
      #"^(?!.*(\$\(|`))([^"\\\#(PlainText.controls)]|\\[^\#(PlainText.controls)])+$"#
    ) { text in
      guard !text.isEmpty, !PlainText.hasControls(text), !PlainText.hasSubstitution(text, of: "(") else { return false }
      var isEscaped = false
      for byte in text.utf8 {
        if byte == UInt8(ascii: "\""), !isEscaped { return false }
        isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
      }
      return !isEscaped
    }
  }

  /// An option of configure, which may contain shell variables but nothing else special to a shell.
  static var configureOption: Shape {
    .string(
      "an option such as --with-x=$PWD/include or NAME=value, of letters, digits, '._+@=,:/-' and variables",
      #"^(-|[A-Za-z_][A-Za-z0-9_]*=)([A-Za-z0-9._+@=,:/-]|\$[A-Za-z_])*$"#
    ) { text in
      let bytes = Array(text.utf8)
      guard text.hasPrefix("-") || text.prefix(while: { $0 != "=" }).utf8.count < bytes.count else { return false }
      return !text.hasPrefix("=")
        && bytes.indices.allSatisfy { index in
          if bytes[index] != UInt8(ascii: "$") { return PlainText.isPlain(bytes[index], "._+@=,:/-") }
          return index + 1 < bytes.count && PlainText.isPlain(bytes[index + 1], "_") && bytes[index + 1] > 0x39
        }
    }
  }

  /// A relation to another package, in the syntax of the format. Source: deb-control(5), rpm-dependencies(7).
  static func relation(_ format: Target.Format) -> Shape {
    switch format {
    case .deb:
      .string(
        "a relation of Debian packages, such as name (>= 1.0), on one line",
        #"^([A-Za-z0-9]|\$\{[A-Za-z0-9:-]+\})([A-Za-z0-9 .+:~()<>=|!,\[\]-]|\$\{[A-Za-z0-9:-]+\})*$"#
      ) { PlainText.isRelation($0, rest: " .+:~()<>=|!,[]-", macro: "$", names: ":-") }
    case .rpm:
      .string(
        "a relation of RPM packages, such as name >= %{version}, on one line and with plain macros alone",
        #"^([A-Za-z0-9(/]|%\{[!?A-Za-z_0-9]+\})([A-Za-z0-9 .+:~()<>=/,_^*-]|%\{[!?A-Za-z_0-9]+\})*$"#
      ) { PlainText.isRelation($0, first: "(/", rest: " .+:~()<>=/,_^*-", macro: "%", names: "!?_") }
    }
  }
}

/// Text without special meaning anywhere.
enum PlainText {
  /// The parts of a plain path, none of which is `.` or `..`, and the first of which does not begin with `-`.
  static let pathPattern = #"(?!-)((?!\.{1,2}(/|$))[A-Za-z0-9._+@=,:-]+)(/(?!\.{1,2}(/|$))[A-Za-z0-9._+@=,:-]+)*"#
  static let pathExpression = "^\(pathPattern)$"
  /// The parts of any path of a tree.
  static let anyPathPattern =
    #"(?!\.{1,2}(/|$))[^/\x00-\x1f\x7f-\x9f]+(/(?!\.{1,2}(/|$))[^/\x00-\x1f\x7f-\x9f]+)*"#
  /// A name of a source or an extra.
  static let wordPattern = "[A-Za-z0-9_][A-Za-z0-9._+-]*"
  /// What `hasControls` finds, within brackets.
  static let controls = #"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"#
  /// Text that rpm or a shell would expand.
  static let macro = #"(%([A-Za-z_{(\[!?*#%]|[^\x00-\x7f])|\$[({]|`)"#

  static func isPlain(_ byte: UInt8, _ others: String) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: others.utf8.contains(byte)
    }
  }

  /// ASCII letters and digits and the given characters, some of which may come first.
  static func matches(_ text: String, first: String = "", rest: String) -> Bool {
    guard let start = text.utf8.first, isPlain(start, first) else { return false }
    return text.utf8.dropFirst().allSatisfy { isPlain($0, rest) }
  }

  static func isPath(_ text: String) -> Bool {
    isCleanPath(text) && matches(text, first: "._+@=,:", rest: "._+@=,:/-")
  }

  static func isLine(_ text: String) -> Bool {
    !hasControls(text) && !text.allSatisfy(\.isWhitespace) && isWithoutMacros(text)
  }

  /// A line that begins with a percent sign would begin a section of a spec.
  static func areParagraphs(_ text: String) -> Bool {
    text.utf8.split(separator: 0x0a).allSatisfy { bytes in
      let line = String(decoding: bytes, as: UTF8.self)
      return !hasControls(line.replacing("\t", with: " ")) && isWithoutMacros(line)
        && bytes.first { $0 != 0x20 && $0 != 0x09 } != UInt8(ascii: "%")
    }
  }

  /// Those of ASCII and Latin 1, and Unicode characters that break lines or change their direction.
  static func hasControls(_ text: String) -> Bool {
    text.unicodeScalars.contains { scalar in
      switch scalar.value {
      case 0..<0x20, 0x7f..<0xa0, 0x2028...0x202e, 0x2066...0x2069: true
      default: false
      }
    }
  }

  /// Whether a shell would expand part of it: `…`, and $ before certain characters.
  static func hasSubstitution(_ text: String, of openers: String) -> Bool {
    let bytes = Array(text.utf8)
    return bytes.indices.contains { index in
      bytes[index] == UInt8(ascii: "`")
        || bytes[index] == UInt8(ascii: "$") && index + 1 < bytes.count && openers.utf8.contains(bytes[index + 1])
    }
  }

  private static func isWithoutMacros(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    let hasMacro = bytes.indices.contains { index in
      guard bytes[index] == UInt8(ascii: "%"), index + 1 < bytes.count else { return false }
      let next = bytes[index + 1]
      return !(0x30...0x39).contains(next) && isPlain(next, "_{([!?*#%") || next >= 0x80
    }
    return !hasMacro && !hasSubstitution(text, of: "({")
  }

  /// Plain text with macros `%{name}` or `${name}` in it.
  static func isRelation(_ text: String, first: String = "", rest: String, macro: String, names: String) -> Bool {
    let pieces = text.utf8.split(separator: macro.utf8.first ?? 0, omittingEmptySubsequences: false)
    guard let start = pieces.first, text.utf8.count > 0 else { return false }
    guard start.isEmpty || matches(String(decoding: start, as: UTF8.self), first: first, rest: rest) else {
      return false
    }
    return pieces.dropFirst().allSatisfy { piece in
      guard piece.first == UInt8(ascii: "{"), let end = piece.firstIndex(of: UInt8(ascii: "}")) else { return false }
      let name = piece[piece.index(after: piece.startIndex)..<end]
      return !name.isEmpty && name.allSatisfy { isPlain($0, names) }
        && piece[piece.index(after: end)...].allSatisfy { isPlain($0, rest) }
    }
  }
}
