// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// What documents show is what the commands print: see CONTRIBUTING.md.
@Suite struct DocumentTests {
  /// A command of a document, and what the document says that it prints.
  struct Example {
    var line: Int
    var command: String
    var output: [String] = []
  }

  static let documents =
    ["README.md"]
    + ((try? Files.names(in: Workshop.root.appending("docs"))) ?? []).map { String(decoding: $0, as: UTF8.self) }
    .filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }.sorted()

  static func text(_ document: String) throws -> String {
    String(decoding: try Files.read(Workshop.root.pushing(FilePath(document))), as: UTF8.self)
  }

  static func lines(of text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The commands of all console blocks that need nothing special.
  static func examples(in text: String) -> [Example] {
    var examples: [Example] = []
    var isBlock = false
    var needs = false
    for (index, line) in lines(of: text).enumerated() {
      if isBlock {
        if line == "```" {
          isBlock = false
          needs = false
        } else if needs {
          continue
        } else if line.hasPrefix("$ ") {
          examples.append(Example(line: index, command: String(line.dropFirst(2))))
        } else if line == ">" || line.hasPrefix("> "), let last = examples.indices.last, examples[last].output.isEmpty {
          examples[last].command += "\n" + line.dropFirst(2)
        } else if let last = examples.indices.last {
          examples[last].output.append(line)
        }
      } else if line == "```console" {
        isBlock = true
      } else if line.hasPrefix("<!-- needs ") {
        needs = true
      } else if !line.isEmpty {
        needs = false
      }
    }
    return examples
  }

  /// Whether `found` is what `shown` says: `…` alone stands for any lines, within a line for any characters.
  static func matches(_ found: ArraySlice<String>, _ shown: ArraySlice<String>) -> Bool {
    guard let first = shown.first else { return found.isEmpty }
    if first == "…" {
      return (found.startIndex...found.endIndex).contains { matches(found[$0...], shown.dropFirst()) }
    }
    guard let line = found.first, matches(line, first) else { return false }
    return matches(found.dropFirst(), shown.dropFirst())
  }

  /// Sizes count as equal: each change of a template changes some. An update of the documents renews them.
  static func matches(_ line: String, _ shown: String) -> Bool {
    func plain(_ text: String) -> String {
      text.replacing(#/ *[0-9.]+ (B|kB|MB)  /#) { " SIZE \($0.1)  " }
    }
    return matchesWildcards(plain(line), plain(shown))
  }

  private static func matchesWildcards(_ line: String, _ shown: String) -> Bool {
    let parts = shown.split(separator: "…", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1 else { return line == shown }
    guard line.hasPrefix(parts[0]), line.count >= shown.count - parts.count + 1 else { return false }
    var rest = line.dropFirst(parts[0].count)
    for part in parts.dropFirst().dropLast() {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }

  /// Runs the commands of a document one after the other, in one folder and one shell after the other.
  ///
  /// - Returns: what each printed.
  static func run(_ examples: [Example], in workshop: Workshop) async throws -> [[String]] {
    let tree = workshop.folder.appending("tree")
    try Files.makeFolder(tree)
    // A copy: documents write into manifests/.
    for name in ["manifests", "Examples", "debian", "specs", "overlays", "targets", "docs"] {
      try await workshop.shell("cp -r \(Workshop.root.appending(name)) tree/")
    }
    var here = tree
    var printed: [[String]] = []
    for example in examples {
      // The folder that `cd` went to is where the next command begins.
      var shell = Command("sh", ["-c", "\(example.command)\nstatus=$?; pwd >\(workshop.folder)/here; exit $status"])
      shell.directory = here
      shell.environment = workshop.environment
      shell.environment["PATH"] =
        "\(FilePath(Workshop.lrelease).removingLastComponent()):\(shell.environment["PATH"] ?? "/usr/bin:/bin")"
      let outcome = try await shell.run(doing: "running '\(example.command)'")
      #expect(!outcome.errors.contains("error:"), "line \(example.line + 1): \(outcome.errors)")
      // Documents are read by somebody who works in their home.
      let lines = Self.lines(of: outcome.text.replacing("\(tree)/", with: "/home/me/"))
      printed.append(lines.last == "" ? Array(lines.dropLast()) : lines)
      here = FilePath(String(decoding: try Files.read(workshop.folder.appending("here")), as: UTF8.self).trimmed)
    }
    return printed
  }

  @Test(arguments: documents) func documentsShowWhatCommandsPrint(document: String) async throws {
    let text = try Self.text(document)
    let examples = Self.examples(in: text)
    guard !examples.isEmpty else { return }
    try await Workshop.use { workshop in
      let printed = try await Self.run(examples, in: workshop)
      var lines = Self.lines(of: text)
      for (example, found) in zip(examples, printed) where !Self.matches(found[...], example.output[...]) {
        if environmentVariable("LRELEASE_UPDATE_DOCS") == "1" {
          Self.update(&lines, example, found)
        } else {
          Issue.record(
            """
            \(document):\(example.line + 1): '\(example.command)' prints something else:
            \(found.joined(separator: "\n"))
            """)
        }
      }
      let updated = lines.joined(separator: "\n")
      if updated != text {
        try Files.replace(Workshop.root.pushing(FilePath(document)), with: Array(updated.utf8))
        Issue.record("\(document) was updated: run the test again")
      }
    }
  }

  /// Replaces lines of which only digits and hexadecimal numbers have changed.
  private static func update(_ lines: inout [String], _ example: Example, _ found: [String]) {
    func shape(_ line: String) -> String { line.replacing(/[0-9a-f]*[0-9][0-9a-f.]*/, with: "0") }
    let start = example.line + example.command.split(separator: "\n", omittingEmptySubsequences: false).count
    for (offset, line) in example.output.enumerated()
    where !line.contains("…") && !found.contains(line) {
      let same = found.filter { shape($0).split(separator: " ") == shape(line).split(separator: " ") }
      if same.count == 1 { lines[start + offset] = same[0] }
    }
  }

  // MARK: the judge itself

  @Test func whatIsShownIsJudged() {
    let text = """
      <!-- needs root -->
      ```console
      $ id -u
      0
      ```

      ```console
      $ cat <<END
      > a
      > END
      a
      $ true
      ```
      """
    let examples = Self.examples(in: text)
    #expect(examples.map(\.command) == ["cat <<END\na\nEND", "true"])
    #expect(examples.map(\.output) == [["a"], []])
    for (found, shown, holds) in [
      (["a", "b", "c"], ["a", "…", "c"], true), (["a", "c"], ["a", "…", "c"], true), (["a", "b"], ["…"], true),
      (["a", "b"], ["a"], false), (["a"], ["a", "b"], false), (["a 12 b"], ["a … b"], true),
      (["a 12 c"], ["a … b"], false),
      (["  1.0 kB  a"], [" 38.2 kB  a"], true), (["  1.0 kB  a"], ["  1.0 MB  a"], false),
      (["x", "b"], ["a", "…"], false), ([], ["…"], true), ([], ["a"], false),
    ] {
      #expect(Self.matches(found[...], shown[...]) == holds, "\(found) \(shown)")
    }
  }

  /// The messages of lrelease that docs/troubleshooting.md explains are in its sources.
  @Test func explainedMessagesExist() throws {
    var pending = [Workshop.root.appending("Sources")]
    var sources = ""
    while let folder = pending.popLast() {
      for name in try Files.names(in: folder) {
        let path = folder.appending(bytes: name)
        if Files.isFolder(path) { pending.append(path) }
        guard ["swift", "sh", "bash"].contains(path.extension) else { continue }
        sources += String(decoding: try Files.read(path), as: UTF8.self)
      }
    }
    // Words of sha256sum, dkms, the kernel and rpm.
    let foreign = [
      "sha256sum: ", "No such file or directory", "dkms status", "modinfo", "Key was rejected by service",
      "does not verify",
    ]
    var count = 0
    for line in Self.lines(of: try Self.text("docs/troubleshooting.md")) where line.hasPrefix("| ") {
      let symptom = line.split(separator: "|").first ?? ""
      for message in symptom.matches(of: /`([^`]+)`/) {
        for part in message.1.split(separator: "…").map(\.trimmed) where part.count > 6 {
          if foreign.contains(where: { $0.trimmed == part }) { continue }
          #expect(sources.contains(part), "docs/troubleshooting.md explains '\(message.1)', which nothing says")
          count += 1
        }
      }
    }
    #expect(count > 15)
  }

  /// Links between documents lead somewhere, and to a heading that is there.
  @Test(
    arguments: documents + [
      "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "bench/README.md", "debian/README.md", "specs/README.md",
    ])
  func linksLeadSomewhere(document: String) throws {
    let folder = FilePath(document).removingLastComponent()
    for match in try Self.text(document).matches(of: /\]\(([^)#\s]*)(?:#([^)\s]+))?\)/) {
      let (name, heading) = (String(match.1), match.2.map(String.init))
      if name.contains("://") { continue }
      let target = name.isEmpty ? FilePath(document) : folder.pushing(FilePath(name)).lexicallyNormalized()
      #expect(Files.exists(Workshop.root.pushing(target)), "\(document): \(name)")
      guard let heading, target.extension == "md" else { continue }
      let anchors = try Self.lines(of: Self.text(target.string)).filter { $0.hasPrefix("#") }.map { line in
        String(line.drop { $0 == "#" }).trimmed.lowercased()
          .filter { $0.isLetter || $0.isNumber || "- _".contains($0) }.replacing(" ", with: "-")
      }
      #expect(anchors.contains(heading), "\(document): \(name)#\(heading); there are \(anchors)")
    }
  }
}
