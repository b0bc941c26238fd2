// SPDX-License-Identifier: GPL-2.0-only

import Files
import FoundationEssentials
import Model
import SystemPackage
import TestSupport
import Testing

/// What `plan` and `cut` tell of a release to come, and single files of a release that is there.
@Suite struct OutlookTests {
  private static let linux = ["--source", "linux=\(Workshop.root.appending("Examples/sample/linux"))"]
  private static let sample = Workshop.root.appending("manifests/sample.toml").string

  private struct Outlook: Decodable {
    struct Kernels: Decodable, Equatable {
      var package: String
      var min: String
      var max: String
      var from: String
      var extras: [String]
    }
    var supportedKernels: [Kernels]
  }

  private struct Cut: Decodable {
    struct File: Decodable { var name: String }
    var outputs: [File]
  }

  private func names(_ workshop: Workshop, _ folder: String) throws -> [String] {
    try Files.names(in: workshop.folder.pushing(FilePath(folder))).map { String(decoding: $0, as: UTF8.self) }.sorted()
  }

  /// The words behind `output`, in the order in which they are printed.
  private func outputs(_ text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("  output   ") }.map { String($0.dropFirst(11)) }
  }

  @Test func everyFileIsToldBeforeItIsThere() async throws {
    try await Workshop.use { workshop in
      try workshop.write(
        "fix.patch",
        """
        --- a/net/sample/samplenet.c
        +++ b/net/sample/samplenet.c
        @@ -1 +1,2 @@
         // SPDX-License-Identifier: GPL-2.0
        +/* fixed */

        """)
      for (number, more) in [
        [], ["--with", "trace"], ["--respin", "1", "--patches", "linux=fix.patch"],
      ].enumerated() {
        let planned = try await workshop.run(
          ["plan", "--quiet", "--json", Self.sample, "--dry-run"] + Self.linux + more)
        #expect(planned.succeeded, "\(planned.errors)")
        let shown = try await workshop.run(["plan", Self.sample, "--dry-run"] + Self.linux + more)
        let cut = try await workshop.run(
          ["cut", "--json", Self.sample, "--output", "out\(number)"] + Self.linux + more)
        #expect(cut.succeeded, "\(cut.errors)")
        let report = try JSONDecoder().decode(Cut.self, from: Data(cut.output))
        let release = try names(workshop, "out\(number)")[0]
        let files = try names(workshop, "out\(number)/\(release)")
        #expect(outputs(shown.text) == files && report.outputs.map(\.name) == files, "\(shown.text)")
        #expect(files.contains("\(release).patches.tar.xz") == more.contains("--patches"))
        for text in [planned.text, cut.text] {
          let outlook = try JSONDecoder().decode(Outlook.self, from: Data(text.utf8))
          #expect(
            outlook.supportedKernels == [
              Outlook.Kernels(package: "modules", min: "5.10", max: "7.3", from: "manifest", extras: [])
            ])
        }
      }
    }
  }

  @Test func theKernelsAreToldWithWhatSaysSo() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(Workshop.packages)
      let cut = try await workshop.run(["cut", "demo.toml", "--source", "linux=linux", "--output", "out"])
      #expect(cut.text.contains("\n  kernels  modules: Linux 7.0 to 7.9 (manifest, demo.toml:13:1)\n"), "\(cut.text)")
      let again = try await workshop.run(["cut", "demo.toml", "--source", "linux=linux", "--output", "out"])
      #expect(again.text.contains("\n  kernels  modules: Linux 7.0 to 7.9 (manifest, demo.toml:13:1)\n"))
      let claimed = try await workshop.run([
        "cut", "demo.toml", "--source", "linux=linux", "--output", "claimed", "--claim", "6.1-7.4",
      ])
      #expect(claimed.text.contains("  kernels  modules: Linux 6.1 to 7.4 (claimed for a candidate, not proven)\n"))
    }
  }

  @Test func aDryRunWritesNothingAndAPlanCanGoToStandardOutput() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      let plan = ["plan", "demo.toml", "--source", "linux=linux"]
      let before = try names(workshop, ".")
      let dry = try await workshop.run(plan + ["--dry-run"])
      #expect(dry.succeeded && dry.text.hasSuffix("\nnot saved: --dry-run\n"), "\(dry.errors)")
      #expect(try names(workshop, ".").filter { !["cache", ".cache"].contains($0) } == before)

      let piped = try await workshop.run(plan + ["--save", "-"])
      #expect(piped.succeeded && piped.errors.contains("\n  output   demo-7.4.tar.xz\n"), "\(piped.errors)")
      #expect(try Plan(parsing: piped.output, doing: "reading it").name == "demo")
      let quiet = try await workshop.run(plan + ["--save", "-", "--quiet"])
      #expect(quiet.output == piped.output && quiet.errors.isEmpty)

      #expect(try await workshop.run(plan + ["--quiet"]).succeeded)
      #expect(try Files.read(workshop.folder.appending("plan.json")) == piped.output)
      workshop.expectRefusal(
        try await workshop.run(plan + ["--quiet"]), 5,
        "error: saving the plan: plan.json already exists; give --replace or another --save\n")
      #expect(try await workshop.run(plan + ["--quiet", "--replace"]).succeeded)
      for (more, words) in [
        (["--dry-run", "--save", "x"], "--dry-run and --save cannot be combined"),
        (["--json", "--save", "-"], "--save - and --json cannot be combined"),
      ] {
        let refused = try await workshop.run(plan + more)
        #expect(refused.status == .exited(64) && refused.errors.contains(words), "\(refused.errors)")
      }
    }
  }

  @Test func aFolderAboveTheOutputIsNotMade() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      let linux = ["--source", "linux=linux", "--quiet"]
      #expect(try await workshop.run(["cut", "demo.toml", "--output", "real"] + linux).succeeded)
      for arguments in [
        ["cut", "demo.toml", "--output", "no/such"] + linux, ["plan", "demo.toml", "--save", "no/such"] + linux,
        ["rebuild", "real/demo-7.4", "--output", "no/such", "--quiet"],
        ["init", "linux/fs", "--output", "no/such", "--quiet"],
      ] {
        workshop.expectRefusal(
          try await workshop.run(arguments), 2,
          ": there is no folder \(workshop.folder)/no; create it first, or correct the path\n")
      }
    }
  }

  // MARK: single files

  @Test func singleFilesAreVerifiedAndShown() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let release = "out/sample-7.2.1"
      let deb = "sample-dkms_7.2.1-1_all.deb"
      let good = try await workshop.run(["verify", "--quiet", "--color", "never", release, deb, "./Kbuild", "tests/"])
      #expect(good.succeeded && good.errors.isEmpty, "\(good.errors)")
      let told = try await workshop.run(["verify", release, deb, "Kbuild"])
      #expect(
        told.text == "\(deb): as released\nKbuild: as released  ← generated (template sample/Kbuild)\n", "\(told.text)")
      let shown = try await workshop.run(["show", release, "Kbuild", "tests"])
      let files = shown.text.split(separator: "\n").filter { $0.hasPrefix("0") }
      #expect(files.count > 1 && files.allSatisfy { $0.contains("  Kbuild  ") || $0.contains("  tests/") })

      // Damage elsewhere is not asked about; damage of a file that was named is told.
      try await workshop.shell("echo >>out/sample-7.2.1/sample_7.2.1-1.dsc")
      #expect(try await workshop.run(["verify", release, deb, "Kbuild", "--quiet"]).succeeded)
      #expect(try await workshop.run(["verify", "\(release)/\(deb)", "--quiet"]).succeeded)
      for arguments in [[release, "sample_7.2.1-1.dsc"], ["\(release)/sample_7.2.1-1.dsc"]] {
        let changed = try await workshop.run(["verify", "--quiet"] + arguments)
        workshop.expectRefusal(changed, 6, "sample_7.2.1-1.dsc is changed", leaves: ["sample-7.2.1"])
      }
      try await workshop.shell("rm out/sample-7.2.1/\(deb)")
      workshop.expectRefusal(
        try await workshop.run(["verify", release, deb, "--quiet"]), 6,
        "error: verifying \(release): \(deb) is missing", leaves: ["sample-7.2.1"])
      for command in ["verify", "show"] {
        let tarball = "\(release)/sample-7.2.1.tar.xz"
        workshop.expectRefusal(
          try await workshop.run([command, tarball, "Kbild", "--quiet"]), 2,
          "error: reading \(tarball): it has no file 'Kbild'; did you mean 'Kbuild'?\n", leaves: ["sample-7.2.1"])
      }
    }
  }
}
