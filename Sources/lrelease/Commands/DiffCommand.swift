// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Operations
import SystemPackage

struct DiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Show what changed between two releases.",
    discussion: """
      Takes two release tarballs or two release folders. Compares versions, sources and their signers, tools, \
      extras, patches, the recipe, the list of modules, and every file with its origin. Of folders, it also compares \
      the fields and files of the packages. Files in which only the version differs are listed separately. \
      Exit status 0 if nothing changed, 6 if something did, without a message. \
      Any other status is a failure.

        lrelease diff releases/sample-7.2.1 releases/sample-7.2.1+r1
        lrelease diff --patch sample-7.2.1.tar.xz sample-7.2.1+by.acme.1.tar.xz

      In the output, '+' means only in the second one, '-' only in the first one, and '~' changed.
      """)

  @Argument(help: "The old release: a tarball or a folder.", completion: .file())
  var before: String

  @Argument(help: "The new release.", completion: .file())
  var after: String

  @Flag(help: "Also print a unified diff of text files, for patch -p1.")
  var patch = false

  @OptionGroup var console: ConsoleOptions

  func run() async throws {
    var isSame = false
    try await Console.run(console) { console in
      let diff = try await ReleaseDiff.between(
        FilePath(before), FilePath(after), withPatch: patch, progress: console.progress)
      isSame = diff.isSame
      try console.output(diff) { console.print(diff) }
    }
    if !isSame { throw ExitCode(ReleaseError.Code.different.rawValue) }
  }
}

extension Console {
  fileprivate func print(_ diff: ReleaseDiff) {
    guard !diff.isSame else { return print("\(diff.before) and \(diff.after) are the same") }
    print(bold("\(diff.before) → \(diff.after)"))
    let width = diff.sections.map(\.title.count).max() ?? 0
    for section in diff.sections {
      let padding = String(repeating: " ", count: width - section.title.count)
      print("  \(section.title)\(padding)  \(count(section.changes))")
    }
    for section in diff.sections {
      print("\n\(bold(section.title))")
      for change in section.changes { print("  \(line(change).singleLine)") }
    }
    if let patch = diff.patch, !patch.isEmpty { print("\n" + patch.dropLast()) }
  }

  /// `3 changed, 1 added`.
  private func count(_ changes: [ReleaseDiff.Change]) -> String {
    let kinds = [("~", "changed"), ("+", "added"), ("-", "removed")].map { sign, word in
      (word, changes.filter { self.sign($0) == sign }.count)
    }
    return kinds.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
  }

  private func sign(_ change: ReleaseDiff.Change) -> String {
    change.before == nil ? "+" : change.after == nil ? "-" : "~"
  }

  private func line(_ change: ReleaseDiff.Change) -> String {
    let text = "\(sign(change)) \(change.name)"
    if let note = change.note { return "\(text)  \(note)" }
    let values = [change.before, change.after].compactMap { $0 }.map { $0.isEmpty ? "nothing" : $0 }
    return "\(text): \(values.joined(separator: " → "))"
  }
}
