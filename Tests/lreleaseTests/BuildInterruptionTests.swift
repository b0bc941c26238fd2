// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// Builds in roots that are stopped, or run out of space: one line, and no mount, process, half root or scratch left.
@Suite(.serialized) struct BuildInterruptionTests {
  /// Roots that tests share, since one takes a minute.
  private static let roots = FilePath(environmentVariable("LRELEASE_TEST_CACHE") ?? "/var/tmp/lrelease-tests")

  enum Phase: CaseIterable {
    /// mmdebstrap has unpacked the first packages into the root, and dpkg works in it.
    case makingARoot
    /// A compiler or one of debhelper's programs runs in the root.
    case building
  }

  @Test(arguments: Phase.allCases) func controlC(phase: Phase) async throws {
    try await withRelease { start in
      var workshop = start
      workshop.cache = phase == .building ? BuildInterruptionTests.roots : workshop.cache
      let child = try Child(workshop, arguments(workshop))
      var below: [pid_t: String] = [:]
      // The root for the build may have to be made first.
      let reached = try await child.wait(seconds: 600) {
        below = try child.descendants()
        let isReached = below.values.contains { line in
          switch phase {
          case .makingARoot: line.contains("dpkg --") && (try? halfRoots(workshop))?.isEmpty == false
          case .building: line.contains("dpkg-buildpackage")
          }
        }
        if isReached { kill(-child.pid, SIGINT) }
        return isReached
      }
      #expect(reached, "\(phase) was not reached: \(child.errorText)")
      _ = try await child.wait(seconds: 120) { false }
      #expect(!child.isRunning, "it goes on")
      #expect(child.exitStatus == 130, "\(child.errorText)")
      #expect(child.errorText == "error: interrupted; nothing half-written was left\n")
      try await expectNoProcess(below)
      try expectNoMount(workshop)
      if phase == .makingARoot { #expect(try halfRoots(workshop) == []) }
      workshop.expectNothing(["sample-7.2.1"])
    }
  }

  @Test func aRootThatDoesNotFitLeavesNoHalf() async throws {
    try await withRelease { start in
      var workshop = start
      workshop.cache = workshop.folder.appending("small")
      let box = workshop
      _ = try await withTmpfs(workshop.cache, "size=48m") {
        let outcome = try await box.run(arguments(box))
        box.expectFailure(outcome, "debian-12: making a chroot of bookworm: ", "--cache")
        #expect(outcome.errors.contains("space"), "\(outcome.errors)")
        #expect(try halfRoots(box) == [])
        try expectNoMount(box, but: box.cache)
      }
    }
  }

  @Test(arguments: ["size=320k", "size=720k", "size=8m,nr_inodes=40", "size=8m,nr_inodes=200"])
  func aBuildThatDoesNotFitSaysSo(options: String) async throws {
    try await withRelease { start in
      var workshop = start
      workshop.cache = BuildInterruptionTests.roots
      workshop.temporary = workshop.folder.appending("small")
      let box = workshop
      _ = try await withTmpfs(workshop.temporary, options) {
        let outcome = try await box.run(arguments(box))
        box.expectFailure(
          outcome, "debian-12: building: No space left on device", "TMPDIR", leaves: ["sample-7.2.1.debian-12.log"])
        try expectNoMount(box, but: box.temporary)
      }
    }
  }

  // MARK: helpers

  private func withRelease(_ body: (Workshop) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      let outcome = try await workshop.cutSample()
      try #require(outcome.succeeded, "\(outcome.errors)")
      try await body(workshop)
    }
  }

  private func arguments(_ workshop: Workshop) -> [String] {
    [
      "build", "--quiet", workshop.output.appending("sample-7.2.1").string, "--modules", "--target", "debian-12",
      "--targets", Workshop.root.appending("targets").string, "--cache", workshop.cache.string, "--output",
      workshop.output.string,
    ]
  }

  /// What is where roots are kept, but for the empty files that lock them.
  private func halfRoots(_ workshop: Workshop) throws -> [String] {
    try Files.names(in: workshop.cache.appending("roots")).map { String(decoding: $0, as: UTF8.self) }
      .filter { !$0.hasSuffix(".lock") }
  }

  /// What is in a namespace ends with its first process, a moment later on a busy machine.
  private func expectNoProcess(_ below: [pid_t: String]) async throws {
    func isThere(_ id: pid_t, _ line: String) -> Bool {
      let bytes = (try? Files.read(FilePath("/proc/\(id)/cmdline"))) ?? []
      return !line.isEmpty && String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self) == line
    }
    var left = below
    for _ in 0..<100 where !left.isEmpty {
      left = left.filter { isThere($0.key, $0.value) }
      if !left.isEmpty { try await Task.sleep(for: .milliseconds(50)) }
    }
    #expect(left.isEmpty)
  }

  /// No process, in whatever mount namespace, has something mounted below the workshop or from it.
  private func expectNoMount(_ workshop: Workshop, but own: FilePath? = nil) throws {
    for name in try Files.names(in: "/proc") where name.allSatisfy({ (0x30...0x39).contains($0) }) {
      let place = FilePath("/proc").appending(bytes: name).appending("mountinfo")
      // A file of /proc has no size that could be asked for; a process may have gone meanwhile.
      guard let bytes = try? Files.read(place) else { continue }
      for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
        guard line.contains(workshop.folder.string) else { continue }
        #expect(own.map { line.contains(" \($0) ") } == true, "\(place): \(line)")
      }
    }
  }
}

extension Workshop {
  /// Demands one line with `words` and status 1, and that TMPDIR is empty and the output holds the release and `leaves`.
  fileprivate func expectFailure(
    _ outcome: Command.Outcome, _ words: String..., leaves: [String] = [],
    _ location: Testing.SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.status == .exited(1), "\(outcome.errors)", sourceLocation: location)
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)", sourceLocation: location)
    for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: location) }
    expectNothing(["sample-7.2.1"] + leaves, location)
  }
}
