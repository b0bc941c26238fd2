// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

/// Whether `path` can stand in a release: relative, in plain parts, of a length that every writer takes.
@Sendable package func isCleanPath(_ path: String) -> Bool {
  guard !path.isEmpty, path.utf8.count <= 1024, !path.utf8.contains(0) else { return false }
  return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
    !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255
  }
}

/// Whether the target of a link at `path` stays within the tree. An absolute target never does.
package func linkStaysInside(_ path: String, target: String) -> Bool { resolvedLink(path, target: target) != nil }

/// The path that a link at `path` leads to, or nil when it leaves the tree.
package func resolvedLink(_ path: String, target: String) -> String? {
  guard !target.isEmpty, !target.hasPrefix("/") else { return nil }
  var parts = path.split(separator: "/").dropLast().map(String.init)
  for part in target.split(separator: "/") {
    if part == ".." {
      guard parts.popLast() != nil else { return nil }
    } else if part != "." {
      parts.append(String(part))
    }
  }
  return parts.joined(separator: "/")
}

/// The target of a symbolic link.
package func readLink(_ path: FilePath) throws -> String {
  var buffer = [UInt8](repeating: 0, count: 4096)
  let count = buffer.withUnsafeMutableBytes { raw -> Int in
    guard let base = raw.baseAddress else { return -1 }
    return readlink(path.string, base.assumingMemoryBound(to: CChar.self), raw.count)
  }
  guard count >= 0 else { throw ReleaseError(errno: errno, doing: "reading the link \(path)") }
  guard let target = String(validating: buffer[..<count], as: UTF8.self) else {
    throw ReleaseError(.source, doing: "reading the link \(path)", reason: "its target is not UTF-8")
  }
  return target
}
