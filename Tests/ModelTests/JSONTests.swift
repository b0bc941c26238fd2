// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Testing

@testable import Model

/// What is said of JSON that is not what it should be.
@Suite struct JSONTests {
  private struct Sample: Codable {
    struct Part: Codable {
      var name: String
      var sha256: SHA256Digest?
      var count: Int?
      var isGood: Bool?
      var blocks: BlockLayout?
    }
    var parts: [String: [Part]]
  }

  @Test(arguments: [
    ("", "it is not JSON"), ("{\"parts\": ", "it is not JSON"), ("[]", "it is not an object"),
    ("{}", "'parts' is missing"), (#"{"parts": 7}"#, "'parts' is not an object"),
    (#"{"parts": null}"#, "'parts' is null"), (#"{"parts": {"a": {}}}"#, "'parts.a' is not an array"),
    (#"{"parts": {"a": [{"name": "x"}, {}]}}"#, "'parts.a[1].name' is missing"),
    (#"{"parts": {"a": [{"name": 7}]}}"#, "'parts.a[0].name' is not a string"),
    (#"{"parts": {"a": [{"name": "x", "count": "7"}]}}"#, "'parts.a[0].count' is not a number"),
    (#"{"parts": {"a": [{"name": "x", "isGood": 1}]}}"#, "'parts.a[0].isGood' is not true or false"),
    (#"{"parts": {"a": [{"name": "x", "sha256": "abc"}]}}"#, "parts.a[0].sha256: not a SHA-256: abc"),
    (
      #"{"parts": {"a": [{"name": "x", "blocks": "odd"}]}}"#,
      "parts.a[0].blocks: 'odd' is not one of the words for it"
    ),
  ])
  func theKeyIsNamed(text: String, reason: String) throws {
    let error = try #require(throws: DecodingError.self) {
      try JSON.decode(Sample.self, from: Array(text.utf8))
    }
    #expect(error.reason == reason)
  }

  @Test func aPlanSaysWhichKeyAndWhy() throws {
    let text = #"{"format": 1, "name": "a", "version": "1", "extras": [], "sourceDate": "today"}"#
    let error = try #require(throws: ReleaseError.self) { try Plan(parsing: Array(text.utf8), doing: "reading p") }
    #expect(error.description == "reading p: it is not a plan of lrelease: 'sourceDate' is not a number")
    #expect(error.code == .input && error.remedy is ModelRemedy && error.cause is DecodingError)
  }

  @Test func aDamagedOriginIsFoundByItsLine() throws {
    let error = try #require(throws: ReleaseError.self) {
      try OriginRecord.parse(Array("{}\n".utf8), file: "origins.jsonl")
    }
    #expect(
      error.description
        == "origins.jsonl:1:1: error: reading the origins: the line is not a record of lrelease: 'path' is missing")
  }
}
