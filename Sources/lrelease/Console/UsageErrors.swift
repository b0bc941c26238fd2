// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics

/// What is wrong with a command line, as one line in the form of all errors.
struct UsageErrors {
  private let arguments: [String]
  /// The subcommand that was named, as far as one was, with the words that name it.
  private let command: any ParsableCommand.Type
  private let words: [String]
  /// The word where a subcommand should be.
  private let unknown: String?

  /// - Parameter arguments: without the name of the program.
  init(_ arguments: [String]) {
    self.arguments = arguments
    var command: any ParsableCommand.Type = LRelease.self
    var words = ["lrelease"]
    var rest = arguments[...]
    if rest.first == "help" { rest = rest.dropFirst() }
    var unknown: String?
    while !command.configuration.subcommands.isEmpty, let word = rest.first, !word.hasPrefix("-") {
      guard let next = command.configuration.subcommands.first(where: { Self.name($0) == word }) else {
        unknown = word
        break
      }
      command = next
      words.append(word)
      rest = rest.dropFirst()
    }
    self.command = command
    self.words = words
    self.unknown = unknown
  }

  /// What is known to be wrong before the command line is parsed.
  var early: String? {
    guard let unknown, unknown != "help" else { return nil }
    return line("there is no subcommand '\(unknown)'", unknown.nearest(in: subcommands).map { "did you mean '\($0)'?" })
  }

  /// - Parameter message: what the parser says.
  func line(for message: String) -> String {
    var text = message.split(separator: "\n").map(\.trimmed).joined(separator: ", ")
    if let hint = text.range(of: ". Did you mean ") { text = String(text[..<hint.lowerBound]) }
    if text.hasSuffix(".") { text.removeLast() }
    text = text.replacing("Missing expected argument", with: "missing argument")
      .replacing(". Please provide one of", with: "; it can be")
    let start = text.prefix(2)
    if start.first?.isUppercase == true, start.last?.isLowercase == true {
      text = text.prefix(1).lowercased() + text.dropFirst()
    }
    return line(text, text.hasPrefix("unknown option ") ? advice(on: text) : nil)
  }

  private func line(_ problem: String, _ advice: String?) -> String {
    let name = words.joined(separator: " ")
    let hint = advice.map { $0.hasSuffix("?") ? "; \($0) " : "; \($0). " } ?? ". "
    return "error: \(problem)\(hint)Usage: \(usage); '\(name) --help' tells more".singleLine
  }

  /// `lrelease verify [<options>] <release> [<paths> ...]`.
  private var usage: String {
    if !command.configuration.subcommands.isEmpty { return "\(words.joined(separator: " ")) <subcommand>" }
    let whole = LRelease.usageString(for: command)
    let line = whole.replacing(#/\s+/#, with: " ").replacing("Usage: ", with: "").trimmed
    let plain = line.replacing(#/ \[-[^\[\]]*\]/#, with: "")
    guard plain != line else { return line }
    let name = words.joined(separator: " ")
    return "\(name) [<options>]" + plain.dropFirst(name.count)
  }

  private func advice(on text: String) -> String? {
    let parts = text.split(separator: "'", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return nil }
    let option = String(parts[1])
    if command == LRelease.self, let word = arguments.first(where: { subcommands.contains($0) }) {
      return "options follow the subcommand: lrelease \(word) \(option)"
    }
    if let near = option.nearest(in: Self.options(of: command)) { return "did you mean '\(near)'?" }
    let others = Self.leaves(of: LRelease.self, ["lrelease"]).filter { Self.options(of: $0.command).contains(option) }
    return others.isEmpty ? nil : "it is an option of '\(others.map(\.name).shortened)'"
  }

  private var subcommands: [String] {
    command.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { Self.name($0) }
  }

  private static func name(_ command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? "\(command)".lowercased()
  }

  /// The subcommands that do something.
  private static func leaves(
    of command: any ParsableCommand.Type, _ words: [String]
  ) -> [(name: String, command: any ParsableCommand.Type)] {
    let below = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }
    if below.isEmpty { return [(words.joined(separator: " "), command)] }
    return below.flatMap { leaves(of: $0, words + [name($0)]) }
  }

  /// The long options of a subcommand, out of its help.
  private static func options(of command: any ParsableCommand.Type) -> [String] {
    let help = LRelease.helpMessage(for: command, columns: 500)
    guard let list = help.range(of: "\nOPTIONS:\n") else { return [] }
    return help[list.upperBound...].split(separator: "\n").compactMap { line in
      line.trimmed.split { " ,=".contains($0) }.first { $0.hasPrefix("--") }.map(String.init)
    }
  }
}

extension LRelease {
  /// Parses the command line, runs what it asks for, and exits.
  static func start() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let errors = UsageErrors(arguments)
    if let early = errors.early { fail(early) }
    do {
      var command = try await asyncParseAsRoot(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      guard exitCode(for: error) == .validationFailure, !(error is ExitCode) else { exit(withError: error) }
      fail(errors.line(for: message(for: error)))
    }
  }

  private static func fail(_ line: String) -> Never {
    Terminal(color: .auto).message(line)
    exit(withError: ExitCode.validationFailure)
  }
}
