// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Files
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import lrelease

/// What libraries advise has words here, and these name only what the command line has.
@Suite struct RemedyTests {
  private static func text(_ path: FilePath) throws -> String { String(decoding: try Files.read(path), as: UTF8.self) }

  /// The sources of all modules below the command line, by their paths.
  private static func libraries() throws -> [(path: FilePath, text: String)] {
    func walk(_ folder: FilePath) throws -> [FilePath] {
      try Files.names(in: folder).flatMap { name in
        let path = folder.appending(bytes: name)
        return Files.isFolder(path) ? try walk(path) : [path]
      }
    }
    let sources = Workshop.root.appending("Sources")
    return try walk(sources).filter { $0.extension == "swift" && !$0.starts(with: sources.appending("lrelease")) }
      .map { ($0, try text($0)) }
  }

  private static var wording: String {
    get throws { try text(Workshop.root.appending("Sources/lrelease/Console/Remedies.swift")) }
  }

  /// The compiler sees to the cases of each kind: the switch over them has no default.
  @Test func eachKindHasWords() throws {
    let declared = try Self.libraries().flatMap { $0.text.matches(of: /enum (\w+): Remedy\b/).map { String($0.1) } }
    let worded = try Self.wording.matches(of: /case let remedy as (\w+):/).map { String($0.1) }
    #expect(declared.count > 5 && declared.sorted() == worded.sorted())
    #expect(Remedies.words(for: Advice("mend it")) == "mend it")
    #expect(Remedies.words(for: ModelRemedy.makePlan) == "make one with 'lrelease plan'")
  }

  @Test func optionsAndCommandsInThemExist() async throws {
    let wording = try Self.wording
    let options = Set(wording.matches(of: /--([a-z][a-z0-9-]*)/).map { String($0.1) })
    let commands = Set(wording.matches(of: /'lrelease ([a-z-]+)/).map { String($0.1) })
    #expect(options.count > 10 && commands.count > 3)
    try await Workshop.use { workshop in
      let help = try await workshop.run(["--experimental-dump-help"]).text
      for option in options { #expect(help.contains("\"name\" : \"\(option)\""), "--\(option)") }
      for command in commands { #expect(help.contains("\"commandName\" : \"\(command)\""), "\(command)") }
    }
  }

  /// A command advises no option that it has not.
  @Test(arguments: ["cut", "build", "qualify", "roots", "verify", "plan", "audit"]) func ownOptionsOnly(name: String)
    throws
  {
    let command = try #require(RunningCommand.command(of: [name, "x"]))
    let help = command.helpMessage(includeHidden: true)
    let has: @Sendable (String) -> Bool = { RunningCommand.has($0, in: command) }
    Remedies.$has.withValue(has) {
      for remedy in [
        SystemRemedy.freeSpace, SystemRemedy.chooseWritableFolder, ProcessesRemedy.allowNamespaces(.limit),
      ] as [any Remedy] {
        let words = Remedies.words(for: remedy)
        #expect(!words.isEmpty)
        for option in words.matches(of: /--[a-z-]+/) { #expect(help.contains(option.0), "\(name): \(words)") }
      }
    }
  }

  @Test func subcommandsAreFound() {
    #expect(RunningCommand.command(of: ["--quiet", "export", "table"])?._commandName == "table")
    #expect(RunningCommand.command(of: ["nothing"]) == nil && RunningCommand.command(of: []) == nil)
  }

  @Test func librariesAdviseNoOptionsAndNoCommands() throws {
    for (path, text) in try Self.libraries() {
      for line in text.split(separator: "\n") where line.contains(/[Aa]dvice(: |\()/) {
        // Options of other programs are theirs.
        let isTheirs = ["gpg --", "'git diff --", "'svn diff --"].contains(where: line.contains)
        let isOurs = line.contains(/"[^"]*(--[a-z]|'lrelease )/) && !isTheirs
        #expect(!isOurs, "\(path): \(line)")
      }
    }
  }
}
