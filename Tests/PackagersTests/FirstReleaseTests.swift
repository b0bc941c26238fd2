// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// docs/first-release.md, walked as a newcomer would: each command in its order, and what the page shows of its output.
@Suite(.serialized) struct FirstReleaseTests {
  /// A fenced block of the page.
  private struct Block {
    /// `sh`, `sh site` for what is done on the machine that gets the package, `sh kernel`, or `text` for output.
    var kind: String
    var lines: [String] = []

    /// A command is a line, with the document that follows it in the shell's own way.
    var commands: [String] {
      var commands: [String] = []
      var open: String?
      for line in lines {
        if let end = open {
          commands[commands.count - 1] += "\n\(line)"
          if line == end { open = nil }
          continue
        }
        commands.append(line)
        open = line.firstMatch(of: /<<'?(\w+)'?/).map { String($0.1) }
      }
      return commands
    }
  }

  private static func blocks() throws -> [Block] {
    let text = String(decoding: try Files.read(Workshop.root.appending("docs/first-release.md")), as: UTF8.self)
    var blocks: [Block] = []
    var isOpen = false
    for line in text.lines.map(String.init) {
      if line.hasPrefix("```") {
        if !isOpen { blocks.append(Block(kind: String(line.dropFirst(3)))) }
        isOpen.toggle()
      } else if isOpen {
        blocks[blocks.count - 1].lines.append(line)
      }
    }
    return blocks
  }

  /// Whether a line is as the page shows it, where … stands for anything.
  private static func fits(_ line: String, _ shown: String) -> Bool {
    let parts = shown.split(separator: "…", omittingEmptySubsequences: false).map { $0.trimmed }
    var rest = line.trimmed[...]
    guard rest.hasPrefix(parts[0]), parts.count > 1 || rest.count == parts[0].count else { return false }
    for part in parts.dropFirst() where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return parts.count == 1 || parts[parts.count - 1].isEmpty || line.trimmed.hasSuffix(parts[parts.count - 1])
  }

  @Test func everyCommandOfThePageDoesWhatItSays() async throws {
    let blocks = try Self.blocks()
    #expect(blocks.filter { $0.kind.hasPrefix("sh") }.flatMap(\.commands).count > 20)
    try await Workshop.use { workshop in
      let environment = try await Self.install(in: workshop)
      try await TestRoot.bookworm().use { session in
        var place = workshop.folder
        var output = ""
        for block in blocks {
          if block.kind == "text" {
            Self.expect(block.lines, in: output)
            continue
          }
          try #require(["sh", "sh site", "sh kernel"].contains(block.kind), "\(block.kind)")
          if block.kind == "sh kernel", !Files.exists("/usr/src/linux-source-6.12.tar.xz") {
            Issue.record("no /usr/src/linux-source-6.12.tar.xz: apt-get install linux-source-6.12")
            return
          }
          for command in block.commands {
            let outcome =
              block.kind == "sh site"
              ? try await TestRoot.sh(session, "cd /mnt/\(place.name); \(command)", workshop.folder)
              : try await Self.run(command, in: &place, environment)
            output = outcome.text + outcome.errors
            try #require(outcome.succeeded, "\(command): \(output)")
          }
        }
      }
    }
  }

  /// lrelease as `make install` has it, and the environment of a person who uses it.
  private static func install(in workshop: Workshop) async throws -> [String: String] {
    let cache = environmentVariable("LRELEASE_TEST_CACHE") ?? "/var/tmp/lrelease-tests"
    try await workshop.shell(
      """
      mkdir -p prefix/bin prefix/share/lrelease cache '\(cache)'
      ln '\(Workshop.lrelease)' prefix/bin/lrelease 2>/dev/null || cp '\(Workshop.lrelease)' prefix/bin/lrelease
      cp -r '\(Workshop.root)/targets' prefix/share/lrelease
      ln -s '\(cache)' cache/lrelease
      git config --file .gitconfig user.name 'A Person'
      git config --file .gitconfig user.email person@example.org
      """)
    let path = Command.plainEnvironment["PATH", default: ""]
    return workshop.environment.merging([
      "PATH": "\(workshop.folder)/prefix/bin:\(path)", "XDG_CACHE_HOME": workshop.folder.appending("cache").string,
    ]) { $1 }
  }

  /// Runs a command where the one before has left us.
  private static func run(
    _ command: String, in place: inout FilePath, _ environment: [String: String]
  ) async throws -> Command.Outcome {
    let mark = "__now in "
    let outcome = try await Command(
      "timeout", ["--kill-after=10", "1800", "bash", "-ec", "\(command)\necho; echo \"\(mark)$PWD\""],
      environment: environment, directory: place
    ).run(doing: "running \(command)")
    if let line = outcome.text.lines.last(where: { $0.hasPrefix(mark) }) {
      place = FilePath(String(line.dropFirst(mark.count)))
    }
    return outcome
  }

  private static func expect(_ shown: [String], in output: String) {
    var rest = output.lines.map(String.init)[...]
    for line in shown where line != "…" {
      guard let found = rest.firstIndex(where: { fits($0, line) }) else {
        Issue.record("the page shows '\(line)', which is not in:\n\(output)")
        return
      }
      rest = rest[(found + 1)...]
    }
  }
}
