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
      try materialize(tree, in: folder)
      let log = try await bubblewrap(step, folder, sourceDate, doing: doing)
      guard log.succeeded else {
        throw ReleaseError(
          .failed, at: step.location, doing: doing, reason: log.complaint,
          advice: "the step runs without network and sees only this machine's programs and the tree")
      }
      var seen: Set<String> = []
      try collect(folder, root: folder, prefix: "", step, generator, into: &tree, &seen)
      for path in before.entries.keys where !seen.contains(path) { tree[path] = nil }
      return tree
    }
  }

  /// Writes a tree to a folder, as the sandbox and the tests need it.
  package static func materialize(_ tree: ReleaseTree, in folder: FilePath) throws {
    try Files.makeFolder(folder)
    for path in tree.folders { try Files.makeFolder(folder.pushing(FilePath(path))) }
    for (path, entry) in tree.entries {
      let full = folder.pushing(FilePath(path))
      switch entry.content {
      case .file(let bytes): try Files.write(bytes, to: full, mode: entry.mode)
      case .link(let target):
        guard symlink(target, full.string) == 0 else { throw ReleaseError(errno: errno, doing: "writing \(full)") }
      }
    }
  }

  private static func bubblewrap(
    _ step: Manifest.PrepareStep, _ folder: FilePath, _ sourceDate: Int64, doing: String
  ) async throws -> Command.Outcome {
    var arguments = [
      "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv",
      "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp",
      "--bind", folder.string, place, "--chdir", place,
    ]
    let environment = [
      ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("HOME", "/nonexistent"),
      ("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("SOURCE_DATE_EPOCH", String(sourceDate)),
    ]
    for (name, value) in environment { arguments += ["--setenv", name, value] }
    arguments += ["/bin/sh", "-c", Script(PackageResources.prepare_sh).text, "prepare"] + step.run
    return try await Command("bwrap", arguments).run(doing: doing)
  }

  private static func collect(
    _ folder: FilePath, root: FilePath, prefix: String, _ step: Manifest.PrepareStep, _ generator: String,
    into tree: inout ReleaseTree, _ seen: inout Set<String>
  ) throws {
    for raw in try Files.names(in: folder) {
      guard let name = String(validating: raw, as: UTF8.self) else {
        throw ReleaseError(
          .failed, at: step.location, doing: "taking what the prepare step made",
          reason: "the name \(prefix)\(String(decoding: raw, as: UTF8.self)) is not UTF-8")
      }
      let path = prefix + name
      let full = folder.appending(name)
      if step.exclude.contains(where: { $0.matches(path) }) && tree[path] == nil { continue }
      var status = stat()
      guard lstat(full.string, &status) == 0 else { throw ReleaseError(errno: errno, doing: "reading \(path)") }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        try collect(full, root: root, prefix: path + "/", step, generator, into: &tree, &seen)
      case S_IFLNK:
        seen.insert(path)
        let target = try readLink(full)
        if case .link(target)? = tree[path]?.content { continue }
        let origin = Origin(source: "generated", generator: generator)
        if linkStaysInside(path, target: target) {
          tree[path] = TreeEntry(content: .link(target), origin: origin)
        } else {
          let (bytes, isExecutable) = try follow(target, from: path, root: root)
          tree[path] = TreeEntry(content: .file(bytes), isExecutable: isExecutable, origin: origin)
        }
      case S_IFREG:
        seen.insert(path)
        let bytes = try Files.read(full)
        let isExecutable = status.st_mode & 0o100 != 0
        if let known = tree[path], known.content == .file(bytes), known.isExecutable == isExecutable { continue }
        // A file that the step changed came from somewhere all the same: that stays in its origin.
        var origin = tree[path]?.origin ?? Origin(source: "generated")
        origin.generator = generator
        tree[path] = TreeEntry(content: .file(bytes), isExecutable: isExecutable, origin: origin)
      default:
        throw ReleaseError(.failed, doing: "taking what the prepare step made", reason: "\(path) is not a file")
      }
    }
  }

  /// The file that a link out of the tree names, as the sandbox saw it.
  private static func follow(_ target: String, from path: String, root: FilePath) throws -> ([UInt8], Bool) {
    guard target.hasPrefix("/"), !target.hasPrefix(place), let resolved = realpath(target, nil) else {
      throw ReleaseError(
        .failed, doing: "taking what the prepare step made", reason: "the link \(path) leads nowhere, to \(target)")
    }
    defer { free(resolved) }
    let file = FilePath(platformString: resolved)
    guard file.starts(with: "/usr") else {
      throw ReleaseError(
        .failed, doing: "taking what the prepare step made",
        reason: "the link \(path) leads to \(file), which is no part of an installed package")
    }
    var status = stat()
    _ = stat(file.string, &status)
    return (try Files.read(file), status.st_mode & 0o100 != 0)
  }
}
