// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Assembler

/// Patches give what git, quilt and GNU patch make of them.
struct PatchTests {
  // MARK: git

  private static let changes: [(name: String, script: String)] = [
    ("content", "sed -i s/15/XV/ a.c"), ("rename", "mv b.c c.c"),
    ("rename with hunks", "mv a.c z.c; sed -i s/15/XV/ z.c"), ("mode", "chmod 755 a.c"),
    ("mode with hunks", "chmod 755 a.c; sed -i s/15/XV/ a.c"), ("no longer executable", "chmod 644 run.sh"),
    ("an executable renamed", "mv run.sh start.sh; echo more >> start.sh"), ("empty", "mkdir sub; : > sub/keep"),
    ("new executable", "echo hi > t.sh; chmod 755 t.sh"), ("new empty executable", ": > t.sh; chmod 755 t.sh"),
    ("empty removed", "rm void"), ("removed", "rm b.c"), ("emptied", ": > b.c"), ("filled", "echo y > void"),
    ("link", "ln -s b.c l2"), ("link changed", "ln -sfn b.c ln"), ("link removed", "rm ln"),
    ("link renamed", "mv ln l2"),
    ("file to link", "rm b.c; ln -s a.c b.c"), ("link to file", "rm ln; echo hi > ln"),
    ("swapped", "mv a.c t; mv d/f a.c; mv t d/f; echo 1 >> a.c; echo 2 >> d/f"),
    ("three in a ring", "mv a.c t; mv d/f a.c; mv 'sp ace' d/f; mv t 'sp ace'"),
    ("copied and changed", "cp a.c cc.c; echo 1 >> cc.c; sed -i s/15/XV/ a.c"),
    ("folder to file", "rm -r d; echo d > d"), ("file to folder", "rm b.c; mkdir b.c; echo x > b.c/y"),
    ("blanks", "echo 1 >> 'sp ace'; echo 2 > 'a new one'"), ("blanks renamed", "mv 'sp ace' 'sp  ac'"),
    ("quoted", "for f in q*; do echo 1 >> \"$f\"; done"), ("quoted renamed", "for f in q*; do mv \"$f\" '\"x\"'; done"),
    ("no line end", "printf x > b.c; printf 'a\\nb' > n.c"),
    ("binary", "head -c 99 bin > x; cat bin bin >> x; mv x bin"),
    ("binary made and removed", "cp bin bin2; echo 1 >> bin2; rm bin"), ("CRLF", "printf 'a\\r\\nb\\r\\n' > w.txt"),
    ("attributes", "echo '*.c text eol=crlf ident' > .gitattributes; chmod 755 b.c; echo '$Id$' >> b.c"),
  ]

  @Test(arguments: changes.indices) func aGitPatchGivesWhatGitMakesOfIt(_ index: Int) async throws {
    let (name, script) = Self.changes[index]
    let copies = name.hasPrefix("copied") ? " -C --find-copies-harder" : ""
    let (patch, tree) = try await PatchFixture.git(script, diff: "git add -A; git diff --cached --binary -M\(copies)")
    let made = PatchFixture.entries(try await PatchFixture.apply([("x.patch", patch)]))
    #expect(made == tree, "\(name)")
    #expect(made != PatchFixture.entries(PatchFixture.files), "\(name): nothing changed")
    // And back. A copy says nothing of how to take it back.
    guard copies.isEmpty else { return }
    let start = tree.mapValues { SourceFile($0) }
    let back = try await PatchFixture.apply([("x.patch", patch)], "x.patch -R\n", to: start)
    #expect(PatchFixture.entries(back) == PatchFixture.entries(PatchFixture.files), "\(name), reversed")
  }

  @Test func aSeriesOfMailsGivesWhatGitAmMakes() async throws {
    let script = """
      sed -i s/15/XV/ a.c; git commit -qam one
      git mv a.c z.c; chmod 755 z.c; git commit -qam 'two

          --- a/d/f is how a diff begins, and this is none
      '
      git mv z.c y.c; sed -i s/XV/xv/ y.c; git rm -q void; git commit -qam three
      """
    let (mbox, tree) = try await PatchFixture.git(script, diff: "git format-patch --stdout base", apply: "git am -q")
    // All mails in one file: what one says is of the tree after the one before it.
    let made = try await PatchFixture.apply([("all.mbox", mbox)])
    #expect(PatchFixture.entries(made) == tree)
    #expect(try PatchFixture.text(made["y.c"])?.contains("14\nxv\n16\n") == true)
    #expect(made["y.c"]?.isExecutable == true && made["a.c"] == nil && made["z.c"] == nil && made["void"] == nil)
    #expect(made["y.c"]?.path == "a.c" && made["y.c"]?.patches == ["all.mbox"])
  }

  @Test func originsSayWhereAFileWasBefore() async throws {
    let rename = Array("diff --git a/b.c b/c.c\nsimilarity index 100%\nrename from b.c\nrename to c.c\n".utf8)
    let again = Array("diff --git a/c.c b/e.c\nold mode 100644\nnew mode 100755\nrename from c.c\nrename to e.c\n".utf8)
    let new = Array("--- /dev/null\n+++ b/b.c\n@@ -0,0 +1 @@\n+new\n".utf8)
    let made = try await PatchFixture.apply([("1", rename), ("2", again), ("3", new)])
    let blob = PatchFixture.files["b.c"]?.blob
    #expect(made["e.c"]?.path == "b.c" && made["e.c"]?.blob == blob && made["e.c"]?.patches == ["1", "2"])
    #expect(made["b.c"]?.path == nil && made["b.c"]?.blob == nil && made["b.c"]?.patches == ["3"])
    #expect(made["a.c"] == PatchFixture.files["a.c"] && made["c.c"] == nil)

    var tree = ReleaseTree()
    tree["b.c"] = TreeEntry(content: .file(Array("x\n".utf8)), origin: Origin(source: "s", path: "fs/b.c", blob: "b"))
    try await PatchFixture.series([("1", rename), ("2", again), ("3", new)])
      .apply(to: &tree, by: "by.acme.1", progress: .silent)
    #expect(
      tree["e.c"]?.origin == Origin(source: "s", path: "fs/b.c", blob: "b", patches: ["by.acme.1/1", "by.acme.1/2"]))
    #expect(tree["e.c"]?.isExecutable == true && tree["c.c"] == nil)
    #expect(tree["b.c"]?.origin == Origin(source: "by.acme.1", patches: ["by.acme.1/3"]))
  }

  // MARK: where it applies

  @Test func offsetsAreNotesAndFuzzIsAWarning() async throws {
    for head in ["", "diff --git a/a.c b/a.c\n", "diff --git a/a.c b/a.c\nold mode 100644\nnew mode 100755\n"] {
      let hunk = "--- a/a.c\n+++ b/a.c\n@@ -8,5 +8,5 @@\n 10\n 11\n-12\n+XII\n 13\n 14\n"
      let told = try await PatchFixture.told { progress in
        let made = try await PatchFixture.apply(head + hunk, progress: progress)
        #expect(try PatchFixture.text(made["a.c"])?.contains("11\nXII\n13\n") == true)
        #expect(made["a.c"]?.isExecutable == head.contains("mode"))
      }
      #expect(told == ["note: fix.patch: a.c: Hunk #1 succeeded at 10 (offset 2 lines)."])
      let fuzzy = try await PatchFixture.told { progress in
        let made = try await PatchFixture.apply(head + hunk.replacing(" 14", with: " 41"), progress: progress)
        #expect(try PatchFixture.text(made["a.c"])?.contains("11\nXII\n13\n14\n") == true)
        #expect(made["a.c"]?.isExecutable == head.contains("mode"))
      }
      #expect(fuzzy == ["warning: fix.patch: a.c: Hunk #1 succeeded at 10 with fuzz 1 (offset 2 lines)."])
    }
  }

  @Test func plainDiffsOfAllToolsApply() async throws {
    let hunk = PatchFixture.hunk
    let body = "@@ -1,3 +1,3 @@\n 1\n-2\n+TWO\n 3\n"
    let two = "1\nTWO\n3\n"
    for (patch, options) in [
      (hunk, ""), ("\u{feff}" + hunk, ""), (hunk + "-- \n2.47.0\n\n", ""), (hunk.replacing("\n", with: "\r\n"), ""),
      (
        "Index: a.c\n" + String(repeating: "=", count: 67) + "\n--- a.c\t(revision 1)\n+++ a.c\t(working copy)\n"
          + body, " -p0"
      ),
      (
        "Index: a.c\n" + String(repeating: "=", count: 67) + "\n--- a.c (revision 1)\n+++ a.c (working copy)\n" + body,
        " -p 0"
      ),
      (
        "diff -r 1234 a.c\n--- a/a.c\tThu Jan 01 00:00:00 1970 +0000\n+++ b/a.c\tFri Nov 27 00:00:00 2026 +0000\n"
          + body, ""
      ),
      ("--- a.c.orig\n+++ a.c\n" + body, " -p0"), ("--- a.c.orig\n+++ b/a.c\n" + body, ""),
      ("--- x/y/a.c.orig\t2026-01-01\n+++ x/y/a.c\t2026-01-02\n" + body, " -p2"),
      ("--- a/a.c\n+++ b/a.c\n@@ -1,3 +1,3 @@\n 1\n-2\n+TWO\n 3", ""), ("--- a/a.c\n+++ b/a.c\n" + body, " -pab"),
      ("diff --git a.c a.c\n--- a.c\n+++ a.c\n" + body, " --strip=0"),
    ] {
      let made = try await PatchFixture.apply(patch, "fix.patch\(options)\n")
      #expect(try PatchFixture.text(made["a.c"])?.hasPrefix(two) == true, "\(patch)")
      #expect(made["a.c"]?.patches == ["fix.patch"] && made.count == PatchFixture.files.count, "\(patch)")
    }
    // Names with blanks, in quotes and before a tab; a file that is made, one that becomes empty.
    let more = """
      --- "a/q\\"uo\\\\\\303\\251"
      +++ "b/q\\"uo\\\\\\303\\251"
      @@ -1,2 +1,2 @@
      -1
      +ONE
       2
      --- a/sp ace\t2026-01-01 00:00:00
      +++ b/sp ace\t2026-01-01 00:00:00
      @@ -1,2 +1,2 @@
      -40
      +XL
       41
      --- a/new one
      +++ b/new one
      @@ -0,0 +1 @@
      +new
      --- a/b.c\t2026-01-01 00:00:00.000000000 +0000
      +++ b/b.c\t1970-01-01 00:00:00.000000000 +0000
      @@ -1 +0,0 @@
      -x

      """
    let made = try await PatchFixture.apply(more)
    #expect(try PatchFixture.text(made["q\"uo\\é"])?.hasPrefix("ONE\n2\n") == true)
    #expect(try PatchFixture.text(made["sp ace"])?.hasPrefix("XL\n41\n") == true)
    #expect(try PatchFixture.text(made["new one"]) == "new\n")
    #expect(made["b.c"] == nil && made.count == PatchFixture.files.count)
    let back = try await PatchFixture.apply(more, "fix.patch -R\n", to: made)
    #expect(PatchFixture.entries(back) == PatchFixture.entries(PatchFixture.files))
  }

  /// Of two files that a diff names, both there, the one that is patched gets the patch into its origin.
  @Test func onlyTheFileThatIsPatchedSaysSo() async throws {
    var files = PatchFixture.files
    files["a.c.orig"] = SourceFile(content: .file(Array("1\n2\n3\n".utf8)), isExecutable: false)
    let made = try await PatchFixture.apply(PatchFixture.hunk.replacing("--- a/a.c", with: "--- a/a.c.orig"), to: files)
    #expect(made["a.c"]?.patches == ["fix.patch"] && made["a.c.orig"] == files["a.c.orig"])
  }

  @Test func plainPartsBesideGitPartsAreNotLost() async throws {
    let plain = "--- a/d/f\n+++ b/d/f\n@@ -1,2 +1,2 @@\n-1\n+one\n 2\n"
    let git = "diff --git a/b.c b/c.c\nsimilarity index 100%\nrename from b.c\nrename to c.c\n"
    let empty = "--- a/c.c\n+++ b/c.c\n@@ -1 +0,0 @@\n-x\n"
    for patch in [
      plain + git + PatchFixture.hunk, PatchFixture.hunk + plain + git, git + plain + empty + PatchFixture.hunk,
    ] {
      let made = try await PatchFixture.apply(patch)
      #expect(try PatchFixture.text(made["d/f"])?.hasPrefix("one\n2\n") == true, "\(patch)")
      #expect(try PatchFixture.text(made["a.c"])?.hasPrefix("1\nTWO\n") == true, "\(patch)")
      #expect(made["b.c"] == nil && (made["c.c"] == nil) == patch.contains("+0,0"), "\(patch)")
    }
  }

  // MARK: mails

  @Test func whatAMessageQuotesIsText() async throws {
    let quoted = "--- a/b.c\n+++ b/b.c\n@@ -1 +1 @@\n-x\n+WRONG\n"
    for mark in ["    ", "\t", "> ", ">"] {
      let quote = quoted.split(separator: "\n").map { "\(mark)\($0)\n" }.joined()
      let mail =
        "From: A <a@example.org>\nSubject: [PATCH] two\n\nBefore it was\n\n\(quote)\n@@ -1 @@ of it.\n---\n a.c | 2 +-\n\n"
      let made = try await PatchFixture.apply(mail + "diff --git a/a.c b/a.c\n" + PatchFixture.hunk + "-- \n2.47.0\n")
      #expect(try PatchFixture.text(made["b.c"]) == "x\n" && made["b.c"]?.patches == [])
      #expect(try PatchFixture.text(made["a.c"])?.hasPrefix("1\nTWO\n") == true)
    }
  }

  // MARK: the series

  @Test func aSeriesIsReadAsQuiltAndDpkgReadIt() throws {
    let text =
      "\u{feff}# first\r\n\r\n  bug#77.patch # closes 77\r\n\tb/two.diff\t-p0 #x\r\nthree -R -p2\n#four\nfive -p 3#\n"
    #expect(throws: ReleaseError.self) { try SeriesEntry.list(Array(text.utf8), file: "s") }
    let entries = try SeriesEntry.list(Array(text.replacing("-p 3#", with: "-p 3").utf8), file: "s")
    #expect(
      entries == [
        SeriesEntry(name: "bug#77.patch"), SeriesEntry(name: "b/two.diff", strip: 0),
        SeriesEntry(name: "three", strip: 2, isReversed: true), SeriesEntry(name: "five", strip: 3),
      ])
    #expect(try SeriesEntry.list([], file: "s").isEmpty)
  }

  @Test(arguments: ["gzip", "xz", "zstd", "bzip2"]) func compressedPatchesApply(_ program: String) async throws {
    try await withScratch { scratch in
      try Files.write(Array(PatchFixture.hunk.utf8), to: scratch.appending("fix.patch"))
      let packed = try Files.read(
        try await Fixture.compressed(scratch.appending("fix.patch"), with: program, suffix: ".x"))
      let series = try PatchFixture.series([("fix.patch.x", packed)])
      #expect(series.pins.map(\.sha256) == [SHA256Digest(of: packed)] && series.patches[0].bytes == packed)
      let made = try await PatchFixture.apply([("fix.patch.x", packed)])
      #expect(try PatchFixture.text(made["a.c"])?.hasPrefix("1\nTWO\n") == true)
      await Fixture.refusal("the patch fix.patch.x", code: .input) {
        _ = try PatchFixture.series([("fix.patch.x", Array(packed.dropLast(9)))])
      }
    }
  }

  @Test func aPatchThatGrowsTooLargeIsRefused() async throws {
    let bomb = try await withScratch { scratch in
      try await Fixture.shell("head -c 100000000 /dev/zero | gzip > bomb", in: scratch)
      return try Files.read(scratch.appending("bomb"))
    }
    #expect(bomb.count < 200_000)
    await Fixture.refusal("the patch bomb.gz", "more than 64 MiB", code: .input) {
      _ = try PatchFixture.series([("bomb.gz", bomb)])
    }
  }
}
