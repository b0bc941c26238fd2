// SPDX-License-Identifier: GPL-2.0-only

import Model
import SystemPackage
import Verdicts

/// The verdicts as one self-contained HTML page: for a project's site, for people.
///
/// A table of kernels and releases comes first; then the problems, each once with all kernels that it affects. There is
/// no script: what folds is `<details>`. Page/page.html holds all text that is always the same.
package struct QualificationPage {
  let report: QualificationReport
  let places: LogPlaces
  let findings: Findings

  /// - Parameter places: how the page refers to logs.
  package init(_ report: QualificationReport, places: LogPlaces) {
    self.report = report
    self.places = places
    findings = Findings(in: report)
  }

  package var html: [UInt8] {
    let title = report.project.map { "\($0) on Linux kernels" } ?? "Releases on Linux kernels"
    // So many columns fit a wide window without scrolling.
    let fits: Markup? = report.columns.count <= 6 ? " fits" : nil
    let booted: Markup? = report.entries.contains { $0.verdict.hasBooted } ? "" : nil
    let life: Markup? = report.rows.contains(where: \.isLife) ? "\(Self.life)" : nil
    let pair: Markup? = report.rows.contains { $0.against != nil } ? "client of, service for" : nil
    let compiled: Markup? =
      report.entries.contains(where: \.verdict.isCompiledOnly) ? "\(Verdict.Level.compiled.rawValue)" : nil
    let page = Markup(file: PackageResources.page_html).filled(with: [
      "title": "\(title)", "style": Markup(file: PackageResources.style_css), "period": period,
      "booted": booted,
      "tiles": "\(report.columns.map(tile))",
      "fits": fits, "columns": "\(report.columns.count)", "heads": "\(heads)",
      "targets": "\(report.targets.map(element))",
      "support": report.support.isEmpty ? nil : "\(report.columns.compactMap(support))",
      "findings": findings.ordered.isEmpty ? nil : "\(findings.ordered.enumerated().map(element))",
      "life": life, "pair": pair, "compiled": compiled,
    ])
    return Array(page.source.utf8)
  }

  /// When it was tried.
  private var period: Markup {
    let times = report.entries.map(\.verdict.started)
    let first = Timestamp(seconds: times.min() ?? 0).day
    let last = Timestamp(seconds: times.max() ?? 0).day
    return first == last
      ? "on <time datetime=\"\(last)\">\(last)</time>"
      : "between <time datetime=\"\(first)\">\(first)</time> and <time datetime=\"\(last)\">\(last)</time>"
  }

  /// A package in numbers.
  private func tile(of column: QualificationReport.Column) -> Markup {
    let title = report.title(column)
    let counts = report.counts(of: column)
    let bar = counts.map { result, count -> Markup in
      "<i class=\"\(result.styleClass)\" style=\"flex-grow:\(count)\"></i>"
    }
    let words = counts.map { result, count -> Markup in
      "<span class=\"\(result.styleClass)\">\(count) \(result.word)</span>"
    }
    return """
      <li>
      <b>\(Markup(name: title.release))</b> \(Markup(name: title.variant))
      <span class="bar" aria-hidden="true">\(bar)</span>
      <span class="counts">\(words)</span>
      </li>
      """
  }

  /// The kernels of a package by family, each with how that is known.
  private func support(of column: QualificationReport.Column) -> Markup? {
    guard let lines = report.support[column] else { return nil }
    let title = report.title(column)
    let items = lines.map { line -> Markup in "<li>\(line)</li>" }
    return """
      <dt>\(Markup(name: title.release)) <small>\(Markup(name: title.variant))</small></dt>
      <dd><ul>\(items)</ul></dd>
      """
  }

  // MARK: what is wrong

  private func element(at index: Int, _ finding: Findings.Finding) -> Markup {
    let key = finding.key
    let step: Markup? = key.step.map { key.result == .fail ? " at \($0.rawValue)" : ", stopped at \($0.rawValue)" }
    let reason: Markup? = key.reason.map { "<p class=\"reason\"><code>\($0)</code></p>" }
    let change: Markup? = key.change.map { "<p class=\"change\"><b>Kernel change</b> \($0)</p>" }
    let columns = report.columns.filter { column in finding.cells.contains { $0.column == column } }
    let concerned = columns.map { column -> Markup in
      let title = report.title(column)
      let kernels = finding.cells.filter { $0.column == column }.map { kernel(of: $0, at: key.step) }
      return
        "<dt>\(Markup(name: title.release)) <small>\(Markup(name: title.variant))</small></dt>\n<dd>\(kernels)</dd>"
    }
    return """
      <li id="finding-\(index + 1)" class="\(key.result.styleClass)">
      <h3>\(key.result.mark) \(key.result.word)\(step)</h3>
      \(reason)\(change)
      <dl>
      \(concerned)
      </dl>
      </li>
      """
  }

  /// A kernel that a finding concerns, with a link to the log that tells of it.
  private func kernel(of cell: QualificationReport.Cell, at step: Verdict.Step.Name?) -> Markup {
    let occasion: Markup? = cell.row.occasion.map { " <small>\($0)</small>" }
    let name: Markup = "<span class=\"kernel\">\(Markup(name: cell.row.kernel))</span>\(occasion)"
    guard let entry = report[cell], let step, let log = entry.log(of: step) else {
      return "<span class=\"place\">\(Markup(name: cell.row.target)) \(name)</span>"
    }
    return
      "<a class=\"place\" href=\"\(places.reference(to: log, of: entry))\">\(Markup(name: cell.row.target)) \(name)</a>"
  }

  // MARK: words

  static let life = "life of a site"
}

/// What the page calls a result; its legend in Page/page.html says the same.
extension Verdict.Result {
  /// Its class in Page/style.css.
  var styleClass: String { self == .notRun ? "notrun" : rawValue }

  var word: String {
    switch self {
    case .pass: "pass"
    case .fail: "fail"
    case .skipped: "skipped"
    case .notRun: "not run"
    }
  }

  var mark: Markup {
    let sign =
      switch self {
      case .pass: "✓"
      case .fail: "✗"
      case .skipped: "–"
      case .notRun: "?"
      }
    return "<span class=\"mark\" aria-hidden=\"true\">\(sign)</span>"
  }
}

extension Verdict {
  /// Whether the kernel ran.
  fileprivate var hasBooted: Bool { steps.contains { $0.name == .boot && $0.passed } }
}

extension Timestamp {
  /// `2026-11-01`.
  fileprivate var day: String { String(iso8601.prefix { $0 != "T" }) }
}
