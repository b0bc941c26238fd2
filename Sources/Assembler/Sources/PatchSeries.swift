// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import SystemPackage

/// A quilt series: a list of patches, applied in order with GNU patch.
///
/// A hunk may apply at another line (reported), or with fuzz (a warning); a hunk that fails is an error that names
/// patch, file and hunk.
package struct PatchSeries: Sendable {
  package struct Patch: Sendable {
    /// The name in the series.
    package var name: String
    package var bytes: [UInt8]
    /// Leading parts that are taken off a path: `-p1` unless the series says otherwise.
    package var strip: Int
    /// The files that it changes, makes or removes.
    package var paths: [String]
  }

  package var file: String
  /// The series file itself.
  package let bytes: [UInt8]
  package var patches: [Patch]

  /// Reads a `series` file and the patches beside it.
  ///
  /// - Parameter read: gives the bytes of a file named relative to the manifest.
  package init(file: String, read: (String) throws -> [UInt8]) throws {
    self.file = file
    patches = []
    let folder = FilePath(file).removingLastComponent()
    bytes = try read(file)
    let text = String(decoding: bytes, as: UTF8.self)
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let name = words.first else { continue }
      let place = SourceLocation(file: file, line: number + 1, column: 1)
      var strip = 1
      for option in words.dropFirst() {
        guard option.hasPrefix("-p"), let count = Int(option.dropFirst(2)), (0...9).contains(count) else {
          throw ReleaseError(
            .input, at: place, doing: "reading the series", reason: "unknown option '\(option)'",
            advice: "only -pN can follow a patch")
        }
        strip = count
      }
      guard isCleanPath(name) else {
        throw ReleaseError(.input, at: place, doing: "reading the series", reason: "'\(name)' is not a plain path")
      }
      let bytes = try read(folder.appending(name).string)
      let paths = try PatchSeries.paths(in: bytes, strip: strip, patch: name)
      patches.append(Patch(name: name, bytes: bytes, strip: strip, paths: paths))
    }
  }

  package var paths: Set<String> { Set(patches.flatMap(\.paths)) }

  package var pins: [SourcePin.PatchPin] {
    patches.map { SourcePin.PatchPin(name: $0.name, sha256: SHA256Digest(of: $0.bytes)) }
  }

  /// The files that the headers of a unified diff name.
  private static func paths(in bytes: [UInt8], strip: Int, patch: String) throws -> [String] {
    let (old, new, binary) = (Array("--- ".utf8), Array("+++ ".utf8), Array("GIT binary patch".utf8))
    var found: [String] = []
    var known: Set<String> = []
    let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      var name: String?
      let isOld = line.starts(with: old)
      let isNew = line.starts(with: new)
      if isOld && number + 1 < lines.count && lines[number + 1].starts(with: new)
        || isNew && number > 0 && lines[number - 1].starts(with: old)
      {
        name = String(decoding: line.dropFirst(4), as: UTF8.self)
          .split(separator: "\t", maxSplits: 1).first.map { String($0).trimmed }
      } else if line.starts(with: binary) {
        throw ReleaseError(
          .input, doing: "reading the patch \(patch)", reason: "it holds a binary patch",
          advice: "add the file with a rule of the manifest")
      }
      guard let name, name != "/dev/null" else { continue }
      let path = name.split(separator: "/", omittingEmptySubsequences: false).dropFirst(strip).joined(separator: "/")
      guard isCleanPath(path) else {
        throw ReleaseError(.input, doing: "reading the patch \(patch)", reason: "it changes '\(name)', out of the tree")
      }
      if known.insert(path).inserted { found.append(path) }
    }
    guard !found.isEmpty else {
      throw ReleaseError(.input, doing: "reading the patch \(patch)", reason: "it changes no file")
    }
    return found
  }

  /// Applies the series to `files`.
  package func apply(to files: inout ByPath<SourceFile>, progress: Progress) async throws {
    let before = files
    files = try await withScratch { scratch in
      var files = before
      let tree = scratch.appending("tree")
      try TreeWriter(tree).write(
        paths.compactMap { path in
          guard let file = files[path] else { return nil }
          guard !file.content.isLink else {
            throw ReleaseError(.source, doing: "applying \(self.file)", reason: "\(path) is a link")
          }
          return TreeWriter.Entry(path, file.content, mode: file.isExecutable ? 0o755 : 0o644)
        })
      for patch in patches {
        try await run(patch, in: tree, scratch: scratch, progress: progress)
        for path in patch.paths {
          let full = tree.pushing(FilePath(path))
          guard Files.exists(full) else {
            files[path] = nil
            continue
          }
          let bytes = try Files.read(full)
          var file = files[path] ?? SourceFile(content: .file([]), isExecutable: false)
          file.content = .file(bytes)
          // The blob id is that of the content before the patch: origin plus patches tell the whole story.
          file.patches.append(patch.name)
          files[path] = file
        }
      }
      return files
    }
  }

  /// Applies the series to a release; the origin of each file that it touches says so.
  ///
  /// - Parameter vendor: who changes the release, as `by.acme.1`: it stands before the names of the patches in origins,
  ///   and is the source of files that they add.
  package func apply(to tree: inout ReleaseTree, by vendor: String? = nil, progress: Progress) async throws {
    var files = ByPath<SourceFile>()
    for path in paths {
      guard let entry = tree[path] else { continue }
      files[path] = SourceFile(content: entry.content, isExecutable: entry.isExecutable)
    }
    try await apply(to: &files, progress: progress)
    for path in paths {
      guard let file = files[path] else {
        tree[path] = nil
        continue
      }
      var origin = tree[path]?.origin ?? Origin(source: vendor ?? "generated")
      origin.patches = (origin.patches ?? []) + file.patches.map { name in vendor.map { "\($0)/\(name)" } ?? name }
      tree[path] = TreeEntry(content: file.content, isExecutable: file.isExecutable, origin: origin)
    }
  }

  private func run(_ patch: Patch, in tree: FilePath, scratch: FilePath, progress: Progress) async throws {
    let doing = "applying the patch \(patch.name) of \(file)"
    let command = Command(
      "patch",
      [
        "-p\(patch.strip)", "--unified", "--batch", "--forward", "--no-backup-if-mismatch", "--fuzz=2",
        "--reject-file=-", "-E",
      ],
      environment: Command.plainEnvironment.merging(["TMPDIR": scratch.string]) { $1 }, directory: tree)
    let outcome = try await command.run(input: patch.bytes, doing: doing)
    var current = ""
    for line in outcome.text.split(separator: "\n").map(String.init) {
      if line.hasPrefix("patching file ") { current = String(line.dropFirst(14)) }
      if line.contains("previously applied") {
        throw ReleaseError(
          .source, doing: doing, reason: "\(current): it is applied already", advice: "take it out of the series")
      }
      if line.hasPrefix("can't find file to patch") || line.contains("Skipping patch")
        || line.contains("No file to patch")
      {
        throw ReleaseError(
          .source, doing: doing, reason: "a file that it changes is not there (\(patch.paths.joined(separator: ", ")))",
          advice: "the patch is for another release: refresh it")
      }
      if line.hasPrefix("Hunk #") {
        if line.contains("FAILED") {
          let hunk = line.split(separator: " ").dropFirst().first ?? ""
          throw ReleaseError(
            .source, doing: doing, reason: "\(current): hunk \(hunk) does not apply",
            advice: "the patch is for another release: refresh it")
        }
        if line.contains("with fuzz") {
          progress.warning("\(patch.name): \(current): \(line)")
        } else if line.contains("offset") {
          progress.note("\(patch.name): \(current): \(line)")
        }
      }
    }
    guard outcome.succeeded else {
      let said = outcome.errors.isEmpty ? outcome.text.split(separator: "\n").last.map(String.init) : nil
      let last = said ?? outcome.lastErrorLine
      throw ReleaseError(
        .source, doing: doing, reason: current.isEmpty ? last : "\(current): \(last)",
        advice: "the patch is for another release, or is applied already")
    }
  }
}
