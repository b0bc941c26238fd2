// SPDX-License-Identifier: GPL-2.0-only

import Files
import SystemPackage

/// A file of a release: its path, its content, and where it came from.
package struct TreeEntry: Sendable, Equatable {
  package var content: FileContent
  /// Only the executable bit is kept: 0644 or 0755, and 0777 for links.
  package var isExecutable: Bool
  package var origin: Origin

  package init(content: FileContent, isExecutable: Bool = false, origin: Origin) {
    self.content = content
    self.isExecutable = isExecutable
    self.origin = origin
  }

  package var mode: UInt32 {
    switch content {
    case .link: 0o777
    case .regular: isExecutable ? 0o755 : 0o644
    }
  }

  /// The bytes of a file, or the target of a link.
  package func read() throws -> [UInt8] { try content.read() }
}

/// Where a file of the release came from.
package struct Origin: Sendable, Equatable, Codable {
  /// The name of the source in the manifest; `generated` for files that lrelease made.
  package var source: String
  /// The path in that source.
  package var path: String?
  /// The git blob id, where the source is a repository.
  package var blob: String?
  /// What generated the file: a template, or the command of a prepare step.
  package var generator: String?
  /// The patches that changed it, in order.
  package var patches: [String]?
  /// Its source should have been signed and was not: `--allow-unsigned` was given.
  package var isUnsigned: Bool?

  package init(
    source: String, path: String? = nil, blob: String? = nil, generator: String? = nil, patches: [String]? = nil,
    isUnsigned: Bool? = nil
  ) {
    self.source = source
    self.path = path
    self.blob = blob
    self.generator = generator
    self.patches = patches
    self.isUnsigned = isUnsigned
  }

  /// One phrase for people: `linux:fs/ceph/inode.c`.
  package var summary: String {
    var text = path.map { "\(source):\($0)" } ?? source
    if let generator { text += " (\(generator))" }
    if let patches { text += " + \(patches.joined(separator: ", "))" }
    if isUnsigned == true { text += ", unsigned" }
    return text
  }
}

/// The release as the writers see it: path → mode, content, origin. Paths are relative, in UTF-8, without `.` or `..`.
package struct ReleaseTree: Sendable {
  package private(set) var entries = ByPath<TreeEntry>()

  package init() {}

  package subscript(path: String) -> TreeEntry? {
    get { entries[path] }
    set { entries[path] = newValue }
  }

  package var isEmpty: Bool { entries.isEmpty }
  package var count: Int { entries.count }
  package var byteCount: Int64 { entries.reduce(0) { $0 + Int64($1.value.content.count) } }

  /// The paths in the order of their bytes: the same on any machine and in any locale.
  package var paths: [String] {
    entries.keys.sortedByBytes()
  }

  /// The folders that hold something, each before what is in it.
  package var folders: [String] {
    var found: PathSet = []
    for path in entries.keys {
      var rest = path[...]
      while let slash = rest.utf8.lastIndex(of: 0x2f) {
        rest = rest[..<slash]
        if !found.insert(String(rest)) { break }
      }
    }
    return found.sortedByBytes()
  }

  /// Writes the tree to a folder of this machine.
  package func write(to folder: FilePath) throws {
    try TreeWriter(folder).write(entries.map { TreeWriter.Entry($0.key, $0.value.content, mode: $0.value.mode) })
  }

  /// The part of the tree for which `isIncluded` holds.
  package func filter(_ isIncluded: (String) -> Bool) -> ReleaseTree {
    var part = ReleaseTree()
    part.entries = entries.filter { isIncluded($0.key) }
    return part
  }
}
