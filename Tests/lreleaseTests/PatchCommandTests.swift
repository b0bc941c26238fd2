// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import Releases
import SystemPackage
import TestSupport
import Testing

/// Patches as the whole command applies them: in a cut, of a stranger's plan, in a rebuild.
@Suite struct PatchCommandTests {
  private static let git = """
    diff --git a/fs/old.c b/fs/new.c
    old mode 100644
    new mode 100755
    similarity index 100%
    rename from fs/old.c
    rename to fs/new.c
    diff --git a/fs/keep b/fs/keep
    new file mode 100644
    index 0000000..e69de29
    diff --git a/fs/ln b/fs/ln
    new file mode 120000
    index 0000000..1234567
    --- /dev/null
    +++ b/fs/ln
    @@ -0,0 +1 @@
    +TARGET
    \\ No newline at end of file

    """

  private func write(_ workshop: Workshop, target: String = "new.c", source: String = "patches = \"p/series\"") throws {
    try workshop.write("linux/fs/a.c", "int a;\n")
    try workshop.write("linux/fs/old.c", "int old;\n")
    try workshop.write("linux/MAINTAINERS", "nobody\n")
    try workshop.writeManifest(source: source)
    try workshop.write("p/series", "git.patch\r\nplain.diff # ours\r\n")
    try workshop.write("p/git.patch", Self.git.replacing("TARGET", with: target))
    try workshop.write(
      "p/plain.diff",
      "--- a/fs/new.c\n+++ b/fs/new.c\n@@ -1 +1 @@\n-int old;\n+int new;\n--- a/MAINTAINERS\n+++ b/MAINTAINERS\n@@ -1 +1 @@\n-nobody\n+us\n"
    )
  }

  private var here: [String] { ["--source", "linux=linux"] }

  @Test func whatPatchesMakeIsReleasedAndShown() async throws {
    try await Workshop.use { workshop in
      try write(workshop)
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", here))
      #expect(cut.succeeded, "\(cut.errors)")
      let tarball = "out/demo-7.4/demo-7.4.tar.xz"
      #expect(try await workshop.run(["verify", tarball]).succeeded)
      let shown = try await workshop.run(["show", tarball]).text
      #expect(shown.contains("fs/new.c  ← linux:fs/old.c + git.patch, plain.diff\n"), "\(shown)")
      #expect(
        shown.contains("← linux:fs/ln + git.patch\n") && shown.contains("← linux:fs/keep + git.patch\n"), "\(shown)")
      #expect(!shown.contains("MAINTAINERS") && !shown.contains("fs/old.c  "))
      try await workshop.shell(
        """
        tar -xf \(tarball); cd demo-7.4/fs
        test "$(cat new.c)" = 'int new;'; test -x new.c; test ! -x a.c; test ! -e old.c
        test -f keep; test ! -s keep; test "$(readlink ln)" = new.c
        """)
      // The same from the plan, without the patches beside the manifest.
      try await workshop.shell(
        "lrelease=\(Workshop.lrelease); $lrelease plan demo.toml --source linux=linux --save p.json; rm -r p demo.toml")
      let again = try await workshop.run(["cut", "-q", "--plan", "p.json", "--output", "again"] + here)
      #expect(again.succeeded, "\(again.errors)")
      try await workshop.shell("cmp \(tarball) again/demo-7.4/demo-7.4.tar.xz")
    }
  }

  /// A stranger's plan, and a vendor's series: no file of this machine gets into a release.
  @Test func aLinkOutOfTheReleaseIsRefusedEverywhere() async throws {
    try await Workshop.use { workshop in
      let secret = workshop.folder.appending("secret").string
      try workshop.write("secret", "SECRET\n")
      try write(workshop, target: secret)
      workshop.expectRefusal(
        try await workshop.run(workshop.cutArguments("demo.toml", here)), 3,
        "git.patch: fs/ln is a link that leads out", secret)

      try write(workshop, target: secret, source: "")
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", here))
      #expect(cut.succeeded, "\(cut.errors)")
      let rebuilt = try await workshop.run([
        "rebuild", "-q", "out/demo-7.4/demo-7.4.tar.xz", "--output", workshop.output.string, "--vendor", "acme",
        "--patches",
        "p/series",
      ])
      // MAINTAINERS is no part of the release.
      workshop.expectRefusal(rebuilt, 3, "plain.diff", "(MAINTAINERS)", leaves: ["demo-7.4"])
      try workshop.write("p/series", "git.patch\n")
      let linked = try await workshop.run([
        "rebuild", "-q", "out/demo-7.4/demo-7.4.tar.xz", "--output", workshop.output.string, "--vendor", "acme",
        "--patches",
        "p/series",
      ])
      workshop.expectRefusal(linked, 3, "git.patch: fs/ln is a link that leads out", leaves: ["demo-7.4"])

      // The plan of a cut with a good link, with another patch in it.
      try write(workshop)
      try await workshop.shell("\(Workshop.lrelease) plan demo.toml --source linux=linux --save p.json")
      let patch = Self.git.replacing("TARGET", with: secret)
      var plan = try Plan(reading: workshop.folder.appending("p.json"))
      plan.recipe["p/git.patch"] = Plan.RecipeFile(Array(patch.utf8))
      plan.sources["linux"]?.patches?[0].sha256 = SHA256Digest(of: Array(patch.utf8))
      try workshop.write("p.json", try JSON.encode(plan))
      let stranger = try await workshop.run(
        ["cut", "-q", "--plan", "p.json", "--output", workshop.output.string] + here)
      workshop.expectRefusal(stranger, 3, "git.patch: fs/ln is a link that leads out", leaves: ["demo-7.4"])
    }
  }

  @Test func aVendorsGitPatchesKeepOrigins() async throws {
    try await Workshop.use { workshop in
      try write(workshop, source: "")
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", here))
      #expect(cut.succeeded, "\(cut.errors)")
      try workshop.write("p/series", "git.patch\n")
      let tarball = "out/demo-7.4+by.acme.1/demo-7.4+by.acme.1.tar.xz"
      let rebuilt = try await workshop.run([
        "rebuild", "-q", "out/demo-7.4/demo-7.4.tar.xz", "--output", "out", "--vendor", "acme", "--patches", "p/series",
      ])
      #expect(rebuilt.succeeded, "\(rebuilt.errors)")
      #expect(try await workshop.run(["verify", tarball]).succeeded)
      let shown = try await workshop.run(["show", tarball]).text
      #expect(shown.contains("fs/new.c  ← linux:fs/old.c + by.acme.1/git.patch\n"), "\(shown)")
      #expect(shown.contains("← by.acme.1 + by.acme.1/git.patch\n"), "\(shown)")
      // Made again from the tarball: the same.
      let again = try await workshop.run(["rebuild", "-q", tarball, "--output", "again"])
      #expect(again.succeeded, "\(again.errors)")
    }
  }

  // MARK: line ends

  @Test func checksumsWithCRLFAreRead() async throws {
    try await Workshop.use { workshop in
      try write(workshop, source: "")
      #expect(try await workshop.run(workshop.cutArguments("demo.toml", here)).succeeded)
      try await workshop.shell("sed -i 's/$/\\r/' out/demo-7.4/SHA256SUMS")
      let listed = try ReleaseFolder(workshop.output.appending("demo-7.4")).listed().map(\.name)
      #expect(listed.contains("demo-7.4.tar.xz") && listed.contains("plan.json"))
      #expect(try await workshop.run(["verify", "out/demo-7.4"]).succeeded)
    }
  }

  /// dpkg and rpm would take the CR for a part of the line.
  @Test func packagingWithCRLFIsRefused() async throws {
    try await Workshop.use { workshop in
      try write(workshop, source: "")
      try await workshop.shell("cp -r \(Workshop.root)/debian/dkms debian; cp \(Workshop.root)/specs/dkms.spec .")
      let packages = Workshop.packages.replacing("\(Workshop.root)/debian/dkms", with: "debian")
        .replacing("\(Workshop.root)/specs/dkms.spec", with: "dkms.spec")
      try workshop.writeManifest(packages)
      for (file, line) in [("debian/control", 2), ("dkms.spec", 3)] {
        try await workshop.shell("sed -i.good '\(line)s/$/\\r/' \(file)")
        let outcome = try await workshop.run(workshop.cutArguments("demo.toml", here))
        workshop.expectRefusal(outcome, 2, "\(file):\(line):1", "CR and LF")
        try await workshop.shell("mv \(file).good \(file)")
      }
    }
  }
}
