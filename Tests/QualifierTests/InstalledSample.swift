// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
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

/// Where tests keep roots: `LRELEASE_TEST_CACHE`, else below /var/tmp.
let testCache = FilePath(environmentVariable("LRELEASE_TEST_CACHE") ?? "/var/tmp/lrelease-tests")
let testRoots = ChrootCache(testCache.appending("roots"))

/// The sample release, installed once in a root of Debian 12 with a kernel to boot, for all tests of a suite.
struct InstalledSample: Sendable {
  @TaskLocal static var current: InstalledSample?

  let release: CandidateRelease
  let qualification: Qualification
  let target: Target
  let session: ChrootSession
  let kernel: String
  let folder: FilePath

  static func cut(in folder: FilePath) async throws -> CandidateRelease {
    _ = try await Command(
      Workshop.lrelease,
      [
        "cut", Workshop.root.appending("manifests/sample.toml").string, "--quiet", "--output", folder.string,
        "--source", "linux=\(Workshop.root.appending("Examples/sample/linux"))",
      ]
    ).check(doing: "cutting the sample")
    return try await CandidateRelease(folder.appending("sample-7.2.1"), progress: .silent)
  }

  static func use(_ body: @Sendable () async throws -> Void) async throws {
    try await withScratch { folder in
      let release = try await cut(in: folder)
      let path = Workshop.root.appending("targets/debian-12.toml")
      let target = try Target(reading: path)
      let qualification = try Qualification(
        release, .init(targets: [(path, target)], level: .load, chroots: testRoots))
      let definition = qualification.definition(qualification.cases[0], target)
      let root = try await testRoots.chroot(definition, progress: .silent)
      try await root.use { session in
        let listed = try await session.run(["ls", "/lib/modules"], doing: "listing kernels")
        let sample = InstalledSample(
          release: release, qualification: qualification, target: target, session: session,
          kernel: listed.text.trimmed, folder: folder.appending("case"))
        let verdict = try await sample.attempt { try await $0.installIn(session) }
        try #require(verdict.result == .pass, "\(verdict)")
        try await $current.withValue(sample) { try await body() }
      }
    }
  }

  /// Tries something on the installed sample, and demands that nothing of it is left.
  func attempt(
    on host: GuestHost = GuestHost(), _ work: (CaseRun) async throws -> Void
  ) async throws -> Verdict {
    let run = CaseRun(
      release: release, package: release.packages[0], target: target,
      definition: qualification.definition(qualification.cases[0], target), chroots: testRoots,
      programs: .init(), level: .load, isLife: false, previous: nil, kernel: kernel, folder: folder, settings: .init(),
      host: host, progress: .silent)
    let verdict = try await run.verdict(inputs: release.digest, logs: "case", trying: work)
    try await expectNothingLeft(of: session.scratch)
    return verdict
  }

  /// Boots the guest as after an installation.
  func boot(on host: GuestHost) async throws -> Verdict {
    try await attempt(on: host) { try await $0.boot(in: session, withSmoke: false) }
  }

  /// Builds a module from `code` in the root and puts it where the package has samplefs.
  func replaceModule(_ code: String) async throws {
    let outcome = try await session.run(
      [
        "sh", "-ec",
        """
        rm -rf /tmp/m
        mkdir /tmp/m
        cd /tmp/m
        echo 'obj-m := samplefs.o' >Makefile
        echo "$2" >samplefs.c
        make -C "/lib/modules/$1/build" M=/tmp/m KBUILD_MODPOST_WARN=1 modules
        cp samplefs.ko "/lib/modules/$1/updates/dkms/samplefs.ko"
        """, "build", kernel, code,
      ], doing: "building a module")
    try #require(outcome.succeeded, "\(outcome.text)\(outcome.errors)")
  }
}

extension CaseRun {
  fileprivate func installIn(_ session: ChrootSession) async throws { _ = try await install(in: session) }
}

/// Demands that no process names a folder, and that nothing is mounted in it.
func expectNothingLeft(of folder: FilePath, _ location: Testing.SourceLocation = #_sourceLocation) async throws {
  func processes() throws -> [String] {
    try Files.names(in: "/proc").map { String(decoding: $0, as: UTF8.self) }.filter { Int($0) != nil }.compactMap {
      id in
      let line = ((try? Files.read(FilePath("/proc/\(id)/cmdline"))) ?? []).map { $0 == 0 ? 0x20 : $0 }
      let text = String(decoding: line, as: UTF8.self)
      return text.contains(folder.string) ? text : nil
    }
  }
  // What is below a sandbox ends with it, a moment later on a busy machine.
  for _ in 0..<100 where try !processes().isEmpty { try await Task.sleep(for: .milliseconds(50)) }
  #expect(try processes() == [], sourceLocation: location)
  let mounts = String(decoding: try Files.read("/proc/self/mountinfo"), as: UTF8.self)
  #expect(!mounts.contains(folder.string), sourceLocation: location)
}

struct OnInstalledSample: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await InstalledSample.use(function)
  }
}

extension Trait where Self == OnInstalledSample {
  static var onInstalledSample: Self { Self() }
}
