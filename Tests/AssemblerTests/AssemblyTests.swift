// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Assembler

/// Manifests that are well-formed and ask for what cannot be.
@Suite struct AssemblyTests {
  @Test func twoRulesForOnePathAreBothNamed() async throws {
    let files = ["fs/a.c": "int a;\n", "net/a.c": "int b;\n"]
    let second = "to = \"fs\"\n[[tree]]\nfrom = \"linux:net\"\nto = \"fs\""
    await Fixture.refusal(
      "demo.toml:14:1", "linux:net/a.c and linux:fs/a.c both write fs/a.c", "overlay = true", code: .input
    ) { _ = try await Fixture.assemble(Fixture.manifest(second), files: files) }
    let tree = try await Fixture.assemble(Fixture.manifest(second + "\noverlay = true"), files: files)
    #expect(try tree["fs/a.c"]?.read() == Array("int b;\n".utf8))
    // The same content twice is no conflict.
    _ = try await Fixture.assemble(
      Fixture.manifest(second), files: ["fs/a.c": "int a;\n", "net/a.c": "int a;\n"])
  }

  @Test func aFileCannotStandWhereAFolderIs() async throws {
    let files = ["fs/a.c": "int a;\n", "net/b.c": "int b;\n"]
    for (first, second) in [("x", "x/a.c"), ("x/a.c/y", "x")] {
      let text = Fixture.manifest("to = \"\(first)\"\n[[tree]]\nfrom = \"linux:net/b.c\"\nto = \"\(second)\"")
      await Fixture.refusal("demo.toml:14:1", "linux:net/b.c", "linux:fs/a.c", code: .input) {
        _ = try await Fixture.assemble(text.replacing("linux:fs\"", with: "linux:fs/a.c\""), files: files)
      }
    }
  }

  @Test func anEmptyRuleIsNamed() async throws {
    await Fixture.refusal("demo.toml:11:1", "the rule from linux:fs matches no file", "exclude", code: .source) {
      _ = try await Fixture.assemble(Fixture.manifest("include = [\"*.h\"]"))
    }
    await Fixture.refusal("demo.toml:13:1", "the rule from linux:net matches no file", code: .source) {
      _ = try await Fixture.assemble(Fixture.manifest("[[tree]]\nfrom = \"linux:net\""))
    }
  }

  @Test(arguments: [
    (["fs/l": "gone"], "fs/l"), (["fs/l": "l"], "fs/l"), (["fs/l": "m", "fs/m": "l"], "fs/l"),
    (["fs/l": "a.c/x"], "fs/l"),
    // The text stays in the tree, the link does not: "up" leads to the top, and from there it goes up once more.
    (["fs/d/e/up": "../../..", "fs/d/e/l": "up/../fs/a.c"], "fs/d/e/l"),
  ])
  func aDanglingLinkIsNamed(links: [String: String], name: String) async throws {
    await Fixture.refusal("the link \(name) (linux:\(name)) leads to \(links[name] ?? "")", code: .source) {
      _ = try await Fixture.assemble(Fixture.manifest("to = \"fs\""), links: links)
    }
  }

  @Test func linksWithinTheTreeAreTaken() async throws {
    let links = ["fs/l": "a.c", "fs/d/up": "..", "fs/m": "l", "fs/n": "d/up/a.c", "fs/o": "./d"]
    let tree = try await Fixture.assemble(
      Fixture.manifest("to = \"fs\""), files: ["fs/a.c": "int a;\n", "fs/d/b.c": "int b;\n"], links: links)
    for (path, target) in links { #expect(tree[path]?.content == .link(target)) }
  }

  @Test(arguments: [
    ("{kernal}", "names {kernal}, which does not exist"), ("2.15.0_5_gabc", "is not a number"),
    ("7.4 2", "is not a number"),
    ("1:7.4", "is not a number"), ("{kernel}-beta1", "not a release candidate"), ("7.4-1", "not a release candidate"),
  ])
  func anIllegalVersionIsRefused(version: String, words: String) async throws {
    await Fixture.refusal(words, code: .input) { _ = try await Fixture.assemble(Fixture.manifest(version: version)) }
  }

  @Test func aKeyringWithoutSignersWouldCheckNothing() async throws {
    for (source, words) in [
      ("keyring = \"keys.gpg\"", "a keyring but no signers"),
      ("signers = [\"\(String(repeating: "A", count: 40))\"]", "signers but no keyring"),
    ] {
      await Fixture.refusal("demo.toml:7:1", words, code: .input) {
        _ = try await Fixture.assemble(Fixture.manifest(source: source))
      }
    }
  }

  /// A folder instead of the signed tarball is as unsigned as a tarball without a signature.
  @Test func aFolderCannotStandInForASignedTarball() async throws {
    for source in [
      "keyring = \"keys.gpg\"\nsigners = [\"\(String(repeating: "A", count: 40))\"]",
      "sha256 = \"\(SHA256Digest(of: []))\"",
    ] {
      await Fixture.refusal("demo.toml:7:1", "a folder has none", code: .unverified, remedy: .giveSignedTarball) {
        _ = try await Fixture.assemble(Fixture.manifest(source: source))
      }
    }
  }

  @Test func patternsTakeNoTimeWhateverTheyAre() {
    let start = ContinuousClock.now
    let name = String(repeating: "a", count: 250)
    #expect(!Glob(String(repeating: "*a", count: 60) + "b").matches(name))
    #expect(Glob(String(repeating: "*a", count: 60)).matches(name))
    let path = String(repeating: "a/", count: 400) + "c"
    #expect(!Glob(String(repeating: "**/a/", count: 60) + "b").matches(path))
    #expect(Glob(String(repeating: "**/a/", count: 60) + "c").matches(path))
    #expect((ContinuousClock.now - start).seconds < 5)
  }

  /// The matcher says the same as the plain one with all its tries.
  @Test func patternsMatchAsTheirDefinitionSays() {
    func plain(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
      guard let first = pattern.first else { return name.isEmpty }
      if first == "*" {
        return (name.startIndex...name.endIndex).contains { plain(pattern.dropFirst(), name[$0...]) }
      }
      return !name.isEmpty && (first == "?" || first == name.first) && plain(pattern.dropFirst(), name.dropFirst())
    }
    func parts(_ pattern: ArraySlice<String>, _ names: ArraySlice<String>) -> Bool {
      guard let first = pattern.first else { return true }
      if first == "**" {
        if pattern.count == 1 { return !names.isEmpty }
        return names.indices.contains { parts(pattern.dropFirst(), names[$0...]) }
      }
      guard let name = names.first, plain(Array(first)[...], Array(name)[...]) else { return false }
      return parts(pattern.dropFirst(), names.dropFirst())
    }
    var random = SplitMix64(state: 7)
    func text(_ alphabet: [String], _ count: Int) -> String {
      (0..<count).map { _ in alphabet.randomElement(using: &random) ?? "" }.joined()
    }
    for _ in 0..<4000 {
      let pattern = (0..<Int.random(in: 2...4, using: &random)).map { _ in
        Bool.random(using: &random) ? text(["a", "b", "*", "?"], 3).replacing("**", with: "*a") : "**"
      }
      let names = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        text(["a", "b"], Int.random(in: 1...4, using: &random))
      }
      let expected = parts(pattern[...], names[...])
      let joined = pattern.joined(separator: "/")
      #expect(Glob(joined).matches(names.joined(separator: "/")) == expected, "\(joined) \(names)")
    }
  }

  // MARK: times

  private func plan(_ mtime: Int64, source: String, packages: String = "") async throws -> Plan {
    try await withScratch { folder in
      _ = try await Fixture.archive(
        "add(\"top/fs/a.c\", b\"int a;\", mtime=\(mtime))", in: folder, name: "up.tar")
      let text = """
        name = "demo"
        version = "1.0"
        summary = "demo"
        license = "GPL-2.0-only"
        homepage = "https://example.org/"
        maintainer = "A <a@example.org>"
        [sources.up]
        archive = "up.tar"
        \(source)
        [[tree]]
        from = "up:fs"
        \(packages)
        """
      try Files.write(Array(text.utf8), to: folder.appending("demo.toml"))
      for name in ["recipe.spec", "debian/control"] {
        let path = folder.pushing(FilePath(name))
        try Files.makeFolder(path.removingLastComponent())
        try Files.write([], to: path)
      }
      let request = CutRequest(cache: folder.appending("cache"))
      return try await Planner.plan(manifest: folder.appending("demo.toml"), request, progress: .silent).plan
    }
  }

  /// Tarballs that are the same on any day have the time 0: an RPM changelog cannot state it.
  @Test func aTimeThatPackagesCannotState() async throws {
    let packaging = "[packaging]\ndebian = \"debian\"\nspec = \"recipe.spec\""
    #expect(try await plan(0, source: "").sourceDate == 0)
    for mtime in [0, 1, 631_151_999, 4_294_967_296] as [Int64] {
      await Fixture.refusal("time of the source 'up'", "no RPM package can state", "date = ", code: .source) {
        _ = try await plan(mtime, source: "", packages: packaging)
      }
    }
    #expect(try await plan(631_152_000, source: "", packages: packaging).sourceDate == 631_152_000)
    let dated = try await plan(0, source: "date = \"2020-01-01T00:00:00Z\"", packages: packaging)
    #expect(dated.sourceDate == 1_577_836_800)
    await Fixture.refusal("not a possible time of a release", "date = ", code: .source) {
      _ = try await plan(1 << 40, source: "")
    }
  }
}
