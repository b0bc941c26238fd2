// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage

/// Two guests that run at once on a network of their own.
struct GuestPair: Sendable {
  struct Runs: Sendable {
    var own: VirtualMachine.GuestRun
    var other: VirtualMachine.GuestRun
  }

  /// A guest with its machine and its limits.
  typealias Member = (guest: Guest, machine: VirtualMachine, limits: VirtualMachine.Limits)

  private let own: Member
  private let other: Member
  private let emulator: Emulator

  init(_ own: Member, _ other: Member, emulator: Emulator) {
    self.own = own
    self.other = other
    self.emulator = emulator
  }

  /// Boots both and waits for their ends. If one cannot run, the other is stopped.
  func run(folder: FilePath, doing: String) async throws -> Runs {
    if emulator.mayHaveKVM {
      let runs = try? await run(.kvm, folder, doing)
      try Task.checkCancellation()
      if let runs, !runs.own.reports.isEmpty, !runs.other.reports.isEmpty {
        emulator.remember(kvmWorked: true)
        return runs
      }
      emulator.remember(kvmWorked: false)
    }
    return try await run(.tcg, folder, doing)
  }

  private func run(
    _ accelerator: VirtualMachine.Accelerator, _ folder: FilePath, _ doing: String
  ) async throws -> Runs {
    try await withScratch { scratch in
      let meeting = GuestMeeting(in: try Files.real(scratch))
      @Sendable func run(_ member: Member) async throws -> VirtualMachine.GuestRun {
        var machine = member.machine
        machine.seat = VirtualMachine.Seat(role: member.guest.role, meeting: meeting)
        return try await machine.run(
          accelerator, member.limits, folder, GuestReports(mark: member.guest.mark, steps: member.guest.stepNames),
          doing)
      }
      async let own = run(self.own)
      async let other = run(self.other)
      return Runs(own: try await own, other: try await other)
    }
  }
}
