// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// Releases of strangers: tarballs whose plan or list lies, and folders that are not what they list.
@Suite struct HostileReleaseTests {
  /// Of each tarball that Tests/Fixtures/hostile/releases.py writes, the exit status and what is said.
  private static let words: [String: (Int32, String)] = [
    "name": (4, "its plan says ../x 7.4, its manifest demo"),
    "name-and-manifest": (4, "its plan says other 7.4, and its files lie in demo-7.4"),
    "version": (4, "its plan says demo 7.5, and its files lie in demo-7.4"),
    "version-slash": (2, "is not allowed in a version"),
    "extras": (4, "it has the extra x, which its manifest does not have"),
    "probe": (2, "'modules.probe' must be a relative path"), "twice": (2, "it has the key name twice"),
    "deep": (2, "it is not JSON"), "top": (4, "its files lie in other-1.0"),
    "list-omits": (6, "is not in the list"), "list-twice": (3, "origins.jsonl:2:1"), "list-up": (6, "../fs/"),
    "list-garbage": (3, "origins.jsonl:1:1"), "list-deep": (3, "origins.jsonl:1:1"),
    "list-empty": (6, "not in the list"),
  ]

  private func use(_ body: (Workshop) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"]))
      #expect(cut.succeeded, "\(cut.errors)")
      try await workshop.shell("mv out/demo-7.4 good; rmdir out; mkdir tars; rm -rf cache")
      try await body(workshop)
    }
  }

  @Test func tarballsThatLieAreRefused() async throws {
    try await use { workshop in
      _ = try await Command(
        "python3",
        [Workshop.root.appending("Tests/Fixtures/hostile/releases.py").string, "../good/demo-7.4.tar.xz"],
        directory: workshop.folder.appending("tars")
      ).check(doing: "making the tarballs")
      let names = try Files.names(in: workshop.folder.appending("tars")).map { String(decoding: $0, as: UTF8.self) }
      #expect(Set(names) == Set(Self.words.keys.map { $0 + ".tar.xz" }))
      for (name, (status, words)) in Self.words.sorted(by: { $0.key < $1.key }) {
        let tarball = "tars/\(name).tar.xz"
        let verified = try await workshop.run(["verify", "--quiet", tarball])
        #expect(verified.status == .exited(status) && verified.errors.contains(words), "\(name): \(verified.errors)")
        // The others, of which one stands for all that open a release, in one line.
        let rebuild = ["rebuild", "--quiet", tarball, "--output", workshop.output.string]
        workshop.expectRefusal(try await workshop.run(rebuild), status, words)
      }
      for command in [["show"], ["diff", "good"]] {
        let outcome = try await workshop.run(command + ["--quiet", "tars/top.tar.xz"])
        workshop.expectRefusal(outcome, 4, "its files lie in other-1.0")
      }
    }
  }

  @Test func foldersThatLieAreRefused() async throws {
    try await use { workshop in
      let zeros = String(repeating: "0", count: 64)
      for (script, status, words) in [
        ("echo >> bad/plan.json", 6, "plan.json is not what was released"),
        ("echo >> bad/plan.json; cd bad; sha256sum demo* plan.json > SHA256SUMS", 6, "not the plan in its tarball"),
        ("rm bad/plan.json", 6, "plan.json is missing"), ("touch bad/more", 6, "more is not in SHA256SUMS"),
        ("echo '\(zeros)  ../../etc/passwd' >> bad/SHA256SUMS", 6, "SHA256SUMS is damaged"),
        ("echo '\(zeros)  /etc/passwd' >> bad/SHA256SUMS", 6, "SHA256SUMS is damaged"),
        ("printf '\(zeros)  a\\033b\\n' >> bad/SHA256SUMS", 6, "SHA256SUMS is damaged"),
        (": > bad/SHA256SUMS", 6, "is not in SHA256SUMS"), ("rm bad/SHA256SUMS", 3, "it holds no SHA256SUMS"),
        ("rm bad/plan.json; mkfifo bad/plan.json", 2, "not a regular file"),
        ("rm bad/plan.json; ln -s /dev/zero bad/plan.json", 2, "not a regular file"),
        ("rm bad/SHA256SUMS; mkfifo bad/SHA256SUMS", 2, "not a regular file"),
      ] {
        try await workshop.shell("rm -rf bad; cp -r good bad; \(script)")
        for command in [["verify"], ["rebuild", "--output", workshop.output.string]] {
          let outcome = try await workshop.run(command + ["--quiet", "bad"], seconds: 30)
          workshop.expectRefusal(outcome, Int32(status), words)
        }
      }
      // The tarball of the folder is another one, which says so itself and which the list has.
      try await workshop.shell(
        """
        rm -rf bad; cp -r good bad; cd bad; tar -xf demo-7.4.tar.xz; mv demo-7.4 other-1.0
        tar -cJf demo-7.4.tar.xz other-1.0; rm -r other-1.0; sha256sum demo* plan.json > SHA256SUMS
        """)
      let targets = ["--targets", Workshop.root.appending("targets").string, "--target", "debian-12"]
      for command in [
        ["verify", "bad"], ["show", "bad"], ["diff", "good", "bad"], ["rebuild", "bad", "--output", "out"],
        ["export", "obs", "bad", "out"], ["build", "bad", "--output", "out"] + targets, ["qualify", "bad"] + targets,
      ] {
        let outcome = try await workshop.run(command + ["--quiet"])
        workshop.expectRefusal(outcome, 4, "its files lie in other-1.0")
      }
    }
  }
}
