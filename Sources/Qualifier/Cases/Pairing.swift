// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import SystemPackage
import Verdicts

/// Two releases in two guests on one network: one runs a service, the other is its client.
extension CaseRun {
  /// - Parameters:
  ///   - session: where this release is installed.
  ///   - second: where the other one is.
  func tryPair(with other: OtherRelease, in session: ChrootSession, _ second: ChrootSession) async throws {
    let peer = CaseRun(
      release: other.release, package: try other.release.package(as: other.role.other), target: target,
      definition: definition, chroots: chroots, programs: other.programs, level: level, isLife: false, previous: nil,
      kernel: kernel, folder: folder, settings: settings, host: host, progress: progress)
    peer.logPrefix = "\(other.role.other.rawValue)-"
    logPrefix = "\(other.role.rawValue)-"

    try await step(.install) { try await install(in: session) }
    try await step(.modules) { try await checkModules(in: session) }
    try await step(.packages) { try await installPrograms(in: session) }
    try await step(.other) {
      do {
        _ = try await peer.install(in: second)
        _ = try await peer.checkModules(in: second)
        _ = try await peer.installPrograms(in: second)
      } catch let failure as Failure {
        // Nothing can be said of the two together.
        throw Failure(
          result: .notRun, step: .other,
          reason: "\(other.release.name) is not installed (\(failure.step.rawValue)): \(failure.reason)")
      }
      return "\(other.release.name) is installed"
    }
    try await boot(beside: peer, as: other.role, in: session, second)
  }

  /// Boots both guests, and judges this release's first.
  private func boot(
    beside peer: CaseRun, as role: Verdict.Against.Role, in session: ChrootSession, _ second: ChrootSession
  ) async throws {
    let doing = "booting \(kernel) of \(target.name) twice"
    let own = guest(GuestRole(role), script: release.pair[role])
    let foreign = peer.guest(GuestRole(role.other), script: peer.release.pair[role.other])
    let runs: GuestPair.Runs
    do {
      guard let ownMachine = try await machine(for: own, in: session, doing: doing) else { return }
      guard let foreignMachine = try await peer.machine(for: foreign, in: second, doing: doing) else { return }
      let pair = GuestPair(
        (own, ownMachine, limits), (foreign, foreignMachine, peer.limits), emulator: host.emulator)
      runs = try await pair.run(folder: folder, doing: doing)
    } catch let error as ReleaseError {
      throw Failure(result: .notRun, step: .boot, reason: "\(error)")
    }
    accelerator = runs.own.accelerator.rawValue
    let failure = failure(of: runs.own)
    let peerFailure = peer.failure(of: runs.other)
    let seconds = rounded(runs.other.seconds)
    steps.append(.init(name: .other, seconds: seconds, passed: peerFailure == nil, note: peer.release.name))
    // Where one guest takes the other along, the one that began it is told of.
    if let peerFailure, failure == nil || runs.own.ending == .stopped(GuestMeeting.left) {
      throw peerFailure.told(of: peer.release.name, as: role.other)
    }
    if let failure { throw failure }
  }

  private func failure(of outcome: VirtualMachine.GuestRun) -> Failure? {
    do {
      try judge(outcome)
      return nil
    } catch {
      return error as? Failure
    }
  }
}

extension CaseRun.Failure {
  /// As the verdict on the other release says it: before the two meet, a failure is no fault of the pair.
  fileprivate func told(of name: String, as role: Verdict.Against.Role) -> CaseRun.Failure {
    var failure = self
    let isBeforeMeeting = [.guest, .boot, .load].contains(step)
    if isBeforeMeeting { failure.result = .notRun }
    failure.reason = "\(name), the \(role.rawValue): \(reason)"
    return failure
  }
}

extension GuestRole {
  init(_ role: Verdict.Against.Role) { self = role == .client ? .client : .service }
}
