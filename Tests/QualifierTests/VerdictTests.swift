// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Model
import SystemPackage
import TestSupport
import Testing
import Verdicts

@testable import Packagers
@testable import Qualifier

/// What is read out of logs and reports.
@Suite struct LogTests {
  @Test(
    arguments: [
      // The compiler's first error goes before what make says of it, and before its warnings and notes.
      (
        """
        In file included from /var/lib/dkms/a/1/build/fs/a.c:1:
        /var/lib/dkms/a/1/build/fs/a.h:3:1: warning: 'x' defined but not used
        /var/lib/dkms/a/1/build/fs/a.c:7:2: error: implicit declaration of function 'strncpy'
        /var/lib/dkms/a/1/build/fs/a.c:9:2: error: too few arguments
        make[1]: *** [scripts/Makefile.build:250: a.o] Error 1
        Error! Bad return status for module build on kernel: 7.2 (x86_64)
        """, "fs/a.c:7:2: error: implicit declaration of function 'strncpy'"
      ),
      ("x.c:1:10: fatal error: linux/none.h: No such file or directory\n", nil),
      (
        "make: x\nERROR: modpost: \"a_b\" [/tmp/a.ko] undefined!\nmake: *** x",
        "ERROR: modpost: \"a_b\" [/tmp/a.ko] undefined!"
      ),
      (
        "grep: /x: No such file or directory\ncat: /y: No such file or directory\n",
        "cat: /y: No such file or directory"
      ),
      ("Reading package lists...\r\nE: Unable to locate package x\r\n", "E: Unable to locate package x"),
      (
        "make: *** No rule to make target 'modules'.  Stop.\nE: Sub-process\n",
        "make: *** No rule to make target 'modules'.  Stop."
      ),
      ("Error! Your kernel headers cannot be found", "Error! Your kernel headers cannot be found"),
      (
        """
        a 1: the modules were built for kernel 7.2 and could not be installed: a is not there
        dpkg: error processing package a-dkms (--configure):
        Errors were encountered while processing:
        """, "a 1: the modules were built for kernel 7.2 and could not be installed: a is not there"
      ),
      ("Building for 6.1\nDone.\n", ""),
      ("", ""),
    ] as [(String, String?)])
  func firstError(text: String, line: String?) {
    // nil here: the line itself; "": none.
    let expected = line ?? text.trimmed
    #expect(CommandLog(text).firstError ?? "" == expected)
  }

  @Test(arguments: [
    ("cc1: error writing to /tmp/x.s: No space left on device", true),
    ("E: You don't have enough free space in /var/cache/apt/archives/.", true),
    ("  At least 20MB more space needed on the / filesystem.", true),
    ("there is space", false),
  ])
  func fullDisks(line: String, isFull: Bool) { #expect(CommandLog("a\n\(line)\nb").isOutOfSpace == isFull) }

  @Test(
    arguments: [
      ("ready 0", .ready(0)), ("end 4608", .end(4608)), ("begin load", .began("load")),
      ("pass unload-again", .passed("unload-again")),
      ("fail load samplefs: No such device", .failed("load", "samplefs: No such device")),
      ("fail load", .failed("load", "")),
      ("ready", nil), ("end x", nil), ("begin a b", nil), ("pass a b", nil), ("", nil), ("begin", nil), ("pass", nil),
      ("fail", nil), ("Ready", nil), ("noise on the line", nil),
    ] as [(String, GuestReport?)])
  func reports(line: String, report: GuestReport?) { #expect(GuestReport(line) == report) }
}

/// Which verdicts are used again.
@Suite struct QualificationTests {
  private func withQualification(
    _ body: (CandidateRelease, _ target: FilePath, (Verdict.Level) throws -> Qualification) async throws -> Void
  ) async throws {
    try await withScratch { folder in
      let release = try await InstalledSample.cut(in: folder)
      let path = folder.appending("debian-12.toml")
      try Files.write(try Files.read(Workshop.root.appending("targets/debian-12.toml")), to: path)
      try await body(release, path) { level in
        try Qualification(
          release,
          .init(
            targets: [(path, try Target(reading: path))], level: level, chroots: ChrootCache(folder.appending("roots")))
        )
      }
    }
  }

  private func verdict(_ one: Qualification.Case, _ result: Verdict.Result, _ level: Verdict.Level) -> Verdict {
    Verdict(
      release: "sample-7.2.1", plan: one.inputs, variant: one.variant, target: "debian-12", kernel: "6.1.0-1-amd64",
      architecture: "amd64", level: level, isLife: false, result: result, steps: [], seconds: 1, started: 0, logs: "",
      inputs: one.inputs)
  }

  @Test func aVerdictCountsAsLongAsNothingChanges() async throws {
    try await withQualification { _, target, make in
      let first = try make(.load)
      let one = first.cases[0]
      #expect(first.known(one) == nil)
      for (result, isKnown) in [(Verdict.Result.pass, true), (.fail, true), (.skipped, true), (.notRun, false)] {
        try first.store.keep(verdict(one, result, .load), on: one.id)
        #expect((first.known(one) != nil) == isKnown, "\(result)")
      }
      // Loading says nothing of mounting, but a failure stays one.
      try first.store.keep(verdict(one, .pass, .load), on: one.id)
      #expect(try make(.build).known(one) != nil && make(.mount).known(one) == nil)
      try first.store.keep(verdict(one, .fail, .load), on: one.id)
      #expect(try make(.mount).known(one) != nil)

      try Files.replace(first.store.file(of: one.id), with: Array("{".utf8))
      #expect(first.known(one) == nil)
      try first.store.keep(verdict(one, .pass, .load), on: one.id)
      try Files.replace(target, with: try Files.read(target) + Array("# changed\n".utf8))
      let changed = try make(.load)
      #expect(changed.cases[0].id == one.id && changed.known(changed.cases[0]) == nil)
    }
  }

  /// What a verdict says at other levels than its own.
  @Test func answersAtOtherLevels() throws {
    let all: [Verdict.Step.Name] = [
      .root, .install, .modules, .probe, .packages, .guest, .boot, .load, .unload, .smoke,
    ]
    let digest = SHA256Digest(of: [])
    func answers(_ result: Verdict.Result, at step: Verdict.Step.Name?, _ level: Verdict.Level, after count: Int = 10)
      -> [Verdict.Result?]
    {
      let verdict = Verdict(
        release: "a-1", plan: digest, variant: "m", target: "t", kernel: "6.1", architecture: "amd64", level: level,
        isLife: false, result: result, step: step, reason: "x",
        steps: all.prefix(count).map { Verdict.Step(name: $0, seconds: 1, passed: true) }, seconds: 1, started: 0,
        logs: "", inputs: digest)
      return Verdict.Level.allCases.map { verdict.answer(at: $0)?.result }
    }
    // What was built was compiled, and what was compiled was not built.
    #expect(Verdict.Level.allCases == [.compiled, .build, .load, .mount])
    #expect(answers(.pass, at: nil, .compiled) == [.pass, nil, nil, nil])
    #expect(answers(.fail, at: .install, .compiled, after: 1) == [.fail, .fail, .fail, .fail])
    #expect(answers(.pass, at: nil, .load) == [.pass, .pass, .pass, nil])
    #expect(answers(.pass, at: nil, .mount) == [.pass, .pass, .pass, .pass])
    #expect(answers(.notRun, at: .boot, .mount) == [nil, nil, nil, nil])
    #expect(answers(.skipped, at: .install, .build) == [.skipped, .skipped, .skipped, .skipped])
    #expect(answers(.fail, at: .install, .mount, after: 1) == [.fail, .fail, .fail, .fail])
    #expect(answers(.fail, at: .load, .mount, after: 7) == [.pass, .pass, .fail, .fail])
    #expect(answers(.fail, at: .unload, .mount, after: 8) == [.pass, .pass, .fail, .fail])
    // The second time, when the smoke script has run.
    #expect(answers(.fail, at: .unload, .mount) == [.pass, .pass, nil, .fail])
    #expect(answers(.fail, at: .smoke, .mount, after: 9) == [.pass, .pass, nil, .fail])
    #expect(answers(.fail, at: .packages, .mount, after: 4) == [.pass, .pass, nil, .fail])
    #expect(
      answers(.fail, at: .log, .mount) == [.pass, .pass, nil, .fail]
        && answers(.fail, at: .log, .load) == [.pass, .pass, .fail, .fail])
  }

  /// A failure to mount stays on record when a lower level passes.
  @Test func aLowerLevelAsksForNothingThatIsKnown() async throws {
    try await withQualification { _, _, make in
      let mount = try make(.mount)
      let one = mount.cases[0]
      var found = verdict(one, .fail, .mount)
      found.step = .smoke
      found.steps = [.init(name: .install, seconds: 1, passed: true), .init(name: .smoke, seconds: 1, passed: false)]
      try mount.store.keep(found, on: one.id)
      let build = try #require(try make(.build).known(one))
      #expect(build.result == .pass && build.level == .build && build.steps.map(\.name) == [.install])
      #expect(try make(.load).known(one) == nil)
      #expect(try make(.mount).known(one) == found)
    }
  }

  @Test func anotherRootIsTriedIn() async throws {
    try await withQualification { _, _, make in
      var qualification = try make(.build)
      let one = qualification.cases[0]
      let target = try Target(reading: FilePath(one.target))
      var record = ChrootRecord(
        definition: qualification.definition(one, target), made: 1, packages: ["linux-headers 6.1.1 amd64"])
      let name = try record.definition.key
      var found = verdict(one, .pass, .build)
      found.root = Verdict.Root(name: name, packages: record.identity)
      try qualification.store.keep(found, on: one.id)
      // Nothing is said against it by a root that is not there, or by the same made anew.
      #expect(qualification.known(one) != nil)
      try Files.makeFolder(qualification.chroots.folder.appending(name))
      func keepRecord() throws {
        try Files.replace(qualification.chroots.folder.appending("\(name).json"), with: try JSON.encode(record))
      }
      record.made = 2
      try keepRecord()
      #expect(qualification.known(one) != nil)
      // Whoever wants newer roots is not told of this one.
      qualification.chroots.refresh = "this"
      #expect(qualification.known(one) == nil)
      record.refresh = "another"
      try keepRecord()
      #expect(qualification.known(one) == nil)
      // Whatever the clock said when it was made.
      (record.refresh, record.made) = ("this", -1)
      try keepRecord()
      #expect(qualification.known(one) != nil)
      record.packages = ["linux-headers 6.1.2 amd64"]
      try keepRecord()
      #expect(qualification.known(one) == nil)
    }
  }

  @Test func anotherPackageIsTriedAgain() async throws {
    try await withQualification { release, _, make in
      let first = try make(.build)
      try first.store.keep(verdict(first.cases[0], .pass, .build), on: first.cases[0].id)
      let file = try #require(try release.file(of: release.packages[0], .deb))
      try Files.replace(file, with: try Files.read(file) + [0])
      let changed = try make(.build)
      #expect(changed.known(changed.cases[0]) == nil)
    }
  }

  /// A kernel that was asked for is called by its release, also where its chroot was never made.
  @Test func aCaseKnowsItsKernel() async throws {
    try await withQualification { release, target, make in
      let asked = try Qualification(
        release,
        .init(
          targets: [(target, try Target(reading: target))], kernels: ["6.1.0-99-amd64"], level: .build,
          chroots: ChrootCache("/none")))
      let usual = try make(.build)
      #expect((asked.cases + usual.cases).map(\.kernel) == ["6.1.0-99-amd64", "linux-headers-amd64"])
      #expect(asked.cases[0].headers == ["linux-headers-6.1.0-99-amd64"])
      let verdict = try await asked.notRun(asked.cases[0], release, reason: "testing")
      #expect(verdict.kernel == "6.1.0-99-amd64" && verdict.result == .notRun)
    }
  }

  /// What nodes are given leads them to the same case, without the folders of this machine.
  @Test func aCaseIsHandedOver() async throws {
    try await withQualification { _, target, make in
      var qualification = try make(.mount)
      qualification.programs[target.string] = .init(files: ["/x.deb"])
      let folder = try JobDirectory.make(qualification.cases, [0], qualification)
      let left = try #require(JobDirectory.all(of: qualification).first)
      #expect(left.folder == folder && left.job == nil && left.age < 60)
      let handed = try #require(left.qualification)
      #expect(handed.cases.map(\.id) == qualification.cases.map(\.id))
      #expect(handed.cases[0].inputs == qualification.cases[0].inputs)
      #expect(handed.cases[0].target == "\(folder)/targets/debian-12.toml")
      #expect(handed.programs[handed.cases[0].target]?.files == ["/x.deb"])
      #expect(try Target(reading: FilePath(handed.cases[0].target)).name == "debian-12")
      await #expect(throws: ReleaseError.self) {
        try await JobDirectory.run(folder, index: 1, cpus: nil, progress: .silent)
      }
    }
  }
}
