// SPDX-License-Identifier: GPL-2.0-only

/// What a file system holds under a path: the bytes of a file, or a symbolic link.
package enum FileContent: Sendable, Equatable {
  case file([UInt8])
  /// A symbolic link, with its target as written.
  case link(String)

  /// The bytes of a file, or the target of a link.
  package var bytes: [UInt8] {
    switch self {
    case .file(let bytes): bytes
    case .link(let target): Array(target.utf8)
    }
  }

  /// The bytes of a file; none for a link.
  package var fileBytes: [UInt8] { if case .file(let bytes) = self { bytes } else { [] } }

  package var isLink: Bool { if case .link = self { true } else { false } }
}

/// A file as an archive or a folder holds it. Of its mode, only the executable bit counts.
package struct FileEntry: Sendable, Equatable {
  package var content: FileContent
  package var isExecutable: Bool

  package init(content: FileContent, isExecutable: Bool) {
    self.content = content
    self.isExecutable = isExecutable
  }
}
