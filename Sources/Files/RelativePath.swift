// SPDX-License-Identifier: GPL-2.0-only

/// A path that can stand in a release: relative, in plain parts, without control characters, of a length that every
/// writer takes. Two are the same when their bytes are.
package struct RelativePath: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// As it was given; empty for the top of the tree.
  package let string: String

  /// The top of the tree itself.
  package static let top = RelativePath(unchecked: "")

  /// The most bytes that it has, and each of its parts: what every file system and every writer takes.
  package static let longest = 1024
  private static let longestPart = 255

  /// Nil if it is not such a path: see `fault`.
  package init?(_ text: String) {
    guard RelativePath.fault(of: text) == nil else { return nil }
    string = text
  }

  /// Why `text` is not such a path, as a predicate: "is absolute"; nil if it is one.
  package static func fault(of text: String) -> String? {
    let bytes = text.utf8
    guard let first = bytes.first else { return "is empty" }
    if bytes.count > longest { return "has \(bytes.count) bytes, more than \(longest)" }
    if hasControls(bytes) { return "has a control character in it" }
    if first == 0x2f { return "is absolute" }
    for part in bytes.split(separator: 0x2f, omittingEmptySubsequences: false) {
      if part.isEmpty { return "has nothing before a slash or behind it" }
      if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { return "has '.' or '..' in it" }
      if part.count > longestPart { return "has a part of \(part.count) bytes, more than \(longestPart)" }
    }
    return nil
  }

  /// A newline in a name would forge a line in every list of files, an escape drives terminals. The second block of
  /// controls, U+0080 to U+009F, has one that ends lines and one that escapes as well.
  fileprivate static func hasControls(_ bytes: String.UTF8View) -> Bool {
    var last: UInt8 = 0
    for byte in bytes {
      if byte < 0x20 || byte == 0x7f || last == 0xc2 && byte < 0xa0 { return true }
      last = byte
    }
    return false
  }

  private init(unchecked string: String) { self.string = string }

  package var description: String { string }
  package var components: [Substring] { string.pathParts }
  /// The last part, as a file system takes it.
  package var name: [UInt8] { Array((components.last ?? "").utf8) }
  /// The folder that it lies in; nil for the top of the tree.
  package var parent: RelativePath? {
    string.isEmpty ? nil : RelativePath(unchecked: components.dropLast().joined(separator: "/"))
  }

  /// A path below this one; nil when that is no such path.
  package func appending(_ path: String) -> RelativePath? {
    RelativePath(string.isEmpty ? path : "\(string)/\(path)")
  }

  /// What a link here leads to; nil when it leaves the tree, as an absolute target always does, and when nothing can have
  /// that path.
  package func resolving(link target: String) -> RelativePath? {
    guard let first = target.utf8.first, first != 0x2f, !RelativePath.hasControls(target.utf8) else { return nil }
    var parts = Array(components.dropLast())
    for part in target.pathParts {
      if part.isSameInBytes("..") {
        guard parts.popLast() != nil else { return nil }
      } else if !part.isSameInBytes(".") {
        parts.append(part)
      }
    }
    let path = RelativePath(unchecked: parts.joined(separator: "/"))
    return path.string.isEmpty || RelativePath.fault(of: path.string) == nil ? path : nil
  }

  /// In the order of bytes.
  package static func < (a: Self, b: Self) -> Bool { a.string.precedesInBytes(b.string) }

  package static func == (a: Self, b: Self) -> Bool { a.string.isSameInBytes(b.string) }
  package func hash(into hasher: inout Hasher) { for byte in string.utf8 { hasher.combine(byte) } }
}

/// Whether `path` can stand in a release.
@Sendable package func isCleanPath(_ path: String) -> Bool { RelativePath(path) != nil }

/// Why a release cannot have a link at `path`, as a predicate; nil if it can.
package func fault(ofLink path: String, to target: String) -> String? {
  if linkStaysInside(path, target: target) { return nil }
  let length = target.utf8.count
  if length > RelativePath.longest { return "has a target of \(length) bytes, more than \(RelativePath.longest)" }
  return RelativePath.hasControls(target.utf8)
    ? "has a control character in its target, \(target)" : "leads out of the tree, to \(target)"
}

/// Whether the target of a link at `path` stays within the tree. An absolute target never does.
package func linkStaysInside(_ path: String, target: String) -> Bool {
  RelativePath(path)?.resolving(link: target) != nil
}
