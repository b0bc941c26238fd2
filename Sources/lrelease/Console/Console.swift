// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Files
import Glibc
import Model
import Synchronization
import SystemPackage

/// The options that every subcommand has, and how it speaks.
struct ConsoleOptions: ParsableArguments {
  enum Color: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

  @Flag(help: "Print JSON on standard output, and nothing else there.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print errors only.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Print what is found on the way as well.")
  var verbose = false

  @Option(help: ArgumentHelp("Colour in messages.", valueName: "when"))
  var color = Color.auto

  func validate() throws {
    if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
  }
}

/// Draws progress and results: results on standard output, all else on standard error.
final class Console: Sendable {
  private let options: ConsoleOptions
  private let isTerminal: Bool
  private let usesColor: Bool
  private let state = Mutex(State())

  private struct State {
    var lastDraw = ContinuousClock.now
    var start = ContinuousClock.now
    var hasLine = false
    /// Why standard output did not take a result.
    var lost: Errno?
  }

  init(_ options: ConsoleOptions) {
    self.options = options
    isTerminal = isatty(2) == 1
    usesColor =
      switch options.color {
      case .always: true
      case .never: false
      case .auto: isTerminal && environmentVariable("NO_COLOR") == nil
      }
  }

  /// Runs a command: an error becomes one line and the exit status that belongs to it.
  static func run(_ options: ConsoleOptions, _ body: (Console) async throws -> Void) async throws {
    let console = Console(options)
    do {
      try await body(console)
      if let lost = console.state.withLock({ $0.lost }) {
        throw ReleaseError(.failed, doing: "writing standard output", reason: lost.description)
      }
    } catch let error as ReleaseError {
      console.fail("\(error)", code: error.code)
      throw ExitCode(error.code.rawValue)
    } catch let error as Diagnostics {
      console.fail("\(error)", code: error.code)
      throw ExitCode(error.code.rawValue)
    } catch is CancellationError {
      console.fail("interrupted; nothing half-written was left", code: .interrupted)
      throw ExitCode(ReleaseError.Code.interrupted.rawValue)
    } catch let error as Errno {
      console.fail("\(error)".singleLine, code: .failed)
      throw ExitCode(ReleaseError.Code.failed.rawValue)
    }
  }

  func print(_ text: String) {
    guard !options.quiet || options.json else { return }
    clearLine()
    write(text + "\n", to: .standardOutput)
  }

  /// Prints rows with their columns below one another.
  func printTable(_ rows: [[String]]) {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      print(cells.joined(separator: "  ").trimmed)
    }
  }

  /// Prints a result that is a document of its own, and that --quiet does not take away.
  func printDocument(_ bytes: [UInt8]) {
    clearLine()
    write(String(decoding: bytes, as: UTF8.self), to: .standardOutput)
  }

  func printJSON(_ value: some Encodable) throws {
    write(String(decoding: try JSON.encode(value), as: UTF8.self), to: .standardOutput)
  }

  func bold(_ text: String) -> String { usesColor && isatty(1) == 1 ? "\u{1b}[1m\(text)\u{1b}[0m" : text }

  var isJSON: Bool { options.json }

  var progress: Progress { Progress { [self] in draw($0) } }

  private func draw(_ event: Progress.Event) {
    switch event {
    case .began(let step, _):
      state.withLock { $0.start = .now }
      if isTerminal && !options.quiet { line("\(step.singleLine) …") }
    case .advanced(let step, let done, let total):
      guard !options.quiet else { return }
      let text: String? = state.withLock { state in
        let now = ContinuousClock.now
        guard (now - state.lastDraw).seconds >= (isTerminal ? 0.1 : 5) else { return nil }
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
      if let text { isTerminal ? line(text) : message(text) }
    case .finished(let step, let seconds):
      if !options.quiet { message("\(step.singleLine): \(duration(seconds))") }
    case .note(let text):
      if options.verbose { message("note: \(text.singleLine)") }
    case .warning(let text):
      message("\(paint("warning:", 33)) \(text.singleLine)")
    }
  }

  private func fail(_ text: String, code: ReleaseError.Code) {
    for line in text.split(separator: "\n") {
      // A finding begins with its place. What a compiler said may stand further on in a line.
      let mark = line.firstRange(of: ": error: ")
      if let mark, !line[..<mark.lowerBound].contains(": ") {
        message("\(line[..<mark.lowerBound]): \(paint("error:", 31)) \(line[mark.upperBound...])")
      } else {
        message("\(paint("error:", 31)) \(line)")
      }
    }
  }

  private func paint(_ text: String, _ color: Int) -> String { usesColor ? "\u{1b}[1;\(color)m\(text)\u{1b}[0m" : text }

  private func message(_ text: String) {
    clearLine()
    write(text + "\n", to: .standardError)
  }

  private func line(_ text: String) {
    state.withLock { $0.hasLine = true }
    write("\r\u{1b}[K\(text)", to: .standardError)
  }

  private func clearLine() {
    if state.withLock({
      let had = $0.hasLine
      $0.hasLine = false
      return had
    }) {
      write("\r\u{1b}[K", to: .standardError)
    }
  }

  private func write(_ text: String, to descriptor: FileDescriptor) {
    do {
      _ = try descriptor.writeAll(Array(text.utf8))
    } catch let error as Errno where descriptor == .standardOutput && error != .brokenPipe {
      // A reader that has seen enough, such as head, is no failure.
      state.withLock { $0.lost = error }
    } catch {}
  }
}

/// Bytes for people: 1.4 MB.
func size(_ bytes: Int64) -> String {
  if bytes < 1000 { return "\(bytes) B" }
  var value = Double(bytes)
  var unit = ""
  for next in ["kB", "MB", "GB", "TB"] where value >= 1000 || unit.isEmpty {
    value /= 1000
    unit = next
  }
  let tenths = Int((value * 10).rounded())
  return value >= 100 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
}

func duration(_ seconds: Double) -> String {
  let hundredths = Int((seconds * 100).rounded())
  let fraction = hundredths % 100
  return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
}
