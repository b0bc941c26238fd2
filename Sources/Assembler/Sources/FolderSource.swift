// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import SystemPackage

/// A folder as it stands. Folders named `.git` are not part of it.
package struct FolderSource: Sendable {
  package var path: FilePath
  /// Release date in seconds since 1970; without it, the newest time of a wanted file.
  package var date: Int64?

  package init(path: FilePath, date: Int64? = nil) {
    self.path = path
    self.date = date
  }

  private var doing: String { "reading the folder \(path)" }

  package func read(_ selection: Selection) async throws -> SourceContent {
    guard Files.isFolder(path) else {
      throw ReleaseError(.source, doing: doing, reason: "there is no such folder", remedy: AssemblerRemedy.giveFolder)
    }
    var files: [String: SourceFile] = [:]
    var newest: Int64 = 0
    try walk(path, prefix: "", selection, &files, &newest)
    var hasher = SHA256Digest.Hasher()
    for (path, file) in files.sorted(by: { $0.key < $1.key }) {
      switch file.content {
      case .file(let bytes): hasher.update("\(path)\0\(file.isExecutable)\0\(SHA256Digest(of: bytes))\0")
      case .link(let target): hasher.update("\(path)\0link\0\(target)\0")
      }
    }
    let kernel = files["Makefile"].flatMap { KernelRelease(makefile: $0.content.fileBytes) }
    let pin = SourcePin(kind: "folder", sha256: hasher.finalize(), kernel: kernel?.text, date: date ?? newest)
    return SourceContent(files: files, pin: pin)
  }

  private func walk(
    _ folder: FilePath, prefix: String, _ selection: Selection, _ files: inout [String: SourceFile],
    _ newest: inout Int64
  ) throws {
    try Task.checkCancellation()
    for raw in try Files.names(in: folder) {
      guard let name = String(validating: raw, as: UTF8.self) else {
        throw ReleaseError(
          .source, doing: doing, reason: "the name \(prefix)\(String(decoding: raw, as: UTF8.self)) is not UTF-8")
      }
      if name == ".git" { continue }
      let inner = prefix + name
      let full = folder.appending(name)
      var status = stat()
      guard lstat(full.string, &status) == 0 else { throw ReleaseError(errno: errno, doing: "reading \(full)") }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        // Nothing below it could stand in a release, and at 4096 bytes it could not be opened.
        guard inner.utf8.count < 1000 else {
          throw ReleaseError(
            .source, doing: doing, reason: "a path has \(inner.utf8.count) bytes or more: \(inner.prefix(60))…")
        }
        try walk(full, prefix: inner + "/", selection, &files, &newest)
      case S_IFLNK where selection.wants(inner):
        let target = try readLink(full)
        guard linkStaysInside(inner, target: target) else {
          throw ReleaseError(.source, doing: doing, reason: "the link \(inner) leads out of the tree, to \(target)")
        }
        files[inner] = SourceFile(content: .link(target), isExecutable: false)
      case S_IFREG where selection.wants(inner):
        let bytes = try Files.read(full)
        files[inner] = SourceFile(content: .file(bytes), isExecutable: status.st_mode & 0o100 != 0)
        newest = max(newest, Int64(status.st_mtim.tv_sec))
      case S_IFREG, S_IFLNK:
        continue
      default:
        if selection.wants(inner) {
          throw ReleaseError(.source, doing: doing, reason: "\(inner) is a device or something else that is not a file")
        }
      }
    }
  }
}
