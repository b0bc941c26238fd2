// SPDX-License-Identifier: GPL-2.0-only

import Files
import SystemPackage
import TestSupport
import Testing

/// Mistakes that people make, and the words with which they are told.
@Suite struct MistakeTests {
  struct Mistake: Sendable, CustomTestStringConvertible {
    var name: String
    /// Run in a folder with the sample as it is shipped.
    var script: String = ""
    var arguments: [String]
    var status: Int32
    /// The whole message.
    var words: String

    var testDescription: String { name }
  }

  private static let linux = ["--source", "linux=Examples/sample/linux"]
  private static let sample = "manifests/sample.toml"
  private static let cut = ["cut", "--quiet", sample] + linux

  private static func edit(_ expression: String) -> String { "sed -i '\(expression)' \(sample)" }

  static let mistakes = [
    Mistake(
      name: "a plan in the place of the manifest", script: "echo '{ \"format\": 2 }' >plan.json",
      arguments: ["cut", "--quiet", "plan.json"], status: 2,
      words: "plan.json:1:1: error: reading the manifest: it is JSON, and a manifest is TOML; "
        + "'lrelease cut --plan FILE' takes a saved plan"),
    Mistake(
      name: "a typo in from", script: edit("s,linux:fs/sample,linux:fs/sampel,"), arguments: cut, status: 3,
      words:
        "manifests/sample.toml:31:1: error: the rule from linux:fs/sampel matches no file; did you mean 'linux:fs/sample'?"
    ),
    Mistake(
      name: "a folder of from left out", script: edit("s,linux:fs/sample,linux:sample,"), arguments: cut, status: 3,
      words: "manifests/sample.toml:31:1: error: the rule from linux:sample matches no file; "
        + "did you mean 'linux:fs/sample' or 'linux:net/sample'?"),
    Mistake(
      name: "a typo in from of a tarball",
      script: edit("s,linux:net/sample,linux:net/smaple,") + "; tar -cJf linux.tar.xz -C Examples/sample linux",
      arguments: ["cut", "--quiet", sample, "--source", "linux=linux.tar.xz"], status: 3,
      words:
        "manifests/sample.toml:35:1: error: the rule from linux:net/smaple matches no file; did you mean 'linux:net/sample'?"
    ),
    Mistake(
      name: "a typo in from of a repository",
      script: edit("s,linux:net/sample,linux:ent/sample,") + """
        ; mv Examples/sample/linux git; cd git; git init -q; git add .
        git -c user.name=a -c user.email=a@example.org commit -qm a
        """, arguments: ["cut", "--quiet", sample, "--source", "linux=git", "--ref", "linux=HEAD"], status: 3,
      words:
        "manifests/sample.toml:35:1: error: the rule from linux:ent/sample matches no file; did you mean 'linux:net/sample'?"
    ),
    Mistake(
      name: "a pattern that matches nothing",
      script: edit("0,/^from *= *\"linux:fs/{s,^from *= *\"linux:fs.*,&\\ninclude = [\"*.rs\"],}"), arguments: cut,
      status: 3,
      words: "manifests/sample.toml:31:1: error: the rule from linux:fs/sample matches no file; "
        + "correct 'from', 'include' or 'exclude', or take the rule out"),
    Mistake(
      name: "a source that is not there",
      arguments: ["cut", "--quiet", sample, "--source", "linux=Examples/sample/linx"],
      status: 3,
      words:
        "error: opening the source 'linux': there is no HERE/Examples/sample/linx; did you mean 'HERE/Examples/sample/linux'?"
    ),
    Mistake(
      name: "a source that is nowhere", arguments: ["cut", "--quiet", sample, "--source", "linux=quux"], status: 3,
      words: "error: opening the source 'linux': there is no HERE/quux; correct the path"),
    Mistake(
      name: "a manifest that is not there", arguments: ["cut", "--quiet", "manifests/sampl.toml"] + linux, status: 2,
      words:
        "error: reading the manifest manifests/sampl.toml: No such file or directory; did you mean 'manifests/sample.toml'?"
    ),
    Mistake(
      name: "a bad version", script: edit("s,^version *=.*,version = \"7..2\","), arguments: cut, status: 2,
      words: "manifests/sample.toml:5:1: error: 'version' is '7..2', and no release can have that: '' is not a number; "
        + "write it like 7.4, 7.4.2, 7.4-rc2 or 7.4+r1"),
    Mistake(
      name: "every [tree]", script: edit("s,^\\[\\[tree\\]\\],[tree],"), arguments: cut, status: 2,
      words: "manifests/sample.toml:34:1: error: the table 'tree' is declared a second time; "
        + "in a list of tables, begin each one with [[tree]]"),
    Mistake(
      name: "the first [tree]", script: edit("0,/^\\[\\[tree\\]\\]/{s/^\\[\\[tree\\]\\]/[tree]/}"), arguments: cut,
      status: 2,
      words: "manifests/sample.toml:34:1: error: the table 'tree' is declared a second time; "
        + "in a list of tables, begin each one with [[tree]]"),
    Mistake(
      name: "[package.deb]", script: edit("s,^\\[packages.deb\\],[package.deb],"), arguments: cut, status: 2,
      words: "manifests/sample.toml:127:1: error: unknown key 'package'; did you mean 'packages'?"),
    Mistake(
      name: "an unclosed string", script: edit("s,^summary *= *\"\\(.*\\)\"$,summary = \"\\1,"), arguments: cut,
      status: 2, words: "manifests/sample.toml:6:11: error: the string that begins here is not closed: \" is missing"),
    Mistake(
      name: "a missing recipe", script: edit("s,\"../debian/dkms\",\"../debian/dkmss\","), arguments: cut, status: 2,
      words: "manifests/sample.toml:129:1: error: reading the recipe ../debian/dkmss: there is no such folder; "
        + "did you mean '../debian/dkms'?"),
    Mistake(
      name: "a missing spec", script: edit("s,../specs/sample.spec,../specs/sampel.spec,"), arguments: cut, status: 2,
      words: "manifests/sample.toml:91:1: error: reading HERE/manifests/../specs/sampel.spec: "
        + "No such file or directory; did you mean '../specs/sample.spec'?"),
    Mistake(
      name: "a release that is not there", script: "mkdir sample-7.2.1",
      arguments: ["verify", "--quiet", "sample-7.2.2"], status: 3,
      words: "error: reading sample-7.2.2: No such file or directory; did you mean 'sample-7.2.1'?"),
    Mistake(
      name: "the folder above a release", script: "mkdir -p made/sample-7.2.1; touch made/sample-7.2.1/SHA256SUMS",
      arguments: ["verify", "--quiet", "made"], status: 3,
      words: "error: opening the release made: it holds no SHA256SUMS; did you mean 'made/sample-7.2.1'?"),
    Mistake(
      name: "a device in a tarball", script: "mkdir d; mknod d/fs c 1 3; tar -cf d.tar d",
      arguments: ["cut", "--quiet", sample, "--source", "linux=d.tar"], status: 3,
      words: "error: reading HERE/d.tar: fs is a device or something else that is not a file; "
        + "pack only files, folders and links"),
    Mistake(
      name: "an empty tarball", script: "tar -cf d.tar -T /dev/null",
      arguments: ["cut", "--quiet", sample, "--source", "linux=d.tar"], status: 3,
      words: "error: reading HERE/d.tar: it is not a tarball, or one that is empty; "
        + "give a .tar.xz, .tar.gz, .tar.zst, .tar.bz2 or .tar"),
    Mistake(
      name: "a folder without verdicts", script: "mkdir -p q/verdicts", arguments: cut + ["--qualified", "q"],
      status: 3,
      words: "error: taking what was qualified: q holds no verdicts; 'lrelease qualify' makes RELEASE.qualification"),
    Mistake(
      name: "a tag of no commit",
      script: """
        mv Examples/sample/linux git; cd git; git init -q; git add .
        git -c user.name=a -c user.email=a@example.org commit -qm a; git tag v1 HEAD^{tree}
        """, arguments: ["cut", "--quiet", sample, "--source", "linux=git", "--ref", "linux=v1"], status: 3,
      words: "error: reading HERE/git at v1: 'v1' names a tree, not a commit; "
        + "name a tag of a commit, a branch or a commit"),
  ]

  @Test(arguments: mistakes) func itIsToldInPlainWords(mistake: Mistake) async throws {
    try await Workshop.use { workshop in
      for name in ["manifests", "Examples", "debian", "specs"] {
        try await workshop.shell("cp -r \(Workshop.root.appending(name)) .")
      }
      try await workshop.shell(mistake.script.isEmpty ? ":" : mistake.script)
      let outcome = try await workshop.run(
        mistake.arguments + (mistake.arguments[0] == "cut" ? ["--output", "out"] : []))
      workshop.expectRefusal(outcome, mistake.status)
      #expect(outcome.errors == mistake.words.replacing("HERE", with: workshop.folder.string) + "\n")
    }
  }

  /// Verdicts of a release with the same name, and of another.
  @Test func verdictsOfAnotherReleaseNameTheOneAtHand() async throws {
    try await Workshop.use { workshop in
      let plan = String(repeating: "ab", count: 32)
      for (release, words) in [
        ("sample-7.2.1", "a sample-7.2.1 with other content: its plan is abababababab…, this one "),
        ("sample-7.2.0", "sample-7.2.0, and this release is sample-7.2.1; cut with the plan.json"),
      ] {
        try workshop.write("q/verdicts/a.json", Self.verdict(on: release, plan: plan))
        workshop.expectRefusal(
          try await workshop.cutSample(["--qualified", "q"]), 4,
          "taking what was qualified: q holds verdicts on \(words)")
      }
    }
  }

  private static func verdict(on release: String, plan: String) -> String {
    """
    {"architecture": "amd64", "inputs": "\(plan)", "kernel": "6.1.0-56-amd64", "isLife": false, "plan": "\(plan)",
     "level": "build", "logs": "logs/debian-12.modules", "release": "\(release)", "result": "pass", "seconds": 3,
     "started": 1795287004, "steps": [{"name": "install", "passed": true, "seconds": 2.5}], "target": "debian-12",
     "variant": "modules"}
    """
  }

  /// Of names that are near each other by one swap, one letter or one case.
  @Test func namesAreNearByASwap() {
    #expect("ctu".nearest(in: ["cut", "put"]) == "cut")
    #expect("junti".nearest(in: ["junit", "obs"]) == "junit")
    #expect("ab".nearest(in: ["xy"]) == nil)
  }
}
