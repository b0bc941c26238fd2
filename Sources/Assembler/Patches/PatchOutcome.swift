// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// The result of a series for the files that it names.
struct PatchOutcome {
  struct File {
    var content: FileContent
    var isExecutable: Bool
    var entry: PatchedTree.Entry
  }

  /// The files that exist afterwards and that a patch touched.
  var files = ByPath<File>()
  /// The removed files.
  var removed: [String] = []
}

extension PatchSeries {
  /// Applies the series.
  ///
  /// - Parameter held: the content of the tree at a path.
  func apply(_ held: (String) -> FileEntry?, progress: Progress) async throws -> PatchOutcome {
    let before = ByPath(needed.compactMap { path in held(path).map { (path, $0) } })
    let entries = before.map { path, entry in
      let kind = entry.content.isLink ? PatchedTree.Kind.link : .file(isExecutable: entry.isExecutable)
      return (path, PatchedTree.Entry(kind: kind, origin: path))
    }
    let start = PatchedTree(ByPath(entries), series: file)
    // Check the paths before running anything.
    var expected = start
    for patch in patches { for step in patch.steps { try expected.apply(step, of: patch) } }
    return try await withScratch { scratch in
      let run = PatchRun(self, in: scratch)
      try TreeWriter(run.tree).write(
        before.map { TreeWriter.Entry($0, $1.content, mode: $1.isExecutable ? 0o755 : 0o644) })
      var tree = start
      for said in try await run.apply() {
        said.log.tell(of: said.patch, progress)
        try tree.apply(said.step, of: said.patch, named: said.log.files)
      }
      return try outcome(in: run.tree, tree, before)
    }
  }

  /// Reads the scratch tree, and checks that it is what the patches say.
  private func outcome(
    in folder: FilePath, _ tree: PatchedTree, _ before: ByPath<FileEntry>
  ) throws -> PatchOutcome {
    let doing = "applying \(file)"
    func patch(_ entry: PatchedTree.Entry?, _ path: String) -> String {
      entry?.patches.last ?? tree.removedBy[path] ?? "a patch"
    }
    var outcome = PatchOutcome()
    var seen = PathSet()
    try DirectoryWalker(folder, doing: doing).walk { found in
      guard found.kind != .folder else { return .goOn }
      guard let path = found.text else {
        throw ReleaseError(.source, doing: doing, reason: "the name \(found.shown) is not UTF-8")
      }
      let entry = tree.entries[path]
      func unlike(_ reason: String) -> ReleaseError {
        ReleaseError(.source, doing: doing, reason: "\(patch(entry, path)): \(path) \(reason)")
      }
      guard found.kind != .other else { throw unlike("is a device or something else that is not a file") }
      guard let entry else { throw unlike("is there afterwards, which no patch says") }
      let isLink = found.kind == .link
      guard isLink == (entry.kind == .link) else { throw unlike(isLink ? "became a link" : "did not become a link") }
      guard isLink || found.isExecutable == entry.kind.isExecutable else {
        throw unlike("did not get the mode that it says, \(entry.kind.isExecutable ? "100755" : "100644")")
      }
      seen.insert(path)
      if entry.patches.isEmpty { return .goOn }
      var content = FileContent.file([])
      if isLink {
        let target = try found.target()
        guard linkStaysInside(path, target: target) else {
          throw unlike("is a link that leads out of the release, to \(target)")
        }
        content = .link(target)
      } else {
        content = .file(try found.read())
      }
      outcome.files[path] = PatchOutcome.File(
        content: content, isExecutable: !isLink && found.isExecutable, entry: entry)
      return .goOn
    }
    for (path, entry) in tree.entries.sorted(by: { $0.key.precedesInBytes($1.key) }) where !seen.contains(path) {
      guard entry.kind.isCertain else { continue }
      throw ReleaseError(
        .source, doing: doing,
        reason: "\(patch(entry, path)): \(path) is missing afterwards, although no patch removes it")
    }
    outcome.removed = before.keys.filter { !seen.contains($0) }
    return outcome
  }

  /// A file cannot be where the tree has a folder.
  private func checkFolders(_ outcome: PatchOutcome, _ paths: some Collection<String>) throws {
    let made = outcome.files.filter { $0.value.entry.origin != $0.key }
    guard !made.isEmpty else { return }
    let removed = Set(outcome.removed)
    for path in paths where !removed.contains(path) {
      for folder in RelativePath.folders(of: path) {
        guard let file = made[folder] else { continue }
        throw ReleaseError(
          .source, doing: "applying \(self.file)",
          reason: "\(file.entry.patches.last ?? "a patch"): it makes the file \(folder), and \(path) is there")
      }
    }
  }

  // MARK: applying

  /// Applies the series to the files of a source.
  ///
  /// - Parameter mark: a prefix for the names of the patches in origins; nil for the patches of the manifest.
  package func apply(to files: inout ByPath<SourceFile>, by mark: String? = nil, progress: Progress) async throws {
    let before = files
    let outcome = try await apply(
      { path in before[path].map { FileEntry(content: $0.content, isExecutable: $0.isExecutable) } }, progress: progress
    )
    try checkFolders(outcome, before.keys)
    for path in outcome.removed { files[path] = nil }
    for (path, made) in outcome.files {
      // The blob id is that of the content before the patches: the origin records both.
      var file = made.entry.origin.flatMap { before[$0] } ?? SourceFile(content: .file([]), isExecutable: false)
      if let origin = made.entry.origin, origin != path { file.path = file.path ?? origin }
      file.content = made.content
      file.isExecutable = made.isExecutable
      file.patches += made.entry.patches.map { name in mark.map { "\($0)/\(name)" } ?? name }
      files[path] = file
    }
  }

  /// Applies the series to a release, and records it in the origin of each file that it touches.
  ///
  /// - Parameter mark: who changes the release, such as `by.acme.1`: a prefix for the names of the patches in origins,
  ///   and the source of files that they add.
  package func apply(to tree: inout ReleaseTree, by mark: String? = nil, progress: Progress) async throws {
    let before = tree
    let outcome = try await apply(
      { path in before[path].map { FileEntry(content: $0.content, isExecutable: $0.isExecutable) } }, progress: progress
    )
    try checkFolders(outcome, before.entries.keys)
    for path in outcome.removed { tree[path] = nil }
    for (path, made) in outcome.files {
      var origin = made.entry.origin.flatMap { before[$0]?.origin } ?? Origin(source: mark ?? "generated")
      let names = made.entry.patches.map { name in mark.map { "\($0)/\(name)" } ?? name }
      origin.patches = (origin.patches ?? []) + names
      tree[path] = TreeEntry(content: made.content, isExecutable: made.isExecutable, origin: origin)
    }
  }
}
