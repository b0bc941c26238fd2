// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Files
import SystemPackage

/// The file system of a guest: modules and programs of a target, a shell, and the smoke script.
package struct Initramfs {
  private let writer: ArchiveWriter
  private var folders: Set<String> = []

  package init() throws {
    writer = try ArchiveWriter(.cpio, time: 0, doing: "writing the initramfs")
    // The kernel opens it before anything is mounted.
    try folder("dev")
    try writer.addDevice("dev/console", major: 5, minor: 1)
  }

  private mutating func folder(_ path: String) throws {
    guard !path.isEmpty, folders.insert(path).inserted else { return }
    if let slash = path.lastIndex(of: "/") { try folder(String(path[..<slash])) }
    try writer.addFolder(path)
  }

  package mutating func add(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o755) throws {
    if let slash = path.lastIndex(of: "/") { try folder(String(path[..<slash])) }
    try writer.addFile(path, bytes, mode: mode)
  }

  package mutating func addLink(_ path: String, to target: String) throws {
    if let slash = path.lastIndex(of: "/") { try folder(String(path[..<slash])) }
    try writer.addLink(path, to: target)
  }

  /// Adds the contents of a folder of this machine.
  package mutating func addAll(_ source: FilePath) throws {
    try DirectoryWalker(source).walk { entry in
      switch entry.kind {
      case .folder: try folder(entry.shown)
      case .link: try addLink(entry.shown, to: entry.target())
      case .regular: try add(entry.shown, entry.read(), mode: entry.status.st_mode & 0o755)
      case .other: break
      }
      return .goOn
    }
  }

  package consuming func write(to path: FilePath) throws {
    try Files.write(try writer.finish(), to: path)
  }
}
