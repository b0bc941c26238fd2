// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// A text file with @NAME@ placeholders. Every placeholder must have a value: a typing mistake is an error.
///
/// A line that consists of a placeholder with an empty value is left out.
package struct Template: Sendable {
  package var file: String
  package var text: String

  package init(file: String, bytes: [UInt8]) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ReleaseError(.input, doing: "reading the template \(file)", reason: "it is not UTF-8 text")
    }
    self.file = file
    self.text = text
  }

  package func render(_ values: [String: String]) throws -> String {
    var out: [String] = []
    // Line ends stay as they are, except those of lines that are left out.
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (number, bytes) in lines.enumerated() {
      let isCRLF = bytes.last == UInt8(ascii: "\r")
      let line = String(decoding: isCRLF ? bytes.dropLast() : bytes, as: UTF8.self)
      let rendered = try render(line, number: number + 1, values) { throw $0 }
      if rendered.isEmpty && !line.isEmpty && line.hasPrefix("@") && line.hasSuffix("@") { continue }
      out.append(isCRLF ? rendered + "\r" : rendered)
    }
    return out.joined(separator: "\n")
  }

  /// Every placeholder that none of the values is for.
  package func problems(with values: [String: String]) -> [ReleaseError] {
    var found: [ReleaseError] = []
    for (number, line) in text.utf8.lines.enumerated() {
      _ = render(String(decoding: line, as: UTF8.self), number: number + 1, values) { found.append($0) }
    }
    return found
  }

  /// - Parameter unknown: is told of a placeholder without a value, which then stands for nothing.
  private func render<E: Error>(
    _ line: String, number: Int, _ values: [String: String], unknown: (ReleaseError) throws(E) -> Void
  ) throws(E) -> String {
    var out = ""
    var rest = line[...]
    while let open = rest.firstIndex(of: "@") {
      out += rest[..<open]
      rest = rest[rest.index(after: open)...]
      guard let close = rest.firstIndex(of: "@"), Template.isName(rest[..<close]) else {
        out += "@"
        continue
      }
      let name = String(rest[..<close])
      if let value = values[name] {
        out += value
      } else {
        let column = line.distance(from: line.startIndex, to: open) + 1
        let place = SourceLocation(file: file, line: number, column: column)
        try unknown(
          ReleaseError(
            .input, at: place, doing: "filling in the template", reason: "there is no placeholder @\(name)@",
            advice: name.nearest(in: values.keys).map { "did you mean @\($0)@?" }
              ?? "known are \(values.keys.sorted().map { "@\($0)@" }.joined(separator: ", "))"))
      }
      rest = rest[rest.index(after: close)...]
    }
    return out + rest
  }

  private static func isName(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.unicodeScalars.allSatisfy { ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_" }
      && text.first.map { !$0.isASCIIDigit } == true
  }
}
