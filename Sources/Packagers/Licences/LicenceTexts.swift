// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model

/// The texts of licences: in the release, beside the manifest, or in lrelease.
struct LicenceTexts: Sendable {
  /// By the file name below LICENSES/, without `.txt`. Their paths are used in specs, so they are plain.
  private var ofRelease: [String: (path: String, content: FileContent)] = [:]
  /// By the name of the licence.
  private var ofRules: [String: [UInt8]] = [:]

  init(of code: ReleaseTree, in context: PackagingContext) throws {
    for path in code.paths where path.startsInBytes(with: "LICENSES/") && Self.isPlain(path) {
      guard let entry = code[path], !entry.content.isLink, let name = path.pathParts.last else { continue }
      let plain = name.hasSuffix(".txt") ? String(name.dropLast(4)) : String(name)
      if ofRelease[plain] == nil { ofRelease[plain] = (path, entry.content) }
    }
    for rule in context.manifest.licenceRules {
      guard let file = rule.text else { continue }
      var recipe = Recipe(plan: context.plan)
      let bytes = try recipe.read(file, at: rule.location)
      for name in SPDXExpression.stated(rule.expression).names where ofRules[name] == nil { ofRules[name] = bytes }
    }
  }

  private static func isPlain(_ path: String) -> Bool {
    path.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: "._+/-".utf8.contains(byte)
      }
    }
  }

  /// Whether the release already has the text.
  func isInRelease(_ name: String) -> Bool { file(inRelease: name) != nil }

  private func file(inRelease name: String) -> (path: String, content: FileContent)? {
    ofRelease[name] ?? LicenceTexts.plain(name).flatMap { ofRelease[$0] }
  }

  /// The path of the text in the tarball: that of the release, or the one that lrelease adds, as in REUSE.
  func path(of name: String) -> String { file(inRelease: name)?.path ?? "LICENSES/\(name).txt" }

  /// The name without the suffix for versions; nil if it has none.
  static func plain(_ name: String) -> String? {
    ["-only", "-or-later", "+"].first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) }
  }

  /// The text of a licence or an exception; nil if there is none.
  func text(of name: String) throws -> [UInt8]? {
    if let file = file(inRelease: name) { return Self.text(inKernelFile: try file.content.readFile()) }
    // A rule with several licences provides the text of those without another text.
    return LicenceData.text(of: name) ?? ofRules[name]
  }

  /// Files of the kernel's LICENSES/ have a header that ends with `License-Text:`.
  private static func text(inKernelFile bytes: [UInt8]) -> [UInt8] {
    let head = "License-Text:"
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.hasPrefix("Valid-License-Identifier:") || text.hasPrefix("SPDX-Exception-Identifier:"),
      let mark = text.firstRange(of: "\n\(head)")
    else { return bytes }
    return Array(text[mark.upperBound...].drop { $0.isNewline }.utf8)
  }
}
