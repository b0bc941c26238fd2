// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import Synchronization
import SystemPackage

/// A kernel that boots in QEMU with an initramfs and no disk.
///
/// The guest has two serial lines: its console, and one for the reports of its script.
package struct VirtualMachine: Sendable {
  package enum Accelerator: String, Sendable { case kvm, tcg }

  package var kernel: FilePath
  package var initramfs: FilePath
  /// Of Debian: `amd64`, `arm64`.
  package var architecture: String
  /// MiB.
  package var memory: Int
  /// Processors: at most two, and no more than the machine has.
  package var cpus: Int?
  private let emulator: Emulator

  package init(
    kernel: FilePath, initramfs: FilePath, architecture: String, memory: Int, cpus: Int? = nil, emulator: Emulator
  ) {
    self.kernel = kernel
    self.initramfs = initramfs
    self.architecture = architecture
    self.memory = memory
    self.cpus = cpus
    self.emulator = emulator
  }

  /// Limits after which a guest is stopped.
  package struct Limits: Sendable {
    /// The time until the first report, in seconds with hardware virtualisation.
    package var boot = 60.0
    /// The time for each reported step by its name, else `step`.
    package var steps: [String: Double] = [:]
    package var step = 60.0
    /// The factor for all times without hardware virtualisation.
    package var factor = 10.0
    /// Bytes of its console.
    package var console: Int64 = 16 << 20
    /// The time until a guest with hardware virtualisation writes anything: with a broken kvm, it never does.
    var firstSign = 10.0

    package init() {}
  }

  /// A line of the guest's report.
  package enum Report: Sendable, Equatable {
    case ready
    case began(String)
    case passed(String)
    case failed(String, String)
    case end

    init?(_ line: some StringProtocol) {
      let words = line.split(separator: " ", maxSplits: 2).map { $0.trimmed }
      switch (words.first, words.count) {
      case ("ready", _): self = .ready
      case ("begin", 2...): self = .began(words[1])
      case ("pass", 2...): self = .passed(words[1])
      case ("fail", 2...): self = .failed(words[1], words.count > 2 ? words[2] : "")
      case ("end", _): self = .end
      default: return nil
      }
    }
  }

  /// How a guest ended.
  package struct GuestRun: Sendable {
    package enum Ending: Sendable, Equatable {
      /// It ended by itself, after its last report.
      case finished
      /// It ended before its last report.
      case gone
      /// It was stopped, and why.
      case stopped(String)
    }
    package var ending: Ending
    package var reports: [Report]
    /// The time of each report, in seconds from the start.
    package var times: [Double]
    package var console: KernelLog
    package var accelerator: Accelerator
    package var seconds: Double
  }

  /// Boots the guest and waits for its end.
  ///
  /// - Parameter folder: where `console.log` and `report.log` are written.
  /// - Throws: `ReleaseError` with code `missingTool` without QEMU, `failed` if it cannot start.
  package func run(limits: Limits, folder: FilePath, doing: String) async throws -> GuestRun {
    if emulator.mayHaveKVM {
      let outcome = try? await run(.kvm, limits, folder, doing)
      try Task.checkCancellation()
      // If it reported, kvm works. If not, the kernel may be at fault: try again without kvm.
      if let outcome, !outcome.reports.isEmpty {
        emulator.remember(kvmWorked: true)
        return outcome
      }
      emulator.remember(kvmWorked: false)
    }
    return try await run(.tcg, limits, folder, doing)
  }

  private enum Event: Sendable {
    case ended(Command.Outcome)
    case stop(String)
  }

  private func run(
    _ accelerator: Accelerator, _ limits: Limits, _ folder: FilePath, _ doing: String
  ) async throws -> GuestRun {
    let console = folder.appending("console.log")
    let report = folder.appending("report.log")
    for file in [console, report] {
      try Files.remove(file)
      try Files.write([], to: file)
    }
    let command = try command(accelerator, console: console, report: report, doing: doing)
    let watch = Watch(limits: limits, accelerator: accelerator, console: console, report: report)
    let event = try await withThrowingTaskGroup(of: Event.self) { group in
      group.addTask { .ended(try await command.run(doing: doing)) }
      group.addTask { .stop(try await watch.untilTooLong()) }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
    try watch.look()
    let log = KernelLog(try Files.read(console, limit: limits.console * 4))
    let (reports, times) = watch.reports
    var ending = GuestRun.Ending.gone
    switch event {
    case .stop(let why): ending = .stopped(why)
    case .ended(let outcome):
      if reports.last == .end {
        ending = .finished
      } else if !outcome.succeeded {
        // QEMU then exits with success even after a panic of the guest.
        throw ReleaseError(
          .failed, doing: doing, reason: "\(command.name): \(outcome.complaint)",
          advice: "check that QEMU works, and that there is enough memory")
      }
    }
    return GuestRun(
      ending: ending, reports: reports, times: times, console: log, accelerator: accelerator, seconds: watch.seconds)
  }

  private func command(
    _ accelerator: Accelerator, console: FilePath, report: FilePath, doing: String
  ) throws -> Command {
    let machine: (program: String, arguments: [String], parameters: String)
    switch architecture {
    // The kernel panics if no timer interrupt arrives during its check, which happens on a busy machine. Other
    // hypervisors tell it to skip the check, too.
    case "amd64", "x86_64": machine = ("qemu-system-x86_64", [], "console=ttyS0 no_timer_check")
    case let other:
      throw ReleaseError(
        .failed, doing: doing, reason: "kernels of the architecture \(other) cannot be booted",
        remedy: QualifierRemedy.qualifyUpToBuild)
    }
    let cores = max(1, min(2, cpus ?? 2, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    // With several threads, a processor of the guest can run code that another is patching (a temporary int3), which
    // real processors never do: the kernel then dies without a fault of its own.
    let accelerator = accelerator == .tcg ? "tcg,thread=single" : "kvm"
    // A reboot ends QEMU: unlike power-off, a reboot needs no driver in the guest.
    let append = "\(machine.parameters) panic=-1 oops=panic rdinit=/init net.ifnames=0"
    return Sandbox.tiedToUs.command(
      emulator.program(machine.program),
      [
        "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
        "-accel", accelerator, "-smp", "\(cores)", "-m", "\(memory)",
        "-serial", "file:\(console)", "-serial", "file:\(report)",
        // The guest has no network.
        "-netdev", "user,id=n0,restrict=on", "-device", "virtio-net-pci,netdev=n0,romfile=",
        "-kernel", kernel.string, "-initrd", initramfs.string, "-append", append,
      ] + machine.arguments)
  }
}

/// Watches the output of a guest, and detects when it takes too long.
private final class Watch: Sendable {
  private struct State {
    var reports: [VirtualMachine.Report] = []
    var times: [Double] = []
    var last = 0.0
  }
  private let limits: VirtualMachine.Limits
  private let accelerator: VirtualMachine.Accelerator
  private let factor: Double
  private let console: FilePath
  private let report: FilePath
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  init(limits: VirtualMachine.Limits, accelerator: VirtualMachine.Accelerator, console: FilePath, report: FilePath) {
    self.limits = limits
    self.accelerator = accelerator
    factor = accelerator == .tcg ? limits.factor : 1
    self.console = console
    self.report = report
  }

  var seconds: Double { (ContinuousClock.now - start).seconds }
  var reports: ([VirtualMachine.Report], [Double]) { state.withLock { ($0.reports, $0.times) } }

  /// Takes the reports since the last call.
  func look() throws {
    let text = String(decoding: try Files.read(report, limit: 1 << 20), as: UTF8.self)
    // An incomplete line waits for the next call.
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.dropLast()
    let found = lines.compactMap { VirtualMachine.Report($0) }
    let now = seconds
    state.withLock { state in
      for report in found.dropFirst(state.reports.count) {
        state.reports.append(report)
        state.times.append(now)
        state.last = now
      }
    }
  }

  /// - Returns: why the guest must be stopped.
  func untilTooLong() async throws -> String {
    while true {
      try await Task.sleep(for: .milliseconds(50))
      try look()
      let (reports, last) = state.withLock { ($0.reports, $0.last) }
      let (what, limit) =
        switch reports.last {
        case nil: ("the boot", limits.boot)
        case .began(let name): (name, limits.steps[name] ?? limits.step)
        default: ("what comes after the last report", limits.step)
        }
      var status = stat()
      let written = stat(console.string, &status) == 0 ? Int64(status.st_size) : 0
      if accelerator == .kvm, written == 0, reports.isEmpty, seconds > limits.firstSign {
        return "it has shown no sign of life in \(Int(limits.firstSign)) s"
      }
      if seconds - last > limit * factor {
        return "\(what) has not ended after \(Int(limit * factor)) s"
      }
      if written > limits.console {
        return "it has written more than \(limits.console >> 20) MiB to its console"
      }
    }
  }
}
