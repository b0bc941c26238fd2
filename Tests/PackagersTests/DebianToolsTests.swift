// SPDX-License-Identifier: GPL-2.0-only

import Distributions
import Files
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// The packages that `lrelease build` makes of the sample, judged by Debian's own tools: `make test-packages`.
@Suite(.serialized, .enabled(if: environmentVariable("LRELEASE_TEST_PACKAGES") != nil, "see make test-packages"))
struct DebianToolsTests {
  /// In namespaces of its own, as these tools mount and start things in the root that they are given.
  private func contained(_ command: [String]) async throws -> Command.Outcome {
    try await Command(
      "unshare",
      ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--"] + command
    ).run(doing: "judging the packages")
  }

  @Test func lintianPiupartsAndAutopkgtestAreContent() async throws {
    try await withScratch { folder in
      try await Built.cut(
        "sample.toml", into: folder, ["--source", "linux=\(Workshop.root.appending("Examples/sample/linux"))"])
      let release = folder.appending("sample-7.2.1")
      let cache = environmentVariable("LRELEASE_TEST_CACHE") ?? "/var/tmp/lrelease-tests"
      let built = try await Command(
        Workshop.lrelease,
        [
          "build", release.string, "--modules", "--target", "debian-12", "--targets",
          Workshop.root.appending("targets").string, "--cache", cache, "--output", folder.string,
        ]
      ).check(doing: "building the sample")
      #expect(built.text.contains("debian-12 built in"))
      let made = folder.appending("sample-7.2.1.debian-12")
      let names = try Files.names(in: made).map { String(decoding: $0, as: UTF8.self) }
      let debs = names.filter { $0.hasSuffix(".deb") && !$0.contains("dbgsym") && !$0.contains("modules") }
      #expect(debs.count == 3, "\(names)")
      let changes = try #require(names.first { $0.hasSuffix(".changes") })

      // What stays is explained in docs/packaging-notes.md.
      let kept = [
        "initial-upload-closes-no-bugs", "newer-standards-version", "no-debian-changes", "debian-watch-file-is-missing",
        "upstream-metadata-file-is-missing",
      ]
      let lintian = try await Command(
        "lintian",
        ["--allow-root", "--info", "--display-info", "--display-experimental", "--pedantic", "--suppress-tags"]
          + [kept.joined(separator: ","), made.appending(changes).string]
          + [release.appending("sample_7.2.1-1.dsc").string]
      ).run(doing: "running lintian")
      #expect(lintian.succeeded && lintian.output.isEmpty, "\(lintian.text)\(lintian.errors)")

      // Installed, removed and purged in a root with two kernels, for which dkms builds the modules.
      let root = try await TestRoot.bookworm().path
      let archive = try await DebianArchive()
      let security = try archive.lines(suites: ["bookworm-security"], components: ["main"])
      let log = folder.appending("piuparts.log")
      let piuparts = try await contained(
        [
          "piuparts", "--existing-chroot", root.string, "--tmpdir", folder.string, "--distribution", "bookworm",
          "--mirror", "\(archive.main) main", "--extra-repo", security[0], "--no-eatmydata", "--no-upgrade-test",
          "--log-file", log.string,
        ] + debs.map { made.appending($0).string })
      let said = String(decoding: try Files.read(log), as: UTF8.self)
      let findings = said.split(separator: "\n").filter { $0.contains(" ERROR: ") || $0.contains(" FAIL: ") }
      #expect(piuparts.succeeded && findings.isEmpty, "\(findings.joined(separator: "\n"))")
      #expect(said.contains("PASS: All tests"))
      let installed = said.split(separator: "\n").filter { $0.contains("Installing to /lib/modules/") }
      #expect(installed.count == 4, "two modules for two kernels: \(installed)")

      // The tests that the source package brings, against the packages, in a layer on top of the same root.
      let layers = ["upper", "work", "merged"].map { folder.appending("layer/\($0)") }
      for layer in layers { try Files.makeFolder(layer) }
      let script = """
        mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4"
        cp -L /etc/resolv.conf "$4/etc/resolv.conf"; merged=$4; shift 4
        exec autopkgtest --apt-upgrade "$@" -- chroot "$merged"
        """
      let results = folder.appending("results")
      let autopkgtest = try await contained(
        ["sh", "-ec", script, "sh", root.string] + layers.map(\.string)
          + ["--output-dir", results.string, release.appending("sample_7.2.1-1.dsc").string]
          + debs.map { made.appending($0).string })
      #expect(autopkgtest.succeeded, "\(autopkgtest.text.suffix(2000))\(autopkgtest.complaint)")
      let summary = String(decoding: try Files.read(results.appending("summary")), as: UTF8.self)
      let outcomes = summary.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).prefix(2) }
      #expect(outcomes.map { $0.joined(separator: " ") } == ["version PASS", "compile PASS"], "\(summary)")
    }
  }
}
