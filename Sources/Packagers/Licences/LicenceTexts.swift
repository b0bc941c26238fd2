// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model

/// Where the texts of licences are: in the release, beside the manifest, or in lrelease.
struct LicenceTexts: Sendable {
  /// By the name of the file below LICENSES/, without `.txt`.
  private var ofRelease: [String: FileContent] = [:]
  /// By the name of the licence.
  private var ofRules: [String: [UInt8]] = [:]

  init(of code: ReleaseTree, in context: PackagingContext) throws {
    for path in code.paths where path.startsInBytes(with: "LICENSES/") {
      guard let entry = code[path], !entry.content.isLink, let name = path.pathParts.last else { continue }
      let plain = name.hasSuffix(".txt") ? String(name.dropLast(4)) : String(name)
      if ofRelease[plain] == nil { ofRelease[plain] = entry.content }
    }
    for rule in context.manifest.licenceRules {
      guard let file = rule.text else { continue }
      var recipe = Recipe(plan: context.plan)
      let bytes = try recipe.read(file, at: rule.location)
      for name in SPDXExpression.stated(rule.expression).names where ofRules[name] == nil { ofRules[name] = bytes }
    }
  }

  /// Whether the release has the text already.
  func isInRelease(_ name: String) -> Bool { content(inRelease: name) != nil }

  private func content(inRelease name: String) -> FileContent? {
    ofRelease[name] ?? LicenceTexts.plain(name).flatMap { ofRelease[$0] }
  }

  /// The name without what says which versions are meant; nil where there is nothing to leave out.
  static func plain(_ name: String) -> String? {
    ["-only", "-or-later", "+"].first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) }
  }

  /// The text of a licence or an exception; nil where there is none.
  func text(of name: String) throws -> [UInt8]? {
    if let content = content(inRelease: name) { return Self.text(inKernelFile: try content.readFile()) }
    // A rule that names several licences brings the text of those that nobody else has.
    return LicenceData.text(of: name) ?? ofRules[name]
  }

  /// A file of the kernel's LICENSES/ has a head for people and programs, which ends with `License-Text:`.
  private static func text(inKernelFile bytes: [UInt8]) -> [UInt8] {
    let head = "License-Text:"
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.hasPrefix("Valid-License-Identifier:") || text.hasPrefix("SPDX-Exception-Identifier:"),
      let mark = text.firstRange(of: "\n\(head)")
    else { return bytes }
    return Array(text[mark.upperBound...].drop { $0.isNewline }.utf8)
  }
}
