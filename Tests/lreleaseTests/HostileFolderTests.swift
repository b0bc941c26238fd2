// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// Folders in which others can write, and outputs where something stands already.
@Suite struct HostileFolderTests {
  private let linux = ["--source", "linux=linux"]

  @Test func aCacheThatOthersCanWriteToIsNotTrusted() async throws {
    #expect(geteuid() == 0, "root is needed: folders are given to another user")
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      for (script, words) in [
        ("mkdir -m 777 cache", "cache can be written to by others"),
        ("mkdir -m 1777 cache", "cache can be written to by others"),
        ("mkdir -m 775 cache; chgrp 1234 cache", "cache can be written to by others"),
        ("mkdir cache; chown 1234 cache", "cache belongs to the user 1234"),
        ("mkdir -p cache/archives; chmod 777 cache/archives", "cache/archives can be written to by others"),
        ("mkdir -p cache/git; chown 1234 cache/git", "cache/git belongs to the user 1234"),
        ("mkdir -m 777 shared; ln -s shared cache", "cache can be written to by others"),
        (
          "mkdir cache; mkdir -m 777 shared; ln -s ../shared cache/fetched", "cache/fetched can be written to by others"
        ),
      ] {
        try await workshop.shell("rm -rf cache shared; \(script)")
        workshop.expectRefusal(
          try await workshop.run(workshop.cutArguments("demo.toml", linux)), 2, words,
          "remove it, or give a --cache of your own")
      }
      let chroots = try await workshop.run(["roots", "--cache", workshop.cache.string])
      workshop.expectRefusal(chroots, 2, "can be written to by others")
      // The user's own group, and a link to a folder of the user's.
      try await workshop.shell("rm -rf cache shared; mkdir -m 775 own; ln -s own cache")
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", linux))
      #expect(cut.succeeded, "\(cut.errors)")
    }
  }

  @Test func whereAReleaseIsWrittenNobodyElseWrites() async throws {
    #expect(geteuid() == 0, "root is needed: folders are given to another user")
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", linux))
      #expect(cut.succeeded, "\(cut.errors)")
      try await workshop.shell("mv out/demo-7.4 good; rmdir out; mkdir victim; touch victim/precious")
      let part = ".demo-7.4.partial"
      for (script, status, words, leaves) in [
        ("mkdir out; ln -s ../victim out/\(part)", 5, "is no folder", [part]),
        ("mkdir out; touch out/\(part)", 5, "is no folder", [part]),
        ("mkdir out; mkfifo out/\(part)", 5, "is no folder", [part]),
        ("mkdir -m 1777 out; mkdir -m 777 out/\(part); chown 1234 out/\(part)", 5, "belongs to another user", [part]),
        ("mkdir out; ln -s ../victim out/demo-7.4", 5, "it exists with other content", ["demo-7.4"]),
        ("mkdir out; ln -s nowhere out/demo-7.4", 5, "it exists with other content", ["demo-7.4"]),
        ("mkdir out; touch out/demo-7.4", 5, "it exists with other content", ["demo-7.4"]),
      ] {
        try await workshop.shell("rm -rf out; \(script)")
        workshop.expectRefusal(
          try await workshop.run(workshop.cutArguments("demo.toml", linux), seconds: 60), Int32(status), words,
          leaves: leaves)
      }
      try await workshop.shell("test -f victim/precious; rm -rf out")
      // What is named as a file, or leads nowhere.
      try await workshop.shell("touch file; ln -s nowhere dangling; mkdir real; ln -s real link")
      for (output, words) in [
        ("file", "a file has that name, or one on the way to it"), ("file/x", "/file is not a folder"),
        ("dangling", "a file has that name, or one on the way to it"),
      ] {
        let outcome = try await workshop.run(["cut", "--quiet", "demo.toml", "--output", output] + linux)
        workshop.expectRefusal(outcome, 2, words)
      }
      // A link of the user's own to a folder is theirs to make.
      let linked = try await workshop.run(["cut", "--quiet", "demo.toml", "--output", "link"] + linux)
      #expect(linked.succeeded, "\(linked.errors)")
      try await workshop.shell("cmp good/SHA256SUMS real/demo-7.4/SHA256SUMS")

      for target in ["link", "fifo", "null", "hanging"] {
        try await workshop.shell(
          "rm -f to; echo x > precious; case \(target) in link) ln -s precious to ;; fifo) mkfifo to ;; "
            + "null) mknod to c 1 3 ;; *) ln -s nowhere to ;; esac")
        let outcome = try await workshop.run(
          ["plan", "--quiet", "demo.toml", "--save", "to"] + linux, seconds: 30)
        workshop.expectRefusal(outcome, 5, "error: saving the plan: to already exists; give --replace")
        try await workshop.shell("test \"$(cat precious)\" = x; test ! -e nowhere")
      }
    }
  }

  /// Of two at a time, one writes the release and the other says so, or finds it there.
  @Test func twoCutsIntoOneOutput() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      async let first = workshop.run(workshop.cutArguments("demo.toml", linux))
      async let second = workshop.run(workshop.cutArguments("demo.toml", linux))
      async let other = workshop.run(workshop.cutArguments("demo.toml", linux + ["--respin", "1"]))
      let outcomes = try await [first, second]
      #expect(outcomes.contains { $0.succeeded })
      for outcome in outcomes where !outcome.succeeded {
        #expect(outcome.errors.contains("another cut is writing it"), "\(outcome.errors)")
      }
      #expect(try await other.succeeded)
      workshop.expectNothing(["demo-7.4", "demo-7.4+r1"])
      for name in ["demo-7.4", "demo-7.4+r1"] {
        #expect(try await workshop.run(["verify", "--quiet", "out/\(name)"]).succeeded)
      }
    }
  }

  /// What another process has written while we read the code is the release that we would have written, or a conflict.
  @Test(arguments: [("", 0), ("; echo x >>out/demo-7.4/plan.json", 5)])
  func oneThatComesMeanwhileIsFound(change: String, status: Int32) async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest("[[prepare]]\nrun = [\"touch\", \"made\"]\n")
      try await workshop.shell(
        """
        mkdir bin
        cat >bin/bwrap <<'END'
        #!/bin/sh
        PATH=${PATH#*:}
        if mkdir came 2>/dev/null; then sh other >&2; fi
        exec bwrap "$@"
        END
        chmod +x bin/bwrap
        echo '"\(Workshop.lrelease)" cut --quiet demo.toml --source linux=linux --output out\(change)' >other
        """)
      let outcome = try await Command(
        "sh",
        [
          "-c", "PATH=\"\(workshop.folder)/bin:$PATH\" exec \"$0\" \"$@\"", Workshop.lrelease, "cut", "--quiet",
          "demo.toml", "--source", "linux=linux", "--output", "out",
        ], environment: workshop.environment, directory: workshop.folder
      ).run(doing: "cutting")
      #expect(outcome.status == .exited(status), "\(outcome.errors)")
      #expect(Files.exists(workshop.folder.appending("came")))
      workshop.expectNothing(["demo-7.4"])
    }
  }
}
