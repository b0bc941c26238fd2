// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import Operations
import SystemPackage
import TestSupport
import Testing

/// Families of kernels in the commands: what they claim, what they tell, and what a later lrelease makes of it.
@Suite struct FamilyCommandTests {
  private static let cut = ["--source", "linux=linux", "--output", "out"]

  private func withManifest(_ kernels: String, _ body: (Workshop) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(
        Workshop.packages.replacing(#"kernels = { min = "7.0", max = "7.9" }"#, with: "kernels = \(kernels)"))
      try await body(workshop)
    }
  }

  private static let both = """
    [{ family = "mainline", min = "7.0", max = "7.9", except = ["7.2"] },
    { family = "el9", min = "5.14.0-611", max = "5.14.0-687", stated = "the ChangeLog of 2.17.90" }]
    """

  @Test func theStandingIsTold() async throws {
    try await withManifest(Self.both) { workshop in
      let told = """
          kernels  modules: Linux 7.0 to 7.1 and 7.3 to 7.9, el9 5.14.0-611 to 5.14.0-687 (manifest, demo.toml:13:1)
                     kernels 7.0 to 7.1, 7.3 to 7.9: untried
                     el9 5.14.0-611 to 5.14.0-687: stated by the ChangeLog of 2.17.90

        """
      let planned = try await workshop.run(["plan", "demo.toml", "--source", "linux=linux", "--dry-run"])
      #expect(planned.text.contains(told), "\(planned.text)\(planned.errors)")
      let cut = try await workshop.run(["cut", "demo.toml"] + Self.cut)
      #expect(cut.text.contains(told), "\(cut.text)\(cut.errors)")
      let json = try await workshop.run(["cut", "demo.toml", "--json"] + Self.cut)
      #expect(
        json.text.contains(#""by" : "the ChangeLog of 2.17.90""#) && json.text.contains(#""standing" : "stated""#))
      #expect(json.text.contains(#""max" : "5.14.0-687""#), "\(json.text)")
    }
  }

  /// What a package says of a kernel, asked before anybody installs it.
  @Test func aKernelIsAskedFor() async throws {
    try await withManifest(Self.both) { workshop in
      try #require(try await workshop.run(["cut", "demo.toml", "--quiet"] + Self.cut).succeeded)
      let kernels = [
        "7.1.9-amd64", "7.2.1-amd64", "5.14.0-687.1.1.el9_8.x86_64", "5.14.0-570.1.1.el9_6.x86_64",
        "6.12.0-55.9.1.el10_0.x86_64", "7.3.0-300.fc44.x86_64",
      ]
      let asked = kernels.flatMap { ["--kernel", $0] }
      let supported = "7.0 to 7.1 and 7.3 to 7.9"
      for place in ["out/demo-7.4", "out/demo-7.4/demo-7.4.tar.xz"] {
        let shown = try await workshop.run(["show", place] + asked)
        #expect(
          shown.text == """
            modules: kernel 7.1.9-amd64 is supported: mainline, untried
            modules: kernel 7.2.1-amd64 is skipped: supported of mainline are \(supported)
            modules: kernel 5.14.0-687.1.1.el9_8.x86_64 is supported: el9, stated by the ChangeLog of 2.17.90
            modules: kernel 5.14.0-570.1.1.el9_6.x86_64 is skipped: supported of el9 are 5.14.0-611 to 5.14.0-687
            modules: kernel 6.12.0-55.9.1.el10_0.x86_64 is skipped: it is one of el10, of which none is supported; \
            supported are \(supported), el9 5.14.0-611 to 5.14.0-687
            modules: kernel 7.3.0-300.fc44.x86_64 is supported: mainline, untried

            """, "\(shown.text)\(shown.errors)")
      }
      let json = try await workshop.run(["show", "out/demo-7.4", "--json", "--kernel", kernels[2]])
      #expect(json.text.contains(#""isSupported" : true"#) && json.text.contains(#""family" : "el9""#), "\(json.text)")

      for (arguments, status, words) in [
        (["out/demo-7.4/demo-dkms_7.4-1_all.deb", "--kernel", "7.1"], 2, "it is a package; give the release"),
        (["out/demo-7.4", "--kernel", "kernel"], 64, "'kernel' is not a kernel release"),
        (["out/demo-7.4", "fs", "--kernel", "7.1"], 64, "either paths or --kernel"),
      ] as [([String], Int32, String)] {
        let refused = try await workshop.run(["show", "--quiet"] + arguments)
        #expect(refused.status == .exited(status) && refused.text.isEmpty)
        #expect(refused.errors.contains(words) && refused.errors.split(separator: "\n").count == 1, "\(refused.errors)")
      }
    }
  }

  @Test(arguments: [
    ("6.1-7.4", "Linux 6.1 to 7.4"),
    ("6.1-7.4,el9=5.14.0-611..5.14.0-687", "Linux 6.1 to 7.4, el9 5.14.0-611 to 5.14.0-687"),
    ("el10=6.12.0-55..6.12.0-211.5", "el10 6.12.0-55 to 6.12.0-211.5"),
  ])
  func aCandidateClaims(claim: String, text: String) async throws {
    try await withManifest(Self.both) { workshop in
      let cut = try await workshop.run(["cut", "demo.toml", "--claim", claim] + Self.cut)
      #expect(
        cut.text.contains("  kernels  modules: \(text) (claimed for a candidate, not proven)\n"),
        "\(cut.text)\(cut.errors)")
    }
  }

  @Test(arguments: [
    ("", "'' is not a range of kernels"), ("6.1", "'6.1' is not a range"), ("7.4-6.1", "'7.4-6.1' is not a range"),
    ("el9=5.14.0-611", "'el9=5.14.0-611' is not a range"),
    ("el99=1.0..2.0", "the family 'el99' is not known; did you mean 'el9'?"),
    ("6.1-6.2,6.2-6.3", "'6.2-6.3' is not a range"), ("el9=a..b", "'el9=a..b' is not a range"),
    ("el9=1.2..1.3=x", "is not a range"),
  ])
  func aWrongClaimIsRefused(claim: String, words: String) async throws {
    try await withManifest(Self.both) { workshop in
      workshop.expectRefusal(
        try await workshop.run(["cut", "demo.toml", "--quiet", "--claim", claim] + Self.cut), 2, words)
    }
  }

  /// The families of a plan are those that lrelease knew when it was made.
  @Test func aPlanKeepsItsFamilies() async throws {
    try await withManifest(#"{ min = "6.1", max = "7.9" }"#) { workshop in
      let planned = try await workshop.run(["plan", "--quiet", "demo.toml", "--source", "linux=linux"])
      try #require(planned.succeeded, "\(planned.errors)")
      var plan = try Plan(reading: workshop.folder.appending("plan.json"))
      let all = try #require(plan.families)
      #expect(all == KernelFamily.known)
      // As if one that did not know EL 10 had made it.
      let text = String(decoding: try Files.read(workshop.folder.appending("plan.json")), as: UTF8.self)
      let older = text.replacing("\"name\" : \"el10\"", with: "\"name\" : \"other\"")
      try workshop.write("older.json", older)
      plan = try Plan(reading: workshop.folder.appending("older.json"))
      plan.useCurrentForms(families: KernelFamily.known)
      #expect(plan.families?.contains { $0.name == "other" } == true)
      let cut = try await workshop.run(["cut", "--quiet", "--plan", "older.json"] + Self.cut)
      try #require(cut.succeeded, "\(cut.errors)")
      try await workshop.shell("dpkg-deb -x out/demo-7.4/demo-dkms_*.deb packed")
      try await workshop.shell(
        """
        cd packed/usr/src/demo-7.4
        sh dkms/pre-build --supports 6.12.0-55.el10.x86_64 >said && exit 1
        grep -qx "it is one of other, of which none is supported; supported are 6.1 to 7.9" said
        sh dkms/pre-build --supports 6.12.95+deb12-amd64
        """)
      // A vendor's rebuild tells kernels apart as the release did.
      let rebuilt = try await workshop.run([
        "rebuild", "out/demo-7.4/demo-7.4.tar.xz", "--vendor", "acme", "--allow-same", "--output", "mine",
      ])
      if rebuilt.succeeded {
        let mine = try Plan(reading: workshop.folder.appending("mine/demo-7.4+by.acme.1/plan.json"))
        #expect(mine.families == plan.families)
      }
    }
  }

  /// A plan without families says what it said: one range for everybody's kernels.
  @Test func anOlderPlanMakesWhatItMade() async throws {
    try await withManifest(#"{ min = "6.1", max = "7.9" }"#) { workshop in
      let planned = try await workshop.run(["plan", "--quiet", "demo.toml", "--source", "linux=linux"])
      try #require(planned.succeeded, "\(planned.errors)")
      let text = String(decoding: try Files.read(workshop.folder.appending("plan.json")), as: UTF8.self)
      let start = try #require(text.firstRange(of: "  \"families\" : ["))
      let end = try #require(text[start.upperBound...].firstRange(of: "\n  ],\n"))
      try workshop.write("older.json", String(text[..<start.lowerBound]) + text[end.upperBound...])
      let cut = try await workshop.run(["cut", "--plan", "older.json"] + Self.cut)
      #expect(cut.text.contains("modules: Linux 6.1 to 7.9 (manifest, demo.toml:13:1)\n  "), "\(cut.text)\(cut.errors)")
      try await workshop.shell(
        """
        dpkg-deb -x out/demo-7.4/demo-dkms_*.deb packed
        cd packed/usr/src/demo-7.4
        grep -qx 'BUILD_EXCLUSIVE_KERNEL_MAX="7.9.999"' dkms.conf
        ! grep -q family dkms.conf dkms/pre-build
        sh dkms/pre-build --supports 6.12.0-55.el10.x86_64
        """)
      let claimed = try await workshop.run(
        ["cut", "--quiet", "--plan", "older.json", "--claim", "el9=1.0..2.0"] + Self.cut)
      #expect(claimed.errors.contains("'el9=1.0..2.0' is not a range of kernels"), "\(claimed.errors)")
    }
  }

  @Test(
    arguments: [
      (["6.1.0-56-amd64", "6.12.95+deb12-amd64", "6.11.8-300.fc41.x86_64"], "6.1 to 6.12", []),
      (["5.14.0-611.55.1.el9_7.x86_64", "5.14.0-570.1.el9_6.x86_64"], nil, ["el9 5.14.0-570 to 5.14.0-611"]),
      (
        ["6.1.0-56-amd64", "6.8.0-35-generic", "6.4.0-150700.53.66-default", "junk"], "6.1 to 6.1",
        ["sles15 6.4.0-150700", "ubuntu 6.8.0"]
      ),
      ([], nil, []),
    ] as [([String], String?, [String])])
  func aFirstManifestTakesInstalledKernels(releases: [String], mainline: String?, families: [String]) {
    let installed = InstalledKernels(releases)
    #expect(installed.mainline?.text == mainline)
    #expect(installed.families.map { "\($0.family) \($0.span.shortText)" } == families)
  }
}
