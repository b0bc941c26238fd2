// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Testing

@testable import Model

/// Dates that are none, on which toml++ aborts, are refused at their place; those that are stay with it, as do numbers.
@Suite struct TOMLDateTests {
  private func value(_ text: String) throws -> TOMLNode? {
    try TOMLDocument.parse(Array("b = [\(text)]\nc = { d = \(text) }\na = \(text) # what follows\n".utf8), file: "m")[
      "a"]
  }

  @Test(arguments: [
    "1979-05-27", "07:32:00", "00:32:00.999999", "1979-05-27T07:32:00", "1979-05-27 07:32:00", "1979-05-27t07:32:00z",
    "1979-05-27T00:32:00.5-07:00", "1979-05-27 07:32:00Z",
  ])
  func aDateIsRead(_ text: String) throws { #expect(try value(text)?.kind == "a date or time") }

  @Test(arguments: ["-1", "+0", "1_000", "0xdead_beef"])
  func anIntegerIsRead(_ text: String) throws { #expect(try value(text)?.kind == "an integer") }

  @Test(arguments: ["1e-5", "-1E-05", "-inf", "6.6e-34", "-0.5"])
  func aFractionIsRead(_ text: String) throws { #expect(try value(text)?.kind == "a number with a fraction") }

  @Test(arguments: [
    "1979-03-27T:", "1979-03-27T", "1979-03-27 :", "1979-03-", "1979-", "1979-3-27", "07:32", "07:", "0:", ":",
    "07:32:0",
    "07:32:00.", "1979-03-27T07:32:00+", "1979-03-27T07:32:00+07", "1979-03-27T07:32:00ZZ", "1979-03-27T07:32:00+7:00",
    "1979-03-27TT", "+1979-03-27T:", "1-1", "1979-03-27é:", "1979-03-2７", "0x-1", "a-b:", "1979-03-27T07:32:00.Z",
  ])
  func whatIsNoneIsRefusedAtItsPlace(_ text: String) {
    #expect { try TOMLDocument.parse(Array("b = 1\na = \(text)\n".utf8), file: "m") } throws: { error in
      (error as? ReleaseError)?.location?.line == 2
    }
    #expect(throws: ReleaseError.self) { try value(text) }
  }
}
