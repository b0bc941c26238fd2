// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Model
import Processes
import SystemPackage
import TestSupport
import Testing
import Verdicts

@testable import Packagers
@testable import Qualifier

/// The sample on the kernels of Debian, from a candidate to the release that is made of what was proven.
@Suite(.serialized) struct QualifyTests {
  private func qualify(
    _ workshop: Workshop, _ release: String, _ targets: [String], level: String, in folder: FilePath? = nil
  ) async throws -> Command.Outcome {
    try await workshop.run(
      [
        "qualify", (folder ?? workshop.output).appending(release).string, "--level", level, "--cache",
        testCache.string, "--targets", Workshop.root.appending("targets").string, "--quiet", "--jobs", "1",
      ] + targets.flatMap { ["--target", $0] }, seconds: 3000)
  }

  @Test func aCandidateIsMountedAndItsReleaseSaysWhatWasProven() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let targets = ["debian-12", "debian-12-6.12"]
      let outcome = try await qualify(workshop, "sample-7.2.1", targets, level: "mount")
      #expect(outcome.succeeded, "\(outcome.errors)")
      let folder = workshop.output.appending("sample-7.2.1.qualification")
      let verdicts = try VerdictStore(folder).all()
      #expect(verdicts.count == 2)
      for verdict in verdicts {
        #expect(verdict.result == .pass, "\(verdict)")
        let names = verdict.steps.map(\.name)
        #expect(names.suffix(6) == [.boot, .load, .unload, .smoke, .unload, .log], "\(names)")
        let console = String(
          decoding: try Files.read(folder.pushing(FilePath(verdict.logs)).appending("console.log")), as: UTF8.self)
        #expect(console.contains("smoke: all is well"))
      }

      // With nothing changed, nothing is tried.
      let before = try Files.read(folder.appending("verdicts/debian-12.modules.json"))
      #expect(try await qualify(workshop, "sample-7.2.1", targets, level: "load").succeeded)
      #expect(try Files.read(folder.appending("verdicts/debian-12.modules.json")) == before)

      // The release has the code of the candidate, and supports what it was tried on.
      let releases = workshop.folder.appending("releases")
      let rebuilt = try await workshop.run([
        "rebuild", workshop.output.appending("sample-7.2.1/sample-7.2.1.tar.xz").string, "--qualified", folder.string,
        "--output", releases.string, "--quiet",
      ])
      #expect(rebuilt.succeeded, "\(rebuilt.errors)")
      let release = try await CandidateRelease(releases.appending("sample-7.2.1"), progress: .silent)
      #expect(
        release.packages[0].kernels.lines == [
          "kernels 5.10 to 6.0: untried", "kernels 6.1: proven", "kernels 6.2 to 6.11: untried",
          "kernels 6.12: proven", "kernels 6.13 to 7.3: untried",
        ])
      let keys = Set(release.plan.proven?["modules"]?.probes.keys.map { $0 } ?? [])
      #expect(keys == Set(verdicts.compactMap(\.probeKey)) && keys.count == 2)
      // A rebuild of it needs no verdicts, and is the same.
      let again = try await workshop.run([
        "rebuild", releases.appending("sample-7.2.1/sample-7.2.1.tar.xz").string, "--output",
        workshop.folder.appending("again").string,
      ])
      #expect(again.text.contains("identical"), "\(again.errors)")

      // dkms on a site uses what came with it: that is what its PRE_BUILD says.
      #expect(try await qualify(workshop, "sample-7.2.1", targets, level: "build", in: releases).succeeded)
      for verdict in try VerdictStore(releases.appending("sample-7.2.1.qualification")).all() {
        let probe = try #require(verdict.steps.first { $0.name == .probe })
        #expect(probe.note == "its results came with the release", "\(verdict)")
      }

      try await resultsOfProbesCountForTheirHeadersAlone(release)
    }
  }

  /// The shipped results are used on the kernel that they are of, and not when a byte of its headers is another.
  private func resultsOfProbesCountForTheirHeadersAlone(_ release: CandidateRelease) async throws {
    let path = Workshop.root.appending("targets/debian-12.toml")
    let target = try Target(reading: path)
    let qualification = try Qualification(release, .init(targets: [(path, target)], level: .load, chroots: testRoots))
    let root = try await testRoots.chroot(
      qualification.definition(qualification.cases[0], target), progress: .silent)
    let deb = try #require(try release.file(of: release.packages[0], .deb))
    try await root.use { session in
      func probe(_ change: String = ":") async throws -> String {
        let outcome = try await session.run(
          [
            "sh", "-ec",
            """
            kernel=$(ls /lib/modules)
            headers=/usr/src/linux-headers-${kernel%-amd64}-common
            \(change)
            rm -rf /tmp/package
            dpkg-deb -x "/release/$1" /tmp/package
            cd /tmp/package/usr/src/sample-7.2.1
            sh dkms/pre-build "$kernel" "/lib/modules/$kernel/build"
            sum=$(sha256sum <sample_compat/config.h)
            echo "$sum"
            """, "probe", deb.lastComponent?.string ?? "",
          ], folders: ["/release": deb.removingLastComponent()], doing: "probing")
        #expect(outcome.succeeded, "\(outcome.errors)")
        return outcome.text
      }
      let shipped = try await probe()
      #expect(shipped.contains("is known: its probe results came with the release"), "\(shipped)")
      for change in [
        "echo >>$headers/include/linux/fs.h", "echo >>/usr/src/linux-headers-$kernel/Module.symvers",
        "echo >>/usr/src/linux-headers-$kernel/include/generated/autoconf.h", "touch $headers/include/linux/new.h",
      ] {
        let probed = try await probe(change)
        #expect(probed.contains("probes compile") && !probed.contains("is known"), "\(change): \(probed)")
        // What the compiler says is what was shipped.
        #expect(probed.split(separator: "\n").last == shipped.split(separator: "\n").last)
        _ = try await probe(
          change.hasPrefix("touch")
            ? "rm $headers/include/linux/new.h" : "truncate -s -1 \(change.dropFirst("echo >>".count))")
      }
      #expect(try await probe().contains("is known"))
      // A compiler is what it says it is, by any name.
      for name in ["gcc-12", "x86_64-linux-gnu-gcc-12", "env gcc-12"] {
        #expect(try await probe("export CC='\(name)'").contains("is known"), "\(name)")
      }
      let other = """
        printf '#!/bin/sh\\ngcc "$@" | sed s/12[.]2[.]0/12.2.1/\\n' >/usr/bin/other; chmod +x /usr/bin/other; export CC=other
        """
      #expect(try await probe(other).contains("probes compile"))
      #expect(try await probe("export CC=there-is-none").contains("probes compile"))
    }
  }

  @Test func theOtherKernelsBuild() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let targets = ["debian-11", "debian-13", "debian-13-backports", "debian-sid"]
      let outcome = try await qualify(workshop, "sample-7.2.1", targets, level: "build")
      #expect(outcome.succeeded, "\(outcome.errors)")
      let verdicts = try VerdictStore(workshop.output.appending("sample-7.2.1.qualification")).all()
      #expect(verdicts.filter { $0.result == .pass }.count == targets.count)
    }
  }
}
