// SPDX-License-Identifier: GPL-2.0-only

import Model
import Verdicts

/// The problems: each once, with all cells of the report that it affects.
struct Findings {
  /// A problem that is the same on one or more kernels.
  struct Finding {
    struct Key: Hashable {
      var result: Verdict.Result
      var step: Verdict.Step.Name?
      var reason: String?
      var change: String?
    }
    var key: Key
    var cells: [QualificationReport.Cell]
  }

  /// Failures first, those that affect most cells at the top; otherwise in the order of the report.
  let ordered: [Finding]
  private let numbers: [QualificationReport.Cell: Int]

  /// The number of the finding that tells about a cell, from 1.
  subscript(cell: QualificationReport.Cell) -> Int? { numbers[cell] }

  init(in report: QualificationReport) {
    var findings: [Finding] = []
    var known: [Finding.Key: Int] = [:]
    for column in report.columns {
      for row in report.rows {
        guard let verdict = report[row, column]?.verdict, [.fail, .notRun].contains(verdict.result) else { continue }
        let key = Finding.Key(
          result: verdict.result, step: verdict.step, reason: verdict.reason, change: verdict.change)
        let index = known[key] ?? findings.count
        if index == findings.count { findings.append(Finding(key: key, cells: [])) }
        known[key] = index
        findings[index].cells.append(QualificationReport.Cell(row: row, column: column))
      }
    }
    ordered = findings.enumerated().sorted { a, b in
      (a.element.key.result == .fail ? 0 : 1, -a.element.cells.count, a.offset)
        < (b.element.key.result == .fail ? 0 : 1, -b.element.cells.count, b.offset)
    }.map(\.element)
    numbers = Dictionary(
      uniqueKeysWithValues: ordered.enumerated().flatMap { index, finding in
        finding.cells.map { ($0, index + 1) }
      })
  }
}

extension QualificationReport {
  /// A package on a kernel, whether it was tried there or not.
  struct Cell: Hashable {
    var row: Row
    var column: Column
  }

  subscript(cell: Cell) -> Entry? { self[cell.row, cell.column] }

  /// How often each result occurs with a package, without those that do not.
  func counts(of column: Column) -> [(result: Verdict.Result, count: Int)] {
    let verdicts = rows.compactMap { self[$0, column]?.verdict }
    return [Verdict.Result.pass, .fail, .skipped, .notRun].compactMap { result in
      let count = verdicts.count { $0.result == result }
      return count == 0 ? nil : (result, count)
    }
  }

  /// The rows of each target, in order.
  var targets: [[Row]] {
    rows.reduce(into: []) { targets, row in
      if targets.last?.first?.target == row.target {
        targets[targets.count - 1].append(row)
      } else {
        targets.append([row])
      }
    }
  }
}
