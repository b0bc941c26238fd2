// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Glibc
import SystemPackage
import TestSupport
import Testing
import Verdicts

@testable import Qualifier

/// Modules that do wrong without a failing step, and guests that do not report what happened.
@Suite(.serialized, .onInstalledSample) struct JudgeTests {
  private var sample: InstalledSample { get throws { try #require(InstalledSample.current) } }

  private static let limits: VirtualMachine.Limits = {
    var limits = VirtualMachine.Limits()
    limits.boot = 900
    limits.step = 900
    limits.factor = 1
    return limits
  }()
  private static let emulator = Emulator()
  private let patient = GuestHost(emulator: emulator, limits: limits)

  /// Guests whose steps are changed.
  private func host(_ change: (String) -> String) throws -> GuestHost {
    let steps = String(decoding: GuestHost.steps, as: UTF8.self)
    let changed = change(steps)
    try #require(changed != steps)
    return GuestHost(emulator: Self.emulator, steps: Array(changed.utf8), limits: Self.limits)
  }

  private func host(beforeLoad words: String) throws -> GuestHost {
    try host { $0.replacing("\nbegin load\n", with: "\n\(words)\nbegin load\n") }
  }

  private func expect(
    _ verdict: Verdict, _ result: Verdict.Result, _ step: Verdict.Step.Name?, _ words: String...,
    location: Testing.SourceLocation = #_sourceLocation
  ) {
    #expect(verdict.result == result && verdict.step == step, "\(verdict)", sourceLocation: location)
    for word in words {
      #expect((verdict.reason ?? "").contains(word), "\(verdict.reason ?? "")", sourceLocation: location)
    }
  }

  /// Boots with another module in the place of samplefs.
  private func boot(_ start: String, _ end: String = "", more: String = "") async throws -> Verdict {
    let session = try sample.session
    let file = "/lib/modules/\(try sample.kernel)/updates/dkms/samplefs.ko"
    _ = try await session.run(["cp", file, "/q/aside"], doing: "keeping the module")
    try await sample.replaceModule(
      """
      #include <linux/module.h>
      #include <linux/slab.h>
      #include <linux/kmod.h>
      \(more)
      static int __init changed_init(void) { \(start) return 0; }
      static void __exit changed_exit(void) { \(end) }
      module_init(changed_init);
      module_exit(changed_exit);
      MODULE_LICENSE("GPL");
      """)
    let verdict = try await sample.boot(on: patient)
    _ = try await session.run(["mv", "/q/aside", file], doing: "restoring the module")
    return verdict
  }

  @Test func aModuleThatLeaks() async throws {
    let verdict = try await boot(
      "cache = kmem_cache_create(\"changed_cache\", 100, 0, 0, NULL); kmem_cache_alloc(cache, GFP_KERNEL);",
      "kmem_cache_destroy(cache);", more: "static struct kmem_cache *cache;")
    expect(verdict, .fail, .log, "changed_cache")
    #expect(verdict.steps.map(\.name) == [.guest, .boot, .load, .unload, .log])
  }

  /// It says nothing in the log: only the state of the kernel tells.
  @Test func aModuleThatTaints() async throws {
    expect(
      try await boot("add_taint(TAINT_USER, LOCKDEP_STILL_OK);"), .fail, .log,
      "the kernel is tainted, and was not before: U (a program asked for it)")
  }

  /// What looks like reports, marks and other times in the kernel's log changes nothing.
  @Test func aModuleThatLies() async throws {
    let lies = """
      printk("pass load"); printk("lrelease: end"); printk("lrelease: begin load"); printk("1 end 0");
      printk("[    9.000000] Linux version 99");
      """
    expect(try await boot(lies), .pass, nil)
    expect(try await boot("WARN_ON(1); \(lies)"), .fail, .log, "WARNING: ", "changed_init")
    // It lets a program write to the line of the reports.
    let report = """
      { char *words[] = { "/usr/bin/sh", "-c", "echo abc 4 pass unload >/dev/ttyS1", NULL };
      char *none[] = { NULL }; call_usermodehelper(words[0], words, none, UMH_WAIT_PROC); }
      """
    expect(try await boot(report), .fail, .load, "something in the guest wrote 'abc 4 pass unload'")
  }

  @Test func aLostReport() async throws {
    let one = try host(beforeLoad: "number=$((number + 1))")
    expect(try await sample.boot(on: one), .notRun, .boot, "a report of the guest is lost", "'begin load'")
    // A step that is left out is no pass.
    let step = try host { $0.replacing("*)\n  unloaded unload\n", with: "*)\n") }
    expect(try await sample.boot(on: step), .notRun, .load, "a report of the guest is lost", "'end ")
  }

  @Test func aKernelLogThatBreaksOff() async throws {
    let silent = try host { $0.replacing("\nload\npass\n", with: "\nload\npass\ndmesg -n 1\n") }
    expect(try await sample.boot(on: silent), .notRun, .log, "the end of the kernel's log is lost")
  }

  /// Only the kernel's own lines count, and only those since the modules were loaded.
  @Test func whoSaysItAndWhen() async throws {
    let words = "WARNING: CPU: 0 PID: 1 at x.c:1 x+0x1/0x2"
    let early = try host(beforeLoad: "echo '\(words)' >/dev/kmsg; echo '\(words)'; echo '[    1.5] \(words)'")
    expect(try await sample.boot(on: early), .pass, nil)
    let log = String(decoding: try Files.read(try sample.folder.appending("console.log")), as: UTF8.self)
    // The kernel's own lines may stand between the two.
    #expect(log.contains("\n| \(words)\n") && log.contains("\n| [    1.5] \(words)\n"))
    let late = try host {
      $0.replacing("\nload\npass\n", with: "\nload\npass\necho '\(words)'; echo '\(words) kmsg' >/dev/kmsg\n")
    }
    let verdict = try await sample.boot(on: late)
    expect(verdict, .fail, .log)
    #expect(verdict.reason == "\(words) kmsg")
  }

  /// What dpkg's lists say of a chroot, after a package of modules was installed in it.
  @Test func aDamagedChroot() async throws {
    let session = try sample.session
    func sh(_ script: String) async throws {
      let outcome = try await session.run(["sh", "-ec", script], doing: "changing the root")
      try #require(outcome.succeeded, "\(outcome.errors)")
    }
    func damage() async throws -> [String] {
      let outcome = try await session.run(Apt().verification, doing: "checking the root")
      #expect(outcome.succeeded, "\(outcome.errors)")
      return outcome.text.lines.map(String.init)
    }
    #expect(try await damage() == [])
    try await sh("cp -a /usr/bin/make /q/make; cp -a /etc/debian_version /q/debian_version")
    // Configuration is the machine's own, as long as it is there.
    try await sh("echo >>/usr/bin/make; rm /etc/debian_version; echo '# local' >>/etc/bash.bashrc")
    #expect(try await damage().sorted() == ["/etc/debian_version is missing", "/usr/bin/make is changed"])
    // A link has no digest.
    try await sh("cp -a /q/make /usr/bin/make; cp -a /q/debian_version /etc/debian_version; rm /usr/bin/ld")
    #expect(try await damage() == ["/usr/bin/ld is missing"])
    try await sh("ln -s x86_64-linux-gnu-ld /usr/bin/ld")
  }

  /// A chroot gives no rights over this machine.
  @Test func aChrootHasFewRights() async throws {
    let session = try sample.session
    func fails(_ command: String) async throws -> Bool {
      !(try await session.run(["sh", "-c", command], doing: "trying what is forbidden")).succeeded
    }
    for command in [
      "mknod /q/disk b 254 0", "echo 7 >/proc/sys/kernel/printk", "echo x >/proc/sys/kernel/core_pattern",
      "insmod /q/x.ko", "hostname other", "echo c >/proc/sysrq-trigger", "date -s 2001-01-01",
    ] {
      #expect(try await fails(command), "\(command)")
    }
    #expect(try await !fails("chown daemon /q/before && chmod 4755 /q/before && su daemon -s /bin/sh -c id"))
  }

  /// A guest that breaks out is nobody, without rights, in a process that may start no other.
  @Test func qemuIsConfined() async throws {
    let mark = try sample.session.scratch.string
    let watch = Task {
      while !Task.isCancelled {
        for name in (try? Files.names(in: "/proc")) ?? [] {
          let process = FilePath("/proc").appending(bytes: name)
          guard let line = try? Files.read(process.appending("cmdline")), let end = line.firstIndex(of: 0),
            String(decoding: line[..<end], as: UTF8.self).contains("qemu-system"),
            String(decoding: line, as: UTF8.self).contains(mark),
            let status = try? Files.read(process.appending("status"))
          else { continue }
          let text = String(decoding: status, as: UTF8.self)
          // Until its files are open, it is root without rights.
          if !text.contains("Uid:\t0\t") { return text }
        }
        try? await Task.sleep(for: .milliseconds(50))
      }
      return ""
    }
    expect(try await sample.boot(on: patient), .pass, nil)
    watch.cancel()
    let status = await watch.value
    for line in ["CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
      #expect(status.contains("\n\(line)\n"), "\(status)")
    }
    let user = status.split(separator: "\n").first { $0.hasPrefix("Uid:") }?.split(separator: "\t").dropFirst()
    #expect(
      user?.count == 4 && Set(user ?? []).count == 1 && user?.first.flatMap { Int($0) } ?? 0 >= 61184, "\(status)")
  }
}

/// What is taken as a report of a guest.
@Suite struct GuestReportsTests {
  private func take(_ lines: [String], steps: [String] = ["load"]) -> GuestReports {
    var reports = GuestReports(mark: "m", steps: steps)
    for line in lines { _ = reports.take(line) }
    return reports
  }

  @Test func allOfThemInOrder() {
    let whole = take(["m 1 ready 0", "m 2 begin load", "m 3 pass load", "m 4 end 4096"])
    #expect(whole.reports == [.ready(0), .began("load"), .passed("load"), .end(4096)] && whole.disturbance == nil)
    let failed = take(["m 1 ready 0", "m 2 begin load", "m 3 fail load no such device", "m 4 end 0"])
    #expect(failed.reports.count == 4 && failed.disturbance == nil)
  }

  @Test(arguments: [
    (["m 1 ready 0", "pass load"], GuestReports.Disturbance.foreign("pass load")),
    (["m 1 ready 0", "x 2 begin load"], .foreign("x 2 begin load")),
    (["m 1 ready 0", "m 2 begin"], .foreign("m 2 begin")), (["m 1 ready"], .foreign("m 1 ready")),
    (["m 1 ready 0", "m 3 pass load"], .lost("'pass load' has the number 3 and came as number 2")),
    (["m 1 ready 0", "m 2 pass load"], .lost("'pass load' has the number 2 and came as number 2")),
    (["m 1 ready 0", "m 1 ready 0"], .lost("'ready 0' has the number 1 and came as number 2")),
    (["m 1 ready 0", "m 2 end 0"], .lost("'end 0' has the number 2 and came as number 2")),
    (
      ["m 1 ready 0", "m 2 begin load", "m 3 fail load x", "m 4 begin unload"],
      .lost("'begin unload' has the number 4 and came as number 4")
    ),
  ])
  func whatDisturbs(lines: [String], disturbance: GuestReports.Disturbance) {
    let reports = take(lines)
    #expect(reports.disturbance == disturbance)
    // Nothing is taken after it.
    #expect(reports.reports.count == lines.count - 1)
  }

  /// Lines are taken whole and in order from each line of a guest, and a log holds both of them.
  @Test func whatAGuestWrites() async throws {
    try await withScratch { scratch in
      let folder = scratch.appending(String(repeating: "long, and with spaces ", count: 10))
      try Files.makeFolder(folder)
      let output = try GuestOutput(
        in: folder, logs: folder, reports: GuestReports(mark: "m", steps: ["load"]), doing: "testing")
      func write(_ channel: GuestOutput.Channel, _ text: String) throws {
        let pipe = try FileDescriptor.open(folder.appending(channel.pipe(false)), .writeOnly)
        try pipe.closeAfter { _ = try pipe.writeAll(text.utf8) }
        try output.take()
      }
      try write(.console, "[    1.0] one\r\n[    1.1] t")
      try write(.programs, "hel")
      try write(.report, "m 1 ready 0\r\nm 2 beg")
      #expect(output.reports == [.ready(0)] && output.console.lines == ["one"] && output.programs == [])
      try write(.console, "wo\r\n")
      try write(.programs, "lo\r\nlast")
      try write(.report, "in load\r\n")
      try output.take(isLast: true)
      #expect(output.reports == [.ready(0), .began("load")] && output.times.count == 2)
      #expect(output.console.lines == ["one", "two"] && output.programs == ["hello", "last"])
      let log = String(decoding: try Files.read(folder.appending("console.log")), as: UTF8.self)
      #expect(log.lines == ["[    1.0] one", "[    1.1] two", "| hello", "| last"])
      let report = String(decoding: try Files.read(folder.appending("report.log")), as: UTF8.self)
      #expect(report == "m 1 ready 0\nm 2 begin load\n")
    }
  }

  @Test func taints() {
    func faults(_ bits: UInt64, _ before: UInt64 = 0, isProprietary: Bool = false) -> String {
      Taint(bits).faults(since: Taint(before), isProprietary: isProprietary).text
    }
    #expect(faults(1 << 12 | 1 << 13) == "" && faults(1 << 16 | 1 << 31 | 1 << 27) == "")
    #expect(faults(1 << 9 | 1 << 12) == "W (the kernel has warned)")
    #expect(faults(1 << 9 | 1 << 7, 1 << 9) == "D (the kernel has died)")
    #expect(faults(1) == "P (a proprietary module was loaded)" && faults(1, isProprietary: true) == "")
    #expect(faults(1 << 5 | 1 << 14) == "B (a page is bad), L (a processor was stuck)")
  }
}
