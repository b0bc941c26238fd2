// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Packagers

/// Facts about modules, read from their code.
struct CodeFacts {
  /// A value, and the file that it was read from.
  typealias Found = (value: String, path: String)

  private let files: [(path: String, text: String)]

  /// - Parameter files: the relevant files, by path.
  init(_ files: [String: [UInt8]]) {
    self.files = files.sortedByBytes(\.key).map { ($0.key, String(decoding: $0.value, as: UTF8.self)) }
  }

  /// `PACKAGE_VERSION` of a dkms.conf, else the first MODULE_VERSION that is a plain string.
  var version: Found? { dkms("PACKAGE_VERSION") ?? macro("MODULE_VERSION") }

  /// `PACKAGE_NAME` of a dkms.conf.
  var name: Found? { dkms("PACKAGE_NAME") }

  /// A one-line description of one of its modules: the prompt of its Kconfig, else MODULE_DESCRIPTION.
  var summary: Found? {
    for (path, text) in files where path.pathParts.last == "Kconfig" {
      if let match = text.firstMatch(of: /(?m)^\s+(?:tristate|prompt)\s+"([^"]+)"/) { return (String(match.1), path) }
    }
    return macro("MODULE_DESCRIPTION")
  }

  /// The most frequent SPDX tag of C files, else the meaning of MODULE_LICENSE.
  ///
  /// Source for MODULE_LICENSE: the kernel's Documentation/process/license-rules.rst.
  var licence: Found? {
    var counts: [String: (count: Int, path: String)] = [:]
    for (path, text) in files where path.hasSuffix(".c") || path.hasSuffix(".h") {
      guard let expression = LicenceTags(head: Array(text.utf8.prefix(LicenceTags.bytes))).expression else { continue }
      counts[expression.text, default: (0, path)].count += 1
    }
    if let most = counts.max(by: { ($0.value.count, $1.key) < ($1.value.count, $0.key) }) {
      return (most.key, "SPDX-License-Identifier of \(most.value.path)")
    }
    guard let macro = macro("MODULE_LICENSE") else { return nil }
    let known = [
      "GPL": "GPL-2.0-only", "GPL v2": "GPL-2.0-only", "GPL and additional rights": "GPL-2.0-only",
      "Dual BSD/GPL": "GPL-2.0-only OR BSD-3-Clause", "Dual MIT/GPL": "GPL-2.0-only OR MIT",
      "Dual MPL/GPL": "GPL-2.0-only OR MPL-2.0",
    ]
    return known[macro.value].map { ($0, "MODULE_LICENSE of \(macro.path)") }
  }

  /// Folders and files of the kernel's headers that the code includes, such as `linux/crush`.
  var includedFolders: [String] {
    var found: Set<String> = []
    for (path, text) in files where path.hasSuffix(".c") || path.hasSuffix(".h") {
      for match in text.matches(of: /(?m)^\s*#\s*include\s*<(linux\/[A-Za-z0-9_-]+)\/[^>]+>/) {
        found.insert(String(match.1))
      }
    }
    return found.sortedByBytes()
  }

  private func macro(_ name: String) -> Found? {
    for (path, text) in files where path.hasSuffix(".c") && text.contains(name) {
      guard let start = text.firstRange(of: name)?.upperBound,
        let match = text[start...].prefixMatch(of: /\s*\(\s*"([^"\\\n]+)"\s*\)/)
      else { continue }
      return (match.1.trimmed, path)
    }
    return nil
  }

  private func dkms(_ name: String) -> Found? {
    for (path, text) in files where path.pathParts.last == "dkms.conf" {
      for line in text.lines {
        guard let match = line.wholeMatch(of: /\s*([A-Z_]+)=["']?([^"'$\s]+)["']?\s*/), match.1 == name else {
          continue
        }
        return (String(match.2), path)
      }
    }
    return nil
  }
}
