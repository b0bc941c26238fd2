// SPDX-License-Identifier: GPL-2.0-only

/// A piece of HTML or XML. What is put in with `\( )` is text and never becomes markup, unless it is a piece itself.
struct Markup: ExpressibleByStringInterpolation, Sendable {
  var source: String

  init(stringLiteral literal: String) { source = literal }
  init(stringInterpolation pieces: StringInterpolation) { source = pieces.source }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var source = ""

    init(literalCapacity: Int, interpolationCount: Int) { source.reserveCapacity(2 * literalCapacity) }

    mutating func appendLiteral(_ literal: String) { source += literal }
    mutating func appendInterpolation(_ text: String) { source += text.asText }
    mutating func appendInterpolation(_ number: Int) { source += "\(number)" }
    mutating func appendInterpolation(_ piece: Markup) { source += piece.source }
    mutating func appendInterpolation(_ piece: Markup?) { source += piece?.source ?? "" }
    mutating func appendInterpolation(_ pieces: [Markup]) { source += pieces.map(\.source).joined(separator: "\n") }
  }

  /// A name, with the places where a line may end: behind a dot before a letter or behind an underscore, and before a plus
  /// or a tilde. Browsers themselves end lines behind a dash.
  init(name: String) {
    var parts: [String] = [""]
    var last: Unicode.Scalar = " "
    for scalar in name.unicodeScalars {
      let ends = last == "_" || last == "." && scalar.properties.isAlphabetic || scalar == "+" || scalar == "~"
      if ends, parts != [""] { parts.append("") }
      parts[parts.count - 1].unicodeScalars.append(scalar)
      last = scalar
    }
    source = parts.map(\.asText).joined(separator: "<wbr>")
  }

  /// A file that is embedded in the program, and trusted as its literals are. The first line, which states the licence,
  /// is left out.
  init(file: [UInt8]) {
    source = String(decoding: file.drop { $0 != UInt8(ascii: "\n") }.dropFirst(), as: UTF8.self)
  }

  /// Fills in placeholders, a small part of what Mustache has: `{{name}}` stands for the value, `{{#name}}…{{/name}}` is
  /// there with a value and `{{^name}}…{{/name}}` without one. Values are not searched for placeholders.
  func filled(with values: [String: Markup?]) -> Markup {
    var filled: Markup = ""
    var rest = source[...]
    var isWanted = true
    for placeholder in source.matches(of: /\{\{([#^\/]?)([a-z]+)\}\}/) {
      let (_, kind, name) = placeholder.output
      guard let value = values[String(name)] else { preconditionFailure("nothing is to fill in {{\(name)}}") }
      if isWanted { filled.source += rest[..<placeholder.range.lowerBound] }
      rest = source[placeholder.range.upperBound...]
      switch kind {
      case "#": isWanted = value != nil
      case "^": isWanted = value == nil
      case "/": isWanted = true
      default: if isWanted { filled.source += value?.source ?? "" }
      }
    }
    filled.source += rest
    return filled
  }
}

extension String {
  /// What stands for this text in HTML and in XML 1.0, between tags and in quotes. Control characters, which a log may
  /// hold and XML must not, are left out.
  fileprivate var asText: String {
    var out = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\t", "\n": out.unicodeScalars.append(scalar)
      case "\u{0}"..<" ", "\u{7f}"..."\u{9f}", "\u{fffe}"..."\u{ffff}": continue
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
