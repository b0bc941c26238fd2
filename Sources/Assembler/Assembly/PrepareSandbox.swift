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

  /// Runs `step` in `tree`.
  ///
  /// New and changed files get the command and `tools` as their generator. A link that leaves the tree becomes the
  /// file that it names.
  package static func run(
    _ step: Manifest.PrepareStep, in tree: inout ReleaseTree, tools: [String: String], sourceDate: Int64
  ) async throws {
    let words = step.run.joined(separator: " ")
    let doing = "running '\(words)'"
    let generator =
      "\(words)"
      + (tools.isEmpty ? "" : " with " + tools.sorted { $0.key < $1.key }.map(\.value).joined(separator: ", "))
    let before = tree
    tree = try await withScratch { scratch in
      var tree = before
      let folder = scratch.appending("tree")
      try tree.write(to: folder)
      let log = try await bubblewrap(step, folder, sourceDate, doing: doing)
      guard log.succeeded else {
        throw ReleaseError(
          .failed, at: step.location, doing: doing, reason: log.complaint,
          advice: "the step runs without network and sees only this machine's programs and the tree")
      }
      var seen: PathSet = []
      try collect(folder, step, generator, into: &tree, &seen)
      for path in before.entries.keys where !seen.contains(path) { tree[path] = nil }
      return tree
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
    _ folder: FilePath, _ step: Manifest.PrepareStep, _ generator: String, into tree: inout ReleaseTree,
    _ seen: inout PathSet
  ) throws {
    let doing = "taking what the prepare step made"
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
        if tree[path]?.content == .link(target) { return .goOn }
        let origin = Origin(source: "generated", generator: generator)
        if linkStaysInside(path, target: target) {
          tree[path] = TreeEntry(content: .link(target), origin: origin)
        } else {
          let (bytes, isExecutable) = try follow(target, from: path, root: folder)
          tree[path] = TreeEntry(content: .file(bytes), isExecutable: isExecutable, origin: origin)
        }
      case .regular:
        seen.insert(path)
        let bytes = try entry.read()
        if let known = tree[path], known.content == .file(bytes), known.isExecutable == entry.isExecutable {
          return .goOn
        }
        // A file that the step changed came from somewhere all the same: that stays in its origin.
        var origin = tree[path]?.origin ?? Origin(source: "generated")
        origin.generator = generator
        tree[path] = TreeEntry(content: .file(bytes), isExecutable: entry.isExecutable, origin: origin)
      case .other:
        throw ReleaseError(.failed, doing: doing, reason: "\(path) is not a file")
      }
      return .goOn
    }
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
