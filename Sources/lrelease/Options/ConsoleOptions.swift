// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Model

/// The options that every subcommand has.
struct ConsoleOptions: ParsableArguments {
  enum Color: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

  @Flag(help: "Print JSON on standard output, and nothing else there.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print errors only.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Print what is found on the way as well, and what errors came of.")
  var verbose = false

  @Option(help: ArgumentHelp("Colour in messages.", valueName: "when"))
  var color = Color.auto

  func validate() throws {
    if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
  }
}
