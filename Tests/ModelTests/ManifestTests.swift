// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage
import TestSupport
import Testing

@testable import Model

@Suite struct ManifestTests {
  private let good = """
    name = "demo"
    version = "{kernel}"
    summary = "demo"
    license = "GPL-2.0-only"
    homepage = "https://example.org/"
    maintainer = "A <a@example.org>"
    [sources.here]
    folder = "."
    [[tree]]
    from = "here:"
    """

  @Test func aGoodManifestIsRead() throws {
    let manifest = try Manifest(parsing: Array(good.utf8), file: "m.toml")
    #expect(manifest.name == "demo")
    #expect(manifest.rules.count == 1)
  }

  @Test func everyMistakeIsReportedAtItsPlace() throws {
    let text = """
      name = "demo"
      version = 7
      sumary = "x"
      license = "GPL"
      homepage = "h"
      maintainer = "nobody"
      [sources.here]
      folder = "."
      git = "y"
      [[tree]]
      from = "here:"
      too = "x"
      """
    let error = #expect(throws: Diagnostics.self) { try Manifest(parsing: Array(text.utf8), file: "m.toml") }
    let lines = (error?.description ?? "").split(separator: "\n").map(String.init)
    #expect(lines.contains { $0.hasPrefix("m.toml:2:1: error: 'version' must be a string, not an integer") })
    #expect(lines.contains { $0.hasPrefix("m.toml:3:1: error: unknown key 'sumary'; did you mean 'summary'?") })
    #expect(
      lines.contains(
        "m.toml:4:1: error: 'license' is no SPDX expression: SPDX has no licence 'GPL'; did you mean 'GPL-2.0-only'?"))
    #expect(lines.contains { $0.hasPrefix("m.toml:6:1: error: 'maintainer' must be Name <address>") })
    #expect(lines.contains { $0.hasPrefix("m.toml:12:1: error: unknown key 'tree[0].too'") })
    #expect(lines.contains { $0.contains("'summary' is missing") })
  }

  @Test func licencesAreCheckedWhereverTheyStand() throws {
    let text =
      good.replacing("GPL-2.0-only", with: "GPL-2.0-only OR") + """

        [extras.x]
        summary = "x"
        license = "GPL-2.0"
        [[licenses]]
        paths = ["a.c"]
        expression = "NotALicense"
        [[licenses]]
        paths = []
        expresion = "MIT"
        """
    let error = #expect(throws: Diagnostics.self) { try Manifest(parsing: Array(text.utf8), file: "m.toml") }
    #expect(
      (error?.description ?? "").split(separator: "\n").map(String.init) == [
        "m.toml:4:1: error: 'license' is no SPDX expression: a licence is missing after 'OR'",
        "m.toml:13:1: error: 'extras.x.license' is no SPDX expression: SPDX has deprecated 'GPL-2.0'; write GPL-2.0-only",
        "m.toml:16:1: error: 'licenses[0].expression' is no SPDX expression: SPDX has no licence 'NotALicense'; "
          + "a licence of its own is called LicenseRef-NAME",
        "m.toml:17:1: error: 'licenses[1].expression' is missing (SPDX expression)",
        "m.toml:18:1: error: 'licenses[1].paths' must hold at least 1 element",
        "m.toml:19:1: error: unknown key 'licenses[1].expresion'; did you mean 'expression'?",
      ])
    // A plan of an older lrelease holds what that accepted.
    let stored = good.replacing("GPL-2.0-only", with: "GPL-2.0-only OR")
    let manifest = try Manifest(parsing: Array(stored.utf8), file: "m.toml", isStored: true)
    #expect(manifest.license == "GPL-2.0-only OR")
  }

  @Test func aSourceThatIsNotDeclaredIsNamed() {
    let text = good.replacing("from = \"here:\"", with: "from = \"hera:x\"")
    let error = #expect(throws: Diagnostics.self) { try Manifest(parsing: Array(text.utf8), file: "m.toml") }
    #expect(error?.description.contains("m.toml:10:1: error: 'from' names the source 'hera'") == true)
    #expect(error?.description.contains("did you mean 'here'?") == true)
  }

  @Test(arguments: [
    ("keyring = \"k.gpg\"", "source 'here' has a keyring but no signers"),
    ("signers = [\"647F28654894E3BD457199BE38DBBDC86092693E\"]", "source 'here' has signers but no keyring"),
    (
      "sha256 = \"\(String(repeating: "0", count: 64))\"",
      "source 'here' is not a tarball: 'sha256' applies only to tarballs"
    ),
  ])
  func trustThatCouldNotBeCheckedIsAnError(line: String, words: String) {
    let text = good.replacing("folder = \".\"", with: "folder = \".\"\n\(line)")
    let error = #expect(throws: Diagnostics.self) { try Manifest(parsing: Array(text.utf8), file: "m.toml") }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func aPackageOfAnyKernelIsReported() {
    let text =
      good + """

        [[packages]]
        kind = "dkms"
        variant = "base"
        module = "demo"
        summary = "x"
        modules = [{ name = "base", path = "." }]
        deb = { name = "demo-dkms", recipe = "d" }
        """
    let error = #expect(throws: Diagnostics.self) { try Manifest(parsing: Array(text.utf8), file: "m.toml") }
    #expect(
      error?.description
        == "m.toml:11:1: error: 'kernels' is missing: neither the package 'base' nor [modules] says which kernel releases "
        + "are supported; write kernels = { min = \"5.10\", max = \"6.12\" } in [modules]")
  }

  @Test func randomBytesNeverCrashTheLoader() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("[]{}=\"'\\\n.,#abc_019 \t".utf8) + [0, 0xff, 0xc3]
    for _ in 0..<20_000 {
      let length = Int.random(in: 0..<120, using: &generator)
      let bytes = (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
      #expect(throws: (any Error).self, "accepted \(bytes)") { try Manifest(parsing: bytes, file: "m.toml") }
    }
  }

  @Test func theShippedManifestsAreGood() throws {
    let folder = Workshop.root
      .appending("manifests")
    let names = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasSuffix(".toml") }
    #expect(names.contains("sample.toml") && names.contains("ceph.toml"))
    for name in names {
      _ = try Manifest(parsing: Files.read(folder.appending(name)), file: name) {
        try Files.read(folder.appending($0))
      }
    }
  }

  @Test func extrasThatNameNoOtherAreReported() {
    let text =
      good + """

        [extras.gds]
        summary = "x"
        license = "MIT"
        needs = ["cudo"]
        [extras.cuda]
        summary = "x"
        license = "MIT"
        conflicts = ["cuda"]
        kernels = { min = "7.2", max = "6.12" }
        """
    let error = #expect(throws: Diagnostics.self) { try Manifest(parsing: Array(text.utf8), file: "m.toml") }
    let words = error?.description ?? ""
    #expect(
      words.contains("m.toml:11:1: error: extra 'gds' names 'cudo', which is no other extra; did you mean 'cuda'?"))
    #expect(words.contains("m.toml:15:1: error: extra 'cuda' names 'cuda', which is no other extra"))
    #expect(words.contains("m.toml:19:13: error: kernels.min '7.2' must not be above kernels.max '6.12'"))
  }

  @Test func packagesOfExtrasAreReadAndChecked() throws {
    let text =
      good + """

        [modules]
        kernels = { min = "5.10", max = "6.12" }
        include = ["a"]
        probe = "a/probe"
        list = [{ name = "base", path = "." }]
        [[packages]]
        kind = "dkms"
        variant = "base"
        module = "demo"
        summary = "x"
        deb = { name = "demo-dkms", recipe = "d" }
        [extras.own]
        summary = "x"
        license = "MIT"
        tree = [{ from = "here:own", to = "own" }]
        [[extras.own.packages]]
        kind = "dkms"
        variant = "own"
        module = "own"
        summary = "x"
        modules = [{ name = "own", path = "own" }]
        deb = { name = "own-dkms", recipe = "d" }
        [extras.more]
        summary = "x"
        license = "MIT"
        modules = [{ name = "more", path = "more" }]
        """
    let manifest = try Manifest(parsing: Array(text.utf8), file: "m.toml")
    #expect(manifest.packages(with: []).map(\.variant) == ["base"])
    let packages = manifest.packages(with: ["more", "own"])
    #expect(packages.map(\.variant) == ["base", "own"] && packages.allSatisfy { $0.kind == .dkms })
    #expect(
      packages[1].kernels.claims[0].span.min.text == "5.10" && packages[1].include.isEmpty && packages[1].probe == nil)
    let modules = packages.map { manifest.modules(of: $0, with: ["more", "own"]).map(\.name) }
    #expect(modules == [["base", "more"], ["own"]])
    #expect(packages.map { manifest.qualify.covers($0) } == [true, false])

    for (old, new, words) in [
      ("variant = \"own\"", "variant = \"base\"", "the variant 'base' is named a second time (first at line 16)"),
      ("name = \"own-dkms\"", "name = \"demo-dkms\"", "'demo-dkms' is named a second time"),
      (
        "variant = \"own\"", "variant = \"own\"\nkernels = { min = \"6.1\", max = \"5.4\" }",
        "m.toml:29:13: error: kernels.min '6.1' must not be above kernels.max '5.4'"
      ),
      (
        "[[extras.own.packages]]", "modules = [{ name = \"m\", path = \"own\" }]\n[[extras.own.packages]]",
        "m.toml:22:1: error: extra 'own' has packages of its own, which alone hold its files, so it cannot add modules"
      ),
    ] {
      let error = #expect(throws: Diagnostics.self) {
        try Manifest(parsing: Array(text.replacing(old, with: new).utf8), file: "m.toml")
      }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test func aManifestExtendsAnother() throws {
    let text = """
      extends = "good.toml"
      summary = "other"
      [sources.there]
      folder = "there"
      [[tree]]
      from = "there:"
      [[tree]]
      from = "here:a"
      """
    let files = ["good.toml": good, "chain.toml": "extends = \"good.toml\"", "broken.toml": good + "\nfron = 1"]
    func read(_ text: String) throws -> Manifest {
      try Manifest(parsing: Array(text.utf8), file: "x/m.toml") { name in
        guard let text = files[name] else {
          throw ReleaseError(.input, doing: "reading \(name)", reason: "there is none")
        }
        return Array(text.utf8)
      }
    }
    let manifest = try read(text)
    #expect(manifest.name == "demo" && manifest.summary == "other")
    #expect(manifest.sources.keys.sorted() == ["here", "there"])
    #expect(manifest.rules.map(\.text) == ["there:", "here:a"])
    for (base, words) in [
      ("chain.toml", "x/chain.toml:1:1: error: a manifest that is extended cannot extend another"),
      ("broken.toml", "x/broken.toml:11:1: error: unknown key 'tree[0].fron'; did you mean 'from'?"),
      ("none.toml", "x/m.toml:1:1: error: reading none.toml: there is none"),
    ] {
      let error = #expect(throws: (any Error).self) { try read("extends = \"\(base)\"") }
      #expect(error.map { "\($0)" }?.contains(words) == true, "\(String(describing: error))")
    }
  }

  @Test(arguments: [
    ("here:a/b.c", "", "b.c"), ("here:a/b.c", "c.c", "c.c"), ("here:a", "", "b.c"), ("here:a", "d", "d/b.c"),
    ("here:", "d", "d/a/b.c"),
  ])
  func aFileGoesWhereItsRuleSays(from: String, to: String, destination: String) throws {
    let rule = "from = \"\(from)\"" + (to.isEmpty ? "" : "\nto = \"\(to)\"")
    let text = good.replacing("from = \"here:\"", with: rule)
    let manifest = try Manifest(parsing: Array(text.utf8), file: "m.toml")
    #expect(manifest.rules[0].destination(of: "a/b.c") == destination)
  }

  @Test(arguments: [
    ("*.bz2", "a/b.bz2", true), ("*.bz2", "b.bz2x", false), ("utils", "utils/x.c", true), ("a/*.c", "a/x.c", true),
    ("a/*.c", "a/b/x.c", false), ("a/**/x.c", "a/b/c/x.c", true), ("a/**/x.c", "a/x.c", true), ("[a-c]?", "b1", true),
    ("[!a-c]?", "b1", false),
  ])
  func globsMatchAsInGitignore(pattern: String, path: String, expected: Bool) {
    #expect(Glob(pattern).matches(path) == expected)
  }

  @Test func timesReadAndWriteTheSame() {
    for text in ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-01T12:34:56Z"] {
      #expect(Timestamp(iso8601: text)?.iso8601 == text)
    }
    #expect(Timestamp(iso8601: "2026-11-01T00:00:00Z")?.rfc5322 == "Sun, 01 Nov 2026 00:00:00 +0000")
  }
}
