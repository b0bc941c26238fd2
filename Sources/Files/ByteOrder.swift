// SPDX-License-Identifier: GPL-2.0-only

/// The order of bytes is the same on any machine and in any locale; `<` of strings is not that order.
extension StringProtocol {
  package func precedesInBytes(_ other: some StringProtocol) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
  /// Whether it is the same file name: `==` of strings treats é as one scalar and é as two as equal.
  package func isSameInBytes(_ other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }
  /// Whether it begins with these bytes: for `hasPrefix`, a slash with a combining accent is not a slash.
  package func startsInBytes(with start: some StringProtocol) -> Bool { utf8.starts(with: start.utf8) }
  /// What is left without its first bytes, which must end where a character does.
  package func droppingBytes(_ count: Int) -> String { String(decoding: utf8.dropFirst(count), as: UTF8.self) }
  /// The parts of a path, split where a file system splits it. Empty ones are left out.
  package var pathParts: [Substring] {
    Substring(self).utf8.split(separator: 0x2f).map { Substring($0) }
  }
}

extension Sequence where Element: StringProtocol {
  package func sortedByBytes() -> [Element] { sorted { $0.precedesInBytes($1) } }
}

extension Sequence {
  /// Sorted by the bytes of a part of each.
  package func sortedByBytes(_ part: (Element) -> String) -> [Element] {
    sorted { part($0).precedesInBytes(part($1)) }
  }
}

extension String {
  /// Where a path lies below a folder: empty for the folder itself, nil for what is not in it. Everything lies below the
  /// empty path.
  package func inner(of folder: String) -> String? {
    if folder.isEmpty { return self }
    guard startsInBytes(with: folder) else { return nil }
    let rest = utf8.dropFirst(folder.utf8.count)
    if rest.isEmpty { return "" }
    return rest.first == 0x2f ? droppingBytes(folder.utf8.count + 1) : nil
  }
}
