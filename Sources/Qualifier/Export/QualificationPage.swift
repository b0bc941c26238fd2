// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import SystemPackage

/// The verdicts as one HTML page that needs nothing besides: for a project's site, for people.
///
/// A table of kernels and releases comes first, calm as long as all is well; then what fails and why, each thing once
/// with all the kernels that it concerns. There is no script: what folds is `<details>`.
package struct QualificationPage {
  private let report: QualificationReport
  private let places: LogPlaces
  private let findings: [Finding]
  /// By case: the number of the finding that tells about it.
  private let numbers: [Case: Int]

  private struct Case: Hashable {
    var row: QualificationReport.Row
    var column: QualificationReport.Column
  }

  /// What is wrong in the same way on one kernel or more.
  private struct Finding {
    struct Key: Hashable {
      var result: Verdict.Result
      var step: Verdict.Step.Name?
      var reason: String?
      var change: String?
    }
    var key: Key
    var cases: [Case]
  }

  /// - Parameter places: how the page refers to logs.
  package init(_ report: QualificationReport, places: LogPlaces) {
    self.report = report
    self.places = places
    var findings: [Finding] = []
    var known: [Finding.Key: Int] = [:]
    for column in report.columns {
      for row in report.rows {
        guard let verdict = report[row, column]?.verdict, [.fail, .notRun].contains(verdict.result) else { continue }
        let key = Finding.Key(
          result: verdict.result, step: verdict.step, reason: verdict.reason, change: verdict.change)
        let index = known[key] ?? findings.count
        if index == findings.count { findings.append(Finding(key: key, cases: [])) }
        known[key] = index
        findings[index].cases.append(Case(row: row, column: column))
      }
    }
    // Failures first, and of these what concerns most; else in the order of the table.
    self.findings = findings.enumerated().sorted { a, b in
      (a.element.key.result == .fail ? 0 : 1, -a.element.cases.count, a.offset)
        < (b.element.key.result == .fail ? 0 : 1, -b.element.cases.count, b.offset)
    }.map(\.element)
    numbers = Dictionary(
      uniqueKeysWithValues: self.findings.enumerated().flatMap { index, finding in
        finding.cases.map { ($0, index + 1) }
      })
  }

  package var html: [UInt8] {
    let title = report.project.map { "\($0) on Linux kernels" } ?? "Releases on Linux kernels"
    let life: Markup? = report.rows.contains(where: \.isLife) ? "\(Self.life)" : nil
    // So many columns fit a wide window without scrolling.
    let fits: Markup? = report.columns.count <= 6 ? " fits" : nil
    let page = Markup(file: PackageResources.page_html).filled(with: [
      "title": "\(title)", "style": Markup(file: PackageResources.style_css), "period": period, "tiles": "\(tiles)",
      "fits": fits, "columns": "\(report.columns.count)", "heads": "\(heads)", "targets": "\(targets)",
      "findings": findings.isEmpty ? nil : "\(findings.enumerated().map(element))", "life": life,
    ])
    return Array(page.source.utf8)
  }

  /// When it was tried.
  private var period: Markup {
    let times = report.entries.map(\.verdict.started)
    let first = Timestamp(seconds: times.min() ?? 0)
    let last = Timestamp(seconds: times.max() ?? 0)
    return first.day == last.day
      ? "on <time datetime=\"\(last.day)\">\(last.day)</time>"
      : "between <time datetime=\"\(first.day)\">\(first.day)</time> and <time datetime=\"\(last.day)\">\(last.day)</time>"
  }

  // MARK: in numbers

  private var tiles: [Markup] {
    report.columns.map { column -> Markup in
      let verdicts = report.rows.compactMap { report[$0, column]?.verdict }
      let counts = Self.results.compactMap { result -> (result: Verdict.Result, count: Int)? in
        let count = verdicts.count { $0.result == result }
        return count == 0 ? nil : (result, count)
      }
      let title = report.title(column)
      let bar = counts.map { part -> Markup in
        "<i class=\"\(Self.name(part.result))\" style=\"flex-grow:\(part.count)\"></i>"
      }
      let words = counts.map { part -> Markup in
        "<span class=\"\(Self.name(part.result))\">\(part.count) \(Self.word(part.result))</span>"
      }
      return """
        <li>
        <b>\(title.release)</b> \(title.variant)
        <span class="bar" aria-hidden="true">\(bar)</span>
        <span class="counts">\(words)</span>
        </li>
        """
    }
  }

  // MARK: the table

  private var heads: [Markup] {
    report.columns.map { column -> Markup in
      let title = report.title(column)
      return "<th scope=\"col\" role=\"columnheader\">\(title.release) <small>\(title.variant)</small></th>"
    }
  }

  private var targets: [Markup] {
    let groups = report.rows.reduce(into: [[QualificationReport.Row]]()) { groups, row in
      if groups.last?.first?.target == row.target {
        groups[groups.count - 1].append(row)
      } else {
        groups.append([row])
      }
    }
    return groups.map { rows -> Markup in
      let architectures = Array(Set(rows.map(\.architecture))).sorted()
      let several = architectures.count > 1
      return """
        <tbody role="rowgroup">
        <tr class="target" role="row"><th colspan="\(report.columns.count + 1)" scope="rowgroup" role="rowheader">\
        \(rows[0].target) <small>\(architectures.joined(separator: ", "))</small></th></tr>
        \(rows.map { line($0, withArchitecture: several) })
        </tbody>
        """
    }
  }

  private func line(_ row: QualificationReport.Row, withArchitecture: Bool) -> Markup {
    let cells = report.columns.map { column in cell(Case(row: row, column: column)) }
    let isFine = report.columns.allSatisfy { numbers[Case(row: row, column: $0)] == nil }
    let architecture: Markup? = withArchitecture ? " <small>\(row.architecture)</small>" : nil
    let life: Markup? = row.isLife ? " <small>\(Self.life)</small>" : nil
    return """
      <tr\(isFine ? " class=\"fine\"" : "" as Markup) role="row"><th scope="row" role="rowheader">\(row.kernel)\
      \(architecture)\(life)</th>
      \(cells)
      </tr>
      """
  }

  private func cell(_ one: Case) -> Markup {
    let title = report.title(one.column)
    let label: Markup = "<span class=\"label\" aria-hidden=\"true\">\(title.release) \(title.variant)</span>"
    guard let entry = report[one.row, one.column] else {
      return "<td class=\"none\" role=\"cell\">\(label)<div>not tried</div></td>"
    }
    let verdict = entry.verdict
    let detail =
      switch verdict.result {
      case .pass: one.row.isLife ? "" : (verdict.proven ?? .build).rawValue
      case .fail, .notRun: verdict.step.map { "at \($0.rawValue)" } ?? ""
      case .skipped: ""
      }
    let reference: Markup? = numbers[one].map { "<a class=\"see\" href=\"#finding-\($0)\">see \($0)</a>" }
    return """
      <td class="\(Self.name(verdict.result))" role="cell">\(label)<div><details>
      <summary><span class="mark" aria-hidden="true">\(Self.mark(verdict.result))</span> \
      <b>\(Self.word(verdict.result))</b> <span>\(detail)</span></summary>
      \(more(entry))
      </details>\(reference)</div></td>
      """
  }

  /// What unfolds below a verdict.
  private func more(_ entry: QualificationReport.Entry) -> Markup {
    let verdict = entry.verdict
    let steps = verdict.course.map { leg -> Markup in
      let mark: Markup? = leg.isEnd ? " <b>ended here</b>" : nil
      let note: Markup? = leg.step.note.map { " <small>\($0)</small>" }
      return """
        <li><span class="time">\(leg.step.seconds.asTime)</span>\(leg.step.name.rawValue)\(mark)\(note)</li>
        """
    }
    let logs = zip(places.references(to: entry.logs, of: entry), entry.logs).map { reference, log -> Markup in
      "<a href=\"\(reference)\">\(log)</a>"
    }
    let started = Timestamp(seconds: verdict.started).iso8601
    let reason: Markup? = verdict.reason.map { "<p class=\"reason\"><code>\($0)</code></p>" }
    let change: Markup? = verdict.change.map { "<p class=\"change\">Kernel change: \($0)</p>" }
    let list: Markup? = steps.isEmpty ? nil : "<ol>\n\(steps)\n</ol>"
    let links: Markup? = logs.isEmpty ? nil : "<p class=\"logs\">\(logs)</p>"
    let machine: Markup? = verdict.accelerator.map { ", QEMU with \($0)" }
    let asked: Markup? =
      verdict.proven == verdict.level || verdict.isLife ? nil : ", asked for: \(verdict.level.rawValue)"
    let bytes: Markup? = verdict.moduleBytes.map { ", modules of \(Int($0) / 1000) kB" }
    return """
      <div class="more">
      \(reason)\(change)\(list)
      <p><time datetime="\(started)">\(started.replacing("T", with: " ").replacing("Z", with: " UTC"))</time>, \
      \(verdict.seconds.asTime)\(machine)\(bytes)\(asked)</p>
      \(links)
      </div>
      """
  }

  // MARK: what is wrong

  private func element(_ index: Int, _ finding: Finding) -> Markup {
    let key = finding.key
    let step: Markup? = key.step.map { key.result == .fail ? " at \($0.rawValue)" : ", stopped at \($0.rawValue)" }
    let reason: Markup? = key.reason.map { "<p class=\"reason\"><code>\($0)</code></p>" }
    let change: Markup? = key.change.map { "<p class=\"change\"><b>Kernel change</b> \($0)</p>" }
    let columns = report.columns.filter { column in finding.cases.contains { $0.column == column } }
    let concerned = columns.map { column -> Markup in
      let title = report.title(column)
      let kernels = finding.cases.filter { $0.column == column }.map { kernel($0, at: key.step) }
      return "<dt>\(title.release) <small>\(title.variant)</small></dt>\n<dd>\(kernels)</dd>"
    }
    return """
      <li id="finding-\(index + 1)" class="\(Self.name(key.result))">
      <h3><span class="mark" aria-hidden="true">\(Self.mark(key.result))</span> \(Self.word(key.result))\(step)</h3>
      \(reason)\(change)
      <dl>
      \(concerned)
      </dl>
      </li>
      """
  }

  /// A kernel that a finding concerns, with a link to the log that tells of it.
  private func kernel(_ one: Case, at step: Verdict.Step.Name?) -> Markup {
    let life: Markup? = one.row.isLife ? " <small>\(Self.life)</small>" : nil
    let name: Markup = "<span class=\"kernel\">\(one.row.kernel)</span>\(life)"
    guard let entry = report[one.row, one.column], let step, let log = entry.log(of: step) else {
      return "<span class=\"place\">\(one.row.target) \(name)</span>"
    }
    return "<a class=\"place\" href=\"\(places.reference(to: log, of: entry))\">\(one.row.target) \(name)</a>"
  }

  // MARK: words

  private static let life = "life of a site"

  private static let results: [Verdict.Result] = [.pass, .fail, .skipped, .notRun]

  private static func name(_ result: Verdict.Result) -> String { result == .notRun ? "notrun" : result.rawValue }

  private static func word(_ result: Verdict.Result) -> String {
    switch result {
    case .pass: "pass"
    case .fail: "fail"
    case .skipped: "not supported"
    case .notRun: "not known"
    }
  }

  private static func mark(_ result: Verdict.Result) -> String {
    switch result {
    case .pass: "✓"
    case .fail: "✗"
    case .skipped: "–"
    case .notRun: "?"
    }
  }
}

extension Timestamp {
  /// `2026-11-01`.
  fileprivate var day: String { String(iso8601.prefix { $0 != "T" }) }
}
