// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Model
import SystemPackage

/// The released tarball: the tree, its plan and its origins.
package enum Tarball {
  package static let planPath = "lrelease/plan.json"
  package static let originsPath = "lrelease/origins.jsonl"

  /// Adds the records of the release to its tree.
  package static func addRecords(to tree: inout ReleaseTree, plan: Plan) throws {
    for path in [planPath, originsPath] where tree[path] != nil {
      throw ReleaseError(.input, doing: "assembling the tree", reason: "\(path) is reserved for a record of lrelease")
    }
    tree[planPath] = TreeEntry(content: .file(try JSON.encode(plan.portable)), origin: ownOrigin)
    tree[originsPath] = TreeEntry(content: .file(try OriginRecord.list(tree)), origin: ownOrigin)
  }

  /// The origin of these records.
  static let ownOrigin = Origin(source: "generated", generator: "lrelease")

  /// Writes the compressed tarball, all of it below `folder`.
  @discardableResult
  package static func write(
    _ tree: ReleaseTree, folder: String, codec: Codec, blocks: BlockLayout, time: Int64, to output: ContentStore.Writer,
    report: (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
  ) async throws -> FileBytes {
    var entries: [CompressedTar.Entry] = [.folder("\(folder)/")]
    var folders = tree.folders[...]
    for path in tree.paths {
      while let next = folders.first, next.precedesInBytes(path) {
        entries.append(.folder("\(folder)/\(next)/"))
        folders.removeFirst()
      }
      guard let entry = tree[path] else { continue }
      entries.append(
        .file(
          "\(folder)/\(path)", entry.content, mode: entry.mode, isRecord: path == planPath || path == originsPath))
    }
    return try await CompressedTar(codec, blocks: blocks, time: time, doing: "writing the tarball of \(folder)")
      .write(entries, to: output, report: report)
  }

  /// What a comparison of a tarball with its own origins found.
  package struct Verification: Sendable, Codable {
    package var files: Int
    /// Of a release folder, where the tarball is one of them.
    package var artifacts: Int?
    package var changed: [String] = []
    package var missing: [String] = []
    package var unknown: [String] = []

    package init(files: Int, artifacts: Int? = nil) {
      self.files = files
      self.artifacts = artifacts
    }

    package var isGood: Bool { changed.isEmpty && missing.isEmpty && unknown.isEmpty }
    /// What is wrong, a phrase for each file: `fs/inode.c is changed`.
    package var findings: [String] {
      [("changed", changed), ("missing", missing), ("not in the list", unknown)].flatMap { word, paths in
        paths.map { "\($0) is \(word)" }
      }
    }

    func demandGood(doing: String) throws {
      guard !isGood else { return }
      throw ReleaseError(
        .different, doing: doing, reason: findings.shortened,
        remedy: ReleasesRemedy.getTarballAgain)
    }
  }

  /// The origins list of a release tarball.
  package static func records(in files: ByPath<FileEntry>, doing: String) throws -> [OriginRecord] {
    guard let list = files[originsPath] else {
      throw ReleaseError(
        .source, doing: doing, reason: "it holds no \(originsPath)", advice: "it is not a release made by lrelease")
    }
    let records = try OriginRecord.parse(list.content.readFile(), file: originsPath)
    var listed: PathSet = []
    for (number, record) in records.enumerated() where !listed.insert(record.path) {
      throw ReleaseError(
        .source, at: SourceLocation(file: originsPath, line: number + 1, column: 1), doing: doing,
        reason: "it lists \(record.path) twice")
    }
    return records
  }

  /// Checks every file against the origins list, and the list against the files.
  static func verify(_ files: ByPath<FileEntry>, against records: [OriginRecord]) -> Verification {
    var result = Verification(files: records.count)
    var listed: PathSet = [originsPath]
    for record in records {
      listed.insert(record.path)
      guard let file = files[record.path] else {
        result.missing.append(record.path)
        continue
      }
      let entry = TreeEntry(content: file.content, isExecutable: file.isExecutable, origin: record.origin)
      if OriginRecord(path: record.path, entry: entry) != record { result.changed.append(record.path) }
    }
    result.unknown = files.keys.filter { !listed.contains($0) }.sortedByBytes()
    return result
  }
}
