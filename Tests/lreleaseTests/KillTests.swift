// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// SIGKILL at any moment of a cut: no half release, and what is left goes with the next run.
@Suite struct KillTests {
  private static let kills = 40

  @Test func whatKilledCutsLeaveGoesWithTheNextRun() async throws {
    try await Workshop.use { workshop in
      try workshop.write("linux/fs/big.c", Array(repeating: 0x61, count: 3 << 20))
      try workshop.writeManifest("[[prepare]]\nrun = [\"sh\", \"-c\", \"echo made >made\"]\n\(Workshop.packages)")
      try await workshop.shell("tar -cJf linux.tar.xz linux; sed s/0/1/ demo.toml >other.toml")

      // How long one takes, and what it makes. The shell counts, as this process may wait for the others of the suite.
      let first = try await Command(
        "sh",
        ["-ec", "start=$(date +%s%N); \"$@\" >&2; echo $(($(date +%s%N) - start))", "sh", Workshop.lrelease]
          + arguments("demo.toml"), environment: workshop.environment, directory: workshop.folder
      ).check(doing: "running lrelease")
      let whole = try #require(Double(first.text.trimmed)) / 1e9
      let sums = try Files.read(workshop.output.pushing("demo-7.4/SHA256SUMS"))
      try await workshop.shell("rm -r out cache")

      var generator = SystemRandomNumberGenerator()
      var killed = 0
      for number in 0..<Self.kills {
        // Each third starts from nothing; the others go on with the cache, or find the release.
        if number % 3 == 0 { try await workshop.shell("rm -rf cache out/demo-*") }
        // timeout does the waiting: it counts no time that this process waits for the others of the suite.
        let moment = Double.random(in: 0...whole, using: &generator)
        let outcome = try await Command(
          "timeout",
          ["--foreground", "--signal=KILL", "\(moment)", Workshop.lrelease]
            + arguments("demo.toml", ["--respin", "\(number % 2)"]), environment: workshop.environment,
          directory: workshop.folder
        ).run(doing: "running lrelease")
        if outcome.status == .exited(128 + SIGKILL) { killed += 1 }
        for release in releases(workshop) {
          let verified = try await workshop.run(["verify", "--quiet", release])
          #expect(verified.succeeded, "\(verified.errors)")
        }
      }
      #expect(killed > Self.kills / 8, "only \(killed) of \(Self.kills) were killed while they ran")

      try await workshop.shell("rm -rf out/demo-*")
      let next = try await workshop.run(arguments("demo.toml"))
      #expect(next.succeeded, "\(next.errors)")
      #expect(try Files.read(workshop.output.pushing("demo-7.4/SHA256SUMS")) == sums)
      workshop.expectNothing(["demo-7.4"])
      let cached = try Files.names(in: workshop.cache.appending("archives")).flatMap { name in
        try Files.names(in: workshop.cache.appending("archives").appending(bytes: name))
      }
      #expect(!cached.isEmpty && cached.allSatisfy { SHA256Digest(hex: String(decoding: $0, as: UTF8.self)) != nil })
    }
  }

  private func arguments(_ manifest: String, _ more: [String] = []) -> [String] {
    ["cut", "--quiet", manifest, "--source", "linux=linux.tar.xz", "--output", "out", "--cache", "cache"] + more
  }

  private func releases(_ workshop: Workshop) -> [String] {
    ((try? Files.names(in: workshop.output)) ?? []).map { String(decoding: $0, as: UTF8.self) }
      .filter { $0.hasPrefix("demo-") }.map { "out/\($0)" }
  }

  @Test func whatIsInUseOrNotOursStays() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      try await workshop.shell(
        "mkdir -p out tmp/lrelease-work.abcdef tmp/lrelease-work.abcdefg out/.mine.partial tmp/lrelease-kept.abcdef")
      try await workshop.shell(
        "mkdir tmp/lrelease-work.locked; ln -s .. tmp/lrelease-work.thelnk; echo x >tmp/lrelease-work.afile1; chmod 755 out/.mine.partial"
      )
      let lock = try FileLock(folder: workshop.temporary.appending("lrelease-work.locked"))
      #expect(try lock.tryAcquire(.exclusive))
      #expect(try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"])).succeeded)
      let left = try Files.names(in: workshop.temporary).map { String(decoding: $0, as: UTF8.self) }
      #expect(
        left == [
          "lrelease-kept.abcdef", "lrelease-work.abcdefg", "lrelease-work.afile1", "lrelease-work.locked",
          "lrelease-work.thelnk",
        ])
      #expect(Files.exists(workshop.output.appending(".mine.partial")))
      lock.release()
    }
  }
}
