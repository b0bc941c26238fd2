// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import SystemPackage
import Verdicts

/// The steps of a case in a guest.
extension CaseRun {
  func boot(in session: ChrootSession, withSmoke: Bool) async throws {
    let qualify = release.manifest.qualify
    let doing = "booting \(kernel) of \(target.name)"
    let initramfs = session.written("/q/initramfs")
    // A module that a site may have in two kinds stands in the list twice.
    var modules: [String] = []
    for name in package.modules.map(\.name) where !modules.contains(name) {
      if expectedModules.contains(name.replacing("-", with: "_")) { modules.append(name) }
    }
    let guest = Guest(
      kernel: kernel, modules: modules, smoke: withSmoke ? release.smoke : nil, qualify: qualify,
      steps: host.steps)
    var image: FilePath?
    try await step(.guest) {
      do {
        image = try await guest.write(to: initramfs, from: session, doing: doing)
      } catch let missing as Guest.MissingRequirement {
        throw Failure(step: .guest, reason: missing.reason)
      }
      return nil
    }
    guard let image else { return }

    var limits = VirtualMachine.Limits()
    limits.steps["smoke"] = Double(qualify.seconds)
    let machine = VirtualMachine(
      kernel: image, initramfs: initramfs, architecture: target.architecture, memory: qualify.memory,
      cpus: settings.cpus, emulator: host.emulator)
    do {
      let outcome = try await machine.run(limits: host.limits ?? limits, folder: folder, doing: doing)
      accelerator = outcome.accelerator.rawValue
      try judge(outcome)
    } catch let error as ReleaseError {
      throw Failure(result: .notRun, step: .boot, reason: "\(error)")
    }
  }

  /// Turns the reports of a guest into steps.
  private func judge(_ outcome: VirtualMachine.GuestRun) throws {
    func name(_ text: String) -> Verdict.Step.Name {
      switch text {
      case "load": .load
      case "unload", "unload-again": .unload
      case "smoke": .smoke
      default: .boot
      }
    }
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
        let fault = outcome.console.firstFault
        throw Failure(step: name(text), reason: fault ?? (reason.isEmpty ? "it failed" : reason))
      case .end: break
      }
      last = time
    }
    let fault = outcome.console.firstFault
    switch outcome.ending {
    case .stopped(let why) where outcome.reports.last != .end:
      // The last line of a hanging kernel may say where it hangs.
      let last = outcome.console.lines.last.map { "; its console ends with '\($0.prefix(200))'" }
      throw Failure(step: running, reason: fault.map { "\($0) (\(why))" } ?? why + (last ?? ""))
    case .gone:
      throw Failure(
        step: running,
        reason: fault
          ?? "the guest ended by itself: \(outcome.console.lines.last ?? "it wrote nothing")")
    default: break
    }
    steps.append(.init(name: .log, seconds: rounded(outcome.seconds - last), passed: fault == nil))
    if let fault { throw Failure(step: .log, reason: fault) }
  }
}
