// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Model
import Releases
import SystemPackage
import TestSupport
import Testing

/// A release that was changed is refused by every command that opens one.
@Suite struct ReleaseTests {
  private static let name = "sample-7.2.1"

  /// What was done to a release, as a script in its folder, and what is said of it.
  struct Damage: Sendable, CustomTestStringConvertible {
    var what: String
    var script: String
    var words: [String]
    var testDescription: String { what }
  }

  /// Makes the tarball of other files, and SHA256SUMS fit.
  private static func repacked(_ script: String) -> String {
    """
    mkdir w; cd w; tar -xf ../\(name).tar.xz; cd \(name)
    \(script)
    cd ..; tar -cJf ../\(name).tar.xz \(name); cd ..; rm -r w
    \(summed)
    """
  }
  private static let summed = "sums=$(cut -c67- SHA256SUMS); sha256sum $sums >SHA256SUMS"

  static let damages = [
    Damage(
      what: "a changed package", script: "echo >>sample-dkms_7.2.1-1_all.deb",
      words: ["changed: sample-dkms_7.2.1-1_all.deb is not what was released", "restore it or cut again"]),
    Damage(
      what: "a changed tarball", script: "echo >>\(name).tar.xz", words: ["\(name).tar.xz is not what was released"]),
    Damage(
      what: "two changed files", script: "echo >>plan.json; echo >>sample-dkms_7.2.1-1_all.deb",
      words: ["plan.json is not what was released, sample-dkms_7.2.1-1_all.deb is not what was released"]),
    Damage(
      what: "files with wrong origins", script: repacked("echo >>sample/super.c; rm README; echo x >sample/x.c"),
      words: ["sample/super.c is changed", "README is missing", "sample/x.c is not in the list"]),
    Damage(
      what: "another plan", script: "echo >>plan.json; \(summed)",
      words: ["changed: plan.json is not the plan in its tarball"]),
    Damage(
      what: "a missing file", script: "rm sample-dkms_7.2.1-1_all.deb",
      words: ["sample-dkms_7.2.1-1_all.deb is missing"]),
    Damage(
      what: "a file that is not in the list", script: "sed -i /_all.deb/d SHA256SUMS",
      words: ["sample-dkms_7.2.1-1_all.deb is not in SHA256SUMS"]),
    Damage(what: "a folder more", script: "mkdir more", words: ["more is not in SHA256SUMS"]),
    Damage(what: "a damaged list", script: "echo damage >>SHA256SUMS", words: ["SHA256SUMS is damaged"]),
  ]

  /// A release of the sample in `out`, and a copy of it in `changed`, with what `script` does there.
  private func use(
    _ script: String = "", _ more: [String] = [], _ body: (Workshop) async throws -> Void
  ) async throws {
    try await Workshop.use { workshop in
      let outcome = try await workshop.cutSample(more)
      try #require(outcome.succeeded, "\(outcome.errors)")
      try workshop.write(
        "bare.toml",
        """
        distribution = "Debian"
        release = "12"
        architecture = "amd64"
        format = "deb"
        codec = "xz"
        root = { suites = ["bookworm"], mirror = "http://127.0.0.1:9/debian" }
        """)
      try await workshop.shell("cp -r out/\(Self.name) changed; cd changed\n\(script)")
      try await body(workshop)
    }
  }

  private func commands(_ release: String) -> [[String]] {
    [
      ["verify", release], ["show", release], ["rebuild", release, "--output", "new"],
      ["rebuild", release, "--output", "new", "--vendor", "acme"], ["audit", release],
      ["build", release, "--target", "bare.toml", "--targets", ".", "--output", "new", "--cache", "cache"],
      ["qualify", release, "--target", "bare.toml", "--targets", ".", "--cache", "cache"],
      ["export", "obs", release, "new"],
    ]
  }

  @Test(arguments: damages) func oneThatWasChangedIsRefused(damage: Damage) async throws {
    try await use(damage.script) { workshop in
      for command in commands("changed") {
        let outcome = try await workshop.run(command + ["--quiet"])
        let isEachFileALine = command[0] == "verify" && damage.words.count == 3
        if isEachFileALine {
          #expect(outcome.status == .exited(6) && outcome.output.isEmpty, "\(outcome.errors)")
          #expect(outcome.errors.split(separator: "\n").count == 3, "\(outcome.errors)")
        } else {
          workshop.expectRefusal(outcome, 6, leaves: [Self.name])
        }
        for word in damage.words { #expect(outcome.errors.contains(word), "\(command): \(outcome.errors)") }
        for name in ["new", "changed.qualification"] {
          #expect(!Files.exists(workshop.folder.appending(name)), "\(command)")
        }
      }
      // To diff, 6 says that two releases differ.
      let diff = try await workshop.run(["diff", "out/\(Self.name)", "changed", "--quiet"])
      workshop.expectRefusal(diff, 3, damage.words[0], leaves: [Self.name])
      // A cut finds it in its way: another release, or one that was changed.
      try await workshop.shell("rm -r out/*; mv changed out/\(Self.name)")
      let isOther = damage.script.contains("plan.json")
      let cut = try await workshop.cutSample()
      let words = isOther ? "other content" : damage.words[0].replacing("changed: ", with: "")
      workshop.expectRefusal(
        cut, isOther ? 5 : 6, words, leaves: [Self.name])
    }
  }

  @Test func aTarballThatWasChangedIsRefused() async throws {
    try await use(Self.repacked("echo >>sample/super.c")) { workshop in
      let tarball = "\(Self.name).tar.xz"
      try await workshop.shell("mkdir alone; cp changed/\(tarball) alone/; echo >>changed/\(tarball)")
      for (place, words) in [
        ("alone", "sample/super.c is changed"), ("changed", "not the tarball that the SHA256SUMS beside it lists"),
      ] {
        for command in commands("\(place)/\(tarball)") where !["qualify", "export"].contains(command[0]) {
          let outcome = try await workshop.run(command + ["--quiet"])
          workshop.expectRefusal(outcome, 6, words, leaves: [Self.name])
        }
        let diff = try await workshop.run(["diff", "out/\(Self.name)", "\(place)/\(tarball)", "--quiet"])
        workshop.expectRefusal(diff, 3, words, leaves: [Self.name])
      }
    }
  }

  @Test func verifyAndShowSayWhatIsInAFolder() async throws {
    // Its signature cannot be in the list, and the folder may have another name.
    try await use("echo signed >SHA256SUMS.asc") { workshop in
      let files = try ReleaseFolder(workshop.folder.appending("changed")).listed().count
      let verified = try await workshop.run(["verify", "changed"])
      #expect(verified.succeeded, "\(verified.errors)")
      #expect(verified.text.hasPrefix("changed: \(files) artifacts, and "), "\(verified.text)")
      #expect(verified.text.hasSuffix(" files in the tarball, all as released\n"), "\(verified.text)")
      let json = try await workshop.run(["verify", "--json", "changed"]).text
      #expect(json.contains("\"artifacts\" : \(files)"), "\(json)")

      let folder = try await workshop.run(["show", "changed"])
      let tarball = try await workshop.run(["show", "changed/\(Self.name).tar.xz"])
      #expect(folder.succeeded && tarball.succeeded, "\(folder.errors)\(tarball.errors)")
      let lines = folder.text.split(separator: "\n")
      let artifacts = lines.filter { $0.hasPrefix("artifact ") }
      #expect(artifacts.count == files && artifacts.contains { $0.contains("sample-dkms_7.2.1-1_all.deb, SHA-256 ") })
      #expect(lines.filter { !$0.hasPrefix("artifact ") } == tarball.text.split(separator: "\n"))

      // What holds no records has no origins to show.
      let debian = try await workshop.run(["show", "changed/sample_7.2.1-1.debian.tar.xz"])
      #expect(debian.succeeded && debian.text.contains("  control\n"), "\(debian.errors)\(debian.text)")

      let rebuilt = try await workshop.run(["rebuild", "changed", "--output", "new"])
      #expect(rebuilt.succeeded && rebuilt.text.contains("identical: every file is as"), "\(rebuilt.errors)")
    }
  }

  @Test(arguments: ["zst", "gz"]) func everyCompressionIsOpened(suffix: String) async throws {
    try await use("", ["--compression", suffix]) { workshop in
      for command in [
        ["verify", "changed"], ["show", "changed"], ["audit", "changed"], ["diff", "changed", "out/\(Self.name)"],
        ["rebuild", "changed", "--output", "new"],
      ] {
        let outcome = try await workshop.run(command + ["--quiet"])
        #expect(outcome.succeeded, "\(command): \(outcome.errors)")
      }
      // The release is opened, and what comes next fails.
      let build = try await workshop.run([
        "build", "changed", "--target", "bare.toml", "--targets", ".", "--quiet", "--output", "built", "--cache",
        "cache",
      ])
      workshop.expectRefusal(build, 1, "bare: making a chroot of bookworm: ", leaves: [Self.name])
      let qualify = try await workshop.run([
        "qualify", "changed", "--target", "bare.toml", "--targets", ".", "--quiet", "--cache", "cache",
      ])
      workshop.expectRefusal(qualify, 2, "the target bare names no kernels", leaves: [Self.name])
    }
  }

  @Test func filesOfAReleaseAreNamedInOnePlace() throws {
    let version = try ReleaseVersion("7.4-rc2+r1")
    let zeros = try #require(SHA256Digest(hex: String(repeating: "0", count: 64)))
    let expected: [(String, Artifact.Kind, String?)] = [
      (PackageFileName.tarball("a-b-7.4~rc2+r1", .zstd), .tarball, nil),
      (PackageFileName.deb("a-b", version), .deb, "a-b"),
      (PackageFileName.rpm("a-b", version), .rpm, "a-b"),
      (PackageFileName.dsc("a-b", version), .dsc, "a-b"),
      (PackageFileName.orig("a-b", version), .origTarball, "a-b"),
      (PackageFileName.debianTarball("a-b", version), .debianTarball, "a-b"),
      ("a-b-7.4~rc2+r1-1.src.rpm", .srpm, "a-b"), ("plan.json", .plan, nil), ("build.log", .other, nil),
    ]
    for (name, kind, package) in expected {
      let artifact = Artifact(name: name, bytes: 0, sha256: zeros)
      #expect(artifact.kind == kind && artifact.packageName == package, "\(name)")
    }
    #expect(
      expected.prefix(6).map(\.0) == [
        "a-b-7.4~rc2+r1.tar.zst", "a-b_7.4~rc2+r1-1_all.deb", "a-b-7.4~rc2+r1-1.noarch.rpm", "a-b_7.4~rc2+r1-1.dsc",
        "a-b_7.4~rc2+r1.orig.tar.xz", "a-b_7.4~rc2+r1-1.debian.tar.xz",
      ])
    #expect(PackageFileName.deb("a", version: "1:7.4-1") == "a_7.4-1_all.deb")
  }
}
