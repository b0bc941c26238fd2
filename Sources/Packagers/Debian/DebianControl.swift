// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// A control file of Debian: stanzas of fields. Source: deb-control(5), deb-src-control(5).
package struct DebianControl: Sendable {
  package struct Stanza: Sendable {
    /// In their order; a value of several lines has each but the first indented. None is empty.
    package var fields: [(name: String, value: String)] = []

    package init() {}

    package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    package var text: String { fields.map { "\($0.name):\($0.value.first == "\n" ? "" : " ")\($0.value)\n" }.joined() }
  }

  package var stanzas: [Stanza] = []

  /// - Parameter file: the name under which messages speak of it.
  package init(parsing text: String, file: String) throws {
    var stanza = Stanza()
    func finish(_ stanzas: inout [Stanza]) {
      stanza.fields.removeAll { $0.value.isEmpty }
      if !stanza.fields.isEmpty { stanzas.append(stanza) }
      stanza = Stanza()
    }
    for (number, whole) in text.lines.enumerated() {
      // One CR more than belongs to a line is no part of a value either.
      var line = whole
      while line.utf8.last == 0x0d { line = line.dropLast() }
      if line.hasPrefix("#") { continue }
      if line.allSatisfy(\.isWhitespace) {
        finish(&stanzas)
      } else if line.first == " " || line.first == "\t", !stanza.fields.isEmpty {
        stanza.fields[stanza.fields.count - 1].value += "\n\(line)"
      } else if let colon = line.firstIndex(of: ":"), colon > line.startIndex,
        line.first != " "
      {
        stanza.fields.append((String(line[..<colon]), line[line.index(after: colon)...].trimmed))
      } else {
        throw ReleaseError(
          .input, at: SourceLocation(file: file, line: number + 1, column: 1), doing: "reading the control file",
          reason: "'\(line)' is not a field")
      }
    }
    finish(&stanzas)
  }

  package var text: String { stanzas.map(\.text).joined(separator: "\n") }

  /// A description as a control file has it: indented, with a dot on empty lines.
  package static func indented(_ description: String) -> String {
    description.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? " ." : " \($0)" }
      .joined(separator: "\n")
  }
}
