// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Testing

/// Whatever is repeated costs time and stack as its length does, not as its square: what fuzzers do not find, because
/// their inputs are short.
@Suite(.serialized) struct LengthTests {
  struct Input: Sendable, CustomTestStringConvertible {
    var reader: String
    var before = ""
    var part: String
    var behind = ""
    var count = 50_000

    var bytes: [UInt8] { Array((before + String(repeating: part, count: count) + behind).utf8) }
    var testDescription: String { "\(reader): \(before.singleLine) \(part.singleLine) × \(count) \(behind.singleLine)" }
  }

  private static let hunk = "@@ -1 +1 @@\n-a\n+b\n"
  private static let rpmLead = 96

  static let inputs: [Input] = [
    Input(reader: "manifest", part: "x", behind: " = 1"),
    Input(reader: "manifest", before: "name = \"", part: "é", behind: "\""),
    Input(reader: "manifest", before: "version = \"", part: "{version}", behind: "\""),
    Input(
      reader: "manifest", before: "[extras.a]\nneeds = [\"", part: "x",
      behind: "y\"]\n[extras.\(String(repeating: "x", count: 50_000))]\n"),
    Input(reader: "manifest", part: "[[tree]]\n", count: 5_000),
    Input(reader: "manifest", before: "name = ", part: "\"", behind: "\n"),
    Input(reader: "patch", before: "diff --git", part: " "),
    Input(reader: "patch", before: "diff --git a", part: " a"),
    Input(reader: "patch", before: "diff --git a/x", part: " b/x", behind: "\nnew file mode 100644\n"),
    Input(reader: "patch", before: "--- a/x", part: " ", behind: "y\n+++ b/x\n\(hunk)"),
    Input(reader: "patch", before: "--- a/x", part: " 2026-01-01 ", behind: "\t\n+++ b/x\n\(hunk)"),
    Input(reader: "patch", before: "--- ", part: "a/", behind: "\n+++ b/x\n\(hunk)"),
    Input(reader: "patch", part: "diff --git a/x b/x\n", count: 20_000),
    Input(reader: "patch", part: "--- a/f\n+++ b/f\n\(hunk)", count: 5_000),
    Input(reader: "patch", part: "diff --git a/f b/f\n--- a/f\n+++ b/f\n\(hunk)", count: 5_000),
    Input(reader: "patch", part: "diff --git a/f b/g\nrename from f\nrename to g\n", count: 5_000),
    Input(
      reader: "patch", before: "From x Mon Sep 17 00:00:00 2001\n", part: "From x Mon Sep 17 00:00:00 2001\n",
      count: 20_000),
    Input(reader: "patch", before: "--- a/f\n+++ b/f\n@@ -1,99999 +1,99999 @@\n", part: "\\\n"),
    Input(reader: "patch", part: "3,4c5,"),
    Input(reader: "series", part: "a"),
    Input(reader: "series", before: "a.patch ", part: "-R "),
    Input(reader: "plan", part: "["),
    Input(reader: "plan", part: "{\"a\":"),
    Input(reader: "plan", before: "{\"sourceDate\": 1", part: "0", behind: "}"),
    Input(reader: "records", before: "q", part: "["),
    Input(reader: "verdict", part: "[{\"a\":"),
    Input(reader: "sums", part: String(repeating: "a", count: 64) + "  x\n", count: 5_000),
    Input(reader: "sums", part: " "),
    Input(reader: "origins", part: "{}\n"),
    Input(reader: "control", before: "A: b\n", part: " c\n"),
    Input(reader: "control", part: "A: b\n"),
    Input(reader: "control", part: "\u{2028}"),
    Input(reader: "path", part: "**/", behind: "x\n" + String(repeating: "a/", count: 500) + "b", count: 10_000),
    Input(reader: "path", part: "*a", behind: "x\n" + String(repeating: "a", count: 255), count: 10_000),
    Input(reader: "path", before: "*", part: "[", behind: "\n" + String(repeating: "[", count: 255)),
    Input(reader: "path", before: "[", part: "a-", behind: "]\nb/c", count: 50_000),
    Input(reader: "path", before: "x\na\n", part: "x/../"),
    Input(reader: "address", part: ":"),
    Input(reader: "address", before: "https://", part: "@:"),
    Input(reader: "address", before: "file://", part: "%41"),
    Input(reader: "version", before: "7", part: ".4"),
    Input(reader: "version", before: "7.4", part: "+r1"),
    Input(reader: "version", before: "x{version}y\n", part: "x1"),
    Input(reader: "version", part: "@A"),
    Input(reader: "status", part: "[GNUPG:] NEWSIG\n"),
    Input(reader: "status", part: "[GNUPG:] X "),
    Input(reader: "tag", before: "object 0\ntype commit\ntag v\n\n", part: "-----BEGIN PGP SIGNATURE-----\n"),
    Input(reader: "tag", part: "object 0\n"),
    Input(reader: "code", before: "#if ", part: "(", behind: "1\n"),
    Input(reader: "code", before: "#if ", part: "!", behind: "1\n"),
    Input(reader: "code", before: "#if ", part: "- ", behind: "1\n"),
    Input(reader: "code", before: "#if 1", part: " || 1", behind: "\n"),
    Input(reader: "code", before: "#if 1", part: " || 1 && 1 == 1 < 1 + 1", behind: "\n", count: 5_000),
    Input(reader: "code", part: "#if 1\n", count: 20_000),
    Input(reader: "code", before: "#if A", part: " A", behind: "\n"),
    Input(reader: "code", part: "\\\n"),
    Input(reader: "code", part: "/*"),
    Input(reader: "code", before: "make: *** [", part: ".o] Error"),
    Input(reader: "code", part: ": error: "),
  ]

  @Test(arguments: inputs)
  func isReadInTime(_ input: Input) throws {
    let reader = try #require(FuzzReader.named(input.reader))
    let start = ContinuousClock.now
    if let fault = reader.fault(input.bytes) { Issue.record("\(fault.prefix(200))") }
    let taken = (ContinuousClock.now - start).seconds
    // On a busy machine too. What grows with the square of the length takes far longer.
    #expect(taken < 60, "it took \(taken) s")
  }

  /// Each of the entries says that it is a list of signatures as long as the file.
  @Test func anIndexThatPointsToTheSameAgainAndAgain() throws {
    func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
    let entries = 20_000
    let data = [UInt8](repeating: 0, count: 200_000)
    var header: [UInt8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0] + number(entries) + number(data.count)
    for _ in 0..<entries { header += number(278) + number(8) + number(0) + number(data.count) }
    let bytes = [UInt8](repeating: 0, count: Self.rpmLead) + header + data
    let reader = try #require(FuzzReader.named("rpm"))
    let start = ContinuousClock.now
    #expect(reader.fault(bytes) == nil)
    let taken = (ContinuousClock.now - start).seconds
    #expect(taken < 10, "it took \(taken) s")
  }
}
