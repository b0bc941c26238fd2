// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model

/// The stanzas of a machine-readable `debian/copyright`: the licences of files, and their texts.
///
/// The most frequent licence comes first, for `*`. A folder is named instead of its files if all of them agree.
/// Source: DEP 5; Debian Policy 12.5, for the contents of /usr/share/common-licenses.
struct DebianCopyright {
  private typealias Statement = FileLicences.Statement
  private var stanzas: [String] = []

  /// - Parameters:
  ///   - files: in the order of their paths.
  ///   - fallback: for a package without files, and for files without a copyright holder.
  init(
    _ files: [(String, FileLicences.Finding)], texts: [(name: String, text: [UInt8])],
    fallback: (expression: SPDXExpression, holder: String)
  ) {
    var holders: [Statement: [String]] = [:]
    var counts: [Statement: Int] = [:]
    for (_, file) in files {
      counts[file.statement, default: 0] += 1
      holders[file.statement, default: file.statement.copyright] += file.tags.copyright
    }
    let main =
      counts.min { a, b in (-a.value, a.key.order) < (-b.value, b.key.order) }?.key
      ?? Statement(expression: fallback.expression, copyright: [])
    let patterns = Self.patterns(files.map { ($0.0, $0.1.statement) }, besides: main)
    let others = patterns.keys.sorted { $0.order < $1.order }
    for statement in [main] + others {
      var seen: Set<String> = []
      let named = (holders[statement] ?? []).filter { seen.insert($0).inserted }
      let lines = statement == main ? ["*"] : patterns[statement] ?? []
      stanzas.append(
        """
        Files: \(lines.joined(separator: "\n       "))
        Copyright: \((named.isEmpty ? [fallback.holder] : named).joined(separator: "\n           "))
        License: \(statement.expression.debianText)
        """)
    }
    let bytes = Dictionary(texts.map { ($0.name, $0.text) }) { first, _ in first }
    for licence in SPDXExpression.all(of: ([main] + others).map(\.expression)).licences {
      stanzas.append("License: \(licence.debianText)\n\(Self.indented(Self.text(of: licence, bytes)))")
    }
  }

  var text: String { stanzas.joined(separator: "\n\n") }

  // MARK: files

  private static func patterns(
    _ files: [(path: String, statement: Statement)], besides main: Statement
  ) -> [Statement: [String]] {
    // The common licence of all files below a folder; nil if they differ.
    var agreed = ByPath<Statement?>()
    for (path, statement) in files {
      for folder in folders(of: path) {
        if let known = agreed[folder] {
          if known != statement { agreed[folder] = .some(nil) }
        } else {
          agreed[folder] = statement
        }
      }
    }
    var named: PathSet = []
    var patterns: [Statement: [String]] = [:]
    for (path, statement) in files where statement != main {
      let folder = folders(of: path).first { (agreed[$0] ?? nil) == statement }
      let pattern = folder.map { "\(escaped($0))/*" } ?? escaped(path)
      if named.insert(pattern) { patterns[statement, default: []].append(pattern) }
    }
    return patterns
  }

  /// The folders above a path, from the top.
  private static func folders(of path: String) -> [String] {
    let parts = path.pathParts
    return (1..<max(1, parts.count)).map { parts[..<$0].joined(separator: "/") }
  }

  /// The list of files is split at white space, which cannot be escaped.
  private static func escaped(_ path: String) -> String {
    var out = ""
    for scalar in path.unicodeScalars {
      switch scalar {
      case "*", "?", "\\": out += "\\\(scalar)"
      case _ where scalar.properties.isWhitespace || scalar.value < 0x20 || scalar.value == 0x7f: out += "?"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  // MARK: texts

  /// The licences of base-files in /usr/share/common-licenses, with their common names.
  private static let common: [String: (file: String, title: String)] = [
    "Apache-2.0": ("Apache-2.0", "Apache License version 2.0"),
    "CC0-1.0": ("CC0-1.0", "Creative Commons CC0 1.0 Universal licence"),
    "GFDL-1.2": ("GFDL-1.2", "GNU Free Documentation License version 1.2"),
    "GFDL-1.3": ("GFDL-1.3", "GNU Free Documentation License version 1.3"),
    "GPL-1.0": ("GPL-1", "GNU General Public License version 1"),
    "GPL-2.0": ("GPL-2", "GNU General Public License version 2"),
    "GPL-3.0": ("GPL-3", "GNU General Public License version 3"),
    "LGPL-2.0": ("LGPL-2", "GNU Library General Public License version 2"),
    "LGPL-2.1": ("LGPL-2.1", "GNU Lesser General Public License version 2.1"),
    "LGPL-3.0": ("LGPL-3", "GNU Lesser General Public License version 3"),
    "MPL-1.1": ("MPL-1.1", "Mozilla Public License version 1.1"),
    "MPL-2.0": ("MPL-2.0", "Mozilla Public License version 2.0"),
  ]

  private static func text(of licence: SPDXExpression, _ texts: [String: [UInt8]]) -> String {
    guard case .licence(let name, let exception) = licence else { return "" }
    func whole(_ name: String) -> String {
      texts[name].map { String(decoding: $0, as: UTF8.self).paragraphs }
        ?? "The text of \(name) is not part of this package."
    }
    var text = whole(name)
    if let known = common[LicenceTexts.plain(name) ?? name] {
      let later = name.hasSuffix("-or-later") || name.hasSuffix("+") ? ", or (at your option) any later version" : ""
      text = """
        These files may be distributed under the terms of the
        \(known.title)\(later).

        On Debian systems, the complete text of the \(known.title)
        can be found in "/usr/share/common-licenses/\(known.file)".
        """
    }
    if let exception { text += "\n\nThe exception \(exception):\n\n\(whole(exception))" }
    return text
  }

  private static func indented(_ text: String) -> String {
    text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { $0.allSatisfy(\.isWhitespace) ? " ." : " \($0)" }.joined(separator: "\n")
  }
}

extension Substring {
  /// Expands tabs, because a control file is read with another indentation.
  fileprivate var withoutTabs: String {
    var out = ""
    for character in self {
      out += character == "\t" ? String(repeating: " ", count: 8 - out.count % 8) : String(character)
    }
    return out
  }
}

extension FileLicences.Statement {
  /// A key that is equal for equal licences.
  fileprivate var order: String { ([expression.text] + copyright).joined(separator: "\n") }
}

extension String {
  /// Without empty lines at both ends, tabs, and template lines for names, which are under Copyright. Keeps the
  /// indentation of the first line.
  fileprivate var paragraphs: String {
    var lines = split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .filter { !$0.contains("<year>") }.map(\.withoutTabs)[...]
    while let first = lines.first, first.allSatisfy(\.isWhitespace) { lines.removeFirst() }
    while let last = lines.last, last.allSatisfy(\.isWhitespace) { lines.removeLast() }
    return lines.joined(separator: "\n")
  }
}
