// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Synchronization
import SystemPackage

/// Writes results to standard output and everything else to standard error, in colour if wanted.
final class Terminal: Sendable {
  /// Whether standard error is a terminal, so that a line can be updated.
  let isTerminal: Bool
  private let usesColor: Bool
  private let state = Mutex(State())

  private struct State {
    var hasLine = false
    var lost: Errno?
  }

  init(color: ConsoleOptions.Color) {
    isTerminal = isatty(2) == 1
    usesColor =
      switch color {
      case .always: true
      case .never: false
      case .auto: isTerminal && environmentVariable("NO_COLOR") == nil
      }
  }

  /// Why writing a result to standard output failed.
  var lost: Errno? { state.withLock { $0.lost } }

  func result(_ text: String) {
    clearLine()
    write(text, to: .standardOutput)
  }

  func message(_ text: String) {
    clearLine()
    write(text + "\n", to: .standardError)
  }

  /// Draws a line that the next one replaces. It is cut at the width of the terminal: a wrapped line would stay.
  func line(_ text: String) {
    state.withLock { $0.hasLine = true }
    var size = winsize()
    let width = ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1 ? Int(size.ws_col) - 1 : 79
    let shown = text.count > width ? "\(text.prefix(width - 1))…" : text
    write("\r\u{1b}[K\(shown)", to: .standardError)
  }

  /// For results.
  func bold(_ text: String) -> String { usesColor && isatty(1) == 1 ? "\u{1b}[1m\(text)\u{1b}[0m" : text }

  /// For messages.
  func paint(_ text: String, _ color: Int) -> String { usesColor ? "\u{1b}[1;\(color)m\(text)\u{1b}[0m" : text }

  private func clearLine() {
    let hadLine = state.withLock { state in
      defer { state.hasLine = false }
      return state.hasLine
    }
    if hadLine { write("\r\u{1b}[K", to: .standardError) }
  }

  private func write(_ text: String, to descriptor: FileDescriptor) {
    do {
      _ = try descriptor.writeAll(Array(text.utf8))
    } catch let error as Errno where descriptor == .standardOutput && error != .brokenPipe {
      // A reader that stops early, such as head, is not an error.
      state.withLock { $0.lost = error }
    } catch {}
  }
}
