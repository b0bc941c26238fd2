// SPDX-License-Identifier: GPL-2.0-only

import Model
import Verdicts

/// The verdicts as a Markdown table of kernels, for the documentation of a project.
package struct SupportTable {
  private let report: QualificationReport
  /// What kernels have changed, in the order in which the table refers to it.
  private let changes: [String]

  package init(_ report: QualificationReport) {
    self.report = report
    changes = report.rows.reduce(into: []) { changes, row in
      for column in report.columns {
        guard let change = report[row, column]?.verdict.change, !changes.contains(change) else { continue }
        changes.append(change)
      }
    }
  }

  package var markdown: [UInt8] {
    let heads =
      ["Target", "Kernel"]
      + report.columns.map { column -> Markdown in
        let title = report.title(column)
        return "\(title.release) \(title.variant)"
      }
    let rule = heads.map { _ in "---|" as Markdown }
    var text: Markdown = """
      \(line(heads))
      |\(rule, separator: "")
      \(report.rows.map { line(cells(of: $0)) }, separator: "\n")

      """
    if !changes.isEmpty {
      let items = changes.enumerated().map { index, change -> Markdown in "\(index + 1). \(change)" }
      text = """
        \(text)
        ### Kernel changes

        \(items, separator: "\n")

        """
    }
    return Array(text.source.utf8)
  }

  private func line(_ cells: [Markdown]) -> Markdown { "| \(cells, separator: " | ") |" }

  private func cells(of row: QualificationReport.Row) -> [Markdown] {
    let occasion = row.occasion.map { ", \($0)" as Markdown } ?? ""
    return ["\(row.target)", "\(row.kernel)\(occasion)"] + report.columns.map { cell(row, $0) }
  }

  private func cell(_ row: QualificationReport.Row, _ column: QualificationReport.Column) -> Markdown {
    guard let verdict = report[row, column]?.verdict else { return "" }
    guard let index = verdict.change.flatMap(changes.firstIndex) else { return verdict.inWords }
    return "\(verdict.inWords) ([\(index + 1)](#kernel-changes))"
  }
}

extension Verdict {
  fileprivate var inWords: Markdown {
    switch result {
    case .pass where !isOfPackageAlone: "\(result.word)"
    case .pass: "\(result.word), \((proven ?? .build).rawValue)"
    case .fail: step.map { "**\(result.word)** at \($0.rawValue)" } ?? "**\(result.word)**"
    case .skipped, .notRun: "\(result.word)"
    }
  }
}
