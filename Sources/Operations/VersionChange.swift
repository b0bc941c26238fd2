// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import Processes

/// How two releases spell their versions: to tell files in which only the version differs from those with a real change.
struct VersionChange: Sendable {
  /// The spellings of both, the longest first.
  private let pairs: [(before: [UInt8], after: [UInt8])]

  init(from before: Plan, to after: Plan) {
    let spellings: [(Plan) -> String] = [
      \.version.text, \.version.value.tarball, \.version.value.debian, \.versionInDKMS, \.version.value.gitTag,
      \.version.value.dkmsBefore,
    ]
    pairs = spellings.map { (Array($0(before).utf8), Array($0(after).utf8)) }
      .filter { $0.0 != $0.1 }
      .sorted { ($0.0.count, $0.1.count) > ($1.0.count, $1.1.count) }
  }

  /// Whether two files have the same bytes apart from the version, and the version differs.
  func isAll(in before: [UInt8], _ after: [UInt8]) -> Bool {
    var (i, j) = (0, 0)
    var isMet = false
    while i < before.count || j < after.count {
      let pair = pairs.first { Self.stands($0.before, in: before, at: i) && Self.stands($0.after, in: after, at: j) }
      if let pair {
        (i, j) = (i + pair.before.count, j + pair.after.count)
        isMet = true
      } else {
        guard i < before.count, j < after.count, before[i] == after[j] else { return false }
        (i, j) = (i + 1, j + 1)
      }
    }
    return isMet
  }

  /// Whether a version begins here: not in the middle of a number.
  private static func stands(_ version: [UInt8], in bytes: [UInt8], at index: Int) -> Bool {
    guard bytes.count - index >= version.count, bytes[index..<(index + version.count)].elementsEqual(version) else {
      return false
    }
    let end = index + version.count
    return (index == 0 || !isNumber(bytes[index - 1])) && (end == bytes.count || !(0x30...0x39).contains(bytes[end]))
  }

  private static func isNumber(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || byte == 0x2e }

  /// The same of files as releases and packages hold them.
  func isAll(in before: FileContent?, _ after: FileContent?, path: String) async throws -> Bool {
    guard !pairs.isEmpty, let one = try await text(before, path), let other = try await text(after, path) else {
      return false
    }
    return isAll(in: one, other)
  }

  /// nil for what is too large for a file that lrelease makes, and for no file.
  private func text(_ content: FileContent?, _ path: String) async throws -> [UInt8]? {
    guard let content, content.count <= 1 << 20 else { return nil }
    let bytes = try content.read()
    // Debian compresses changelogs.
    guard path.hasSuffix(".gz"), !content.isLink else { return bytes }
    return try await Command("gzip", ["-dc"]).check(input: bytes, doing: "reading \(path)").output
  }
}
