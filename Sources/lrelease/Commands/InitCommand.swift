// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Model
import Operations
import SystemPackage

struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Write a first manifest for existing code, with packaging and a smoke script.",
    discussion: """
      Reads the code and what git knows of it, and writes a folder with a manifest, the recipes of its packages and a \
      script for 'lrelease qualify'. Comments say what each line is for and what to change. A first cut, build \
      and qualify accept it as it is. Nothing is overwritten.

      For modules with a Kbuild or Makefile of their own, in a folder or a git repository:

        lrelease init . --output release
        lrelease cut release/hello.toml --output out

      For a part of mainline Linux, from a kernel tarball or tree that you have:

        lrelease init --source linux=/usr/src/linux-source-6.12.tar.xz --module-folder net/ceph \\
            --module-folder fs/ceph --headers include/linux/crush --name ceph --output ceph
        lrelease cut ceph/ceph.toml --source linux=/usr/src/linux-source-6.12.tar.xz --output out

      docs/first-release.md continues from here, to an installed package and a verdict.
      """)

  @Argument(
    help: ArgumentHelp(
      "The code: a folder, or a git repository, of which the newest commit is read.", valueName: "folder"),
    completion: .directory)
  var folder: String?

  @Option(
    help: ArgumentHelp("Folder to write, for the manifest and what it names.", valueName: "folder"),
    completion: .directory)
  var output = "release"

  @Flag(help: "Overwrite the files of an earlier run. Your changes to them are lost.")
  var replace = false

  @Option(
    help: ArgumentHelp(
      "The kernel that contains the code: its name in the manifest, and a tarball or folder.",
      valueName: "name=path"))
  var source: String?

  @Option(
    name: .customLong("module-folder"),
    help: ArgumentHelp("Folder with the Makefile of modules, such as fs/ceph. May be repeated.", valueName: "path"))
  var modules: [String] = []

  @Option(
    help: ArgumentHelp(
      "Headers of the kernel that belong to the modules, such as include/linux/crush. Those with the name of a "
        + "module folder are found without it. May be repeated.", valueName: "path"))
  var headers: [String] = []

  @Option(help: ArgumentHelp("Name of the release.", valueName: "name"))
  var name: String?

  @Option(help: ArgumentHelp("Version of the first release, such as 1.0.", valueName: "version"))
  var release: String?

  @Option(help: ArgumentHelp("What it is, in one line.", valueName: "text"))
  var summary: String?

  @Option(help: ArgumentHelp("Licence of files that state none, as an SPDX expression.", valueName: "expression"))
  var license: String?

  @Option(help: ArgumentHelp("Where people find the code.", valueName: "url"))
  var homepage: String?

  @Option(help: ArgumentHelp("Whom the packages name.", valueName: "name <address>"))
  var maintainer: String?

  @Option(
    help: ArgumentHelp(
      "Kernels that the packages claim to support: oldest and newest, such as 5.10-6.12.", valueName: "range"))
  var kernels: String?

  @OptionGroup var console: ConsoleOptions

  func run() async throws {
    try await Console.run(console) { console in
      let starter = Starter(
        try code(), wishes: try wishes(), output: try OutputPlace.folder(output), progress: console.progress)
      let report = try await starter.run(replacing: replace)
      try console.output(report) { console.print(report, in: output) }
    }
  }

  private func code() throws -> Starter.Code {
    guard let source else {
      guard headers.isEmpty else { throw ValidationError("--headers goes with --source NAME=PATH, a kernel.") }
      return .tree(FilePath(folder ?? "."))
    }
    guard folder == nil else { throw ValidationError("Give a folder, or --source NAME=PATH.") }
    let halves = source.split(separator: "=", maxSplits: 1).map(String.init)
    guard halves.count == 2, !halves[1].contains("://") else {
      throw ReleaseError(
        .input, doing: "reading --source", reason: "'\(source)' is not NAME=PATH",
        advice: "init reads what is on this machine: linux=linux-7.2.1.tar.xz")
    }
    return .kernel(name: halves[0], FilePath(halves[1]))
  }

  private func wishes() throws -> Starter.Wishes {
    var wishes = Starter.Wishes()
    for (option, key, value) in [
      ("--name", "name", name), ("--release", "version", release), ("--summary", "summary", summary),
      ("--license", "license", license), ("--homepage", "homepage", homepage),
      ("--maintainer", "maintainer", maintainer),
    ] {
      guard let value, let fault = Manifest.fault(of: value, for: key) else { continue }
      throw ReleaseError(.input, doing: "reading \(option)", reason: fault)
    }
    (wishes.name, wishes.version, wishes.summary) = (name, release, summary)
    (wishes.license, wishes.homepage, wishes.maintainer) = (license, homepage, maintainer)
    (wishes.modules, wishes.headers) = (modules, headers)
    if let kernels {
      let ends = kernels.split(separator: "-").map(String.init)
      guard let first = ends.first, let last = ends.last, ends.count <= 2 else {
        throw ReleaseError(.input, doing: "reading --kernels", reason: "'\(kernels)' is not OLDEST-NEWEST")
      }
      wishes.kernels = try KernelRange(first, last)
    }
    return wishes
  }
}

extension Console {
  fileprivate func print(_ report: Starter.Report, in output: String) {
    let manifest = FilePath(output).appending(FilePath(report.manifest).lastComponent?.string ?? "").string
    print("\(bold(manifest))")
    let width = report.found.map(\.key.count).max() ?? 0
    for fact in report.found {
      print("  \(fact.key)\(String(repeating: " ", count: width - fact.key.count))  \(fact.value) (\(fact.from))")
    }
    let others = report.files.filter { !manifest.hasSuffix("/\($0)") }
    print("and \(others.count) files that it names, beside it")
    if !report.notes.isEmpty {
      print("\nto look at:")
      for note in report.notes { print("  - \(note)") }
    }
    print("\nnext:")
    print("  lrelease manifest check \(manifest)")
    print("  lrelease cut \(manifest)\(report.source.map { " --source \($0)" } ?? "") --output out")
  }
}
