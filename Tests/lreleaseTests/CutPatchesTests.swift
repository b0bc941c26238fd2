// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import Releases
import SystemPackage
import TestSupport
import Testing

/// `cut --patches`: a respin with patches of one's own, of which the plan and the release tell.
@Suite struct CutPatchesTests {
  private static let fix = "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1 +1 @@\n-int a;\n+long a;\n"

  private func arguments(_ more: [String]) -> [String] {
    ["cut", "--quiet", "demo.toml", "--source", "linux=linux", "--output", "out", "--cache", "cache"] + more
  }

  private func sums(_ workshop: Workshop, _ folder: String) throws -> [UInt8] {
    try Files.read(workshop.folder.pushing(FilePath(folder)).appending("SHA256SUMS"))
  }

  @Test func aRespinWithAPatch() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(Workshop.packages)
      try workshop.write("fix it.patch", Self.fix)
      #expect(try await workshop.run(arguments([])).succeeded)
      let cut = try await workshop.run(arguments(["--respin", "1", "--patches", "fix it.patch"]))
      #expect(cut.succeeded, "\(cut.errors)")
      let shown = try await workshop.run(["show", "out/demo-7.4+r1"])
      #expect(shown.text.contains("patch    cut.1/fix-it.patch\n"), "\(shown.text)")
      #expect(shown.text.contains("linux:fs/a.c + cut.1/fix-it.patch"), "\(shown.text)")
      try await workshop.shell("tar -xJOf out/demo-7.4+r1/demo-7.4+r1.tar.xz demo-7.4+r1/fs/a.c | grep -qx 'long a;'")
      let diff = try await workshop.run(["diff", "out/demo-7.4", "out/demo-7.4+r1"])
      #expect(diff.text.contains("cut.1/fix-it.patch"), "\(diff.text)")

      // From its plan, elsewhere, without the patch; and from its tarball.
      try await workshop.shell("rm 'fix it.patch'")
      let again = try await workshop.run([
        "cut", "--quiet", "--plan", "out/demo-7.4+r1/plan.json", "--source", "linux=linux", "--output", "again",
        "--cache", "cache",
      ])
      #expect(again.succeeded, "\(again.errors)")
      #expect(try sums(workshop, "again/demo-7.4+r1") == sums(workshop, "out/demo-7.4+r1"))
      let rebuilt = try await workshop.run(["rebuild", "--quiet", "out/demo-7.4+r1", "--output", "rebuilt"])
      #expect(rebuilt.succeeded, "\(rebuilt.errors)")
      #expect(try sums(workshop, "rebuilt/demo-7.4+r1") == sums(workshop, "out/demo-7.4+r1"))
      let plan = try Plan(reading: workshop.output.pushing("demo-7.4+r1/plan.json"))
      #expect(plan.format == 2 && plan.patches?.map(\.series) == ["cut.1/series"])
      // The patch came before prepare steps and vendors; a vendor goes on from it.
      try workshop.write("vendor.patch", "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1 +1 @@\n-long a;\n+short a;\n")
      let vendor = try await workshop.run([
        "rebuild", "--quiet", "out/demo-7.4+r1/demo-7.4+r1.tar.xz", "--vendor", "acme", "--patches", "vendor.patch",
        "--output", "out",
      ])
      #expect(vendor.succeeded, "\(vendor.errors)")
      let both = try await workshop.run(["show", "out/demo-7.4+r1+by.acme.1"])
      #expect(both.text.contains("linux:fs/a.c + cut.1/fix-it.patch, by.acme.1/vendor.patch"), "\(both.text)")
    }
  }

  /// What `git format-patch` wrote in the kernel's repository goes to that source, with files that no rule takes.
  @Test func whatGitHasWrittenForTheKernel() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest("[[prepare]]\nrun = [\"sh\", \"-c\", \"cp fs/a.c fs/made.c\"]\n")
      try await workshop.shell(
        """
        sed 's|to = "fs"|to = "src"|; s|fs/a.c fs/made.c|src/a.c src/made.c|' demo.toml >moved.toml
        echo text >linux/doc; cd linux; export GIT_CONFIG_GLOBAL=/dev/null
        git init -q; git config user.name a; git config user.email a@example.org
        git add .; git commit -qm base
        for step in 1 2; do echo "int b$step;" >>fs/a.c; echo more >>doc; git commit -qam "step $step"; done
        git format-patch -q -o ../patches HEAD~2; git reset -q --hard HEAD~2; rm -rf .git
        """)
      let cut = try await workshop.run(
        arguments(["--patches", "linux=patches"]).map { $0 == "demo.toml" ? "moved.toml" : $0 })
      #expect(cut.succeeded, "\(cut.errors)")
      let shown = try await workshop.run(["show", "out/demo-7.4"])
      #expect(shown.text.contains("cut.1/0001-step-1.patch, cut.1/0002-step-2.patch"), "\(shown.text)")
      #expect(shown.text.contains("patch    cut.1/0002-step-2.patch, to the source linux\n"), "\(shown.text)")
      try await workshop.shell(
        "tar -xJOf out/demo-7.4/demo-7.4.tar.xz demo-7.4/src/a.c | sha256sum >a\n"
          + "tar -xJOf out/demo-7.4/demo-7.4.tar.xz demo-7.4/src/made.c | sha256sum | cmp - a")
      let again = try await workshop.run([
        "cut", "--quiet", "--plan", "out/demo-7.4/plan.json", "--source", "linux=linux", "--output", "again",
        "--cache", "cache",
      ])
      #expect(again.succeeded, "\(again.errors)")
      #expect(try sums(workshop, "again/demo-7.4") == sums(workshop, "out/demo-7.4"))
    }
  }

  @Test func whatCannotBeApplied() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      try workshop.write("fix.patch", Self.fix)
      try await workshop.shell(
        "mkdir empty; sed s/a.c/none.c/ fix.patch >wrong.patch; mkdir two; for n in 'a b' a-b; do cp fix.patch \"two/$n.patch\"; done"
      )
      for (patches, words) in [
        ("linus=fix.patch", ["the manifest has no source 'linus'", "did you mean 'linux'?"]),
        ("none.patch", ["none.patch", "No such file"]), ("=fix.patch", ["'=fix.patch' is neither"]),
        ("linux=", ["'linux=' is neither SERIES nor NAME=SERIES"]),
        ("empty", ["empty", "no file series and no patches", "git format-patch"]),
        ("wrong.patch", ["cut.1/series", "wrong.patch", "fs/none.c"]),
        ("two", ["a-b.patch", "rename one of them"]),
      ] {
        let outcome = try await workshop.run(arguments(["--patches", patches]))
        #expect(!outcome.succeeded)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 1, "\(outcome.errors)")
        for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
      }
      workshop.expectNothing()
      #expect(try await workshop.run(arguments([])).succeeded)
      let outcome = try await workshop.run([
        "cut", "--plan", "out/demo-7.4/plan.json", "--patches", "fix.patch", "--source", "linux=linux",
      ])
      workshop.expectRefusal(outcome, 2, "--patches was given, and the plan says that already", leaves: ["demo-7.4"])
    }
  }
}
