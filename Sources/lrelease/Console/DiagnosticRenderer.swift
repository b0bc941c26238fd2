// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Draws a diagnostic as one line: `file:line:column: error: what is wrong; what to do`.
///
/// What has no place in a file, or was met while something was being done, begins with the severity.
struct DiagnosticRenderer {
  let terminal: Terminal

  func draw(_ diagnostic: Diagnostic) { terminal.message(line(diagnostic)) }

  private func line(_ diagnostic: Diagnostic) -> String {
    let place = diagnostic.isFinding ? diagnostic.place.map { "\($0): ".singleLine } ?? "" : ""
    let remedy = diagnostic.remedy.map { "; \(Remedies.words(for: $0))" } ?? ""
    return "\(place)\(word(diagnostic.severity)) \((diagnostic.problem + remedy).singleLine)"
  }

  private func word(_ severity: Diagnostic.Severity) -> String {
    let word = "\(severity.rawValue):"
    return switch severity {
    case .error: terminal.paint(word, 31)
    case .warning: terminal.paint(word, 33)
    case .note: word
    }
  }
}
