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

/// Two releases in two guests on one network.
@Suite(.serialized) struct PairTests {
  /// A service of the sample: what its samplefs says, over HTTP.
  private static let service = """
    set -e
    case $1 in
    start)
      mkdir -p /mnt/served
      mount -t samplefs none /mnt/served
      mkdir /tmp/served
      cat /mnt/served/version >/tmp/served/version
      httpd -p 80 -h /tmp/served
      echo "serving for $2"
      ;;
    stop)
      killall httpd
      umount /mnt/served
      ;;
    esac
    """

  private static let client = """
    set -e
    mkdir -p /mnt/own
    mount -t samplefs none /mnt/own
    wget -O /tmp/version "http://$1/version"
    echo "own $(cat /mnt/own/version), other $(cat /tmp/version)"
    umount /mnt/own
    echo "client VERSION: all is well"
    """

  /// Cuts the sample with the scripts of a pair, as a release of this version.
  private func cut(
    _ workshop: Workshop, version: String, service: String = Self.service, client: String = Self.client
  ) async throws -> FilePath {
    let place = workshop.folder.appending("project-\(version)")
    try Files.makeFolder(place)
    for name in ["Examples", "debian", "manifests", "specs"] {
      _ = try await Command(
        "cp", ["-a", Workshop.root.appending(name).string, place.appending(name).string]
      ).check(doing: "copying the sample")
    }
    let manifest = place.appending("manifests/sample.toml")
    let text = String(decoding: try Files.read(manifest), as: UTF8.self)
    let pair = """
      smoke = "tests/smoke.sh"
      kernel-modules = ["virtio_pci", "virtio_net"]

      [qualify.pair]
      service = "tests/service"
      service-variant = "modules"
      client = "tests/client"
      client-variant = "modules"
      """
    let generated = """
      [[generate]]
      path = "tests/service"
      template = "sample/service"

      [[generate]]
      path = "tests/client"
      template = "sample/client"

      [extras.trace]
      """
    try Files.replace(
      manifest,
      with: Array(
        text.replacing("version    = \"{kernel}\"", with: "version    = \"\(version)\"")
          .replacing("smoke = \"tests/smoke.sh\"", with: pair).replacing("[extras.trace]\n", with: generated + "\n")
          .utf8))
    let (service, client) = (
      service.replacing("VERSION", with: version), client.replacing("VERSION", with: version)
    )
    try Files.write(Array(service.utf8), to: place.appending("manifests/sample/service"))
    try Files.write(Array(client.utf8), to: place.appending("manifests/sample/client"))
    let outcome = try await workshop.run(
      workshop.cutArguments(manifest.string, ["--source", "linux=\(Workshop.root.appending("Examples/sample/linux"))"]))
    try #require(outcome.succeeded, "\(outcome.errors)")
    return workshop.output.appending("sample-\(version)")
  }

  private func qualify(
    _ workshop: Workshop, _ release: FilePath, against other: FilePath, _ more: [String] = []
  ) async throws -> Command.Outcome {
    try await workshop.run(
      [
        "qualify", release.string, "--against", other.string, "--target", "debian-12", "--cache", testCache.string,
        "--targets", Workshop.root.appending("targets").string, "--quiet", "--jobs", "1",
      ] + more, seconds: 1500)
  }

  private func verdict(_ release: FilePath, _ role: String, of other: String) throws -> Verdict {
    let file = "verdicts/debian-12.modules.\(role)-\(other).json"
    return try JSON.decode(
      Verdict.self, from: Files.read(FilePath("\(release).qualification").pushing(FilePath(file))))
  }

  @Test func twoReleasesBothWays() async throws {
    try await Workshop.use { workshop in
      let new = try await cut(workshop, version: "7.2.2")
      let old = try await cut(workshop, version: "7.2.1")
      let outcome = try await qualify(workshop, new, against: old)
      #expect(outcome.succeeded, "\(outcome.errors)")
      let folder = FilePath("\(new).qualification")
      for role in Verdict.Against.Role.allCases {
        let verdict = try verdict(new, role.rawValue, of: "sample-7.2.1")
        #expect(verdict.result == .pass, "\(verdict)")
        #expect(verdict.against?.role == role && verdict.against?.release == "sample-7.2.1")
        let names = verdict.steps.map(\.name)
        let inGuest: [Verdict.Step.Name] =
          role == .client ? [.wait, .client] : [.service, .wait, .service]
        #expect(names.suffix(inGuest.count + 5) == [.boot, .load] + inGuest + [.unload, .log, .other], "\(names)")
        func log(_ name: String) throws -> String {
          String(decoding: try Files.read(folder.pushing(FilePath(verdict.logs)).appending(name)), as: UTF8.self)
        }
        // The client is of one release, and what it reads over the network comes from the other.
        let versions = role == .client ? ("7.2.2", "7.2.1") : ("7.2.1", "7.2.2")
        let client = try log("client-console.log")
        #expect(client.contains("client \(versions.0): all is well"), "\(client)")
        #expect(client.contains("own \(versions.0), other \(versions.1)"), "\(client)")
        #expect(try log("service-console.log").contains("serving for 10.0.2.16"))
        #expect(try log("client-install.log") != log("service-install.log"))
      }

      // What two releases do together says nothing about the kernels that a package supports.
      let rebuilt = try await workshop.run([
        "rebuild", new.string, "--qualified", folder.string, "--output", workshop.folder.appending("again").string,
      ])
      #expect(!rebuilt.succeeded && rebuilt.errors.contains("passed on no kernel"), "\(rebuilt.errors)")

      let table = try await workshop.run(["export", "table", folder.string])
      #expect(table.text.contains("amd64, client of sample-7.2.1 | pass |"), "\(table.text)\(table.errors)")
      #expect(table.text.contains("amd64, service for sample-7.2.1 | pass |"), "\(table.text)")
    }
  }

  /// Whose fault it is, and that neither guest waits for one that is gone.
  @Test func failuresNameTheGuest() async throws {
    try await Workshop.use { workshop in
      let fine = try await cut(workshop, version: "7.2.1")
      let broken = try await cut(
        workshop, version: "7.2.2", service: "echo cannot serve; exit 3",
        client: "wget -O /dev/null http://$1/version; echo 'error: the versions differ'; exit 1")
      let outcome = try await qualify(workshop, fine, against: broken)
      #expect(!outcome.succeeded)
      let asClient = try verdict(fine, "client", of: "sample-7.2.2")
      #expect(asClient.result == .fail && asClient.step == .service, "\(asClient)")
      #expect(asClient.reason == "sample-7.2.2, the service: cannot serve (status 3)", "\(asClient)")
      let asService = try verdict(fine, "service", of: "sample-7.2.2")
      #expect(asService.result == .fail && asService.step == .client, "\(asService)")
      #expect(
        asService.reason == "sample-7.2.2, the client: error: the versions differ (status 1)", "\(asService)")
      #expect(outcome.errors.contains("client of sample-7.2.2, fails"), "\(outcome.errors)")

      // A kernel that stops takes its client along.
      let panics = try await cut(
        workshop, version: "7.2.3",
        service: Self.service.replacing("echo \"serving for $2\"", with: "(sleep 3; echo c >/proc/sysrq-trigger) &"),
        client: "sleep 1000")
      let stopped = try await qualify(workshop, panics, against: panics)
      #expect(!stopped.succeeded)
      let verdict = try verdict(panics, "client", of: "sample-7.2.3")
      #expect(verdict.result == .fail && verdict.reason?.contains("the service: Kernel panic") == true, "\(verdict)")
    }
  }

  @Test func whatIsAskedForMustBeThere() async throws {
    try await Workshop.use { workshop in
      let pair = try await cut(workshop, version: "7.2.2")
      #expect(try await workshop.cutSample().succeeded)
      let plain = workshop.output.appending("sample-7.2.1")
      for (release, other) in [(pair, plain), (plain, pair)] {
        let outcome = try await qualify(workshop, release, against: other)
        workshop.expectRefusal(
          outcome, 2, "the manifest of sample-7.2.1 does not say how a service and a client are tried",
          "add [qualify.pair]", leaves: ["sample-7.2.1", "sample-7.2.2"])
      }
    }
  }
}

/// The client and the server of Lustre in the git repository that `LRELEASE_LUSTRE_GIT` names, against its branch b2_17.
@Suite(
  .serialized,
  .enabled(if: environmentVariable("LRELEASE_LUSTRE_GIT") != nil, "LRELEASE_LUSTRE_GIT names no repository of Lustre"))
struct LustrePairTests {
  @Test func clientAndServerOfTwoReleases() async throws {
    try await Workshop.use { workshop in
      let git = try #require(environmentVariable("LRELEASE_LUSTRE_GIT"))
      for manifest in ["lustre.toml", "lustre-2.17-server.toml"] {
        let cut = try await workshop.run(
          workshop.cutArguments(
            Workshop.root.appending("manifests/\(manifest)").string,
            ["--kernel", "6.12.117", "--source", "lustre-release=\(git)"]))
        try #require(cut.succeeded, "\(cut.errors)")
      }
      let release = workshop.output.appending("lustre-6.12.117")
      let outcome = try await workshop.run(
        [
          "qualify", release.string, "--against", workshop.output.appending("lustre-2.17.0").string, "--target",
          "debian-12", "--cache", testCache.string, "--targets", Workshop.root.appending("targets").string, "--quiet",
          "--jobs", "1",
        ], seconds: 7200)
      #expect(outcome.succeeded, "\(outcome.errors)")
      let verdicts = try VerdictStore(FilePath("\(release).qualification")).all()
      #expect(verdicts.count == 2 && verdicts.allSatisfy { $0.result == .pass }, "\(verdicts)")
    }
  }
}
