// SPDX-License-Identifier: GPL-2.0-only

/// What a file system holds under a path: a regular file with its bytes, or a symbolic link.
package enum FileContent: Sendable, Equatable {
  case regular(FileBytes)
  /// A symbolic link, with its target as written.
  case link(String)

  package static func == (a: FileContent, b: FileContent) -> Bool {
    switch (a, b) {
    case (.regular(let one), .regular(let other)): one == other
    // As with names, bytes count.
    case (.link(let one), .link(let other)): one.isSameInBytes(other)
    case (.regular, .link), (.link, .regular): false
    }
  }

  /// A regular file with these bytes.
  package static func file(_ bytes: [UInt8]) -> FileContent { .regular(FileBytes(bytes)) }

  /// How many bytes a file has, or the target of a link.
  package var count: Int {
    switch self {
    case .regular(let bytes): bytes.count
    case .link(let target): target.utf8.count
    }
  }

  /// The digest of the bytes of a file, or of the target of a link.
  package var sha256: SHA256Digest {
    switch self {
    case .regular(let bytes): bytes.sha256
    case .link(let target): SHA256Digest(of: Array(target.utf8))
    }
  }

  /// The bytes of a file, or the target of a link.
  package func read() throws -> [UInt8] {
    switch self {
    case .regular(let bytes): try bytes.read()
    case .link(let target): Array(target.utf8)
    }
  }

  /// The bytes of a file; none for a link.
  package func readFile() throws -> [UInt8] { if case .regular(let bytes) = self { try bytes.read() } else { [] } }

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
