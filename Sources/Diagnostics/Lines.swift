// SPDX-License-Identifier: GPL-2.0-only

extension Collection<UInt8> {
  /// The lines of a text: cut at each LF, without it and without a CR before it.
  ///
  /// What follows the last LF is a line when there is something. Bytes and not characters: to Swift, CR with LF is one
  /// character, which is no LF, so a text that is split at "\n" as a string stays in one piece when it came from Windows.
  package var lines: [SubSequence] {
    var lines = split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { $0.endsInCR ? $0.prefix(Swift.max(0, $0.count - 1)) : $0 }
  }

  /// The number of the first line that ends with CR and LF, from 1; nil where none does.
  package var firstLineInCRLF: Int? {
    split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().firstIndex(where: \.endsInCR)
      .map { $0 + 1 }
  }

  fileprivate var endsInCR: Bool { suffix(1).first == UInt8(ascii: "\r") }
}

extension StringProtocol {
  /// The lines of a text: cut at each LF, without it and without a CR before it, which bytes decide.
  package var lines: [Substring] { Substring(self).utf8.lines.map { Substring($0) } }
}
