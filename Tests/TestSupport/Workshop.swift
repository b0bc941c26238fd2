// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import Testing

/// A place for one test of the whole command: everything that lrelease touches lies in it, so that what is left can be
/// seen.
package struct Workshop: Sendable {
  package static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
  package static let lrelease = root.appending(".build/debug/lrelease").string

  package let folder: FilePath
  /// TMPDIR of the command.
  package var temporary: FilePath
  package var output: FilePath
  package var cache: FilePath

  package static func use<R>(_ body: (Workshop) async throws -> R) async throws -> R {
    try await withScratch { folder in
      let workshop = Workshop(
        folder: folder, temporary: folder.appending("tmp"), output: folder.appending("out"),
        cache: folder.appending("cache"))
      try Files.makeFolder(workshop.temporary)
      return try await body(workshop)
    }
  }

  /// What its programs have. A keyring in ~/.gnupg would have the agent that all tests of this user share, if there is a
  /// folder /run/user/ID.
  package var environment: [String: String] {
    Command.plainEnvironment.merging(
      ["TMPDIR": temporary.string, "HOME": folder.string, "GNUPGHOME": folder.appending("gnupg").string]
    ) { $1 }
  }

  package func run(_ arguments: [String], seconds: Int = 300) async throws -> Command.Outcome {
    // A command that hangs is a failure of its own, and not of the whole run.
    try await Command(
      "timeout", ["--kill-after=10", "\(seconds)", Workshop.lrelease] + arguments, environment: environment,
      directory: folder
    ).run(doing: "running lrelease")
  }

  package func cutArguments(_ manifest: String, _ more: [String] = []) -> [String] {
    ["cut", "--quiet", manifest, "--output", output.string, "--cache", cache.string] + more
  }

  /// Cuts the sample that is shipped.
  package func cutSample(_ more: [String] = []) async throws -> Command.Outcome {
    let linux = "linux=\(Workshop.root.appending("Examples/sample/linux"))"
    return try await run(
      cutArguments(Workshop.root.appending("manifests/sample.toml").string, ["--source", linux] + more))
  }

  /// Demands one line with `words`, the exit status, and that nothing was left in TMPDIR and in the output.
  package func expectRefusal(
    _ outcome: Command.Outcome, _ status: Int32, _ words: String..., leaves: [String] = [],
    _ location: Testing.SourceLocation = #_sourceLocation
  ) {
    let lines = outcome.errors.split(separator: "\n")
    #expect(outcome.status == .exited(status), "\(outcome.errors)", sourceLocation: location)
    #expect(lines.count == 1 && outcome.output.isEmpty, "\(outcome.errors)\(outcome.text)", sourceLocation: location)
    #expect(lines.first?.contains("error: ") == true, "\(outcome.errors)", sourceLocation: location)
    for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: location) }
    expectNothing(leaves, location)
  }

  /// Demands that TMPDIR is empty and that the output holds `names` only, or is not there.
  package func expectNothing(_ names: [String] = [], _ location: Testing.SourceLocation = #_sourceLocation) {
    func list(_ folder: FilePath) -> [String] {
      ((try? Files.names(in: folder)) ?? []).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(list(temporary) == [], sourceLocation: location)
    if names.isEmpty, !output.string.hasSuffix("/mount") {
      #expect(!Files.isFolder(output), "\(list(output))", sourceLocation: location)
    } else {
      #expect(list(output) == names, sourceLocation: location)
    }
  }

  /// Writes a file of the test, with the folders above it.
  package func write(_ path: String, _ bytes: [UInt8]) throws {
    let full = folder.pushing(FilePath(path))
    try Files.makeFolder(full.removingLastComponent())
    try Files.replace(full, with: bytes)
  }

  package func write(_ path: String, _ text: String) throws { try write(path, Array(text.utf8)) }

  package func shell(_ script: String) async throws {
    _ = try await Command("sh", ["-ec", script], environment: environment, directory: folder)
      .check(doing: "running \(script)")
  }

  /// A manifest `demo.toml` that takes `fs` of the kernel tree in `linux`, with more text at its end.
  package func writeManifest(_ more: String = "", source: String = "") throws {
    try write("linux/Makefile", "VERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 0\nEXTRAVERSION =\n")
    if !Files.exists(folder.appending("linux/fs")) { try write("linux/fs/a.c", "int a;\n") }
    if more.contains("[[packages]]") { try write("linux/fs/Kbuild", "obj-m := demo.o\n") }
    try write(
      "demo.toml",
      """
      \(Demo.manifestHead())
      \(source)
      [[tree]]
      from = "linux:fs"
      to = "fs"
      \(more)
      """)
  }

  /// The packages of the manifest, by the recipes that are shipped.
  package static var packages: String {
    """
    [[packages]]
    kind = "dkms"
    variant = "modules"
    module = "demo"
    summary = "demo"
    kernels = { min = "7.0", max = "7.9" }
    make = "make M=$dkms_tree/$module/$module_version/build/fs"
    modules = [{ name = "demo", path = "fs" }]
    [packages.deb]
    name = "demo-dkms"
    recipe = "\(root)/debian/dkms"
    [packages.rpm]
    name = "demo-dkms"
    recipe = "\(root)/specs/dkms.spec"
    """
  }
}

/// A small file system in memory at `path`, to which nobody else can write.
package func withTmpfs<R>(_ path: FilePath, _ options: String, _ body: () async throws -> R) async throws -> R? {
  try Files.makeFolder(path)
  let mounted = try await Command("mount", ["-t", "tmpfs", "-o", "mode=755,\(options)", "tmpfs", path.string]).run(
    doing: "mounting")
  guard mounted.succeeded else {
    Issue.record("no tmpfs can be mounted here (root is needed): \(mounted.complaint)")
    return nil
  }
  let result: R
  do {
    result = try await body()
  } catch {
    umount2(path.string, Int32(MNT_DETACH))
    throw error
  }
  guard umount2(path.string, Int32(MNT_DETACH)) == 0 else {
    throw ReleaseError(errno: errno, doing: "unmounting \(path)")
  }
  return result
}
