// SPDX-License-Identifier: GPL-2.0-only

/// A piece of Markdown. What is put in with `\( )` is text on one line and never becomes markup, unless it is a piece
/// itself.
struct Markdown: ExpressibleByStringInterpolation, Sendable {
  let source: String

  init(stringLiteral literal: String) { source = literal }
  init(stringInterpolation pieces: StringInterpolation) { source = pieces.source }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var source = ""

    init(literalCapacity: Int, interpolationCount: Int) { source.reserveCapacity(2 * literalCapacity) }

    mutating func appendLiteral(_ literal: String) { source += literal }
    mutating func appendInterpolation(_ text: String) { source += text.asText }
    mutating func appendInterpolation(_ number: Int) { source += "\(number)" }
    mutating func appendInterpolation(_ piece: Markdown) { source += piece.source }
    mutating func appendInterpolation(_ pieces: [Markdown], separator: String) {
      source += pieces.map(\.source).joined(separator: separator)
    }
  }
}

extension String {
  /// What stands for this text in a cell or an item of Markdown.
  fileprivate var asText: String {
    var out = ""
    for scalar in singleLine.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case "\\", "`", "*", "_", "[", "]", "|", "~", "#": out += "\\\(scalar)"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
