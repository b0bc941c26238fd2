// SPDX-License-Identifier: GPL-2.0-only

/// A path that can stand in a release: relative, in plain parts, of a length that every writer takes.
package struct RelativePath: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// As it was given; empty for the top of the tree.
  package let string: String

  /// The top of the tree itself.
  package static let top = RelativePath(unchecked: "")

  /// Nil for what is no such path: with `.`, `..`, an empty part or a 0 in it, absolute or too long.
  package init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= 1024, !text.utf8.contains(0) else { return nil }
    let parts = text.utf8.split(separator: 0x2f, omittingEmptySubsequences: false)
    guard
      parts.allSatisfy({
        !$0.isEmpty && $0.count <= 255 && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
      })
    else { return nil }
    string = text
  }

  private init(unchecked string: String) { self.string = string }

  package var description: String { string }
  package var components: [Substring] { RelativePath.parts(string) }
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

  /// What a link here leads to; nil when it leaves the tree, as an absolute target always does.
  package func resolving(link target: String) -> RelativePath? {
    guard let first = target.utf8.first, first != 0x2f else { return nil }
    var parts = Array(components.dropLast())
    for part in RelativePath.parts(target) {
      if part == ".." {
        guard parts.popLast() != nil else { return nil }
      } else if part != "." {
        parts.append(part)
      }
    }
    return RelativePath(unchecked: parts.joined(separator: "/"))
  }

  /// Split where a file system splits: for Swift, a slash with an accent on it is another character.
  private static func parts(_ text: String) -> [Substring] { text.utf8.split(separator: 0x2f).map { Substring($0) } }

  /// In the order of bytes.
  package static func < (a: Self, b: Self) -> Bool { a.string.precedesInBytes(b.string) }
}

/// Whether `path` can stand in a release.
@Sendable package func isCleanPath(_ path: String) -> Bool { RelativePath(path) != nil }

/// Whether the target of a link at `path` stays within the tree. An absolute target never does.
package func linkStaysInside(_ path: String, target: String) -> Bool {
  RelativePath(path)?.resolving(link: target) != nil
}
