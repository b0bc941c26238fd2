// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

/// A walk over all that is in a folder: each folder before what is in it, the names in a folder in the order of their
/// bytes. No link is followed, nothing but folders is opened.
package struct DirectoryWalker: Sendable {
  package enum Kind: Sendable {
    case folder, regular, link
    /// A device, a FIFO, a socket.
    case other
  }

  /// What the walk does next.
  package enum Next: Sendable {
    case goOn
    /// Leaves out what is in this folder.
    case prune
  }

  /// Something that the walk came by. It can be read as long as the visit lasts.
  package struct Entry {
    /// Where it lies below the root of the walk. File names are bytes: they need not be UTF-8.
    package let path: [UInt8]
    package let name: [UInt8]
    package let status: stat
    fileprivate let folder: FolderHandle

    package var kind: Kind {
      switch status.st_mode & S_IFMT {
      case S_IFDIR: .folder
      case S_IFREG: .regular
      case S_IFLNK: .link
      default: .other
      }
    }

    package var isExecutable: Bool { status.st_mode & 0o100 != 0 }
    /// Where it stands on this machine.
    package var place: FilePath { folder.place(of: name) }
    /// The path as text; nil when it is not UTF-8.
    package var text: String? { String(validating: path, as: UTF8.self) }
    /// The path for messages.
    package var shown: String { String(decoding: path, as: UTF8.self) }

    /// The bytes of a regular file.
    package func read(limit: Int64 = 1 << 30) throws -> [UInt8] { try folder.read(name, limit: limit) }
    /// The target of a link as written.
    package func target() throws -> String { try folder.target(of: name) }
  }

  package let root: FilePath
  /// Names the limits in errors.
  private let doing: String
  private let code: ReleaseError.Code

  /// Nothing below a longer path could stand in a release.
  package static let longestPath = 1000
  /// Each level holds a file descriptor.
  package static let deepest = 250

  /// - Parameters:
  ///   - doing: what errors say of paths that are too long or too deep.
  ///   - code: the kind of these errors.
  package init(_ root: FilePath, doing: String? = nil, code: ReleaseError.Code = .failed) {
    self.root = root
    self.doing = doing ?? "reading the folder \(root)"
    self.code = code
  }

  package func walk(_ visit: (Entry) throws -> Next) throws {
    try walk(try FolderHandle(root), below: [], depth: 1, visit)
  }

  private func walk(
    _ folder: FolderHandle, below prefix: [UInt8], depth: Int, _ visit: (Entry) throws -> Next
  ) throws {
    try Task.checkCancellation()
    for name in try folder.names() {
      let path = prefix + name
      let entry = Entry(path: path, name: name, status: try folder.status(of: name), folder: folder)
      guard try visit(entry) == .goOn, entry.kind == .folder else { continue }
      guard path.count < Self.longestPath else {
        throw ReleaseError(
          code, doing: doing, reason: "a path has \(path.count) bytes or more: \(entry.shown.prefix(60))…")
      }
      guard depth < Self.deepest else {
        throw ReleaseError(
          code, doing: doing, reason: "folders lie more than \(depth) deep in each other: \(entry.shown.prefix(60))…")
      }
      try walk(try folder.folder(name), below: path + [0x2f], depth: depth + 1, visit)
    }
  }
}
