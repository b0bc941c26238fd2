// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser

/// The command that was called.
enum RunningCommand {
  /// Whether it has an option, such as `--output`; true where no command is recognised.
  static func has(_ option: String) -> Bool {
    command(of: CommandLine.arguments.dropFirst()).map { has(option, in: $0) } ?? true
  }

  static func has(_ option: String, in command: any ParsableCommand.Type) -> Bool {
    let words = command.helpMessage(includeHidden: true).split { !($0.isLetter || $0 == "-") }
    return words.contains { $0 == option }
  }

  static func command(of words: some Sequence<String>) -> (any ParsableCommand.Type)? {
    var found: (any ParsableCommand.Type)?
    var choice = LRelease.configuration.subcommands
    for word in words where !word.hasPrefix("-") {
      guard let next = choice.first(where: { $0._commandName == word }) else { break }
      found = next
      choice = next.configuration.subcommands
    }
    return found
  }
}
