// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Glibc
import Model
import Synchronization
import SystemPackage

/// The output of a command: its result, its progress and its errors.
final class Console: Sendable {
  private let options: ConsoleOptions
  private let terminal: Terminal
  let progress: Progress
  /// The console of the running command.
  private static let current = Mutex<Console?>(nil)

  init(_ options: ConsoleOptions) {
    self.options = options
    let terminal = Terminal(color: options.color)
    self.terminal = terminal
    let renderer = ProgressRenderer(options, terminal)
    progress = Progress { renderer.draw($0) }
  }

  /// Runs a command. An error becomes one line and its exit status.
  static func run(_ options: ConsoleOptions, _ body: (Console) async throws -> Void) async throws {
    let console = Console(options)
    current.withLock { $0 = console }
    do {
      guard let here = getcwd(nil, 0) else {
        throw ReleaseError(
          errno: errno, doing: "opening the working directory", advice: "it was removed: change to another")
      }
      free(here)
      try await body(console)
      if let lost = console.terminal.lost {
        throw ReleaseError(.failed, doing: "writing standard output", reason: lost.description, cause: lost)
      }
    } catch let error as ReleaseError {
      throw console.failure([error.diagnostic], error.code)
    } catch let error as Diagnostics {
      throw console.failure(error.findings.map(\.diagnostic), error.code)
    } catch is CancellationError {
      throw console.failure([Diagnostic(.error, reason: "interrupted; nothing half-written was left")], .interrupted)
    } catch let error as Errno {
      throw console.failure([Diagnostic(.error, reason: error.description, cause: error)], .failed)
    }
  }

  /// Says that lrelease is stopping: cleaning up can take a moment.
  static func saysStopping() {
    guard let console = current.withLock({ $0 }), !console.options.quiet else { return }
    console.terminal.message("stopping …")
  }

  private func failure(_ diagnostics: [Diagnostic], _ code: ReleaseError.Code) -> ExitCode {
    let renderer = DiagnosticRenderer(terminal: terminal, showsCauses: options.verbose)
    for diagnostic in diagnostics { renderer.draw(diagnostic) }
    return ExitCode(code.rawValue)
  }

  // MARK: results

  /// Prints a result: as JSON if requested, else by `text`.
  func output(_ value: @autoclosure () throws -> any Encodable, _ text: () throws -> Void) throws {
    guard options.json else { return try text() }
    terminal.result(String(decoding: try JSON.encode(value()), as: UTF8.self))
  }

  func print(_ text: String) {
    if !options.quiet || options.json { terminal.result(text + "\n") }
  }

  /// Prints a line of a result to standard error, because standard output holds a document.
  func say(_ text: String) {
    if !options.quiet { terminal.message(text) }
  }

  /// Prints rows with aligned columns.
  func printTable(_ rows: [[String]]) {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      print(cells.joined(separator: "  ").trimmed)
    }
  }

  /// Prints a document, even with --quiet.
  func printDocument(_ bytes: [UInt8]) { terminal.result(String(decoding: bytes, as: UTF8.self)) }

  func bold(_ text: String) -> String { terminal.bold(text) }
}
