// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model

/// The table of kernels and releases.
extension QualificationPage {
  var heads: [Markup] {
    report.columns.map { column in
      let title = report.title(column)
      return
        "<th scope=\"col\" role=\"columnheader\">\(Markup(name: title.release)) <small>\(Markup(name: title.variant))</small></th>"
    }
  }

  /// The kernels of a target.
  func element(of rows: [QualificationReport.Row]) -> Markup {
    let architectures = Array(Set(rows.map(\.architecture))).sorted()
    let several = architectures.count > 1
    return """
      <tbody role="rowgroup">
      <tr class="target" role="row"><th colspan="\(report.columns.count + 1)" scope="rowgroup" role="rowheader">\
      \(Markup(name: rows[0].target)) <small>\(architectures.joined(separator: ", "))</small></th></tr>
      \(rows.map { element(of: $0, withArchitecture: several) })
      </tbody>
      """
  }

  private func element(of row: QualificationReport.Row, withArchitecture: Bool) -> Markup {
    let cells = report.columns.map { QualificationReport.Cell(row: row, column: $0) }
    let isFine = cells.allSatisfy { findings[$0] == nil }
    let fine: Markup? = isFine ? " class=\"fine\"" : nil
    let architecture: Markup? = withArchitecture ? " <small>\(row.architecture)</small>" : nil
    let occasion: Markup? = row.occasion.map { " <small>\($0)</small>" }
    return """
      <tr\(fine) role="row"><th scope="row" role="rowheader">\(Markup(name: row.kernel))\(architecture)\(occasion)</th>
      \(cells.map(element))
      </tr>
      """
  }

  private func element(of cell: QualificationReport.Cell) -> Markup {
    let title = report.title(cell.column)
    let label: Markup =
      "<span class=\"label\" aria-hidden=\"true\">\(Markup(name: title.release)) \(Markup(name: title.variant))</span>"
    guard let entry = report[cell] else {
      return "<td class=\"none\" role=\"cell\">\(label)<div>not tried</div></td>"
    }
    let verdict = entry.verdict
    let detail =
      switch verdict.result {
      case .pass: cell.row.occasion != nil ? "" : (verdict.proven ?? .build).rawValue
      case .fail, .notRun: verdict.step.map { "at \($0.rawValue)" } ?? ""
      case .skipped: ""
      }
    let reference: Markup? = findings[cell].map { "<a class=\"see\" href=\"#finding-\($0)\">see \($0)</a>" }
    return """
      <td class="\(verdict.result.styleClass)" role="cell">\(label)<div><details>
      <summary>\(verdict.result.mark) <b>\(verdict.result.word)</b> <span>\(detail)</span></summary>
      \(details(of: entry))
      </details>\(reference)</div></td>
      """
  }

  /// What unfolds below a verdict.
  private func details(of entry: QualificationReport.Entry) -> Markup {
    let verdict = entry.verdict
    let steps = verdict.stepOutcomes.map { outcome -> Markup in
      let step = outcome.step
      let mark: Markup? = outcome.decidesVerdict ? " <b>ended here</b>" : nil
      let note: Markup? = step.note.map { " <small>\($0)</small>" }
      return """
        <li><span class="time">\(step.seconds.asTime)</span>\(step.name.rawValue)\(mark)\(note)</li>
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
      verdict.proven == verdict.level || !verdict.isOfPackageAlone ? nil : ", asked for: \(verdict.level.rawValue)"
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
}
