// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import Synchronization
import SystemPackage
import TestSupport

@testable import Assembler

/// A small tree and a series on it, in memory.
enum PatchFixture {
  /// Text files 0644, `run.sh` 0755, an empty file, a link, a file of 300 bytes that are no text.
  static let files: ByPath<SourceFile> = {
    func file(_ text: String, _ isExecutable: Bool = false) -> SourceFile {
      SourceFile(content: .file(Array(text.utf8)), isExecutable: isExecutable, blob: "blob of \(text.count)")
    }
    func lines(_ range: ClosedRange<Int>) -> String { range.map { "\($0)\n" }.joined() }
    return [
      "a.c": file(lines(1...30)), "b.c": file("x\n"), "void": file(""), "run.sh": file("#!/bin/sh\necho\n", true),
      "ln": SourceFile(content: .link("a.c"), isExecutable: false), "d/f": file(lines(1...20)),
      "sp ace": file(lines(40...60)), "q\"uo\\é": file(lines(1...5)),
      "bin": SourceFile(content: .file((0..<300).map { UInt8($0 * 7 % 256) }), isExecutable: false),
    ]
  }()

  static func series(_ patches: [(name: String, text: [UInt8])], _ series: String? = nil) throws -> PatchSeries {
    let list = series ?? patches.map { "\($0.name)\n" }.joined()
    return try PatchSeries(file: "p/series") { name in
      if name == "p/series" { return Array(list.utf8) }
      guard let patch = patches.first(where: { "p/\($0.name)" == name }) else {
        throw ReleaseError(.input, doing: "reading \(name)", reason: "No such file")
      }
      return patch.text
    }
  }

  /// What a series makes of `files`.
  static func apply(
    _ patches: [(name: String, text: [UInt8])], _ list: String? = nil, to files: ByPath<SourceFile> = files,
    progress: Progress = .silent
  ) async throws -> ByPath<SourceFile> {
    var files = files
    try await series(patches, list).apply(to: &files, progress: progress)
    return files
  }

  static func apply(
    _ text: String, _ list: String? = nil, to files: ByPath<SourceFile> = files, progress: Progress = .silent
  ) async throws -> ByPath<SourceFile> {
    try await apply([("fix.patch", Array(text.utf8))], list, to: files, progress: progress)
  }

  static func text(_ file: SourceFile?) throws -> String? {
    try file.map { String(decoding: try $0.content.read(), as: UTF8.self) }
  }

  /// A change of the second line of `a.c`, with LF and without `diff --git`.
  static let hunk = "--- a/a.c\n+++ b/a.c\n@@ -1,3 +1,3 @@\n 1\n-2\n+TWO\n 3\n"

  /// A new link, as git writes it.
  static func link(_ path: String, to target: String) -> String {
    "diff --git a/\(path) b/\(path)\nnew file mode 120000\nindex 0000000..1234567\n--- /dev/null\n+++ b/\(path)\n"
      + "@@ -0,0 +1 @@\n+\(target)\n\\ No newline at end of file\n"
  }

  /// The tree of `files` in a repository, the patch that `diff` makes of it after `script`, and what `apply` makes of that
  /// patch on the tree as it was.
  static func git(
    _ script: String, diff: String = "git add -A; git diff --cached --binary -M", apply: String = "git apply"
  ) async throws -> (patch: [UInt8], tree: ByPath<FileEntry>) {
    try await withScratch { scratch in
      let folder = scratch.appending("repository")
      try TreeWriter(folder).write(
        files.map { TreeWriter.Entry($0, $1.content, mode: $1.isExecutable ? 0o755 : 0o644) })
      try await Fixture.shell(
        """
        git init -q .; git config user.name A; git config user.email a@example.org; git config core.quotePath true
        # Files as they are stored, whatever attributes the tree has.
        echo '* -text -eol -ident' > .git/info/attributes
        git add -A; git commit -qm base; git tag base
        \(script)
        { \(diff); } > ../patch
        git reset -q --hard base; git clean -qfd; \(apply) ../patch
        """, in: folder)
      let patch = try Files.read(scratch.appending("patch"))
      var tree: ByPath<FileEntry> = [:]
      try DirectoryWalker(folder).walk { entry in
        if entry.name == Array(".git".utf8) { return .prune }
        guard entry.kind != .folder, let path = entry.text else { return .goOn }
        let content: FileContent = try entry.kind == .link ? .link(entry.target()) : .file(entry.read())
        tree[path] = FileEntry(content: content, isExecutable: entry.kind == .regular && entry.isExecutable)
        return .goOn
      }
      return (patch, tree)
    }
  }

  static func entries(_ files: ByPath<SourceFile>) -> ByPath<FileEntry> {
    files.mapValues { FileEntry(content: $0.content, isExecutable: $0.isExecutable) }
  }

  /// What a run tells, in its order.
  static func told(_ body: (Progress) async throws -> Void) async throws -> [String] {
    let lines = Mutex<[String]>([])
    try await body(
      Progress { event in
        if case .told(let diagnostic) = event {
          lines.withLock { $0.append("\(diagnostic.severity.rawValue): \(diagnostic.reason)") }
        }
      })
    return lines.withLock { $0 }
  }
}
