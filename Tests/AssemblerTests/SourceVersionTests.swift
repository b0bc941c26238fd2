// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage
import Testing

@testable import Assembler

/// The version that a source has of its own.
@Suite struct SourceVersionTests {
  @Test(
    arguments: [
      ("v{version}", "v2_18_0", "2.18.0"), ("v{version}", "v2_15_0-RC5", "2.15.0-RC5"),
      ("v{version}", "v2_9_0_RC1", "2.9.0-RC1"),
      ("v{version}", "2.17.57", nil), ("{version}", "2.17.57", "2.17.57"), ("zfs-{version}-x", "zfs-2.1-x", "2.1"),
      ("v{version}", "v", nil), ("v{version}", "vnext", nil), ("v{version}", "v1 2", nil),
      ("v{version}", "v1$(id)", nil),
    ] as [(String, String, String?)]) func theVersionInATag(form: String, tag: String, version: String?) throws
  {
    #expect(try #require(VersionPattern(form)).version(inTag: tag) == version)
  }

  @Test(
    arguments: [
      ("V={version}", "# V=1\nV=2.17.57\nV=3\n", "2.17.57"), ("V={version}", "  V=2.1 # so\r\n", "2.1"),
      ("V = \"{version}\"", "V = \"2.1\" + x\n", "2.1"),
      ("AC_INIT([zfs], [{version}]", "AC_INIT([zfs], [2.1], [b])", "2.1"),
      ("V={version}", "V=$(id)\nV=\n", nil), ("V={version}", "", nil), ("V=\"{version}\"", "V=\"2.1\nx\"", nil),
    ] as [(String, String, String?)]) func theVersionInAFile(form: String, text: String, version: String?) throws
  {
    #expect(try #require(VersionPattern(form)).version(inFile: Array(text.utf8)) == version)
  }

  @Test func aPatternHasTheVersionOnce() {
    #expect(VersionPattern("v1") == nil && VersionPattern("{version}{version}") == nil)
    #expect(VersionPattern("v{version}")?.description == "v{version}")
  }

  // MARK: of a repository

  private static let form = """
    [sources.up.version-from]
    tags = ["v{version}"]
    file = "GEN"
    line = "V={version}"
    """

  /// A repository in which the file says something else than the tags, as it is shortly before a release.
  private func withRepository(
    _ body: (FilePath, (String, (inout CutRequest) -> Void) async throws -> OpenedPlan) async throws -> Void
  ) async throws {
    try await withScratch { folder in
      try await Fixture.shell(
        """
        git init -q -b trunk up; cd up; \(GitFixture.identity); echo V=1.9-RC5 > GEN; \(GitFixture.twoTags)
        git add GEN; git commit -qm gen; git tag v2_0; echo V=2.1 > GEN; git commit -qam next; git tag other
        mkdir ../u; cp GEN ../u; tar czf ../u.tar.gz -C .. u
        """, in: folder)
      try await body(folder) { source, change in
        let manifest = folder.appending("m.toml")
        try Files.replace(manifest, with: Array(GitFixture.manifest(source, version: "{up}").utf8))
        var request = CutRequest(cache: folder.appending("cache"))
        change(&request)
        return try await Planner.plan(manifest: manifest, request, progress: .silent)
      }
    }
  }

  @Test func itComesFromWhatWasRead() async throws {
    try await withRepository { folder, plan in
      for (ref, version) in [("trunk", "2.1"), ("v2_0", "2.0"), ("refs/tags/v2_0", "2.0"), ("other", "2.1")] {
        let opened = try await plan("git = \"up\"\nref = \"trunk\"\n\(Self.form)") { $0.refs["up"] = ref }
        #expect(
          opened.plan.version.value.description == version && opened.plan.sources["up"]?.version == version, "\(ref)")
        #expect(try opened.plan.values(opened.manifest)["UP_VERSION"] == version)
        // The branch goes on, and the plan says what it did.
        try await Fixture.shell("cd up; echo V=9 > GEN; git commit -qam x --allow-empty", in: folder)
        let again = try await Planner.open(opened.plan, CutRequest(cache: folder.appending("cache")), progress: .silent)
        #expect(again.plan == opened.plan)
        try await Fixture.shell("cd up; git reset -q --hard HEAD~1", in: folder)
        var changed = opened.plan
        changed.sources["up"]?.version = "3.0"
        await Fixture.refusal("neither its ref nor its files say", code: .unverified) {
          _ = try await Planner.open(changed, CutRequest(cache: folder.appending("cache")), progress: .silent)
        }
      }
      for place in ["u", "u.tar.gz"] {
        let opened = try await plan("git = \"up\"\nref = \"trunk\"\n\(Self.form)") {
          $0.places["up"] = folder.appending(place).string
        }
        #expect(opened.plan.version.value.description == "2.1")
      }
    }
  }

  @Test func whereNothingSaysItTheCutIsRefused() async throws {
    try await withRepository { folder, plan in
      let tags = "[sources.up.version-from]\ntags = [\"v{version}\"]"
      for (source, words, remedy) in [
        ("ref = \"trunk\"\n\(tags)", "'trunk' is not a tag", AssemblerRemedy.nameTagOfVersion(name: "up")),
        ("ref = \"other\"\n\(tags)", "the tag 'other' is not like 'v{version}'", .nameTagOfVersion(name: "up")),
        (
          "ref = \"v1\"\n\(Self.form.replacing("v{", with: "w{"))", "it has no file GEN", .sayWhereVersionIs(name: "up")
        ),
        (
          "ref = \"trunk\"\n\(Self.form.replacing("V=", with: "W="))", "no line of its GEN is like 'W={version}'",
          .sayWhereVersionIs(name: "up")
        ),
      ] {
        await Fixture.refusal("finding the version of the source 'up'", words, code: .source, remedy: remedy) {
          _ = try await plan("git = \"up\"\n\(source)") { _ in }
        }
      }
      // A stated version belongs to what the manifest names.
      let stated = "git = \"up\"\nref = \"v2_0\"\nversion = \"2.0\""
      let taken = try await plan(stated) { _ in }
      #expect(taken.plan.sources["up"]?.version == nil && taken.plan.version.value.description == "2.0")
      for change: (inout CutRequest) -> Void in [
        { $0.refs["up"] = "v1" }, { $0.places["up"] = folder.appending("u").string },
        { $0.places["up"] = folder.appending("u.tar.gz").string },
      ] {
        await Fixture.refusal("the manifest says 2.0, and", code: .input, remedy: .sayWhereVersionIs(name: "up")) {
          _ = try await plan(stated, change)
        }
      }
      await Fixture.refusal("'trunk' is not a tag", code: .input) {
        _ = try await plan(stated.replacing("v2_0", with: "trunk")) { _ in }
      }
    }
  }
}
