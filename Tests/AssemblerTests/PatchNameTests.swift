// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Testing

@testable import Assembler

/// Where a name ends in the headers of a patch, which are made for people.
@Suite struct PatchNameTests {
  private func paths(_ patch: String, options: String = "") throws -> [String] {
    try PatchSeries(file: "series") { Array(($0 == "series" ? "x.patch \(options)\n" : patch).utf8) }.patches[0].paths
  }

  @Test(arguments: [
    ("a/x.c", "x.c"), ("a/x.c\t2026-01-01 00:00:00.000000000 +0000", "x.c"), ("a/x.c 2026-01-01 00:00:00 +0000", "x.c"),
    ("a/x y.c   Thu Jan  1 00:00:00 2026", "x y.c"), ("a/x.c (revision 12)", "x.c"), ("a/x.c (working copy)", "x.c"),
    ("a/x 2026.c", "x 2026.c"), ("a/2026-01-01", "2026-01-01"), ("a/x 2026-01-01", "x 2026-01-01"),
    ("a/x (revision).c", "x (revision).c"), ("a/x (revision 1) y", "x (revision 1) y"), ("a/x Mon y 20", "x Mon y 20"),
    ("a/x (working copy) (working copy)", "x (working copy)"), ("a/x 2026-01-01 y 2026-01-02 ", "x"),
    ("a/é Sun 2026 2026", "é"), ("a/x  ", "x"),
  ])
  func aNameEndsBeforeTheTime(_ header: String, _ name: String) throws {
    #expect(try paths("--- \(header)\n+++ \(header)\n@@ -1 +1 @@\n-a\n+b\n") == [name])
  }

  @Test(arguments: [
    ("a/x b/x", "", ["x"]), ("a/b c b/b c", "", ["b c"]), ("a/x b/x b/x b/x", "", ["x b/x"]), ("x x", "-p0", ["x"]),
    ("x x x x", "-p0", ["x x"]), ("one/a/x two/a/x", "", ["a/x"]), ("o/x  t/x ", "", ["x "]),
    ("o/a/x longer/name/x", "-p2", ["x"]), ("a/é \"b/\\303\\251\"", "", ["é"]), ("\"a/\\303\\251\" b/é", "", ["é"]),
    ("a/ü b/ü", "", ["ü"]),
  ])
  func bothNamesAreOne(_ names: String, _ options: String, _ expected: [String]) throws {
    #expect(try paths("diff --git \(names)\nold mode 100644\nnew mode 100755\n", options: options) == expected)
  }

  @Test(arguments: ["a/x b/y", "a/x", "x x", "a/x b/xy", "a/b/x c/x", "a/x\"y b/x\"y", "a/ b/", ""])
  func namesThatDifferAreNone(_ names: String) {
    #expect(throws: ReleaseError.self) { try paths("diff --git \(names)\nold mode 100644\nnew mode 100755\n") }
  }
}
