// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import SystemPackage

/// Writes files and links to a folder, with the folders that they need. Modes are as given, whatever the umask is.
///
/// Anything that exists already is an error, except folders. A link in the way is an error too: nothing is written
/// through it.
package struct TreeWriter: Sendable {
  package struct Entry: Sendable {
    /// Where it is to stand below the folder.
    package var path: String
    package var content: FileContent
    /// Permission bits of a file; links have none of their own.
    package var mode: UInt32

    package init(_ path: String, _ content: FileContent, mode: UInt32 = 0o644) {
      self.path = path
      self.content = content
      self.mode = mode
    }
  }

  package let folder: FilePath
  /// The time of all that is written and of the folders on the way, in seconds since 1970; nil for now.
  package let time: Int64?

  package init(_ folder: FilePath, time: Int64? = nil) {
    self.folder = folder
    self.time = time
  }

  package func write(_ entries: some Sequence<Entry>) throws {
    try Files.makeFolder(folder)
    var open = [(name: "", handle: try FolderHandle(folder))]
    // Creating something in a folder changes its time, so its time is set when the folder is complete. In byte order,
    // everything in a folder comes in one run.
    func leave() throws {
      let last = open.removeLast()
      if let time { try last.handle.setTime(time) }
    }
    for entry in entries.sortedByBytes(\.path) {
      try Task.checkCancellation()
      guard let path = RelativePath(entry.path) else {
        throw ReleaseError(.input, doing: "writing \(folder)", reason: "'\(entry.path)' is not a plain path")
      }
      let folders = path.components.dropLast()
      let shared = zip(open.dropFirst(), folders).prefix { $0.name.isSameInBytes($1) }.count
      while open.count > shared + 1 { try leave() }
      for name in folders.dropFirst(shared) {
        open.append((String(name), try open[open.count - 1].handle.makeFolder(Array(name.utf8))))
      }
      let parent = open[open.count - 1].handle
      switch entry.content {
      case .regular(let bytes): try parent.write(bytes, to: path.name, mode: entry.mode, time: time)
      case .link(let target): try parent.link(path.name, to: target, time: time)
      }
    }
    while !open.isEmpty { try leave() }
  }
}
