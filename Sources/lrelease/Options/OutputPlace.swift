// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage

/// Where a command writes. A file or folder is created, and the folder above it must exist: a path with a typing mistake
/// would grow a tree of its own.
enum OutputPlace {
  /// - Throws: `ReleaseError` with code `input` where there is no folder above it.
  static func folder(_ text: String) throws -> FilePath {
    let path = FilePath(text)
    try demandParent(of: path, doing: "writing to \(path)")
    return path
  }

  static func demandParent(of path: FilePath, doing: String) throws {
    let parent = Files.absolute(path).removingLastComponent()
    guard !Files.isFolder(parent) else { return }
    let isFile = Files.exists(parent)
    throw ReleaseError(
      .input, doing: doing, reason: isFile ? "\(parent) is not a folder" : "there is no folder \(parent)",
      advice: isFile ? "choose another" : "create it first, or correct the path")
  }
}
