// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model

/// The licence of each file of a release.
///
/// In this order: a rule of the manifest, the tags of the file, the tags of a file `NAME.license` beside it, the
/// licence of its extra in the manifest, the licence of the release. Nothing else counts, so that the result is the
/// same on every machine.
package struct FileLicences: Sendable {
  /// The licence of a file.
  struct Statement: Sendable, Hashable {
    var expression: SPDXExpression
    /// The copyright holders that the manifest or the rule names.
    var copyright: [String]
  }

  /// The findings about a file.
  struct Finding: Sendable {
    var statement: Statement
    var tags: LicenceTags
    /// The number of the rule.
    var rule: Int?
  }

  let context: PackagingContext
  let texts: LicenceTexts
  private let code: ReleaseTree
  let findings: ByPath<Finding>
  private let rules: [SPDXExpression]

  /// - Parameter code: the release without its packaging.
  package init(of code: ReleaseTree, in context: PackagingContext) throws {
    self.context = context
    self.code = code
    texts = try LicenceTexts(of: code, in: context)
    rules = context.manifest.licenceRules.map { SPDXExpression.stated($0.expression) }
    var found = ByPath<Finding>()
    for (path, entry) in code.entries where !Self.saysNothing(path, entry) {
      found[path] = try Self.finding(path, entry, beside: code["\(path).license"], context, rules)
    }
    findings = found
  }

  /// Texts of licences have no licence that a package states, and links have no content.
  private static func saysNothing(_ path: String, _ entry: TreeEntry) -> Bool {
    if entry.content.isLink || path.startsInBytes(with: "LICENSES/") { return true }
    let name = path.pathParts.last.map(String.init) ?? path
    return ["COPYING", "LICENSE", "LICENCE", "LCOPYING", "UNLICENSE"].contains {
      name == $0 || name.hasPrefix("\($0).")
    }
  }

  /// - Parameter package: the package that the file is generated for, if any.
  private static func finding(
    _ path: String, _ entry: TreeEntry, beside: TreeEntry?, _ context: PackagingContext, _ rules: [SPDXExpression],
    madeFor package: Manifest.Package? = nil
  ) throws -> Finding {
    let manifest = context.manifest
    var tags = try LicenceTags(entry.content)
    if tags.expression == nil, tags.unreadable == nil, let beside { tags = try LicenceTags(beside.content) }
    let rule = manifest.licenceRules.lastIndex { $0.matches(path) }
    let extra =
      package?.extra.flatMap { manifest.extras[$0] }
      ?? context.plan.extras.lazy.compactMap { manifest.extras[$0] }
      .first { manifest.holds(path, entry.origin, extra: $0) }
    let holders = [rule.map { manifest.licenceRules[$0].copyright }, extra?.copyright].compactMap { $0 }
    let copyright = holders.first { !$0.isEmpty } ?? manifest.copyright
    let stated: SPDXExpression
    if let rule {
      stated = rules[rule]
    } else if let said = tags.expression {
      stated = said
    } else {
      stated = .stated(extra?.license ?? manifest.license)
    }
    return Finding(statement: Statement(expression: stated, copyright: copyright), tags: tags, rule: rule)
  }

  /// The licence of a file of the release; nil for a file without one, such as the text of a licence.
  package func expression(of path: String) -> SPDXExpression? { findings[path]?.statement.expression }

  /// Whether a rule gives a reason for the licence of a file, so that a person has checked it.
  package func isExplained(_ path: String) -> Bool {
    findings[path]?.rule.map { context.manifest.licenceRules[$0].why != nil } ?? false
  }

  /// The licences of a package, from its files of the release and those generated for it.
  package func package(_ package: Manifest.Package, _ tree: ReleaseTree) throws -> PackageLicences {
    var files: [(String, Finding)] = []
    for path in tree.paths {
      guard let entry = tree[path], !Self.saysNothing(path, entry) else { continue }
      if let known = findings[path], code[path]?.content == entry.content {
        files.append((path, known))
      } else {
        files.append((path, try Self.finding(path, entry, beside: nil, context, rules, madeFor: package)))
      }
    }
    return try PackageLicences(files, context, texts)
  }

  /// The licences of a package that a build of the release makes, from the files that it is built from.
  ///
  /// - Parameter packages: the DKMS packages of the release.
  /// - Throws: `ReleaseError` with code `input` if there is no such file.
  package func built(_ built: Manifest.BuiltPackage, with packages: [PackageSources]) throws -> PackageLicences {
    let sources = packages.first { $0.dkms.package.variant == built.variant }?.tree
    let files = findings.filter { path, _ in
      (built.files.contains { $0.matches(path) } || sources?[path] != nil)
        && !built.exclude.contains { $0.matches(path) }
    }
    guard !files.isEmpty else {
      throw ReleaseError(
        .input, at: built.location, doing: "judging the licences",
        reason: "no file of the release is what \(built.names) is made of",
        advice: "correct 'files', 'variant' and 'exclude'")
    }
    return try PackageLicences(files.map { ($0.key, $0.value) }.sortedByBytes(\.0), context, texts)
  }

  /// The licences of the whole release, including its packaging.
  ///
  /// - Parameter packaging: its files, of which only the folder counts.
  package func release(packaging: [(path: String, text: String)]) throws -> PackageLicences {
    var files = findings.map { ($0.key, $0.value) }
    for (path, text) in packaging {
      let entry = TreeEntry(content: .file(Array(text.utf8)), origin: Origin(source: "generated"))
      files.append((path, try Self.finding(path, entry, beside: nil, context, rules)))
    }
    return try PackageLicences(files.sortedByBytes(\.0), context, texts)
  }

  /// The licences of packaging files in the release: the tags of those of `debian/`, and those of generated files.
  func recipe() throws -> [(path: String, text: String)] {
    guard let packaging = context.manifest.packaging else { return [] }
    var recipe = Recipe(plan: context.plan)
    var files = [(path: "\(context.manifest.name).spec", text: ""), (path: "lrelease/plan.json", text: "")]
    for file in try recipe.list(packaging.debian, deep: true, at: packaging.location) {
      let text = String(decoding: try recipe.read(file, at: packaging.location), as: UTF8.self)
      files.append(("debian/\(file.dropFirst(packaging.debian.count + 1))", text))
    }
    return files
  }

  // MARK: texts in the tarball

  /// The origin of licence texts that lrelease adds.
  static let textOrigin = Origin(source: "generated", generator: "text of a licence")

  /// Adds the missing texts of licences, named as in REUSE.
  package func addTexts(to tree: inout ReleaseTree, of licences: PackageLicences) {
    for (name, text) in licences.texts where !texts.isInRelease(name) {
      let path = texts.path(of: name)
      if tree[path] == nil { tree[path] = TreeEntry(content: .file(text), origin: Self.textOrigin) }
    }
  }
}
