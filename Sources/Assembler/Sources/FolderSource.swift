// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// A folder as it is, without folders named `.git`.
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
    var files = ByPath<SourceFile>()
    var newest: Int64 = 0
    let (_, contents) = try ContentStore.temporary()
    try DirectoryWalker(path, doing: doing, code: .source).walk { entry in
      guard let inner = entry.text else {
        throw ReleaseError(.source, doing: doing, reason: "the name \(entry.shown) is not UTF-8")
      }
      if entry.name == Array(".git".utf8) { return .prune }
      guard entry.kind != .folder, selection.wants(inner) else { return .goOn }
      if let fault = RelativePath.fault(of: inner) {
        throw ReleaseError(.source, doing: doing, reason: "the path \(inner) \(fault)")
      }
      switch entry.kind {
      case .link:
        let target = try entry.target()
        if let fault = fault(ofLink: inner, to: target) {
          throw ReleaseError(.source, doing: doing, reason: "the link \(inner) \(fault)")
        }
        files[inner] = SourceFile(content: .link(target), isExecutable: false)
      case .regular:
        files[inner] = SourceFile(
          content: .regular(try contents.add(try entry.read())), isExecutable: entry.isExecutable)
        newest = max(newest, Int64(entry.status.st_mtim.tv_sec))
      case .other, .folder:
        throw ReleaseError(.source, doing: doing, reason: "\(inner) is a device or something else that is not a file")
      }
      return .goOn
    }
    try contents.flush()
    var hasher = SHA256Digest.Hasher()
    for (path, file) in files.sortedByBytes(\.key) {
      switch file.content {
      case .regular(let bytes): hasher.update("\(path)\0\(file.isExecutable)\0\(bytes.sha256)\0")
      case .link(let target): hasher.update("\(path)\0link\0\(target)\0")
      }
    }
    let kernel = try files["Makefile"].flatMap { KernelRelease(makefile: try $0.readFile()) }
    let pin = SourcePin(kind: "folder", sha256: hasher.finalize(), kernel: kernel?.text, date: date ?? newest)
    return SourceContent(files: files, pin: pin)
  }
}
