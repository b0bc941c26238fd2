// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// A kernel that boots in QEMU with an initramfs and no disk.
///
/// The guest has three serial lines: its console, one for the reports of its steps, and one for what its programs write.
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
  /// Its place in a pair of guests; nil for a guest alone, which has no network.
  var seat: Seat?
  private let emulator: Emulator

  /// A guest of a pair.
  struct Seat: Sendable {
    var role: GuestRole
    var meeting: GuestMeeting
    /// What the names of its logs begin with.
    var logPrefix: String { "\(role.rawValue)-" }
  }

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
    /// Bytes of its console and of what its programs write.
    package var console: Int64 = 16 << 20
    /// The time until a guest with hardware virtualisation writes anything: with a broken kvm, it never does.
    var firstSign = 10.0

    package init() {}
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
    package var reports: [GuestReport]
    /// The time of each report, in seconds from the start.
    package var times: [Double]
    var disturbance: GuestReports.Disturbance?
    package var console: KernelLog
    /// The lines of its programs.
    package var programs: [String]
    package var accelerator: Accelerator
    package var seconds: Double
  }

  /// Boots the guest and waits for its end.
  ///
  /// - Parameters:
  ///   - folder: where `console.log` and `report.log` are written.
  ///   - reports: takes the reports of the guest.
  /// - Throws: `ReleaseError` with code `missingTool` without QEMU, `failed` if it cannot start or a log cannot be
  ///   written.
  func run(limits: Limits, folder: FilePath, reports: GuestReports, doing: String) async throws -> GuestRun {
    if emulator.mayHaveKVM {
      let outcome = try? await run(.kvm, limits, folder, reports, doing)
      try Task.checkCancellation()
      // If it reported, kvm works. If not, the kernel may be at fault: try again without kvm.
      if let outcome, !outcome.reports.isEmpty {
        emulator.remember(kvmWorked: true)
        return outcome
      }
      emulator.remember(kvmWorked: false)
    }
    return try await run(.tcg, limits, folder, reports, doing)
  }

  private enum Event: Sendable {
    case ended(Command.Outcome)
    case stop(String)
  }

  /// Boots the guest with this accelerator, and waits for its end.
  func run(
    _ accelerator: Accelerator, _ limits: Limits, _ folder: FilePath, _ reports: GuestReports, _ doing: String
  ) async throws -> GuestRun {
    // Links on the way, as TMPDIR may have, lead elsewhere in a sandbox.
    let pipes = try Files.real(initramfs.removingLastComponent())
    let guest = try GuestOutput(
      in: pipes, logs: folder, prefix: seat?.logPrefix ?? "", reports: reports, hasAnswers: seat != nil, doing: doing)
    defer { seat.map { $0.meeting.ended($0.role) } }
    if let seat, seat.role == .client { try await seat.meeting.serviceListens() }
    let command = try await command(accelerator, pipes: pipes, doing: doing)
    let event = try await withThrowingTaskGroup(of: Event.self) { group in
      group.addTask { .ended(try await command.run(doing: doing)) }
      group.addTask { .stop(try await whyStopped(guest, accelerator, limits)) }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
    try guest.take(isLast: true)
    var ending = GuestRun.Ending.gone
    switch event {
    case .stop(let why): ending = .stopped(why)
    case .ended(let outcome):
      if case .end = guest.reports.last {
        ending = .finished
      } else if !outcome.succeeded {
        // QEMU then exits with success even after a panic of the guest.
        throw ReleaseError(
          .failed, doing: doing, reason: "\(command.name): \(outcome.complaint)",
          advice: "check that QEMU works, and that there is enough memory")
      }
    }
    return GuestRun(
      ending: ending, reports: guest.reports, times: guest.times, disturbance: guest.disturbance,
      console: guest.console, programs: guest.programs, accelerator: accelerator, seconds: guest.seconds)
  }

  /// Watches the output of a guest until it takes too long, or cannot be trusted.
  ///
  /// - Returns: why the guest must be stopped.
  private func whyStopped(_ guest: GuestOutput, _ accelerator: Accelerator, _ limits: Limits) async throws -> String {
    let factor = accelerator == .tcg ? limits.factor : 1
    while true {
      try await Task.sleep(for: .milliseconds(50))
      try guest.take()
      let reports = guest.reports
      switch seat.map({ $0.meeting.word(for: $0.role, after: reports) }) ?? .nothing {
      case .go: try guest.tell("go")
      case .stop(let why): return why
      case .nothing: break
      }
      let (what, limit) =
        switch reports.last {
        case nil: ("the boot", limits.boot)
        // The other guest has limits, and whoever waits for it is told of its end.
        case .began(GuestMeeting.wait) where seat != nil: (GuestMeeting.wait, Double.infinity)
        case .began(let name): (name, limits.steps[name] ?? limits.step)
        default: ("what comes after the last report", limits.step)
        }
      if guest.disturbance != nil { return "its report cannot be trusted" }
      let written = guest.written
      if accelerator == .kvm, written == 0, reports.isEmpty, guest.seconds > limits.firstSign {
        return "it has shown no sign of life in \(Int(limits.firstSign)) s"
      }
      if guest.seconds - guest.lastTime > limit * factor {
        return "\(what) has not ended after \(Int(limit * factor)) s"
      }
      if written > limits.console {
        return "it has written more than \(limits.console >> 20) MiB to its console"
      }
    }
  }

  private func command(_ accelerator: Accelerator, pipes: FilePath, doing: String) async throws -> Command {
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
    // A reboot ends QEMU: unlike power-off, a reboot needs no driver in the guest. The time stamps tell the kernel's
    // lines from those of programs; nothing that the steps tell the kernel's log is left out.
    let append =
      "\(machine.parameters) panic=-1 oops=panic rdinit=/init net.ifnames=0 "
      + "printk.time=1 printk.devkmsg=on loglevel=7"
    let confinement = try await emulator.confinement(of: machine.program, doing: doing)
    if seat != nil, !confinement.hasStreams {
      throw ReleaseError(
        .failed, doing: doing, reason: "this QEMU cannot join two guests by a network: it has no -netdev stream",
        advice: "install QEMU 7.2 or later")
    }
    let channels = GuestOutput.Channel.allCases.flatMap { $0.options(in: pipes, hasAnswers: seat != nil) }
    let network =
      seat.map { $0.meeting.options(of: $0.role) }
      // The guest has no network.
      ?? ["-netdev", "user,id=n0,restrict=on", "-device", "virtio-net-pci,netdev=n0,romfile="]
    return confinement.command(
      [
        "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
        "-accel", accelerator, "-smp", "\(cores)", "-m", "\(memory)",
      ] + channels + network + [
        "-kernel", try Files.real(kernel).string, "-initrd", pipes.appending(initramfs.name).string,
        "-append", append,
      ] + machine.arguments, in: pipes, network: seat?.meeting.folder)
  }
}
