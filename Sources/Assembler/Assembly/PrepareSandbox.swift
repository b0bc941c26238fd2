// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage

/// Runs a command in the assembled tree, without network and with a clean environment, and takes what it made.
///
/// The sandbox is bubblewrap's: the machine is read-only, the tree stands at a fixed path, so that no path of this
/// machine can reach a generated file.
package struct PrepareSandbox: Sendable {
  /// Where the tree stands in the sandbox.
  private static let place = "/tmp/prepare"

  /// The first line that each tool prints for `--version`; it decides the outcome, so it belongs to the plan.
  package static func versions(of tools: [String], at location: SourceLocation?) async throws -> [String: String] {
    var versions: [String: String] = [:]
    for tool in tools {
      let doing = "asking \(tool) for its version"
      do {
        let outcome = try await Command(tool, ["--version"]).check(doing: doing)
        let line = outcome.text.split(separator: "\n").first.map(String.init) ?? ""
        versions[tool] = line.trimmed
      } catch let error as ReleaseError where error.code == .missingTool {
        throw ReleaseError(
          .missingTool, at: location, doing: "preparing the tree", reason: "\(tool) is not installed",
          advice: "install it, the manifest's prepare step needs it", cause: error)
      }
    }
    return versions
  }

  /// Runs `step` in `tree`, or takes what it made of the same before.
  ///
  /// New and changed files get the command and `tools` as their generator. A link that leaves the tree becomes the
  /// file that it names.
  ///
  /// - Parameter cache: where outcomes are kept; nil for nowhere.
  package static func run(
    _ step: Manifest.PrepareStep, in tree: inout ReleaseTree, tools: [String: String], sourceDate: Int64,
    cache: PrepareCache? = nil
  ) async throws {
    let words = step.run.joined(separator: " ")
    let generator =
      "\(words)"
      + (tools.isEmpty ? "" : " with " + tools.sorted { $0.key < $1.key }.map(\.value).joined(separator: ", "))
    let input = step.inputs.isEmpty ? tree : tree.filter { path in step.inputs.contains { $0.matches(path) } }
    let outcome = try await PrepareCache.outcome(of: step, input, tools, sourceDate, cache) {
      try await made(by: step, of: input, sourceDate, doing: "running '\(words)'")
    }
    for path in outcome.removed { tree[path] = nil }
    for (path, file) in outcome.made {
      if let known = tree[path], known.content == file.content, known.isExecutable == file.isExecutable { continue }
      // A file that the step changed came from somewhere all the same: that stays in its origin.
      var origin = file.content.isLink || outcome.copied.contains(path) ? nil : tree[path]?.origin
      origin?.generator = generator
      tree[path] = TreeEntry(
        content: file.content, isExecutable: file.isExecutable,
        origin: origin ?? Origin(source: "generated", generator: generator))
    }
  }

  /// What a step made of a tree.
  struct Outcome: Sendable {
    /// The new and the changed files.
    var made = ByPath<FileEntry>()
    /// Those of them that the step linked to, and that are in installed packages.
    var copied: PathSet = []
    var removed: [String] = []
  }

  private static func made(
    by step: Manifest.PrepareStep, of tree: ReleaseTree, _ sourceDate: Int64, doing: String
  ) async throws -> Outcome {
    try await withScratch { scratch in
      let folder = scratch.appending("tree")
      try tree.write(to: folder)
      let log = try await bubblewrap(step, folder, sourceDate, doing: doing)
      guard log.succeeded else {
        throw ReleaseError(
          .failed, at: step.location, doing: doing, reason: log.complaint,
          advice: step.inputs.isEmpty
            ? "the step runs without network and sees only this machine's programs and the tree"
            : "the step runs without network and sees only this machine's programs and the files that 'inputs' names")
      }
      return try collect(folder, step, tree)
    }
  }

  private static func bubblewrap(
    _ step: Manifest.PrepareStep, _ folder: FilePath, _ sourceDate: Int64, doing: String
  ) async throws -> Command.Outcome {
    let sandbox = Sandbox(
      [
        .readOnly("/", at: "/"), .devices, .processes, .empty("/tmp"), .empty("/var/tmp"),
        .writable(folder, at: FilePath(place)),
      ],
      namespaces: .all, capabilities: .none,
      environment: [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8", "TZ": "UTC", "SOURCE_DATE_EPOCH": String(sourceDate),
      ],
      directory: FilePath(place), hasOwnSession: true)
    let script = Script(PackageResources.prepare_sh).text
    return try await sandbox.run("/bin/sh", ["-c", script, "prepare"] + step.run, doing: doing)
  }

  private static func collect(
    _ folder: FilePath, _ step: Manifest.PrepareStep, _ tree: ReleaseTree
  ) throws -> Outcome {
    let doing = "taking what the prepare step made"
    var outcome = Outcome()
    var seen: PathSet = []
    func add(_ path: String, _ content: FileContent, isExecutable: Bool) {
      if let known = tree[path], known.content == content, content.isLink || known.isExecutable == isExecutable {
        return
      }
      outcome.made[path] = FileEntry(content: content, isExecutable: isExecutable)
    }
    try DirectoryWalker(folder, doing: doing).walk { entry in
      guard let path = entry.text else {
        throw ReleaseError(
          .failed, at: step.location, doing: doing, reason: "the name \(entry.shown) is not UTF-8")
      }
      if step.exclude.contains(where: { $0.matches(path) }) && tree[path] == nil { return .prune }
      if entry.kind != .folder, let fault = RelativePath.fault(of: path) {
        throw ReleaseError(.failed, at: step.location, doing: doing, reason: "the path \(path) \(fault)")
      }
      switch entry.kind {
      case .folder: return .goOn
      case .link:
        seen.insert(path)
        let target = try entry.target()
        if tree[path]?.content == .link(target) || linkStaysInside(path, target: target) {
          add(path, .link(target), isExecutable: false)
        } else {
          let (bytes, isExecutable) = try follow(target, from: path, root: folder)
          outcome.made[path] = FileEntry(content: .file(bytes), isExecutable: isExecutable)
          outcome.copied.insert(path)
        }
      case .regular:
        seen.insert(path)
        add(path, .file(try entry.read()), isExecutable: entry.isExecutable)
      case .other:
        throw ReleaseError(.failed, doing: doing, reason: "\(path) is not a file")
      }
      return .goOn
    }
    outcome.removed = tree.paths.filter { !seen.contains($0) }
    return outcome
  }

  /// The file that a link out of the tree names, as the sandbox saw it.
  private static func follow(_ target: String, from path: String, root: FilePath) throws -> ([UInt8], Bool) {
    guard target.startsInBytes(with: "/"), !target.startsInBytes(with: place), let resolved = realpath(target, nil)
    else {
      throw ReleaseError(
        .failed, doing: "taking what the prepare step made", reason: "the link \(path) leads nowhere, to \(target)")
    }
    defer { free(resolved) }
    let file = FilePath(platformString: resolved)
    guard file.starts(with: "/usr") else {
      throw ReleaseError(
        .failed, doing: "taking what the prepare step made",
        reason: "the link \(path) leads to \(file), which is not part of an installed package")
    }
    var status = stat()
    _ = stat(file.string, &status)
    return (try Files.read(file), status.st_mode & 0o100 != 0)
  }
}
