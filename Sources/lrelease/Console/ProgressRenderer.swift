// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Dispatch
import Synchronization

/// Draws the progress of long work: on a terminal one updated line, elsewhere a line at least every 30 seconds.
final class ProgressRenderer: Sendable {
  private let options: ConsoleOptions
  private let terminal: Terminal
  private let state = Mutex(State())
  private let timer = Mutex<(any DispatchSourceTimer)?>(nil)

  private struct State {
    /// The running steps, in the order in which they began.
    var running: [(step: String, start: ContinuousClock.Instant)] = []
    /// The state of work that runs elsewhere.
    var standing: String?
    /// When the last line was drawn or written.
    var lastDraw = ContinuousClock.now
  }

  /// The longest silence while a step runs, in seconds.
  private var pause: Double { terminal.isTerminal ? 1 : 30 }

  init(_ options: ConsoleOptions, _ terminal: Terminal) {
    self.options = options
    self.terminal = terminal
    guard !options.quiet else { return }
    timer.withLock { timer in
      let every = DispatchSource.makeTimerSource(queue: .global())
      every.schedule(deadline: .now() + 1, repeating: 1)
      every.setEventHandler { [weak self] in self?.drawRunning() }
      every.activate()
      timer = every
    }
  }

  deinit { timer.withLock { $0?.cancel() } }

  func draw(_ event: Progress.Event) {
    switch event {
    case .began(let step, _):
      state.withLock { state in
        state.running.append((step, .now))
        state.standing = nil
      }
      status("\(step.singleLine) …")
    case .advanced(let step, let done, let total):
      guard !options.quiet, let text = advance(step, done, of: total) else { return }
      terminal.isTerminal ? terminal.line(text) : terminal.message(text)
    case .finished(let step, let seconds):
      end(step)
      if !options.quiet { terminal.message("\(step.singleLine): \(duration(seconds))") }
    case .ended(let step):
      end(step)
    case .reached(let text):
      state.withLock { $0.lastDraw = .now }
      if !options.quiet { terminal.message(text.singleLine) }
    case .stands(let text):
      state.withLock { $0.standing = text.singleLine }
      status(text.singleLine)
    case .told(let diagnostic):
      if diagnostic.severity != .note || options.verbose {
        DiagnosticRenderer(terminal: terminal, showsCauses: options.verbose).draw(diagnostic)
      }
    }
  }

  private func end(_ step: String) {
    state.withLock { state in
      if let place = state.running.firstIndex(where: { $0.step == step }) { state.running.remove(at: place) }
      state.lastDraw = .now
    }
  }

  private func status(_ text: String) {
    guard terminal.isTerminal, !options.quiet else { return }
    state.withLock { $0.lastDraw = .now }
    terminal.line(text)
  }

  /// Prints the running steps and their durations after a silence.
  private func drawRunning() {
    let text = state.withLock { state -> String? in
      let now = ContinuousClock.now
      guard !state.running.isEmpty || state.standing != nil, (now - state.lastDraw).seconds >= pause - 0.1 else {
        return nil
      }
      state.lastDraw = now
      if state.running.isEmpty { return state.standing }
      let steps = state.running.map { step, start in
        "\(step.singleLine): \(Int((now - start).seconds)) s"
      }
      // An inner step says more than the outer one.
      return steps.count == 1 ? steps[0] : "\(steps.count) at work: " + steps.reversed().joined(separator: "; ")
    }
    guard let text else { return }
    terminal.isTerminal ? terminal.line(text) : terminal.message(text)
  }

  /// - Returns: nil if something was drawn a moment ago.
  private func advance(_ step: String, _ done: Int64, of total: Int64?) -> String? {
    state.withLock { state in
      let now = ContinuousClock.now
      guard (now - state.lastDraw).seconds >= (terminal.isTerminal ? 0.1 : 5) else { return nil }
      state.lastDraw = now
      let start = state.running.last { $0.step == step }?.start
      let seconds = start.map { (now - $0).seconds } ?? 0
      var text = "\(step.singleLine): \(size(done))"
      if let total, total > 0 {
        text += " of \(size(total)) (\(100 * done / total) %)"
        // The first few bytes say nothing about the rest.
        if done >= total / 50 && done > 0 && seconds > 1 {
          text += ", \(Int(seconds * Double(total - done) / Double(done))) s left"
        }
      }
      if seconds > 0.2 { text += ", \(size(Int64(Double(done) / seconds)))/s" }
      return text
    }
  }
}
