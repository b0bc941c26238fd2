// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// The kernel modules of a Kbuild file or Makefile. Source: the kernel's Documentation/kbuild/makefiles.rst.
///
/// The file is parsed, not run: both branches of a condition count, and functions of make are reported in `unread`.
struct KbuildFile {
  /// A name in `obj-m` or `obj-$(CONFIG_…)`.
  struct Entry: Equatable {
    /// A module without `.o`, or a folder without its last slash; relative to the file.
    var name: String
    /// The option of the kernel's configuration that enables it, without `CONFIG_`.
    var option: String?
    var line: Int
  }

  private(set) var modules: [Entry] = []
  private(set) var folders: [Entry] = []
  /// The objects that a module is linked from, in order, without `.o`; empty for a module with one source.
  private(set) var objects: [String: [String]] = [:]
  /// Options that the file sets itself.
  private(set) var settings: Set<String> = []
  /// Words of `obj-…` that only make can expand.
  private(set) var unread: [(line: Int, word: String)] = []
  /// The lines that name the kernel's source tree, which has another path for external modules.
  private(set) var kernelPaths: [Int] = []

  private var variables: [String: String] = [:]

  init(_ bytes: [UInt8]) {
    let assignments = KbuildFile.assignments(bytes)
    for (_, name, isAdded, value) in assignments where !name.contains("$") && !name.hasPrefix("obj-") {
      variables[name] = isAdded ? [variables[name], value].compactMap(\.self).joined(separator: " ") : value
    }
    for (line, name, _, value) in assignments {
      if value.contains("$(srctree)") { kernelPaths.append(line) }
      if name.hasPrefix("CONFIG_") {
        settings.insert(String(name.dropFirst("CONFIG_".count)))
      } else if name.hasPrefix("obj-") {
        readObjects(String(name.dropFirst("obj-".count)), value, line)
      } else if let dash = name.lastIndex(of: "-"), dash > name.startIndex {
        let kind = name[name.index(after: dash)...]
        guard ["y", "objs", "m"].contains(kind) || KbuildFile.option(String(kind)) != nil else { continue }
        let words = expanded(value).split(whereSeparator: \.isWhitespace).filter { $0.hasSuffix(".o") }
        objects[String(name[..<dash]), default: []] += words.map { String($0.dropLast(2)) }
      }
    }
  }

  private mutating func readObjects(_ kind: String, _ value: String, _ line: Int) {
    let option = KbuildFile.option(kind)
    guard kind == "m" || kind == "y" || option != nil else { return }
    for word in expanded(value).split(whereSeparator: \.isWhitespace).map(String.init) {
      if word.contains("$") || word.contains("(") || word.contains(")") {
        if !unread.contains(where: { $0.line == line }) { unread.append((line, value.trimmed)) }
      } else if word.hasSuffix("/"), word.utf8.count > 1 {
        let name = String(word.dropLast())
        if !folders.contains(where: { $0.name == name }) {
          folders.append(Entry(name: name, option: option, line: line))
        }
      } else if word.hasSuffix(".o"), kind != "y" {
        let name = String(word.dropLast(2))
        if !modules.contains(where: { $0.name == name }) {
          modules.append(Entry(name: name, option: option, line: line))
        }
      }
    }
  }

  /// `CEPH_FS` of `$(CONFIG_CEPH_FS)`.
  private static func option(_ text: String) -> String? {
    guard let match = text.wholeMatch(of: /\$[({]CONFIG_([A-Za-z0-9_]+)[)}]/) else { return nil }
    return String(match.1)
  }

  /// Expands plain variables: `$(NAME)`, `${NAME}` and `$(NAME:.c=.o)`.
  private func expanded(_ value: String, depth: Int = 0) -> String {
    guard depth < 8, value.contains("$") else { return value }
    typealias Found = Regex<(Substring, Substring, Substring?, Substring?)>.Match
    let plain = value.replacing(/\$[({]([A-Za-z0-9_.-]+)(?::([^=(){}$]*)=([^(){}$]*))?[)}]/) {
      (match: Found) -> String in
      guard let known = variables[String(match.1)] else { return String(match.0) }
      guard let from = match.2, let to = match.3 else { return known }
      let words = known.split(whereSeparator: \.isWhitespace).map { word in
        word.hasSuffix(from) ? "\(word.dropLast(from.count))\(to)" : String(word)
      }
      return words.joined(separator: " ")
    }
    return plain == value ? value : expanded(plain, depth: depth + 1)
  }

  private typealias Assignment = (line: Int, name: String, isAdded: Bool, value: String)

  private static func assignments(_ bytes: [UInt8]) -> [Assignment] {
    var found: [Assignment] = []
    var joined = ""
    var start = 0
    for (number, bytes) in bytes.lines.enumerated() {
      if joined.isEmpty { start = number + 1 }
      let line = String(decoding: bytes, as: UTF8.self)
      if line.hasSuffix("\\") {
        joined += line.dropLast() + " "
        continue
      }
      let whole = (joined + line).prefix { $0 != "#" }
      joined = ""
      guard let match = whole.wholeMatch(of: /\s*(?:(?:export|override)\s+)*([^\s=:+?#]+)\s*(\+=|::?=|\?=|=)\s*(.*)/)
      else { continue }
      found.append((start, String(match.1), match.2 == "+=", match.3.trimmed))
    }
    return found
  }
}
