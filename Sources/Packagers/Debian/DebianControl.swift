// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// A control file of Debian: stanzas of fields. Source: deb-control(5), deb-src-control(5).
package struct DebianControl: Sendable {
  package struct Stanza: Sendable {
    /// In order. All lines of a value but the first are indented. No value is empty.
    package var fields: [(name: String, value: String)] = []

    package init() {}

    package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    package var text: String { fields.map { "\($0.name):\($0.value.first == "\n" ? "" : " ")\($0.value)\n" }.joined() }
  }

  package var stanzas: [Stanza] = []

  /// - Parameter file: its name in messages.
  package init(parsing text: String, file: String) throws {
    var stanza = Stanza()
    func finish(_ stanzas: inout [Stanza]) {
      stanza.fields.removeAll { $0.value.isEmpty }
      if !stanza.fields.isEmpty { stanzas.append(stanza) }
      stanza = Stanza()
    }
    // Compare bytes, as dpkg does: for Swift, a blank with a combining accent is another character.
    for (number, whole) in text.utf8.lines.enumerated() {
      // An additional CR at the end of a line is not part of the value.
      let line = whole.prefix(whole.count - whole.reversed().prefix { $0 == 0x0d }.count)
      if line.first == UInt8(ascii: "#") { continue }
      if line.allSatisfy(Self.isBlank) {
        finish(&stanzas)
      } else if line.first == 0x20 || line.first == 0x09, !stanza.fields.isEmpty {
        stanza.fields[stanza.fields.count - 1].value += "\n\(String(decoding: line, as: UTF8.self))"
      } else if let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
        !Self.isBlank(line[line.startIndex])
      {
        let value = line[line.index(after: colon)...].drop(while: Self.isBlank)
        let end = value.reversed().prefix(while: Self.isBlank).count
        stanza.fields.append(
          (String(decoding: line[..<colon], as: UTF8.self), String(decoding: value.dropLast(end), as: UTF8.self)))
      } else {
        throw ReleaseError(
          .input, at: SourceLocation(file: file, line: number + 1, column: 1), doing: "reading the control file",
          reason: "'\(String(decoding: line, as: UTF8.self))' is not a field")
      }
    }
    finish(&stanzas)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  package var text: String { stanzas.map(\.text).joined(separator: "\n") }

  /// A description for a control file: indented, with a dot on empty lines.
  package static func indented(_ description: String) -> String {
    description.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? " ." : " \($0)" }
      .joined(separator: "\n")
  }
}
