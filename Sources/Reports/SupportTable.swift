// SPDX-License-Identifier: GPL-2.0-only

import Model
import Verdicts

/// The verdicts as a Markdown table of kernels, for the documentation of a project.
package struct SupportTable {
  private let report: QualificationReport

  package init(_ report: QualificationReport) { self.report = report }

  package var markdown: [UInt8] {
    var rows = [["Target", "Kernel"]]
    rows[0] += report.columns.map { column in
      let title = report.title(column)
      return "\(title.release) \(title.variant)"
    }
    var changes: [String] = []
    for row in report.rows {
      rows.append(
        [row.target, row.kernel + (row.isLife ? ", life of a site" : "")]
          + report.columns.map { column in
            guard let verdict = report[row, column]?.verdict else { return "" }
            guard let change = verdict.change else { return verdict.inATable }
            let number = changes.firstIndex(of: change) ?? changes.count
            if number == changes.count { changes.append(change) }
            return "\(verdict.inATable) ([\(number + 1)](#kernel-changes))"
          })
    }
    var text = ""
    for (index, row) in rows.enumerated() {
      // What stands in brackets after a verdict is a link of ours.
      text +=
        "| "
        + row.enumerated().map { $0.offset < 2 || index == 0 ? $0.element.asMarkdown : $0.element }
        .joined(separator: " | ") + " |\n"
      if index == 0 { text += "|" + row.map { _ in "---|" }.joined() + "\n" }
    }
    if !changes.isEmpty {
      text += "\n### Kernel changes\n\n"
      for (index, change) in changes.enumerated() { text += "\(index + 1). \(change.asMarkdown)\n" }
    }
    return Array(text.utf8)
  }
}

extension Verdict {
  fileprivate var inATable: String {
    switch result {
    case .pass where isLife: "passes"
    case .pass:
      switch proven ?? .build {
      case .build: "builds"
      case .load: "loads"
      case .mount: "mounts"
      }
    case .fail: "**fails**" + (step.map { " at \($0.rawValue)" } ?? "")
    case .skipped: "not supported"
    case .notRun: "not known"
    }
  }
}

extension String {
  /// As text in a cell or an item of Markdown: on one line, and nothing in it is markup.
  fileprivate var asMarkdown: String {
    var out = ""
    for scalar in singleLine.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case "\\", "`", "*", "_", "[", "]", "|", "~", "#": out += "\\\(scalar)"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
