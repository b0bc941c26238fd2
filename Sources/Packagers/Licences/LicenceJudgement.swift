// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model

extension FileLicences {
  /// Finds what must not be released: unreadable tags, rules that contradict a file without a reason, conflicting
  /// licences, licences without a text.
  ///
  /// - Parameter licences: those of the whole release.
  /// - Throws: `Diagnostics` with all findings.
  package func judge(_ licences: PackageLicences) throws(Diagnostics) {
    let found = unreadableTags + contradictions + conflicts + missingTexts(of: licences)
    if !found.isEmpty { throw Diagnostics(found) }
  }

  /// Rules that match no file of the release, perhaps because of a typing mistake.
  package var idleRules: [Manifest.LicenceRule] {
    let used = Set(findings.values.compactMap(\.rule))
    let all = context.manifest.licenceRules
    // A rule whose files a later rule took counts as matching.
    return all.indices.filter { index in
      !used.contains(index) && !findings.contains { all[index].matches($0.key) }
    }.map { all[$0] }
  }

  private static let doing = "judging the licences"

  private var sorted: [(path: String, finding: Finding)] {
    findings.map { (path: $0.key, finding: $0.value) }.sortedByBytes(\.path)
  }

  private var unreadableTags: [ReleaseError] {
    sorted.compactMap { path, finding in
      guard finding.rule == nil, let tag = finding.tags.unreadable else { return nil }
      return ReleaseError(
        .input, doing: Self.doing,
        reason: "\(path) says SPDX-License-Identifier: \(tag.text), which is no SPDX expression: \(tag.reason)",
        advice: "state its licence in a rule of [[licenses]]")
    }
  }

  private var contradictions: [ReleaseError] {
    let rules = context.manifest.licenceRules
    var files: [Int: [(path: String, said: String)]] = [:]
    for (path, finding) in sorted {
      guard let number = finding.rule, rules[number].why == nil, let said = finding.tags.expression,
        said != finding.statement.expression
      else { continue }
      files[number, default: []].append((path, said.text))
    }
    return files.sorted { $0.key < $1.key }.map { number, files in
      ReleaseError(
        .input, at: rules[number].location, doing: Self.doing,
        reason: "the rule says \(rules[number].expression), and \(files[0].path) says \(files[0].said)"
          + (files.count > 1 ? "; \(files.count - 1) more do not agree either" : ""),
        advice: "leave the file out of the rule, or say in 'why' why the rule is right")
    }
  }

  private var conflicts: [ReleaseError] {
    let rules = context.manifest.licenceRules
    let all = Set(findings.values.map(\.statement.expression))
    var opponents: [SPDXExpression: SPDXExpression] = [:]
    for expression in all { opponents[expression] = LicenceConflicts.opponent(of: expression, in: all) }
    var files: [SPDXExpression: [String]] = [:]
    for (path, finding) in sorted where opponents[finding.statement.expression] != nil {
      if let rule = finding.rule, rules[rule].why != nil { continue }
      files[finding.statement.expression, default: []].append(path)
    }
    return files.sorted { $0.key.text < $1.key.text }.map { expression, paths in
      ReleaseError(
        .input, doing: Self.doing,
        reason: "\(expression.text) of \(paths.shortened) cannot go together with "
          + "\(opponents[expression]?.text ?? "the rest") in one work",
        advice: "exclude what is not needed, or say in a rule of [[licenses]] with 'why' why it stays")
    }
  }

  private func missingTexts(of licences: PackageLicences) -> [ReleaseError] {
    licences.missingTexts.map { name in
      let path = sorted.first { $0.finding.statement.expression.names.contains(name) }?.path
      return ReleaseError(
        .input, doing: Self.doing,
        reason:
          "the text of \(name)\(path.map { ", the licence of \($0)," } ?? "") is neither in LICENSES/ of the release "
          + "nor known to lrelease",
        advice: "put the text beside the manifest, and name it with 'text' in a rule of [[licenses]]")
    }
  }
}
