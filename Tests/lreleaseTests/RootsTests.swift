// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// What `lrelease roots` keeps and removes, and where chroots come from.
@Suite struct RootsTests {
  @Test func whatADeadProcessHasLeftIsRemoved() async throws {
    try await Workshop.use { workshop in
      try await workshop.shell(
        "mkdir -p cache/roots/bookworm-1.$(hostname).partial/usr cache/roots/bookworm-2.other.partial")
      let outcome = try await workshop.run(["roots", "--cache", "cache", "--verbose"])
      #expect(outcome.succeeded, "\(outcome.errors)")
      #expect(outcome.errors.contains("removed bookworm-1."), "\(outcome.errors)")
      // Another machine may be making it, in a cache that both share.
      let left = try Files.names(in: workshop.cache.appending("roots")).map { String(decoding: $0, as: UTF8.self) }
      #expect(left.filter { $0.hasSuffix(".partial") } == ["bookworm-2.other.partial"])
    }
  }

  @Test func anyNumberOfDaysIsTaken() async throws {
    try await Workshop.use { workshop in
      let outcome = try await workshop.run(["roots", "--cache", "cache", "--unused", "\(Int.max)"])
      #expect(outcome.succeeded, "\(outcome.errors)")
    }
  }

  /// Of the sources of apt, those count that apt uses, in any of its forms; a proxy is asked as apt would ask it.
  @Test(.enabled(if: geteuid() == 0, "mounting needs root"))
  func chrootsComeFromWhatAptUses() async throws {
    try await Workshop.use { workshop in
      _ = try await workshop.cutSample()
      try workshop.write(
        "apt/x.sources",
        """
        Enabled: no
        Types: deb
        URIs: http://127.0.0.1:8/debian
        Suites: bookworm
        Components: main

        Types: deb-src
        URIs: http://127.0.0.1:7/debian
        Suites: bookworm
        Components: main

        Types: deb
        URIs:
         http://127.0.0.1:9/debian
        Suites: bookworm
        Components: main

        Types: deb
        URIs: http://127.0.0.1:9/debian-security
        Suites: bookworm-security
        Components: main

        """)
      try workshop.write("empty", "")
      func tried(_ proxy: String) async throws -> Command.Outcome {
        var command = Command(
          "unshare",
          [
            "--mount", "--propagation", "private", "sh", "-ec",
            """
            mount --bind apt /etc/apt/sources.list.d
            [ ! -e /etc/apt/sources.list ] || mount --bind empty /etc/apt/sources.list
            exec "$@"
            """, "sh", "timeout", "60", Workshop.lrelease, "qualify", "out/sample-7.2.1", "--target", "debian-12",
            "--level",
            "build", "--cache", "cache", "--targets", Workshop.root.appending("targets").string,
          ], environment: workshop.environment, directory: workshop.folder)
        if !proxy.isEmpty { command.environment["http_proxy"] = proxy }
        return try await command.run(doing: "running lrelease")
      }
      let direct = try await tried("")
      let said = direct.text + direct.errors
      #expect(said.contains("127.0.0.1:9") && !said.contains("127.0.0.1:8") && !said.contains("127.0.0.1:7"), "\(said)")
      let through = try await tried("http://127.0.0.1:6")
      #expect((through.text + through.errors).contains("127.0.0.1:6"), "\(through.text)\(through.errors)")
    }
  }

  /// dnf is given the user's proxies, and finds its repositories whatever TMPDIR is called.
  @Test func dnfHasProxiesAndRepositories() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      try workshop.write(
        "bin/dnf",
        """
        #!/bin/sh
        for word; do
          case $word in --setopt=reposdir=*) cat "${word#*reposdir=}/lrelease.repo" ;; esac
        done >'\(workshop.folder)/seen'
        echo "$http_proxy $no_proxy" >>'\(workshop.folder)/seen'
        echo "Error: Failed to download metadata" >&2
        exit 1
        """)
      chmod(workshop.folder.appending("bin/dnf").string, 0o755)
      let temporary = workshop.folder.appending("my, tmp")
      try Files.makeFolder(temporary)
      var command = Command(
        Workshop.lrelease,
        [
          "qualify", "out/sample-7.2.1", "--target", "rocky-9", "--level", "build", "--cache", "cache", "--targets",
          Workshop.root.appending("targets").string,
        ], environment: workshop.environment, directory: workshop.folder)
      command.environment["PATH"] = "\(workshop.folder)/bin:\(command.environment["PATH"] ?? "/usr/bin:/bin")"
      command.environment["TMPDIR"] = temporary.string
      command.environment["http_proxy"] = "http://127.0.0.1:6"
      command.environment["no_proxy"] = "here.example"
      let outcome = try await command.run(doing: "running lrelease")
      #expect(outcome.errors.contains("dnf: Error: Failed to download metadata"), "\(outcome.errors)")
      let seen = String(decoding: try Files.read(workshop.folder.appending("seen")), as: UTF8.self)
      #expect(seen.contains("baseurl=") && seen.hasSuffix("http://127.0.0.1:6 here.example\n"), "\(seen)")
    }
  }
}
