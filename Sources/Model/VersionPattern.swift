// SPDX-License-Identifier: GPL-2.0-only

/// How a text contains a version, such as `v{version}`: the text before it and after it.
package struct VersionPattern: Sendable, Equatable, CustomStringConvertible {
  private let before: String
  private let behind: String

  /// Nil unless the text has `{version}` exactly once.
  package init?(_ text: String) {
    guard let mark = text.firstRange(of: "{version}") else { return nil }
    before = String(text[..<mark.lowerBound])
    behind = String(text[mark.upperBound...])
    guard behind.firstRange(of: "{version}") == nil else { return nil }
  }

  package var description: String { "\(before){version}\(behind)" }

  /// The version that a tag has in its name, with dots: `v2_18_0` and `v2_18_0-RC1` hold 2.18.0 and 2.18.0-RC1.
  package func version(inTag tag: String) -> String? {
    guard tag.utf8.count > before.utf8.count + behind.utf8.count, tag.hasPrefix(before), tag.hasSuffix(behind)
    else { return nil }
    let middle = Array(tag.utf8.dropFirst(before.utf8.count).dropLast(behind.utf8.count))
    let dotted = middle.indices.map { index -> UInt8 in
      guard middle[index] == UInt8(ascii: "_") else { return middle[index] }
      let isBeforeDigit = index + 1 < middle.count && VersionPattern.isDigit(middle[index + 1])
      return isBeforeDigit ? UInt8(ascii: ".") : UInt8(ascii: "-")
    }
    return VersionPattern.version(dotted[...])
  }

  /// The version in a file: in the first line that begins like this, with any indentation.
  package func version(inFile bytes: [UInt8]) -> String? {
    for line in bytes.split(separator: 0x0a) {
      let text = line.drop { $0 == 0x20 || $0 == 0x09 }
      guard text.starts(with: before.utf8) else { continue }
      let rest = text.dropFirst(before.utf8.count)
      let end =
        behind.isEmpty ? rest.firstIndex { !VersionPattern.isPart($0) } : rest.firstStart(of: Array(behind.utf8))
      guard end != nil || behind.isEmpty else { continue }
      if let version = VersionPattern.version(rest[..<(end ?? rest.endIndex)]) { return version }
    }
    return nil
  }

  /// Whether it is usable as a version everywhere: it begins with a digit, and has no characters special to a shell.
  private static func version(_ bytes: ArraySlice<UInt8>) -> String? {
    guard let first = bytes.first, isDigit(first), bytes.count <= 64, bytes.allSatisfy(isPart) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isPart(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x61...0x7a).contains(byte | 0x20) || "._-+~".utf8.contains(byte)
  }
}

extension ArraySlice<UInt8> {
  fileprivate func firstStart(of other: [UInt8]) -> Index? {
    indices.first { self[$0...].starts(with: other) }
  }
}
