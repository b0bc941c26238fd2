// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Assembler

/// What several suites make: archives, rules, small manifests.
enum Fixture {
  static let saved = Workshop.root.appending("Tests/Fixtures")

  /// An archive made with Python's tarfile, which writes what GNU tar would refuse to. `script` calls `add`.
  static func archive(_ script: String, in folder: FilePath, name: String = "linux-7.4.tar") async throws -> FilePath {
    let path = folder.appending(name)
    let prelude = """
      import tarfile, io
      t = tarfile.open(\"\(path)\", "w")
      def add(name, data=b"", **more):
          i = tarfile.TarInfo(name); i.size = len(data); i.mtime = 1000
          for k, v in more.items(): setattr(i, k, v)
          t.addfile(i, io.BytesIO(data))

      """
    _ = try await Command("python3", ["-c", prelude + script + "\nt.close()"]).check(doing: "making an archive")
    return path
  }

  /// The file at `path`, compressed beside it.
  static func compressed(_ path: FilePath, with program: String, suffix: String) async throws -> FilePath {
    let packed = FilePath(path.string + suffix)
    let output = try await Command(program, ["-c", path.string]).check(doing: "compressing")
    try Files.write(output.output, to: packed)
    return packed
  }

  static func rule(from: String = "fs", to: String = "", source: String = "s", line: Int = 1) -> Manifest.TreeRule {
    Manifest.TreeRule(
      source: source, from: from, to: to, include: [], exclude: [], rename: [:], isOverlay: false,
      location: SourceLocation(file: "m", line: line, column: 1))
  }

  /// Reads `fs` and the Makefile of an archive.
  static func read(_ path: FilePath, cache: FilePath? = nil) async throws -> SourceContent {
    try await read(ArchiveSource(path: path, cache: cache))
  }

  static func read(_ source: ArchiveSource) async throws -> SourceContent {
    try await source.read(Selection(rules: [rule()], paths: ["Makefile"]), progress: .silent)
  }

  static func shell(_ script: String, in folder: FilePath) async throws {
    _ = try await Command("sh", ["-ec", script], directory: folder).check(doing: "running \(script)")
  }

  /// A manifest that takes `fs` of a kernel tree, with more text at its end.
  static func manifest(_ more: String = "", version: String = "{kernel}", source: String = "") -> String {
    """
    \(Demo.manifestHead(version: version))
    \(source)
    [[tree]]
    from = "linux:fs"
    \(more)
    """
  }

  static let makefile = "VERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 0\nEXTRAVERSION =\n"

  /// Plans and assembles the manifest `text` with files of a kernel tree beside it.
  static func assemble(
    _ text: String, files: [String: String] = ["fs/a.c": "int a;\n"], links: [String: String] = [:],
    extras: [String] = []
  ) async throws -> ReleaseTree {
    try await withScratch { folder in
      try Files.write(Array(text.utf8), to: folder.appending("demo.toml"))
      for (path, content) in files.merging(["Makefile": makefile], uniquingKeysWith: { $1 }) {
        let full = folder.appending("upstream").pushing(FilePath(path))
        try Files.makeFolder(full.removingLastComponent())
        try Files.write(Array(content.utf8), to: full)
      }
      for (path, target) in links {
        let full = folder.appending("upstream").pushing(FilePath(path))
        try Files.makeFolder(full.removingLastComponent())
        guard symlink(target, full.string) == 0 else { throw ReleaseError(errno: errno, doing: "linking") }
      }
      let request = CutRequest(
        places: ["linux": folder.appending("upstream").string], extras: extras, cache: folder.appending("cache"))
      let opened = try await Planner.plan(manifest: folder.appending("demo.toml"), request, progress: .silent)
      return try await opened.plan.assemble(opened, progress: .silent)
    }
  }

  /// Demands that `body` is refused, with any number of findings.
  static func refusalOrFindings(
    _ location: Testing.SourceLocation = #_sourceLocation, body: () throws -> Void
  ) {
    do {
      try body()
      Issue.record("it was accepted", sourceLocation: location)
    } catch {
      #expect(error is ReleaseError || error is Diagnostics, "\(error)", sourceLocation: location)
    }
  }

  /// What `body` is refused with: one line, with all of `words` in it.
  static func refusal(
    _ words: String..., code: ReleaseError.Code? = nil, remedy: AssemblerRemedy? = nil,
    _ location: Testing.SourceLocation = #_sourceLocation, body: () async throws -> Void
  ) async {
    do {
      try await body()
      Issue.record("it was accepted", sourceLocation: location)
    } catch {
      let line = "\(error)"
      #expect(error is ReleaseError || error is Diagnostics, "\(line)", sourceLocation: location)
      #expect(!line.contains("\n"), "\(line)", sourceLocation: location)
      for word in words { #expect(line.contains(word), "\(line)", sourceLocation: location) }
      if let remedy {
        #expect((error as? ReleaseError)?.remedy as? AssemblerRemedy == remedy, sourceLocation: location)
      }
      if let code {
        #expect(((error as? ReleaseError)?.code ?? (error as? Diagnostics)?.code) == code, sourceLocation: location)
      }
    }
  }
}
