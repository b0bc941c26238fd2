// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Files
import Qualifier
import SystemPackage

/// A task of an array job that `qualify --executor slurm` has submitted.
struct QualifyCaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "qualify-case", abstract: "Try one case on a node.", shouldDisplay: false)

  @Argument var folder: String
  @Argument var index: Int
  @OptionGroup var console: ConsoleOptions

  /// Exit status 0 if there is a verdict, even a failing one.
  func run() async throws {
    try await Console.run(console) { console in
      let cpus = environmentVariable("SLURM_CPUS_ON_NODE").flatMap { Int($0) }
      let verdict = try await JobDirectory.run(
        Files.absolute(FilePath(folder)), index: index, cpus: cpus, progress: console.progress)
      console.print("\(verdict.target), \(verdict.kernel), \(verdict.variant): \(verdict.result.rawValue)")
    }
  }
}
