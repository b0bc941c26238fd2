// SPDX-License-Identifier: GPL-2.0-only

/// The order of bytes is the same on any machine and in any locale; `<` of strings is not that order.
extension StringProtocol {
  package func precedesInBytes(_ other: some StringProtocol) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
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
