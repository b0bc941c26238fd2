// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Model

struct TargetsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "targets", abstract: "List the distributions for which packages can be built.",
    discussion: """
      A target is a file such as targets/debian-12.toml. The output is the Markdown table of docs/targets.md; "never
      reached" stands beside those whose archives nobody who wrote lrelease has ever used.
      """)

  @OptionGroup var targets: TargetOptions
  @OptionGroup var console: ConsoleOptions

  func run() async throws {
    try await Console.run(console) { console in
      let all = try Target.all(in: targets.place())
      try console.output(all.map(\.summary)) { console.print(String(Target.table(all).dropLast())) }
    }
  }
}
