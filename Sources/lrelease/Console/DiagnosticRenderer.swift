// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model

/// Draws a diagnostic as one line: `file:line:column: error: what is wrong; what to do`.
///
/// What has no place in a file begins with the severity. Where causes are shown too, each is a line below.
struct DiagnosticRenderer {
  let terminal: Terminal
  let showsCauses: Bool

  func draw(_ diagnostic: Diagnostic) {
    terminal.message(line(diagnostic))
    guard showsCauses else { return }
    var said = diagnostic.problem
    var next = diagnostic.cause
    while let cause = next {
      let text = (cause as? DecodingError)?.reason ?? "\(cause)"
      // Most errors repeat the reason of their cause.
      if !said.contains(text) { terminal.message("  cause: \(text)".singleLine) }
      said = text
      next = (cause as? ReleaseError)?.cause
    }
  }

  private func line(_ diagnostic: Diagnostic) -> String {
    let place = diagnostic.place.map { "\($0): ".singleLine } ?? ""
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
