// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// A type whose values can be spelled in several ways, such as `7.4-rc2` and `7.4~rc2`.
package protocol Spellable: Sendable {
  /// - Throws: `ReleaseError` with code `input` for any text that is not a value.
  init(spelling text: String) throws
}

/// A value with the text that it was read from. It is written, shown and compared in its original spelling, because
/// plans and verdicts are compared byte by byte.
package struct Spelled<Value: Spellable>: Sendable, Equatable, Codable, CustomStringConvertible {
  package let text: String
  package let value: Value

  package init(_ text: String) throws {
    self.text = text
    value = try Value(spelling: text)
  }

  /// A value of ours, with the spelling that it is to have.
  package init(_ value: Value, as text: String) {
    self.text = text
    self.value = value
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    do {
      try self.init(text)
    } catch let error as ReleaseError {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.reason)
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  package var description: String { text }
  package static func == (a: Self, b: Self) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }
}

extension ReleaseVersion: Spellable {
  package init(spelling text: String) throws { try self.init(text) }

  /// The version as plans write it.
  package var planned: Spelled<ReleaseVersion> { Spelled(self, as: tarball) }
}

extension KernelRelease: Spellable {
  package init(spelling text: String) throws {
    guard let release = KernelRelease(text) else {
      throw ReleaseError(
        .input, doing: "reading a kernel release", reason: "'\(text)' is not one",
        advice: "a release is 7.4, 7.4.2 or 7.4-rc3")
    }
    self = release
  }
}
