// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Model

/// The options that every subcommand has.
struct ConsoleOptions: ParsableArguments {
  enum Color: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print errors only.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Print more: notes, and the causes of errors.")
  var verbose = false

  @Option(help: ArgumentHelp("Use colour in messages.", valueName: "when"))
  var color = Color.auto

  func validate() throws {
    if quiet && verbose { throw ValidationError("--quiet and --verbose cannot be combined.") }
  }
}
