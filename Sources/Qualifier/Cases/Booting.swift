// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import SystemPackage
import Verdicts

/// The steps of a case in a guest.
extension CaseRun {
  func boot(in session: ChrootSession, withSmoke: Bool) async throws {
    let doing = "booting \(kernel) of \(target.name)"
    let guest = guest(.alone, script: withSmoke ? release.smoke : nil)
    guard let machine = try await machine(for: guest, in: session, doing: doing) else { return }
    do {
      let outcome = try await machine.run(
        limits: limits, folder: folder, reports: GuestReports(mark: guest.mark, steps: guest.stepNames), doing: doing)
      accelerator = outcome.accelerator.rawValue
      try judge(outcome)
    } catch let error as ReleaseError {
      throw Failure(result: .notRun, step: .boot, reason: "\(error)")
    }
  }

  /// The guest that loads the modules that were installed.
  func guest(_ role: GuestRole, script: [UInt8]?) -> Guest {
    // A module that a site may have in two kinds stands in the list twice.
    var modules: [String] = []
    for name in package.modules.map(\.name) where !modules.contains(name) {
      if expectedModules.contains(name.replacing("-", with: "_")) { modules.append(name) }
    }
    return Guest(
      kernel: kernel, modules: modules, role: role, script: script, qualify: release.manifest.qualify,
      steps: host.steps)
  }

  /// Writes a guest and gives the machine that boots it.
  func machine(for guest: Guest, in session: ChrootSession, doing: String) async throws -> VirtualMachine? {
    let initramfs = session.written("/q/initramfs")
    var image: FilePath?
    try await step(.guest) {
      do {
        image = try await guest.write(to: initramfs, from: session, doing: doing)
      } catch let missing as Guest.MissingRequirement {
        throw Failure(step: .guest, reason: missing.reason)
      }
      return nil
    }
    return image.map {
      VirtualMachine(
        kernel: $0, initramfs: initramfs, architecture: target.architecture, memory: guest.qualify.memory,
        cpus: settings.cpus, emulator: host.emulator)
    }
  }

  /// The limits of a guest: those of the manifest, unless the host has its own.
  var limits: VirtualMachine.Limits {
    if let limits = host.limits { return limits }
    var limits = VirtualMachine.Limits()
    for script in Guest.scripts { limits.steps[script] = Double(release.manifest.qualify.seconds) }
    return limits
  }

  private func name(_ text: String) -> Verdict.Step.Name {
    switch text {
    case "load": .load
    case "unload", "unload-again": .unload
    case "smoke": .smoke
    case "start", "stop": .service
    case "client": .client
    case GuestMeeting.wait: .wait
    default: .boot
    }
  }

  /// Turns the reports of a guest into steps. A pass needs every report, and the whole of the kernel's log.
  func judge(_ outcome: VirtualMachine.GuestRun) throws {
    let fault = outcome.console.firstFault(own: release.manifest.qualify.faults)
    let (running, last) = try takeSteps(outcome, fault)
    switch outcome.disturbance {
    case .foreign(let line):
      throw Failure(
        step: running, reason: fault ?? "something in the guest wrote '\(line.prefix(200))' to the line of its reports")
    case .lost(let what):
      throw Failure(result: .notRun, step: running, reason: "a report of the guest is lost: \(what)")
    case nil: break
    }
    switch outcome.ending {
    case .stopped(let why) where !outcome.reports.last.isEnd:
      // The last line of a hanging kernel may say where it hangs.
      let last = outcome.console.lastLine.map { "; its console ends with '\($0.prefix(200))'" }
      let said = outcome.programs.last.map { ", its programs' lines with '\($0.prefix(200))'" }
      throw Failure(step: running, reason: fault.map { "\($0) (\(why))" } ?? why + (last ?? "") + (said ?? ""))
    case .gone:
      throw Failure(
        step: running,
        reason: fault ?? "the guest ended by itself: \(outcome.console.lastLine ?? "it wrote nothing")")
    default: break
    }
    let reason = fault ?? newTaint(outcome.reports)
    steps.append(.init(name: .log, seconds: rounded(outcome.seconds - last), passed: reason == nil))
    if let reason { throw Failure(step: .log, reason: reason) }
    guard outcome.console.isComplete else {
      steps[steps.count - 1].passed = false
      throw Failure(
        result: .notRun, step: .log,
        reason: "the end of the kernel's log is lost: it ends with '\((outcome.console.lastLine ?? "").prefix(200))'")
    }
  }

  /// - Returns: what the guest was doing, and when it began.
  private func takeSteps(
    _ outcome: VirtualMachine.GuestRun, _ fault: String?
  ) throws -> (running: Verdict.Step.Name, since: Double) {
    var last = 0.0
    var running = Verdict.Step.Name.boot
    for (report, time) in zip(outcome.reports, outcome.times) {
      let seconds = rounded(time - last)
      switch report {
      case .ready: steps.append(.init(name: .boot, seconds: seconds, passed: true))
      case .began(let text): running = name(text)
      case .passed(let text): steps.append(.init(name: name(text), seconds: seconds, passed: true))
      case .failed(let text, let reason):
        steps.append(.init(name: name(text), seconds: seconds, passed: false))
        // The kernel's message says more than the error of the program.
        let said = Guest.scripts.contains(text) ? complaint(of: outcome.programs, reason) : reason
        throw Failure(step: name(text), reason: fault ?? (said.isEmpty ? "it failed" : said))
      case .end: break
      }
      last = time
    }
    return (running, last)
  }

  /// The line of a smoke script that says why it failed.
  private func complaint(of lines: [String], _ status: String) -> String {
    let line = lines.first { line in
      let line = line.lowercased()
      return line.hasPrefix("failed") || line.contains("error") || line.contains("cannot")
    }
    return (line ?? lines.last).map { "\($0) (\(status))" } ?? status
  }

  /// What the kernel says of itself at the end, and did not before the modules were loaded.
  private func newTaint(_ reports: [GuestReport]) -> String? {
    guard case .ready(let before) = reports.first, case .end(let after) = reports.last else { return nil }
    // Where nothing in the release has the kernel's licence, its modules say so.
    let isProprietary = !release.manifest.license.contains("GPL")
    let taint = Taint(after).faults(since: Taint(before), isProprietary: isProprietary)
    return taint.bits == 0 ? nil : "the kernel is tainted, and was not before: \(taint.text)"
  }
}

extension GuestReport? {
  fileprivate var isEnd: Bool { if case .end = self { true } else { false } }
}
