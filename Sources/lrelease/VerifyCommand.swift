// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Groundwork
import SystemPackage

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check every file of a release tarball against its list of origins.")

  @Argument(help: "The tarball.", completion: .file())
  var tarball: String

  @OptionGroup var console: ConsoleOptions

  func run() async throws {
    try await Console.run(console) { console in
      let result = try await Tarball.verify(FilePath(tarball), progress: console.progress)
      if console.isJSON { try console.printJSON(result) }
      guard result.isGood else {
        throw Diagnostics(
          [("changed", result.changed), ("missing", result.missing), ("not in the list", result.unknown)].flatMap {
            word, paths in
            paths.map { ReleaseError(.different, doing: "verifying \(tarball)", reason: "\($0) is \(word)") }
          })
      }
      if !console.isJSON { console.print("\(tarball): \(result.files) files, all as released") }
    }
  }
}

struct ManifestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manifest", abstract: "Check a manifest, or print the schema of manifests.",
    subcommands: [Check.self, Schema.self])

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Report all that is wrong with a manifest.")
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
        if console.isJSON { return try console.printJSON(["name": read.name, "version": read.version]) }
        console.print(
          "\(manifest): good (\(read.sources.count) sources, \(read.rules.count) rules, \(read.packages.count) packages)"
        )
      }
    }
  }

  struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the JSON schema, for editors.")
    func run() { print(Manifest.jsonSchema, terminator: "") }
  }
}
