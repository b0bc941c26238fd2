// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Files
import Model
import SystemPackage

struct ManifestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manifest", abstract: "Check a manifest, or print the schema of manifests.",
    subcommands: [Check.self, Schema.self])

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Report all that is wrong with a manifest.",
      discussion: """
        Each finding is one line: file, line, column, what is wrong, what may have been meant. No source is opened.

          lrelease manifest check manifests/ceph.toml
        """)
    @Argument(help: "The manifest.", completion: .file(extensions: ["toml"]))
    var manifest: String
    @OptionGroup var console: ConsoleOptions

    func run() async throws {
      try await Console.run(console) { console in
        let bytes = try Files.read(FilePath(manifest), limit: 16 << 20)
        let folder = FilePath(manifest).removingLastComponent()
        let read = try Manifest(parsing: bytes, file: manifest) {
          try Files.read(folder.pushing(FilePath($0)), limit: 16 << 20)
        }
        try console.output(["name": read.name, "version": read.version]) {
          console.print(
            "\(manifest): good (\(read.sources.count) sources, \(read.rules.count) rules, "
              + "\(read.packages.count) packages)")
        }
      }
    }
  }

  struct Schema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the JSON schema of manifests, for editors.",
      discussion: """
        With a description of every key. Editors with a TOML language server use it to complete and to check:

          lrelease manifest schema > lrelease.schema.json
        """)
    @OptionGroup var console: ConsoleOptions

    func run() async throws {
      try await Console.run(console) { $0.printDocument(Array(Manifest.jsonSchema.utf8)) }
    }
  }
}
