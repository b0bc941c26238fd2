// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Synchronization

/// Draws what long work tells of itself.
final class ProgressRenderer: Sendable {
  private let options: ConsoleOptions
  private let terminal: Terminal
  private let state = Mutex(State())

  private struct State {
    var lastDraw = ContinuousClock.now
    var start = ContinuousClock.now
  }

  init(_ options: ConsoleOptions, _ terminal: Terminal) {
    self.options = options
    self.terminal = terminal
  }

  func draw(_ event: Progress.Event) {
    switch event {
    case .began(let step, _):
      state.withLock { $0.start = .now }
      if terminal.isTerminal && !options.quiet { terminal.line("\(step.singleLine) …") }
    case .advanced(let step, let done, let total):
      guard !options.quiet, let text = advance(step, done, of: total) else { return }
      terminal.isTerminal ? terminal.line(text) : terminal.message(text)
    case .finished(let step, let seconds):
      if !options.quiet { terminal.message("\(step.singleLine): \(duration(seconds))") }
    case .told(let diagnostic):
      if diagnostic.severity != .note || options.verbose {
        DiagnosticRenderer(terminal: terminal, showsCauses: options.verbose).draw(diagnostic)
      }
    }
  }

  /// - Returns: nil when something was drawn a moment ago.
  private func advance(_ step: String, _ done: Int64, of total: Int64?) -> String? {
    state.withLock { state in
      let now = ContinuousClock.now
      guard (now - state.lastDraw).seconds >= (terminal.isTerminal ? 0.1 : 5) else { return nil }
      state.lastDraw = now
      let seconds = (now - state.start).seconds
      var text = "\(step.singleLine): \(size(done))"
      if let total, total > 0 {
        text += " of \(size(total)) (\(100 * done / total) %)"
        if done > 0 && seconds > 1 { text += ", \(Int(seconds * Double(total - done) / Double(done))) s left" }
      }
      if seconds > 0.2 { text += ", \(size(Int64(Double(done) / seconds)))/s" }
      return text
    }
  }
}
