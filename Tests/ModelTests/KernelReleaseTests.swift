// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Testing

@testable import Model

@Suite struct KernelReleaseTests {
  @Test(arguments: ["7.4", "7.4.2", "7.4-rc3", "6.12.117", "0.0"])
  func isWrittenAsItWasRead(_ text: String) { #expect(KernelRelease(text)?.text == text) }

  /// A digit with an accent lies between two digits; `+3` is a number to Swift.
  @Test(arguments: [
    "7.4\u{301}", "7\u{301}.4", "7.4.2\u{20e3}", "٧.٤", "７.４", "7.4-rc+3", "7.4-rc-3", "7.4-rc0", "7.4-rc3\u{301}", "7",
    "7.", ".4", "7.4.", "7.4.2.1", "", "-", "7.4-", "7.4\r\n", "12345.1", "7.4-rc99999999999999999999",
  ])
  func isNone(_ text: String) { #expect(KernelRelease(text) == nil) }

  @Test func anyTimeIsWritten() {
    #expect(Timestamp(seconds: -1).iso8601 == "1969-12-31T23:59:59Z")
    #expect(Timestamp(seconds: -86_400).iso8601 == "1969-12-31T00:00:00Z")
    #expect(Timestamp(seconds: -86_401).iso8601 == "1969-12-30T23:59:59Z")
    #expect(Timestamp(seconds: -1).rfc5322 == "Wed, 31 Dec 1969 23:59:59 +0000")
    #expect(Timestamp(seconds: 0).rpmChangelogDate == "Thu Jan 01 1970")
    for days in Int64(-400)...400 {
      let weekdays = [-7, 0, 7].map { Timestamp(seconds: (days + $0) * 86_400).fields.weekday }
      #expect(Set(weekdays).count == 1 && (0...6).contains(weekdays[0]))
    }
    for seconds in [Int64.min, .max] { #expect(Timestamp(seconds: seconds).iso8601.hasSuffix("Z")) }
  }

  @Test func hintsAreForWords() {
    #expect("kernal".nearest(in: ["kernel", "colonel"]) == "kernel")
    #expect("x".nearest(in: ["kernel"]) == nil)
    let long = String(repeating: "x", count: 100_000)
    #expect(long.nearest(in: [long + "y"]) == nil)
  }
}
