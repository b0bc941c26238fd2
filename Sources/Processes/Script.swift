// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// A shell script from a file of a folder `Scripts`, which is built into the program, and the one place where values become
/// a part of a script.
///
/// A script gets values as arguments where possible, and `text` runs as it is. In scripts for sites, values are
/// inserted:
///
/// - `@NAME@` is a value.
/// - A line `#@NAME@` is the lines of a value, or nothing.
/// - Lines from `#@if NAME` to `#@end` are there when a value has the name; one such part may hold another.
/// - Lines `#@ words` and `# shellcheck …` are for readers of the file.
package struct Script: Sendable {
  package enum Value: Sendable {
    /// Letters, digits and `.-_+/:` alone, which mean themselves in quotes and outside.
    case plain(String)
    /// Becomes one word, in quotes where it needs them.
    case word(String)
    /// Inserted verbatim; a shell interprets it.
    case verbatim(String)
  }

  package let text: String

  package init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

  /// A value as one word of a shell.
  package static func quote(_ word: String) -> String {
    isPlain(word) ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
  }

  /// - Throws: `ReleaseError` for a missing value, and for one that is not as plain as declared.
  package func filled(_ values: [String: Value], doing: String) throws -> String {
    func value(_ name: Substring) throws -> String {
      switch values[String(name)] {
      case .plain(let text):
        if Self.isPlain(text) { return text }
        throw ReleaseError(.input, doing: doing, reason: "'\(text)' cannot stand in a script as \(name)")
      case .word(let text): return Self.quote(text)
      case .verbatim(let text): return text
      case nil: throw ReleaseError(.failed, doing: doing, reason: "the script has no value for \(name)")
      }
    }
    let placeholder = /@([A-Z_]+)@/
    var lines: [String] = []
    // One inside another counts where both do.
    var isTaken: [Bool] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("#@if ") {
        isTaken.append(isTaken.last != false && values[String(line.dropFirst(5))] != nil)
      } else if line == "#@end" {
        _ = isTaken.popLast()
      } else if isTaken.last == false || line.hasPrefix("#@ ") || line.hasPrefix("# shellcheck ") {
        continue
      } else if line.hasPrefix("#@") {
        let text = try value(line.dropFirst(2).dropLast())
        if !text.isEmpty { lines.append(text) }
      } else if line.utf8.contains(UInt8(ascii: "@")) {
        lines.append(String(try line.replacing(placeholder) { try value($0.1) }))
      } else {
        lines.append(String(line))
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func isPlain(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: ".-_+/:".utf8.contains(byte)
        }
      }
  }
}
