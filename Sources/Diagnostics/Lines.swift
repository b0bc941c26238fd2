// SPDX-License-Identifier: GPL-2.0-only

extension Collection<UInt8> {
  /// The lines of a text: cut at each LF, without it and without a CR before it.
  ///
  /// Text after the last LF is a line unless it is empty. This works on bytes: to Swift, CR LF is one character
  /// different from LF, so a string from Windows would not split at "\n".
  package var lines: [SubSequence] {
    var lines = split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { $0.endsInCR ? $0.prefix(Swift.max(0, $0.count - 1)) : $0 }
  }

  /// The number of the first line that ends with CR LF, from 1; nil if there is none.
  package var firstLineInCRLF: Int? {
    split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().firstIndex(where: \.endsInCR)
      .map { $0 + 1 }
  }

  fileprivate var endsInCR: Bool { suffix(1).first == UInt8(ascii: "\r") }
}

extension StringProtocol {
  /// The lines of a text: cut at each LF byte, without it and without a CR before it.
  package var lines: [Substring] { Substring(self).utf8.lines.map { Substring($0) } }
}
