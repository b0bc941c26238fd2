// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage
import TestSupport
import Testing

@testable import Assembler

/// Patches that do not apply, say what cannot be read, or are made to do harm.
struct PatchDefenceTests {
  private let hunk = PatchFixture.hunk

  private func refused(
    _ words: String..., code: ReleaseError.Code = .input, of patches: [String], series: String? = nil,
    _ location: Testing.SourceLocation = #_sourceLocation
  ) async {
    let named = patches.enumerated().map { ("\($0 + 1).patch", Array($1.utf8)) }
    do {
      _ = try await PatchFixture.apply(named, series)
      Issue.record("it was accepted: \(patches)", sourceLocation: location)
    } catch {
      let line = "\(error)"
      #expect((error as? ReleaseError)?.code == code, "\(line)", sourceLocation: location)
      #expect(!line.contains("\n"), "\(line)", sourceLocation: location)
      for word in words { #expect(line.contains(word), "\(line)", sourceLocation: location) }
    }
  }

  @Test func aPatchThatDoesNotApplyIsNamed() async throws {
    let applied = hunk.replacing("-2\n+TWO", with: "-two\n+2")
    await refused("1.patch of p/series", "a.c: it is applied already", code: .source, of: [applied])
    await refused(
      "1.patch of p/series", "a.c: hunk #1 does not apply", code: .source, of: [hunk.replacing("-2", with: "-z")])
    await refused(
      "1.patch of p/series", "(fs/b)", "is not there", code: .source, of: [hunk.replacing("a.c", with: "fs/b")])
    await refused(
      "(b)", "is not there", "say '1.patch -p0' in the series", code: .source,
      of: [hunk.replacing("a/a.c", with: "fs/b").replacing("b/a.c", with: "fs/b")])
    await refused(
      "2.patch of p/series", "a.c: hunk #1", code: .source, of: [hunk, hunk.replacing("+TWO", with: "+III")])
    await refused("1.patch", "p/1.patch:", "malformed", of: [hunk.replacing("-2\n", with: "")])
    await refused("1.patch", "p/1.patch:6:1", "malformed", of: [hunk.replacing("+TWO", with: "=20TWO")])
    let git = "diff --git a/a.c b/a.c\nold mode 100644\nnew mode 100755\n"
    await refused("a.c: hunk #1 does not apply", code: .source, of: [git + hunk.replacing("-2", with: "-z")])
    await refused(
      "is not there", "b.d", code: .source, of: ["diff --git a/b.d b/b.d\nold mode 100644\nnew mode 100755\n"])
    await refused(
      "d/f, which it makes, is there already", code: .source,
      of: [
        "diff --git a/d/f b/d/f\nnew file mode 100644\n--- /dev/null\n+++ b/d/f\n@@ -0,0 +1 @@\n+x\n"
      ])
    await refused("d/f", "is there already", code: .source, of: ["--- /dev/null\n+++ b/d/f\n@@ -0,0 +1 @@\n+x\n"])
  }

  @Test func noFileIsWrittenOver() async throws {
    for word in ["rename", "copy"] {
      let patch = "diff --git a/b.c b/a.c\nsimilarity index 100%\n\(word) from b.c\n\(word) to a.c\n"
      await refused("a.c, which it makes, is there already", code: .source, of: [patch])
    }
  }

  /// Where TMPDIR is a link, a relative path, or a place that the sandbox has another one of.
  @Test func scratchFoldersOfAllKindsWill() async throws {
    for place in ["/dev/shm", "link", "/var/tmp"] {
      try await withScratch { folder in
        try Files.makeFolder(folder.appending("real"))
        try await Fixture.shell("ln -s real link", in: folder)
        let parent = place == "link" ? folder.appending("link") : FilePath(place)
        try await withScratch(in: parent) { scratch in
          let series = try PatchFixture.series([("fix.patch", Array(hunk.utf8))])
          let run = PatchRun(series, in: scratch)
          try TreeWriter(run.tree).write([TreeWriter.Entry("a.c", .file(Array("1\n2\n3\n".utf8)))])
          _ = try await run.apply()
          #expect(try Files.read(scratch.appending("tree/a.c")) == Array("1\nTWO\n3\n".utf8))
        }
      }
    }
  }

  @Test func lineEndsThatDifferAreSaidToDiffer() async throws {
    var files = PatchFixture.files
    files["a.c"]?.content = .file(Array("1\r\n2\r\n3\r\n".utf8))
    for patch in [hunk, hunk.replacing("\n", with: "\r\n"), "diff --git a/a.c b/a.c\n" + hunk] {
      await Fixture.refusal("a.c: hunk #1 does not apply", "line ends", code: .source) {
        _ = try await PatchFixture.apply(patch, to: files)
      }
    }
    // A patch to a file with CRLF, as git writes it.
    let right = hunk.replacing(" 1\n-2\n+TWO\n 3\n", with: " 1\r\n-2\r\n+TWO\r\n 3\r\n")
    for head in ["", "diff --git a/a.c b/a.c\n"] {
      let made = try await PatchFixture.apply(head + right, to: files)
      #expect(try PatchFixture.text(made["a.c"]) == "1\r\nTWO\r\n3\r\n")
    }
  }

  @Test func whatIsNotReadIsRefusedByItsName() async throws {
    let git = "diff --git a/bin b/bin\nindex 1234567..2345678 100644\n"
    for (patch, words) in [
      (
        "*** a/a.c\t2026\n--- b/a.c\t2026\n***************\n*** 1,3 ****\n  1\n! 2\n  3\n--- 1,3 ----\n  1\n! TWO\n  3\n",
        "a context diff"
      ),
      ("2c2\n< 2\n---\n> TWO\n", "normal diff"), ("diff a/b.c b/b.c\n1c1\n< x\n---\n> y\n" + hunk, "normal diff"),
      ("2c\nTWO\n.\n", "ed script"), (hunk + "--- a/b.c\n+++ b/b.c\n1c\ny\n.\nw\n", "ed script"),
      (git + "Binary files a/bin and b/bin differ\n", "Binary files a/bin and b/bin differ"),
      (hunk + "Binary files a/bin and b/bin differ\n", "git diff --binary"), ("GIT binary patch\n", "binary"),
      (hunk + "Index: x\n===================\nCannot display: file marked as a binary type.\n", "binary"),
      (hunk + "Index: empty\n===================================================================\n", "empty"),
      (hunk + "\nProperty changes on: run\n____\nAdded: svn:executable\n   + *\n", "svn:executable"),
      ("diff --cc a.c\nindex 1,2..3\n--- a/a.c\n+++ b/a.c\n@@@ -1,1 -1,1 +1,1 @@@\n++x\n", "merge"),
      (
        "diff --git a/s b/s\nnew file mode 160000\nindex 0..1\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n+Subproject commit 1\n",
        "submodule"
      ),
      ("diff --git a/s b/s\nnew file mode 020666\n", "mode 20666"), ("nothing\n", "it changes no file"),
      ("", "it changes no file"),
      (hunk.split(separator: "\n").map { "> \($0)\n" }.joined(), "indented or quoted"),
      (hunk + "@@ -9,9 +9,9 @@\n", "hunk"),
      ("--- a.c\n+++ a.c\n@@ -1 +1 @@\n-1\n+2\n", "say '1.patch -p0' in the series"),
      ("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-1\n+2\n", "/dev/null"),
      ("diff --git a/b.c b/b.c\nold mode 100644\nnew mode 120000\n", "another kind of file"),
      ("diff --git a/b.c b/b.c\nrename from b.c\nrename to c.c\n--- a/b.c\n+++ b/d.c\n@@ -1 +1 @@\n-x\n+y\n", "names"),
    ] { await refused("the patch 1.patch", words, of: [patch]) }
    await Fixture.refusal("UTF-16", code: .input) {
      _ = try PatchFixture.series([("1", [0xff, 0xfe] + hunk.utf8.flatMap { [$0, 0] })])
    }
    await refused(
      "-R cannot take back", of: ["diff --git a/b.c b/c.c\ncopy from b.c\ncopy to c.c\n"], series: "1.patch -R\n")
  }

  @Test func mailsInAnEncodingAreRefused() async throws {
    let head = "From: A <a@example.org>\nSubject: [PATCH] two\nMIME-Version: 1.0\n"
    for (more, words) in [
      ("Content-Transfer-Encoding: base64\n\n", "base64"),
      ("content-transfer-encoding:  Quoted-Printable\n\n", "quoted-printable"),
      ("Content-Type: text/plain; charset=UTF-8; format=flowed\n\n", "format=flowed"),
      ("Content-Type: text/plain; charset=UTF-8;\n format=\"flowed\"; delsp=yes\n\n", "format=flowed"),
      (
        "Content-Type: multipart/mixed;\n boundary=\"x\"\n\n--x\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n",
        "base64"
      ),
      (
        "\nFirst.\n---\n" + hunk
          + "-- \n2.47\n\nFrom 0123 Mon Sep 17 00:00:00 2001\nContent-Transfer-Encoding: base64\n\n", "base64"
      ),
    ] {
      for end in ["\n", "\r\n"] {
        await refused("a mail in \(words)", "git am", of: [(head + more + hunk).replacing("\n", with: end)])
      }
    }
    // 8bit is no encoding, and a message may speak of base64.
    let made = try await PatchFixture.apply(
      head + "Content-Transfer-Encoding: 8bit\n\nContent-Transfer-Encoding: base64 is not read.\n---\n" + hunk)
    #expect(try PatchFixture.text(made["a.c"])?.hasPrefix("1\nTWO\n") == true)
  }

  @Test func aSeriesIsReadStrictly() async throws {
    await refused("p/series:2:1", "unknown option '-E'", of: [hunk], series: "# first\n1.patch -E\n")
    for option in ["-p", "-pa", "-p-1", "-p10", "-p 1x", "x", "--fuzz=3", "-R -F0"] {
      await refused("p/series:1:1", "unknown option", of: [hunk], series: "1.patch \(option)\n")
    }
    for name in ["../1.patch", "/1.patch", "./1.patch", "a//b"] {
      await refused("p/series:1:1", "'\(name)' is not a plain path", of: [hunk], series: name)
    }
    await refused(
      "p/series:3:1", "'1.patch' is already named in line 1", of: [hunk], series: "1.patch\r\n\r\n1.patch -R\r\n")
    await refused("p/none", of: [hunk], series: "none\n")
    await Fixture.refusal("s:1:1", "UTF-8", code: .input) { _ = try SeriesEntry.list([0xff, 0x41], file: "s") }
  }

  // MARK: harm

  @Test func aPatchCannotLeaveTheTree() async throws {
    for name in ["a/../../x", "a//etc/passwd", "a/./x", "a/x/../../y"] {
      await refused("1.patch", "out of the tree", of: ["--- \(name)\n+++ \(name)\n@@ -0,0 +1 @@\n+x\n"])
      await refused("1.patch", "out of the tree", of: ["diff --git \(name) \(name)\nnew file mode 100644\n"])
      await refused(
        "1.patch", "out of the tree",
        of: [
          "diff --git a/b.c b/x\nrename from b.c\nrename to \(name.dropFirst(2))\n"
        ])
    }
    await refused("control characters", of: ["--- /dev/null\n+++ \"b/x\\ny\"\n@@ -0,0 +1 @@\n+x\n"])
    for name in [".git/config", "d/.GIT/hooks/x"] {
      await refused("git's own folder", of: ["diff --git a/\(name) b/\(name)\nnew file mode 100755\n"])
    }
  }

  @Test func aLinkGivesNoFileOfThisMachine() async throws {
    try await withScratch { scratch in
      let secret = scratch.appending("secret")
      try Files.write(Array("SECRET\n".utf8), to: secret)
      let up = "../../../../../../../../../.." + secret.string
      for target in [secret.string, up, "..", "/"] {
        await refused(
          "1.patch: l is a link that leads out", target, code: .source, of: [PatchFixture.link("l", to: target)])
      }
      let patch = "@@ -1 +1 @@\n-SECRET\n+STOLEN\n"
      let escape = PatchFixture.link("l", to: scratch.string)
      for second in [
        "--- a/l/secret\n+++ b/l/secret\n" + patch,
        "diff --git a/l/secret b/l/secret\n--- a/l/secret\n+++ b/l/secret\n" + patch,
        "diff --git a/l/new b/l/new\nnew file mode 100755\n--- /dev/null\n+++ b/l/new\n@@ -0,0 +1 @@\n+x\n",
      ] {
        await refused("behind the link l", code: .source, of: [escape, second])
        // Though the link is gone afterwards.
        let gone = PatchFixture.link("l", to: scratch.string).replacing("new file", with: "deleted file")
          .replacing("--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+", with: "--- a/l\n+++ /dev/null\n@@ -1 +0,0 @@\n-")
        await refused("behind the link l", code: .source, of: [escape, second, gone])
      }
      // Through the link itself, and as a copy of what it leads to.
      let through = PatchFixture.link("l", to: secret.string)
      await refused("2.patch", code: .source, of: [through, "--- a/l\n+++ b/l\n" + patch])
      await refused("leads out", code: .source, of: [through, "diff --git a/l b/x\ncopy from l\ncopy to x\n"])
      await refused(
        "2.patch", code: .source,
        of: [
          through, "diff --git a/l b/x\ncopy from l\ncopy to x\n--- a/l\n+++ b/x\n" + patch,
        ])
      #expect(try Files.read(secret) == Array("SECRET\n".utf8))
      #expect(try Files.names(in: scratch).count == 1)
    }
  }

  @Test func aLinkOfTheSourceIsNoWayIn() async throws {
    var files = PatchFixture.files
    files["lib"] = SourceFile(content: .link("d"), isExecutable: false)
    let change = "--- a/lib/f\n+++ b/lib/f\n@@ -1,2 +1,2 @@\n-1\n+one\n 2\n"
    for patch in [change, "diff --git a/lib/f b/lib/f\n" + change, "--- /dev/null\n+++ b/lib/new\n@@ -0,0 +1 @@\n+x\n"]
    {
      await Fixture.refusal("behind the link lib", code: .source) { _ = try await PatchFixture.apply(patch, to: files) }
    }
    await refused("1.patch", code: .source, of: ["--- a/ln\n+++ b/ln\n@@ -1,2 +1,2 @@\n-1\n+one\n 2\n"])
    // Nor can a file stand where the tree has a folder that no patch names.
    for made in ["--- /dev/null\n+++ b/d\n@@ -0,0 +1 @@\n+x\n", "diff --git a/b.c b/d\nrename from b.c\nrename to d\n"]
    {
      await refused("makes the file d, and d/f is there", code: .source, of: [made])
    }
  }

  /// GNU patch would run ed for such a section.
  @Test func anEdScriptInAPatchIsNotRun() async throws {
    try await withScratch { folder in
      let ran = folder.appending("ran")
      for patch in [
        hunk + "--- a/b.c\n+++ b/b.c\n1c\n!touch \(ran)\n.\nw\nq\n", "1c\n!touch \(ran)\n.\nw\nq\n" + hunk,
        "Index: b.c\n1c\n!touch \(ran)\n.\nw\nq\n" + hunk,
      ] { _ = try? await PatchFixture.apply(patch) }
      #expect(!Files.exists(ran))
    }
  }
}
