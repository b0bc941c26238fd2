// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage
import TestSupport
import Testing

@testable import Model

/// A manifest that is another one with changes.
@Suite struct ManifestChangeTests {
  /// The sample, extended by a manifest in another folder.
  private func read(_ text: String) throws -> Manifest {
    try Manifest(parsing: Array("extends = \"../up/manifests/sample.toml\"\n\(text)".utf8), file: "mine/m.toml") {
      name in
      #expect(name == "../up/manifests/sample.toml")
      return try Files.read(Workshop.root.appending("manifests/sample.toml"))
    }
  }

  @Test func whatTheOtherNamesIsBesideIt() throws {
    let manifest = try read("[sources.own]\nfolder = \"own\"\n[sources.far]\ngit = \"git@host.example:a/b\"")
    #expect(manifest.sources["companion"]?.place == "../up/Examples/sample/companion")
    #expect(manifest.sources["own"]?.place == "own")
    #expect(manifest.sources["far"]?.place == "git@host.example:a/b")
    #expect(manifest.generated.map(\.template) == ["../up/manifests/sample/Kbuild", "../up/manifests/sample/probe"])
    #expect(manifest.extras["trace"]?.series == "../up/Examples/sample/extra-trace/patches/series")
    #expect(manifest.packaging?.debian == "../up/debian/sample")
    #expect(manifest.packages[0].deb?.recipe == "../up/debian/dkms")
    // Paths of the release are those of the release.
    #expect(manifest.packages[0].probe == "dkms/probe")
  }

  @Test func singlePartsChange() throws {
    let manifest = try read(
      """
      [change]
      summary = "another sample"
      [change.sources.companion]
      folder = "mine"
      [change.tree."companion:"]
      exclude = { add = ["*.orig"] }
      [change.tree."linux:include/linux/sample"]
      remove = true
      [change.modules]
      exclude = { remove = ["utils", "README"], add = ["/doc"] }
      kernels.max = "7.9"
      [change.packages.modules]
      summary = "changed"
      deb.name = "acme-sample-dkms"
      modules.samplefs = { install = "/updates/acme" }
      modules.samplenet = { remove = true }
      [change.extras.trace]
      remove = true
      [change.extras.mark.packages.mark]
      module = "acmemark"
      [change.packaging.packages.sample]
      files = { remove = ["/README"] }
      """)
    #expect(manifest.summary == "another sample")
    // What is stated here is beside this manifest.
    #expect(manifest.sources["companion"]?.place == "mine")
    #expect(
      manifest.rules.map(\.text) == [
        "linux:fs/sample", "linux:net/sample", "linux:include/uapi/linux/sample", "companion:",
      ])
    #expect(manifest.rules.last?.exclude.map(\.pattern) == ["*.orig"])
    let package = try #require(manifest.packages.first)
    #expect(manifest.packages.count == 1 && package.summary == "changed" && package.deb?.name == "acme-sample-dkms")
    #expect(package.deb?.recipe == "../up/debian/dkms")
    #expect(package.modules.map { "\($0.name) \($0.path) \($0.install)" } == ["samplefs sample /updates/acme"])
    #expect(package.kernels.claims[0].span.min.text == "5.10" && package.kernels.claims[0].span.max.text == "7.9")
    #expect(package.exclude.map(\.pattern) == ["tests", "Kconfig", "LICENSES", "/doc"])
    #expect(manifest.extras.keys.sorted() == ["mark"])
    #expect(manifest.extras["mark"]?.packages.map(\.module) == ["acmemark"])
  }

  @Test(arguments: [
    (
      "[change.packages.module]\nsummary = \"x\"",
      "mine/m.toml:2:1: error: 'change.packages.module': the manifest that is extended has no 'module'; did you mean 'modules'?"
    ),
    (
      "[change.extras.gds]\nremove = true",
      "mine/m.toml:2:1: error: 'change.extras.gds': the manifest that is extended has no 'gds'; it has mark, trace"
    ),
    (
      "[change.modules]\nexclude = { remove = [\"utls\"] }",
      "'change.modules.exclude.remove: utls': the manifest that is extended has no 'utls'; did you mean 'utils'?"
    ),
    (
      "[change.modules]\nexclude = { without = [\"utils\"] }",
      "'change.modules.exclude' changes an array: it must be an array, or { remove = […], add = […] }"
    ),
    ("[change.packages.modules]\nsumary = \"x\"", "mine/m.toml:3:1: error: unknown key 'packages[0].sumary'"),
    ("[change.prepare.sh]\nrun = [\"x\"]", "mine/m.toml:2:1: error: 'prepare' must be an array, not a table"),
    ("change = 1", "'change' must be a table, not an integer"),
  ])
  func whatCannotBeChanged(_ text: String, _ words: String) throws {
    let error = #expect(throws: (any Error).self) { try read(text) }
    #expect(error.map { "\($0)" }?.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
  }

  /// The entries of a list of kernels have the names of their families.
  @Test func kernelsChangeByFamily() throws {
    let base = """
      name = "demo"
      version = "1.0"
      summary = "demo"
      license = "GPL-2.0-only"
      homepage = "https://example.org/"
      maintainer = "A <a@example.org>"
      [sources.own]
      folder = "own"
      [[tree]]
      from = "own:"
      [modules]
      kernels = [
        { family = "mainline", min = "6.1", max = "6.12" },
        { family = "el9", min = "5.14.0-611", max = "5.14.0-611" },
      ]
      [kernel-families.own]
      release = "[+]own$"
      [[packages]]
      modules = [{ name = "m" }]
      [packages.deb]
      recipe = "dkms"
      """
    func read(_ change: String) throws -> KernelSupport {
      let text = "extends = \"base.toml\"\n\(change)"
      let manifest = try Manifest(parsing: Array(text.utf8), file: "m.toml") { _ in Array(base.utf8) }
      return KernelSupport(manifest.packages[0].kernels, families: manifest.families)
    }
    #expect(
      try read("[change.modules.kernels.el9]\nmax = \"5.14.0-687\"").text == "6.1 to 6.12, el9 5.14.0-611 to 5.14.0-687"
    )
    #expect(try read("[change.modules.kernels]\nmainline = { remove = true }").text == "el9 5.14.0-611 to 5.14.0-611")
    #expect(try read("[modules]\nkernels = { min = \"7.0\", max = \"7.3\" }").text == "7.0 to 7.3")
    // Families of both.
    let both = try read("[kernel-families.other]\nrelease = \"[+]other$\"")
    #expect(both.families.prefix(2).map(\.name) == ["other", "own"])
    let error = #expect(throws: (any Error).self) { try read("[change.modules.kernels.el8]\nmax = \"4.18.0-553\"") }
    #expect(
      error.map { "\($0)" }?.contains("has no 'el8'; did you mean 'el9'?") == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func aChangeNeedsAnother() throws {
    let error = #expect(throws: ReleaseError.self) {
      try Manifest(parsing: Array("[change]\nname = \"x\"".utf8), file: "m.toml")
    }
    #expect(
      error?.description
        == "m.toml:1:1: error: 'change' is for a manifest that extends another; name that one in 'extends'")
  }

  /// From the manifest in another folder to packages, and again from the plan and from the tarball alone.
  @Test func aVariantOfTheSampleIsCutAndRebuilt() async throws {
    try await Workshop.use { workshop in
      let root = Workshop.root
      try await workshop.shell("mkdir up; cp -rL \(root)/manifests \(root)/debian \(root)/specs \(root)/Examples up/")
      try workshop.write(
        "mine/acme.toml",
        """
        extends = "../up/manifests/sample.toml"
        [change.packages.modules]
        deb.name = "acme-sample-dkms"
        [change.extras.trace]
        remove = true
        """)
      let source = ["--source", "linux=up/Examples/sample/linux"]
      let cut = try await workshop.run(workshop.cutArguments("mine/acme.toml", source))
      #expect(cut.succeeded, "\(cut.errors)")
      let release = workshop.output.appending("sample-7.2.1")
      #expect(Files.exists(release.appending("acme-sample-dkms_7.2.1-1_all.deb")))
      try await workshop.shell("cp -r out first; rm -rf out mine up/manifests up/debian up/specs")
      let planned = try await workshop.run(
        ["cut", "--quiet", "--plan", "first/sample-7.2.1/plan.json", "--output", "out", "--cache", "cache"] + source
          + ["--source", "companion=up/Examples/sample/companion"])
      #expect(planned.succeeded, "\(planned.errors)")
      try await workshop.shell("cmp first/sample-7.2.1/SHA256SUMS out/sample-7.2.1/SHA256SUMS")
      let again = try await workshop.run([
        "rebuild", "first/sample-7.2.1/sample-7.2.1.tar.xz", "--output", "again", "--cache", "cache",
      ])
      #expect(again.text.contains("identical"), "\(again.errors)")
    }
  }
}
