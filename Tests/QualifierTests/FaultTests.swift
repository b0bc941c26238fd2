// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing
import Verdicts

@testable import Qualifier

/// What goes wrong with a guest: each becomes a verdict with one line that says why.
@Suite(.serialized, .onInstalledSample) struct GuestFaultTests {
  private var sample: InstalledSample { get throws { try #require(InstalledSample.current) } }

  /// Generous: the machine may be slow and busy, and have no hardware virtualisation.
  private static let limits: VirtualMachine.Limits = {
    var limits = VirtualMachine.Limits()
    limits.boot = 900
    limits.step = 900
    limits.factor = 1
    return limits
  }()

  private static let emulator = Emulator()
  private let patient = GuestHost(emulator: emulator, limits: limits)

  /// Guests in which something happens before the first step.
  private func host(
    _ fault: String, limits change: (inout VirtualMachine.Limits) -> Void = { _ in }
  ) throws -> GuestHost {
    var limits = Self.limits
    change(&limits)
    let steps = String(decoding: GuestHost.steps, as: UTF8.self)
    let ready = "\nreport ready \"$(tainted)\"\n"
    let faulty = steps.replacing(ready, with: "\(ready)\(fault)\n")
    try #require(faulty != steps)
    return GuestHost(emulator: Self.emulator, steps: Array(faulty.utf8), limits: limits)
  }

  private func expect(
    _ verdict: Verdict, _ result: Verdict.Result, _ step: Verdict.Step.Name?, _ words: String...,
    location: Testing.SourceLocation = #_sourceLocation
  ) {
    #expect(verdict.result == result && verdict.step == step, "\(verdict)", sourceLocation: location)
    let reason = verdict.reason ?? ""
    for word in words { #expect(reason.contains(word), "\(reason)", sourceLocation: location) }
    #expect(!reason.contains("\n") && reason.count < 500, "\(reason)", sourceLocation: location)
  }

  @Test func withoutAFaultItPasses() async throws {
    let verdict = try await sample.boot(on: patient)
    expect(verdict, .pass, nil)
    #expect(verdict.steps.map(\.name) == [.guest, .boot, .load, .unload, .log])
  }

  @Test func aPanic() async throws {
    let host = try host("echo c >/proc/sysrq-trigger; sleep 1000")
    expect(try await sample.boot(on: host), .fail, .boot, "Kernel panic", "sysrq triggered crash")
  }

  @Test func aHang() async throws {
    let host = try host("echo going to sleep; sleep 100000") { $0.step = 5 }
    expect(try await sample.boot(on: host), .fail, .boot, "has not ended after 5 s", "going to sleep")
  }

  @Test func aFullConsole() async throws {
    let host = try host("yes >/dev/console") { $0.console = 1 << 20 }
    expect(try await sample.boot(on: host), .fail, .boot, "more than 1 MiB to its console")
    let log = try Files.digest(try sample.folder.appending("console.log"))
    #expect(log.size < 64 << 20)
  }

  @Test func anEarlyEnd() async throws {
    let host = try host("poweroff -f")
    expect(try await sample.boot(on: host), .fail, .boot, "the guest ended by itself", "Power down")
  }

  @Test func modulesThatBreakTheKernel() async throws {
    let bug = """
      #include <linux/module.h>
      static int __init broken_init(void) { BUG(); return 0; }
      static void __exit broken_exit(void) { }
      module_init(broken_init);
      module_exit(broken_exit);
      MODULE_LICENSE("GPL");
      """
    let file = "/lib/modules/\(try sample.kernel)/updates/dkms/samplefs.ko"
    _ = try await sample.session.run(["cp", file, "/q/aside"], doing: "keeping the module")
    try await sample.replaceModule(bug)
    expect(try await sample.boot(on: patient), .fail, .load, "kernel BUG at", "samplefs.c:2", "broken_init")

    try await sample.replaceModule(bug.replacing("BUG();", with: "return *(volatile int *)8;"))
    expect(try await sample.boot(on: patient), .fail, .load, "BUG: kernel NULL pointer dereference", "broken_init")

    // The kernel goes on after it, and the module loads: only its log tells.
    try await sample.replaceModule(bug.replacing("BUG();", with: "WARN_ON(1);"))
    expect(try await sample.boot(on: patient), .fail, .log, "WARNING: ", "broken_init")

    try await sample.replaceModule(bug.replacing("BUG();", with: "return -ENODEV;"))
    expect(try await sample.boot(on: patient), .fail, .load, "samplefs", "No such device")
    _ = try await sample.session.run(["mv", "/q/aside", file], doing: "restoring the module")
  }

  /// A package may bring a program that modprobe runs in place of a module: the guest has the module all the same.
  @Test func aModuleThatAProgramStandsFor() async throws {
    let conf = "/etc/modprobe.d/samplefs.conf"
    let session = try sample.session
    _ = try await session.run(["sh", "-c", "echo install samplefs /usr/sbin/probe >\(conf)"], doing: "configuring")
    expect(try await sample.boot(on: patient), .pass, nil)
    _ = try await session.run(["rm", conf], doing: "restoring the root")
  }

  @Test func aModuleThatIsNotThere() async throws {
    let file = "/lib/modules/\(try sample.kernel)/updates/dkms/samplefs.ko"
    _ = try await sample.session.run(["mv", file, "/q/aside"], doing: "hiding the module")
    expect(try await sample.boot(on: patient), .fail, .guest, "the module samplefs", "not found")
    _ = try await sample.session.run(["mv", "/q/aside", file], doing: "restoring the module")
  }

  /// What another module of the kernel exports is there, also in a root that has the kernel's headers alone.
  @Test func aSymbolThatNothingExports() async throws {
    let kernel = try sample.kernel
    let file = "/lib/modules/\(kernel)/updates/dkms/samplefs.ko"
    func sh(_ script: String) async throws {
      let outcome = try await sample.session.run(["sh", "-ec", script], doing: "changing the root")
      try #require(outcome.succeeded, "\(outcome.errors)")
    }
    func code(_ symbol: String) -> String {
      """
      #include <linux/module.h>
      extern void \(symbol)(void);
      static int __init eager_init(void) { \(symbol)(); return 0; }
      module_init(eager_init);
      MODULE_LICENSE("GPL");
      """
    }
    func check() async throws -> Verdict {
      let session = try sample.session
      return try await sample.attempt { run in try await run.step(.modules) { try await run.checkModules(in: session) }
      }
    }
    try await sh("cp \(file) /q/aside")
    for aside in [":", "mv /lib/modules/\(kernel)/kernel /q/kernel"] {
      try await sh(aside)
      try await sample.replaceModule(code("rpc_ntop"))
      expect(try await check(), .pass, nil)
      try await sample.replaceModule(code("nowhere_to_be_found"))
      expect(try await check(), .fail, .modules, "samplefs needs the symbol nowhere_to_be_found, which nothing exports")
    }
    // What the kernel's module of the same name exports is gone with it.
    let symbols = "/lib/modules/\(kernel)/build/Module.symvers"
    for (module, result) in [("fs/other/otherfs", Verdict.Result.pass), ("fs/sample/samplefs", .fail)] {
      try await sh("printf '0x00000000\\twhose\\t\(module)\\tEXPORT_SYMBOL\\t\\n' >>\(symbols)")
      try await sample.replaceModule(code("whose"))
      #expect(try await check().result == result, "\(module)")
      try await sh("sed -i '$d' \(symbols)")
    }
    try await sh("mv /q/kernel /lib/modules/\(kernel)/kernel; mv /q/aside \(file)")
  }

  /// Nothing can be said of a release when QEMU is broken.
  @Test func brokenQEMU() async throws {
    try await withScratch { folder in
      let host = GuestHost(emulator: Emulator(folder: folder), limits: Self.limits)
      let program = folder.appending("qemu-system-x86_64")
      expect(try await sample.boot(on: host), .notRun, .boot, "qemu-system-x86_64 is not installed")
      // The last as when memory is short.
      let qemu = "exec timeout -s KILL 3 qemu-system-x86_64 \"$@\""
      for (script, words) in [
        ("echo 'could not load firmware' >&2; exit 1", "could not load firmware"), ("exit 1", "status 1"),
        (qemu, "status 137"),
      ] {
        try Files.replace(program, with: Array("#!/bin/sh\n\(script)\n".utf8), mode: 0o755)
        expect(try await sample.boot(on: host), .notRun, .boot, words)
      }
    }
  }
}

/// What goes wrong with the machine or the command, seen from outside.
@Suite(.serialized) struct CommandFaultTests {
  private func arguments(_ workshop: Workshop, _ more: [String] = []) -> [String] {
    [
      "qualify", "\(workshop.output)/sample-7.2.1", "--cache", testCache.string, "--level", "build", "--targets",
      Workshop.root.appending("targets").string,
    ] + more
  }

  @Test func wrongInput() async throws {
    try await Workshop.use { workshop in
      try await workshop.shell("mkdir empty")
      for (more, words) in [
        (["--target", "debian-21"], ["no target 'debian-21'", "did you mean 'debian-"]),
        (["--target", "debian-12", "--variant", "module"], ["no variant 'module'", "did you mean 'modules'"]),
        (["--target", "debian-12", "--variant", "x"], ["no variant 'x'", "it has modules"]),
        (["--target", "debian-12", "--target", "debian-12"], ["debian-12 is given twice"]),
        (["--target", "bare.toml"], ["the target bare names no kernels", "--kernel"]),
      ] {
        if !Files.exists(workshop.output) { #expect(try await workshop.cutSample().succeeded) }
        try workshop.write(
          "bare.toml",
          """
          distribution = "Debian"
          release = "12"
          architecture = "amd64"
          format = "deb"
          codec = "xz"
          root = { suites = ["bookworm"] }
          """)
        let outcome = try await workshop.run(arguments(workshop, ["--quiet"] + more))
        for word in words {
          workshop.expectRefusal(outcome, 2, word, leaves: ["sample-7.2.1"])
        }
      }
      let missing = try await workshop.run(["qualify", "gone", "--target", "debian-12", "--quiet"])
      workshop.expectRefusal(missing, 3, "gone: it is not there", "lrelease cut", leaves: ["sample-7.2.1"])
      let outcome = try await workshop.run(["qualify", "empty", "--target", "debian-12", "--quiet"])
      workshop.expectRefusal(
        outcome, 3, "empty: it holds no SHA256SUMS", "lrelease cut", leaves: ["sample-7.2.1"])
      for wrong in [["--slurm-option=--x"], ["--jobs", "0"], ["--executor", "slurm", "--slurm-option", "x"]] {
        let outcome = try await workshop.run(arguments(workshop, ["--target", "debian-12"] + wrong))
        #expect(outcome.status == .exited(64), "\(outcome.errors)")
      }
    }
  }

  /// Two at once: one tries the case, the other takes its verdict.
  @Test func twoAtOnce() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let words = arguments(workshop, ["--target", "debian-12"])
      async let first = workshop.run(words, seconds: 1800)
      async let second = workshop.run(words, seconds: 1800)
      for outcome in try await [first, second] {
        #expect(outcome.succeeded && outcome.text.contains("pass"), "\(outcome.text)\(outcome.errors)")
      }
      let verdicts = workshop.output.appending("sample-7.2.1.qualification/verdicts")
      #expect(try Files.names(in: verdicts).count == 1)
    }
  }

  /// What a parent hands on to its children does not decide what is found.
  @Test func oddParents() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      func run(_ parent: [String]) async throws -> Command.Outcome {
        let words = arguments(workshop, ["--target", "debian-12", "--quiet", "--again"])
        return try await Command(
          parent[0], Array(parent.dropFirst()) + [Workshop.lrelease] + words, environment: workshop.environment
        ).run(doing: "running lrelease")
      }
      let ignoring = try await run(["perl", "-e", "$SIG{CHLD} = 'IGNORE'; exec @ARGV"])
      #expect(ignoring.succeeded, "\(ignoring.errors)")
      let narrow = try await run(["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"])
      #expect(narrow.succeeded, "\(narrow.errors)")
      let hopeless = try await run(["sh", "-c", "ulimit -n 20; exec \"$@\"", "sh"])
      #expect(hopeless.status == .exited(1) && hopeless.errors.lines.count == 1, "\(hopeless.errors)")
      #expect(hopeless.errors.hasPrefix("error: starting: at most 20 files may be open"), "\(hopeless.errors)")
    }
  }

  @Test func aRootWithoutHeaders() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      try workshop.write(
        "bare.toml",
        String(decoding: try Files.read(Workshop.root.appending("targets/debian-12.toml")), as: UTF8.self)
          .replacing(#"["linux-headers-amd64"]"#, with: #"["kmod"]"#))
      let outcome = try await workshop.run(
        arguments(workshop, ["--quiet", "--target", "bare.toml"]), seconds: 1800)
      workshop.expectRefusal(
        outcome, 1, "bare, kmod, modules was not run: root: the chroot has no kernel headers",
        leaves: ["sample-7.2.1", "sample-7.2.1.qualification"])
    }
  }

  /// It fills in apt, in dpkg and in the linker, once the release is open.
  @Test(arguments: ["320k", "4m", "5m"]) func aFullDisk(size: String) async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      // In a mount namespace of its own, which ends with the command.
      let outcome = try await Command(
        "unshare",
        [
          "--mount", "sh", "-c",
          #"mount -t tmpfs -o size="$1" tmpfs "$TMPDIR" && shift && "$@"; status=$?; ls "$TMPDIR"; exit $status"#, "sh",
          size, Workshop.lrelease,
        ] + arguments(workshop, ["--quiet", "--target", "debian-12"]), environment: workshop.environment
      ).run(doing: "running lrelease")
      workshop.expectRefusal(
        outcome, 1, "debian-12, ", " was not run: install: ", "No space left on device", "TMPDIR",
        leaves: ["sample-7.2.1", "sample-7.2.1.qualification"])
      try await expectNothingLeft(of: workshop.folder)
    }
  }

  /// Ctrl-C, then a kill that cannot be caught, then the same command to its end.
  @Test func stoppedAndResumed() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let words = arguments(workshop, ["--target", "debian-12"])
      let verdict = workshop.output.appending("sample-7.2.1.qualification/verdicts/debian-12.modules.json")

      func stoppedWhileItBuilds(_ stop: (Child) -> Void) async throws -> Child {
        let child = try Child(workshop, words)
        let isBuilding = try await child.wait(seconds: 900) {
          let builds = try child.descendants().values.contains { $0.contains("dkms.conf") || $0.contains("make ") }
          if builds { stop(child) }
          return builds
        }
        #expect(isBuilding, "\(child.errorText)")
        _ = try await child.wait { false }
        return child
      }
      let child = try await stoppedWhileItBuilds { kill(-$0.pid, SIGINT) }
      #expect(child.exitStatus == 130 && child.errorText.hasSuffix("interrupted; nothing half-written was left\n"))
      try await expectNothingLeft(of: workshop.folder)
      workshop.expectNothing(["sample-7.2.1", "sample-7.2.1.qualification"])
      #expect(!Files.exists(verdict))

      _ = try await stoppedWhileItBuilds { kill($0.pid, SIGKILL) }
      try await expectNothingLeft(of: workshop.folder)
      #expect(!Files.exists(verdict))
      // Its scratch folder is all that stays: nobody is left to remove it.
      let left = try Files.names(in: workshop.temporary)
      #expect(left.count == 1)

      let outcome = try await workshop.run(words, seconds: 1800)
      #expect(outcome.succeeded && outcome.text.contains("pass"), "\(outcome.errors)")
      // The next run has.
      #expect(try Files.names(in: workshop.temporary) == [])
      let again = try await workshop.run(words, seconds: 1800)
      #expect(again.succeeded && again.text.contains("known"), "\(again.text)\(again.errors)")
      try await expectNothingLeft(of: workshop.folder)
    }
  }
}
