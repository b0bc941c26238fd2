// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// A file of a package, as installed. It belongs to root.
package struct PackageFile: Sendable, Equatable {
  /// Its path on the target, without the leading slash: `usr/src/sample-7.4/Makefile`.
  package var path: String
  package var content: FileContent
  /// Permission bits of a file, such as 0o644. Links have none.
  package var mode: UInt32
  /// Whether it lists the others, so that it changes with any of them.
  package var isRecord: Bool

  package init(path: String, content: FileContent, mode: UInt32 = 0o644, isRecord: Bool = false) {
    self.path = path
    self.content = content
    self.mode = mode
    self.isRecord = isRecord
  }

  package var isLink: Bool { content.isLink }
}

/// The files of a package and their folders, checked and in byte order.
struct PackageLayout {
  /// Every folder comes before its contents.
  enum Entry {
    case folder(String)
    case file(PackageFile)

    var path: String {
      switch self {
      case .folder(let path): path
      case .file(let file): file.path
      }
    }
  }

  let entries: [Entry]

  /// - Throws: `ReleaseError` with code `input` for a path that is not plain, or occurs twice.
  init(_ files: [PackageFile], doing: String) throws {
    var found = ByPath<Entry>()
    var folders: PathSet = []
    for file in files {
      func refuse(_ reason: String) -> ReleaseError {
        ReleaseError(.input, doing: doing, reason: "'\(file.path)' \(reason)")
      }
      if let fault = RelativePath.fault(of: file.path) { throw refuse(fault) }
      let parts = file.path.pathParts
      if case .link(let target) = file.content, target.isEmpty || target.utf8.contains(0) {
        throw refuse("is a link to nowhere")
      }
      guard file.mode & ~0o7777 == 0 else { throw refuse("has the mode \(String(file.mode, radix: 8))") }
      guard found[file.path] == nil else { throw refuse("is there twice") }
      found[file.path] = .file(file)
      for count in 1..<max(1, parts.count) { folders.insert(parts[..<count].joined(separator: "/")) }
    }
    for folder in folders {
      guard found[folder] == nil else {
        throw ReleaseError(.input, doing: doing, reason: "'\(folder)' is a file and a folder")
      }
      found[folder] = .folder(folder)
    }
    entries = found.map(\.value).sortedByBytes(\.path)
  }
}
