// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Model
import Operations
import SystemPackage

struct ManifestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manifest", abstract: "Check a manifest, or print the schema of manifests.",
    subcommands: [Check.self, Schema.self])

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Report all that is wrong with a manifest and the files that it names.",
      discussion: """
        Reads what a cut would read beside the manifest: templates, recipes of packages, series of patches, keyrings, \
        texts of licences. Each finding is one line: file, line, column, what is wrong, what may have been meant. No \
        source is opened, and nothing is fetched.

          lrelease manifest check manifests/ceph.toml
        """)
    @Argument(help: "The manifest.", completion: .file(extensions: ["toml"]))
    var manifest: String
    @OptionGroup var console: ConsoleOptions

    func run() async throws {
      try await Console.run(console) { console in
        let report = try ManifestCheck.run(FilePath(manifest))
        try console.output(report) {
          let parts = [
            (report.sources, "source"), (report.rules, "rule"), (report.packages, "package"), (report.files, "file"),
          ].map { "\($0) \($1)\($0 == 1 ? "" : "s")" }
          console.print("\(manifest): good (\(parts.joined(separator: ", ")))")
        }
      }
    }
  }

  struct Schema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the JSON schema of manifests, for editors.",
      discussion: """
        With a description of every key. An editor with a TOML language server completes and checks with it: see "In an \
        editor" in docs/manifest.md.

          lrelease manifest schema > lrelease.schema.json
        """)
    @OptionGroup var console: ConsoleOptions

    func run() async throws {
      try await Console.run(console) { $0.printDocument(Array(Manifest.jsonSchema.utf8)) }
    }
  }
}
