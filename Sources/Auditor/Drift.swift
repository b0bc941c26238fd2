// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Diagnostics
import Files
import Model
import Processes
import SystemPackage

/// How the upstream part differs in a newer kernel release: the work ahead.
package struct Drift: Sendable, Codable, Equatable {
  package struct File: Sendable, Codable, Equatable {
    package enum Change: String, Sendable, Codable { case added, removed, changed }
    /// In the kernel tree.
    package var path: String
    /// In the release.
    package var releasePath: String
    package var change: Change
    /// Lines that the kernel has and the release has not, and the other way round. Nil for what is no text.
    package var linesAdded: Int?
    package var linesRemoved: Int?
  }

  /// The kernel release that the newer tree says it is.
  package var kernel: String?
  package var unchanged = 0
  /// By their path in the kernel tree.
  package var files: [File] = []

  package var linesAdded: Int { files.reduce(0) { $0 + ($1.linesAdded ?? 0) } }
  package var linesRemoved: Int { files.reduce(0) { $0 + ($1.linesRemoved ?? 0) } }

  package func count(_ change: File.Change) -> Int { files.count { $0.change == change } }

  /// Compares the upstream part of a release with a kernel tarball or folder.
  ///
  /// - Parameter cache: keeps what was read of a tarball.
  package init(
    _ tree: AuditedTree, against place: FilePath, cache: FilePath? = nil, progress: Progress
  ) async throws {
    let selection = Selection(rules: tree.rules, paths: ["Makefile"])
    let content =
      Files.isFolder(place)
      ? try await FolderSource(path: place).read(selection)
      : try await ArchiveSource(path: place, cache: cache).read(selection, progress: progress)
    kernel = content.pin.kernel
    let theirs = try content.files.filter { file in tree.rules.contains { $0.destination(of: file.key) != nil } }
      .compactMapValues { $0.content.isLink ? nil : try $0.content.read() }
    guard !theirs.isEmpty else {
      throw ReleaseError(
        .source, doing: "comparing with \(place)",
        reason: "it holds nothing of what belongs to mainline (\(tree.rules.map(\.from).shortened))",
        advice: "give a kernel release that has it")
    }
    // The first of several that mainline has in one place.
    let ours = ByPath(tree.paths(.upstream).reversed().compactMap { path in tree.mainline[path].map { ($0, path) } })
    try await compare(tree, ours, theirs)
  }

  private mutating func compare(
    _ tree: AuditedTree, _ ours: ByPath<String>, _ theirs: ByPath<[UInt8]>
  ) async throws {
    var before = ReleaseTree()
    var after = ReleaseTree()
    func entry(_ bytes: [UInt8]) -> TreeEntry { TreeEntry(content: .file(bytes), origin: Origin(source: "linux")) }
    for path in PathSet(ours.keys).union(theirs.keys).sortedByBytes() {
      let mine = ours[path].flatMap { tree[$0] }
      guard mine != theirs[path] else {
        unchanged += 1
        continue
      }
      if let mine { before[path] = entry(mine) }
      if let bytes = theirs[path] { after[path] = entry(bytes) }
      let destination = ours[path] ?? tree.rules.lazy.compactMap { $0.destination(of: path) }.first ?? path
      let change: File.Change = mine == nil ? .added : theirs[path] == nil ? .removed : .changed
      files.append(File(path: path, releasePath: destination, change: change))
    }
    guard !files.isEmpty else { return }
    let counts = try await Drift.lines(before, after)
    for index in files.indices {
      files[index].linesAdded = counts[files[index].path]?.added
      files[index].linesRemoved = counts[files[index].path]?.removed
    }
  }

  /// Counts as git does, and as everybody knows them.
  private static func lines(
    _ before: ReleaseTree, _ after: ReleaseTree
  ) async throws -> [String: (added: Int, removed: Int)] {
    try await withScratch { scratch in
      try before.write(to: scratch.appending("a"))
      try after.write(to: scratch.appending("b"))
      let environment = Command.plainEnvironment.merging([
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1", "HOME": "/nonexistent",
        "GIT_CEILING_DIRECTORIES": scratch.string,
      ]) { $1 }
      let doing = "comparing files"
      let outcome = try await Command(
        "git",
        ["diff", "--no-index", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "a", "b"],
        environment: environment, directory: scratch
      ).run(doing: doing)
      // 1: they differ.
      guard outcome.status == .exited(1) else {
        throw ReleaseError(.failed, doing: doing, reason: "git: \(outcome.complaint)")
      }
      return counts(outcome.output)
    }
  }

  /// Reads `ADDED TAB REMOVED TAB NUL a/PATH NUL b/PATH NUL`, or `… TAB PATH NUL` for one name.
  private static func counts(_ output: [UInt8]) -> [String: (added: Int, removed: Int)] {
    var counts: [String: (added: Int, removed: Int)] = [:]
    var fields = output.split(separator: 0, omittingEmptySubsequences: false)[...]
    while let field = fields.popFirst(), !field.isEmpty {
      let parts = field.split(separator: 0x09, maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { break }
      let numbers = parts[..<2].map { Int(String(decoding: $0, as: UTF8.self)) }
      var names = [parts[2]]
      if parts[2].isEmpty { names = [fields.popFirst() ?? [], fields.popFirst() ?? []] }
      // A file that one side lacks is /dev/null there.
      guard let name = names.first(where: { $0 != Array("/dev/null".utf8)[...] }), let added = numbers[0],
        let removed = numbers[1]
      else { continue }
      counts[String(decoding: name.dropFirst(2), as: UTF8.self)] = (added, removed)
    }
    return counts
  }
}
