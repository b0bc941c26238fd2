// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// Applies the steps of a series to a folder with the files that they name, in a sandbox that can only write to that
/// folder.
struct PatchRun {
  /// The output of the programs for each step, in the order of the series.
  struct Said {
    var patch: PatchSeries.Patch
    var step: PatchStep
    var log: PatchLog
  }

  /// Contains the tree, and beside it the files of the run.
  private let scratch: FilePath
  private let series: PatchSeries

  /// - Parameter scratch: an empty folder.
  init(_ series: PatchSeries, in scratch: FilePath) {
    self.series = series
    // bubblewrap would resolve a link in the path inside the sandbox.
    let resolved = realpath(scratch.string, nil)
    defer { free(resolved) }
    self.scratch = resolved.map { FilePath(platformString: $0) } ?? scratch
  }

  var tree: FilePath { scratch.appending("tree") }
  private var stepFolder: FilePath { scratch.appending("steps") }
  private var said: FilePath { scratch.appending("said") }

  /// - Throws: `ReleaseError` for the first step that fails, with the message of the program.
  func apply() async throws -> [Said] {
    let steps = series.patches.flatMap { patch in patch.steps.map { (patch, $0) } }
    try write(steps.map { $0 })
    let doing = "applying \(series.file)"
    let outcome = try await run(doing: doing)
    let failed = said.appending("failed")
    let name = Files.exists(failed) ? String(decoding: try Files.read(failed), as: UTF8.self).trimmed : nil
    if name == "git" {
      let words = try words("git")
      throw ReleaseError(
        words.isEmpty ? .missingTool : .failed, doing: doing,
        reason: words.isEmpty ? "the program git is not installed, and a patch is one of git's" : words,
        advice: words.isEmpty ? "on Debian: apt-get install git" : nil)
    }
    var all: [Said] = []
    for (number, (patch, step)) in steps.enumerated() {
      let name = PatchRun.name(number)
      // If git failed, GNU patch ran after it.
      let log = PatchLog(try words(name), git: try words("\(name).git"))
      if try words(name, exists: "failed").trimmed == name { throw log.failure(of: patch, in: series) }
      all.append(Said(patch: patch, step: step, log: log))
    }
    guard outcome.succeeded else { throw ReleaseError(.failed, doing: doing, reason: outcome.complaint) }
    try checkReading(steps.map(\.1), steps.map(\.0))
    return all
  }

  private static func name(_ number: Int) -> String { String(100_000 + number) }

  private func words(_ name: String, exists other: String? = nil) throws -> String {
    let path = said.appending(other ?? name)
    return Files.exists(path) ? String(decoding: try Files.read(path), as: UTF8.self) : ""
  }

  private func run(doing: String) async throws -> Command.Outcome {
    let sandbox = Sandbox(
      [
        .readOnly("/", at: "/"), .devices, .processes,
        // If this is in /dev/shm, the line before hides it.
        .readOnly(scratch, at: scratch), .writable(tree, at: tree), .writable(said, at: said),
        .writable(scratch.appending("tmp"), at: scratch.appending("tmp")),
      ],
      namespaces: .all, capabilities: .none,
      environment: Command.plainEnvironment.merging([
        "HOME": "/nonexistent", "TMPDIR": scratch.appending("tmp").string, "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1", "GIT_DIR": scratch.appending("git").string,
        "GIT_WORK_TREE": tree.string,
      ]) { $1 },
      directory: tree, hasOwnSession: true)
    let script = Script(PackageResources.patch_sh).text
    return try await sandbox.run(
      "/bin/sh", ["-c", script, "patch", stepFolder.string, said.string], inner: "patch", doing: doing)
  }

  private func write(_ steps: [(PatchSeries.Patch, PatchStep)]) throws {
    for folder in ["tree", "steps", "said", "tmp", "git/objects", "git/refs", "git/info"] {
      try Files.makeFolder(scratch.appending(folder))
    }
    // A minimal repository: attributes of files in the tree must not change line ends or words.
    try Files.write(Array("ref: refs/heads/none\n".utf8), to: scratch.appending("git/HEAD"))
    let attributes = "* -text -eol -crlf -ident -filter -working-tree-encoding -whitespace\n"
    try Files.write(Array(attributes.utf8), to: scratch.appending("git/info/attributes"))
    var list = ""
    var read: [Int: [String]] = [:]
    for (number, (patch, step)) in steps.enumerated() {
      let name = PatchRun.name(number)
      try Files.write(Array(step.parts.map(\.text).joined()), to: stepFolder.appending(name))
      list += "\(name) \(step.reader) -p\(patch.strip)\(step.isReversed ? " -R" : "")\n"
      if step.reader != .plain { read[patch.strip, default: []].append(name) }
    }
    try Files.write(Array(list.utf8), to: stepFolder.appending("list"))
    let groups = read.sorted { $0.key < $1.key }.map { "-p\($0.key) \($0.value.joined(separator: " "))\n" }
    try Files.write(Array(groups.joined().utf8), to: stepFolder.appending("read"))
  }

  /// git must read the same changes as lrelease: the files, and the numbers of added and removed lines.
  private func checkReading(_ steps: [PatchStep], _ patches: [PatchSeries.Patch]) throws {
    for strip in Set(patches.map(\.strip)).sorted() {
      let path = said.appending("numstat-p\(strip)")
      guard Files.exists(path) else { continue }
      var records = try Files.read(path).split(separator: 0)[...]
      for (step, patch) in zip(steps, patches) where step.reader != .plain && patch.strip == strip {
        for part in step.parts {
          let part = step.isReversed ? try part.reversed(patch: patch.name) : part
          let counts = part.isBinary ? "-\t-" : "\(part.added)\t\(part.removed)"
          let record = records.popFirst().map { String(decoding: $0, as: UTF8.self) } ?? "nothing"
          let expected = "\(counts)\t\(part.new ?? part.old ?? "")"
          guard record.utf8.elementsEqual(expected.utf8) else {
            throw ReleaseError(
              .input, doing: "reading the patch \(patch.name)",
              reason: "git reads it differently: '\(record)' where '\(expected)' was expected",
              advice: "make it again with 'git format-patch'")
          }
        }
      }
    }
  }
}
