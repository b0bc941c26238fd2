// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import SystemPackage
import TestSupport
import Testing

/// What a plan holds, and what is refused beside one.
@Suite struct PlanTests {
  private static let hunk = "@@ -1 +1 @@\n-int a;\n+int b;\n"

  /// A manifest whose kernel has a patch on top, and a vendor's patch of what comes out.
  private func use(_ body: (Workshop) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(source: "patches = \"patches/series\"")
      try workshop.write("patches/series", "first.patch\n")
      try workshop.write("patches/first.patch", "--- a/fs/a.c\n+++ b/fs/a.c\n\(Self.hunk)")
      try workshop.write("acme/series", "second.patch\n")
      try workshop.write(
        "acme/second.patch", "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1 +1 @@\n-int b;\n+int c;\n")
      try await body(workshop)
    }
  }

  private let linux = ["--source", "linux=linux"]

  private func succeeds(
    _ workshop: Workshop, _ arguments: [String], _ location: Testing.SourceLocation = #_sourceLocation
  ) async throws {
    let outcome = try await workshop.run(arguments)
    #expect(outcome.succeeded, "\(outcome.errors)", sourceLocation: location)
  }

  private func sums(_ workshop: Workshop, _ folder: String) throws -> String {
    String(decoding: try Files.read(workshop.folder.pushing(FilePath("\(folder)/SHA256SUMS"))), as: UTF8.self)
  }

  private func plan(_ workshop: Workshop, _ file: String) throws -> Plan {
    try Plan(reading: workshop.folder.pushing(FilePath(file)))
  }

  @Test func aReleaseNamesItsPatchesByDigestAndHasTheirTextInAFile() async throws {
    try await use { workshop in
      try await succeeds(workshop, workshop.cutArguments("demo.toml", linux))
      let released = try plan(workshop, "out/demo-7.4/plan.json")
      #expect(released.format == 2 && released.recipe["patches/first.patch"] == nil)
      #expect(released.missingPatches == released.appliedPatches && released.appliedPatches.count == 1)
      try await workshop.shell(
        """
        tar -xf out/demo-7.4/demo-7.4.patches.tar.xz
        cmp demo-7.4.patches/patches/first.patch patches/first.patch
        """)

      // A plan that was saved holds the text, so that it can be sent to somebody.
      try await succeeds(workshop, ["plan", "demo.toml", "--save", "saved.json"] + linux)
      let saved = try plan(workshop, "saved.json")
      #expect(saved.missingPatches.isEmpty)
      #expect(try saved.identity == released.identity)

      for (number, file) in ["saved.json", "out/demo-7.4/plan.json"].enumerated() {
        try await succeeds(workshop, ["cut", "--plan", file, "--output", "again\(number)"] + linux)
        #expect(try sums(workshop, "again\(number)/demo-7.4") == sums(workshop, "out/demo-7.4"))
      }
      try await succeeds(workshop, ["rebuild", "out/demo-7.4", "--output", "rebuilt"])
      #expect(try sums(workshop, "rebuilt/demo-7.4") == sums(workshop, "out/demo-7.4"))
    }
  }

  @Test func theTarballAloneIsMadeAgainWithoutTheTextOfPatches() async throws {
    try await use { workshop in
      try await succeeds(workshop, workshop.cutArguments("demo.toml", linux))
      try await workshop.shell("cp out/demo-7.4/demo-7.4.tar.xz out/demo-7.4/plan.json .")
      let rebuilt = try await workshop.run(["rebuild", "--verbose", "demo-7.4.tar.xz", "--output", "rebuilt"])
      #expect(rebuilt.succeeded && rebuilt.errors.contains("note: demo-7.4.patches.tar.xz is not made"))

      let lost = try await workshop.run(["cut", "--quiet", "--plan", "plan.json", "--output", "again"] + linux)
      workshop.expectRefusal(
        lost, 2, "it does not hold the file patches/first.patch", "NAME.patches.tar.xz", leaves: ["demo-7.4"])
    }
  }

  @Test func whatLiesBesideAPlanCountsByItsDigestOnly() async throws {
    try await use { workshop in
      try await succeeds(workshop, workshop.cutArguments("demo.toml", linux))
      try await workshop.shell(
        """
        mkdir other; cp out/demo-7.4/plan.json other
        cd other; mkdir -p x.patches/patches; echo changed >x.patches/patches/first.patch
        tar -cJf x.patches.tar.xz x.patches
        """)
      let changed = try await workshop.run(
        ["cut", "--quiet", "--plan", "other/plan.json", "--output", "again"] + linux)
      workshop.expectRefusal(changed, 2, "it does not hold the file patches/first.patch", leaves: ["demo-7.4"])
    }
  }

  @Test func aVendorsPatchesLieInAFileOfTheirOwn() async throws {
    try await use { workshop in
      try await succeeds(workshop, workshop.cutArguments("demo.toml", linux))
      let vendor = ["rebuild", "out/demo-7.4/demo-7.4.tar.xz", "--vendor", "acme", "--patches", "acme/series"]
      try await succeeds(workshop, vendor + ["--output", "out"])
      let name = "demo-7.4+by.acme.1"
      #expect(try plan(workshop, "out/\(name)/plan.json").ownPatches.map(\.name) == ["second.patch"])
      try await workshop.shell(
        """
        tar -tf out/\(name)/\(name).patches.tar.xz | grep -v /$ >list
        echo '\(name).patches/by.acme.1/second.patch' | cmp - list
        """)
      try await succeeds(workshop, ["rebuild", "out/\(name)", "--output", "rebuilt"])
      #expect(try sums(workshop, "rebuilt/\(name)") == sums(workshop, "out/\(name)"))

      // From the sources, the patches of both are needed: in one folder, or in those of their releases.
      try await workshop.shell("mkdir both alone; cp out/*/*.patches.tar.xz out/\(name)/plan.json both")
      try await workshop.shell("cp out/\(name)/*.patches.tar.xz out/\(name)/plan.json alone")
      let again = ["cut", "--quiet", "--output", "again", "--plan"]
      #expect(try await workshop.run(again + ["alone/plan.json"] + linux).errors.contains("patches/first.patch"))
      for folder in ["both", "out/\(name)"] {
        try await succeeds(workshop, again + ["\(folder)/plan.json"] + linux)
        #expect(try sums(workshop, "again/\(name)") == sums(workshop, "out/\(name)"))
        try await workshop.shell("rm -r again")
      }
    }
  }

  @Test func theOrderOfExtrasDoesNotShow() async throws {
    try await Workshop.use { workshop in
      let (first, second) = (["--with", "mark", "--with", "trace"], ["--with", "trace", "--with", "mark"])
      #expect(try await workshop.cutSample(first).succeeded)
      let sums = try Files.read(workshop.output.pushing("sample-7.2.1+and.mark.trace/SHA256SUMS"))
      let again = try await workshop.cutSample(second)
      #expect(again.succeeded, "\(again.errors)")
      try await workshop.shell("rm -r out")
      #expect(try await workshop.cutSample(second).succeeded)
      #expect(try Files.read(workshop.output.pushing("sample-7.2.1+and.mark.trace/SHA256SUMS")) == sums)
    }
  }

  @Test func anExtraComesAfterThoseThatItNeeds() throws {
    let manifest = try Manifest(
      parsing: Array(
        """
        \(Demo.manifestHead())
        [[tree]]
        from = "linux:fs"
        [extras.a]
        summary = "a"
        license = "GPL-2.0-only"
        needs = ["z"]
        [extras.m]
        summary = "m"
        license = "GPL-2.0-only"
        [extras.z]
        summary = "z"
        license = "GPL-2.0-only"
        """.utf8), file: "demo.toml")
    #expect(manifest.ordered(["m", "a", "z"]) == ["m", "z", "a"])
    #expect(manifest.ordered(["z", "a", "m"]) == ["m", "z", "a"])
    #expect(manifest.ordered(["a"]) == ["a"])
    #expect(manifest.ordered(["a", "unknown"]) == ["a", "unknown"])
  }

  @Test(arguments: [["--kernel", "7.4"], ["--respin", "1"], ["--respin", "0"], ["--with", "more"]])
  func whatThePlanSaysCannotBeAskedForBesideIt(option: [String]) async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      try await succeeds(workshop, ["plan", "demo.toml", "--save", "plan.json"] + linux)
      let refused = try await workshop.run(
        ["cut", "--quiet", "--plan", "plan.json", "--output", workshop.output.string] + linux + option)
      workshop.expectRefusal(refused, 2, "carrying out the plan: \(option[0]) was given")
    }
  }

  @Test(
    arguments: [
      ("2026-02-31T00:00:00Z", false), ("2026T11T01-00:00:00Z", false), ("2026-02-29T00:00:00Z", false),
      ("2026-01-01T00:00:60Z", false), ("2026-01-01T24:00:00Z", false), ("2026-00-01T00:00:00Z", false),
      ("2026-01-00T00:00:00Z", false), ("2026-01-01 00:00:00Z", false), ("+026-01-01T00:00:00Z", false),
      ("2024-02-29T23:59:59Z", true), ("1970-01-01T00:00:00Z", true), ("0000-03-01T00:00:00Z", true),
    ]) func aTimeIsOneOfTheCalendar(text: String, isTime: Bool)
  {
    #expect(Timestamp(iso8601: text)?.iso8601 == (isTime ? text : nil))
  }

  /// dkms would find that out on every site.
  @Test func aPackageThatMakeCannotBuildIsRefused() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(Workshop.packages)
      try await workshop.shell("rm linux/fs/Kbuild")
      let words = "making the package 'modules': it cannot be built: neither Makefile nor Kbuild is in fs"
      workshop.expectRefusal(try await workshop.run(["plan", "--quiet", "demo.toml"] + linux), 2, words)
      workshop.expectRefusal(try await workshop.run(workshop.cutArguments("demo.toml", linux)), 2, words)
    }
  }

  @Test func aReleaseThatDoesNotSupportItsOwnKernelIsWarnedOf() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(
        Workshop.packages.replacing("min = \"7.0\", max = \"7.9\"", with: "min = \"6.1\", max = \"7.3\""))
      let warning = "warning: the package 'modules' supports 6.1 to 7.3, and the release is made from Linux 7.4\n"
      for arguments in [["plan", "--quiet", "demo.toml"] + linux, workshop.cutArguments("demo.toml", linux)] {
        let outcome = try await workshop.run(arguments)
        #expect(outcome.succeeded && outcome.errors == warning, "\(outcome.errors)")
      }
    }
  }
}
