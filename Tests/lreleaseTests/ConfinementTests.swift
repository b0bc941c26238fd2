// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// Machines that let nobody make namespaces, as containers and some distributions do: `--sandbox none`.
@Suite(.serialized) struct ConfinementTests {
  /// As root of a user namespace that has no capabilities and may have no other below it.
  private static let contained = """
    contained() {
      unshare --user --map-root-user sh -c '
        echo 0 >/proc/sys/user/max_user_namespaces
        exec setpriv --bounding-set=-all --inh-caps=-all "$@"' sh "$@"
    }
    """

  /// A release with packages of both kinds, whose prepare step looks around.
  private func use(_ body: (Workshop) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(
        """
        [[prepare]]
        run = ["sh", "-c", "{ pwd -P; umask; echo $SOURCE_DATE_EPOCH $HOME $LC_ALL; } >made"]
        \(Workshop.packages)
        """)
      try await body(workshop)
    }
  }

  private func cut(_ output: String, _ more: String = "") -> String {
    "\(Workshop.lrelease) cut --quiet demo.toml --source linux=linux --output \(output) --cache cache \(more)"
  }

  private func run(_ workshop: Workshop, _ script: String) async throws -> Command.Outcome {
    try await Command(
      "sh", ["-c", "\(Self.contained)\n\(script)"], environment: workshop.environment, directory: workshop.folder
    ).run(doing: "running \(script)")
  }

  @Test func whereNoNamespacesCanBeMadeThatIsSaid() async throws {
    try await use { workshop in
      let outcome = try await run(workshop, "contained \(cut("out"))")
      workshop.expectRefusal(
        outcome, 1, "running 'sh -c", "this machine makes no sandbox for it (bwrap: ",
        "sysctl user.max_user_namespaces from 0, or give --sandbox none")
    }
  }

  @Test func withoutASandboxTheBytesAreTheSame() async throws {
    try await use { workshop in
      try await workshop.shell(cut("confined"))
      let sums = try Files.read(workshop.folder.pushing("confined/demo-7.4/SHA256SUMS"))
      // In a container; with another umask; work in progress on another file system than /tmp; as another user.
      let ways = [
        "contained \(cut("way", "--sandbox none"))", "umask 077; \(cut("way", "--sandbox none"))",
        "TMPDIR=/dev/shm \(cut("way", "--sandbox none"))",
        "chmod 777 . tmp; setpriv --reuid=65534 --regid=65534 --clear-groups \(cut("way", "--sandbox none --cache own"))",
      ]
      for way in ways {
        let outcome = try await run(workshop, way)
        #expect(outcome.succeeded, "\(way): \(outcome.errors)")
        #expect(
          outcome.errors == """
            warning: no sandbox: whatever the manifest, its patches and specs run has your rights on this machine, and \
            the network

            """)
        #expect(try Files.read(workshop.folder.pushing("way/demo-7.4/SHA256SUMS")) == sums, "\(way)")
        try await workshop.shell("rm -rf way own")
        for place in ["/tmp/prepare", "/tmp/rpm"] { #expect(!Files.exists(FilePath(place))) }
      }
      workshop.expectNothing()
    }
  }

  /// A run that was killed leaves a folder of ours; anything else is somebody's.
  @Test func whatStandsInItsWayIsRemovedWhereItIsOurs() async throws {
    try await use { workshop in
      try await workshop.shell("mkdir /tmp/prepare; echo old >/tmp/prepare/left")
      let outcome = try await run(workshop, cut("out", "--sandbox none"))
      #expect(outcome.succeeded, "\(outcome.errors)")
      try await workshop.shell("tar -tf out/demo-7.4/demo-7.4.tar.xz >list; ! grep left list; rm -r out cache/prepared")

      try await workshop.shell("ln -s \(workshop.folder) /tmp/prepare")
      defer { try? Files.remove("/tmp/prepare") }
      let refused = try await workshop.run(
        workshop.cutArguments("demo.toml", ["--source", "linux=linux", "--sandbox", "none"]))
      #expect(refused.errors.contains("/tmp/prepare exists, and is not from lrelease; remove it"))
      #expect(refused.status == .exited(1))
      workshop.expectNothing()
    }
  }
}
