// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import SystemPackage

/// The wanted files of archives that were read before. Each selection has a folder with `data`, the concatenated
/// contents, and `index.json`.
struct ArchiveCache {
  private let folder: FilePath

  init(_ folder: FilePath) { self.folder = folder }

  private struct Index: Codable {
    struct File: Codable {
      var path: String
      var isExecutable: Bool
      var link: String?
      var size: Int
      var sha256: SHA256Digest?
    }
    var pin: SourcePin
    var files: [File]
  }

  /// The entry for `key`, each file verified against its digest; nil if anything is missing or wrong.
  func content(_ key: String) -> SourceContent? {
    let folder = folder.appending(key)
    guard let index = try? JSON.decode(Index.self, from: Files.read(folder.appending("index.json"))),
      let data = try? ContentStore(reading: folder.appending("data"))
    else { return nil }
    var files = ByPath<SourceFile>()
    var offset: Int64 = 0
    for file in index.files {
      let content: FileContent
      if let link = file.link {
        content = .link(link)
      } else {
        guard let sha256 = file.sha256, file.size >= 0 else { return nil }
        let bytes = data.range(offset: offset, count: file.size, sha256: sha256)
        guard (try? bytes.computeDigest()) == sha256 else { return nil }
        content = .regular(bytes)
        offset += Int64(file.size)
      }
      files[file.path] = SourceFile(content: content, isExecutable: file.isExecutable)
    }
    return SourceContent(files: files, pin: index.pin)
  }

  /// Stores what was read. Errors are ignored: a cache that cannot be written only costs time.
  func store(_ content: SourceContent, _ key: String) async {
    let folder = folder.appending(key)
    do {
      try Files.makeFolder(folder, mode: 0o700)
      let paths = content.files.keys.sortedByBytes()
      var files: [Index.File] = []
      try await Files.replace(folder.appending("data")) { data in
        for path in paths {
          guard let file = content.files[path] else { continue }
          var entry = Index.File(path: path, isExecutable: file.isExecutable, size: 0)
          switch file.content {
          case .regular(let bytes):
            try bytes.forEachPiece { try data.append($0) }
            let written = data.finishContent()
            entry.size = written.count
            entry.sha256 = written.sha256
          case .link(let target): entry.link = target
          }
          files.append(entry)
        }
      }
      let index = Index(pin: content.pin, files: files)
      try Files.replace(folder.appending("index.json"), with: try JSON.encode(index))
    } catch {
      try? Files.remove(folder)
    }
  }
}
