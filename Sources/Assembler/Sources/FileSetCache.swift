// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import SystemPackage

/// Sets of files that were read or made before, each in one file: the size of its index in 20 digits, the index, and
/// the contents one after the other.
struct FileSetCache<Record: Codable & Sendable>: Sendable {
  private let cache: CacheFolder

  /// - Parameter limit: how many bytes are kept, of the sets that were used last.
  init(_ folder: FilePath, limit: Int64) { cache = CacheFolder(folder, limit: limit) }

  private struct Index: Codable {
    struct File: Codable {
      var path: String
      var isExecutable: Bool
      var link: String?
      var size: Int
      var sha256: SHA256Digest?
    }
    var record: Record
    var files: [File]
  }

  private static var sizeDigits: Int { 20 }

  /// The set that is kept under `key`, each file checked against its digest; nil where anything is missing or wrong.
  func files(_ key: SHA256Digest) -> (files: ByPath<FileEntry>, record: Record)? {
    guard let path = cache.use(key), let store = try? ContentStore(reading: path),
      let size = (try? Files.start(of: path, count: Self.sizeDigits)).flatMap({
        Int(String(decoding: $0, as: UTF8.self))
      }),
      size > 0, size < 1 << 30
    else { return nil }
    var offset = Int64(Self.sizeDigits)
    let placeholder = SHA256Digest(of: [])
    guard let text = try? store.range(offset: offset, count: size, sha256: placeholder).read(),
      let index = try? JSON.decode(Index.self, from: text)
    else { return nil }
    offset += Int64(size)
    var files = ByPath<FileEntry>()
    for file in index.files {
      let content: FileContent
      if let link = file.link {
        content = .link(link)
      } else {
        guard let sha256 = file.sha256, file.size >= 0 else { return nil }
        let bytes = store.range(offset: offset, count: file.size, sha256: sha256)
        guard (try? bytes.computeDigest()) == sha256 else { return nil }
        content = .regular(bytes)
        offset += Int64(file.size)
      }
      files[file.path] = FileEntry(content: content, isExecutable: file.isExecutable)
    }
    return (files, index.record)
  }

  /// Keeps a set. A cache that cannot be written costs time, not the release.
  func store(_ files: ByPath<FileEntry>, _ record: Record, _ key: SHA256Digest) async {
    await cache.store(key) { path in
      let paths = files.keys.sortedByBytes()
      let listed = paths.compactMap { path in
        files[path].map { file in
          switch file.content {
          case .link(let target):
            Index.File(path: path, isExecutable: file.isExecutable, link: target, size: 0)
          case .regular(let bytes):
            Index.File(path: path, isExecutable: file.isExecutable, size: bytes.count, sha256: bytes.sha256)
          }
        }
      }
      let index = try JSON.encode(Index(record: record, files: listed))
      let digits = String(index.count)
      let head = String(repeating: "0", count: Self.sizeDigits - digits.count) + digits
      try await Files.replace(path, mode: 0o600) { output in
        try (Array(head.utf8) + index).withUnsafeBytes { try output.append($0) }
        for path in paths {
          guard case .regular(let bytes)? = files[path]?.content else { continue }
          try bytes.forEachPiece { try output.append($0) }
        }
      }
    }
    cache.trim()
  }
}
