// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Glibc
import Model
import Packagers
import Processes
import SystemPackage
import Verdicts

/// One package of a release on one kernel of a target: runs step by step until one fails.
package final class CaseRun {
  let release: CandidateRelease
  let package: DKMSPackage
  let target: Target
  let definition: ChrootDefinition
  let chroots: ChrootCache
  let programs: Qualification.Programs
  let level: Verdict.Level
  /// Tests the life of a site instead of one kernel.
  let isLife: Bool
  /// The release to upgrade from.
  let previous: CandidateRelease?
  /// The release in the other guest of a pair; nil without a pair.
  let other: OtherRelease?
  /// What the names of its logs begin with.
  var logPrefix = ""
  let folder: FilePath
  let settings: Settings
  let host: GuestHost
  let progress: Progress

  /// The other release of a pair.
  struct OtherRelease: Sendable {
    var release: CandidateRelease
    var programs: Qualification.Programs
    /// What the release of this case is beside it.
    var role: Verdict.Against.Role

    func against() throws -> Verdict.Against {
      Verdict.Against(role: role, release: release.name, plan: try release.plan.identity)
    }
  }

  /// Limits for commands and guests.
  package struct Settings: Sendable, Codable {
    /// The time limit for each command in a chroot, in seconds.
    package var seconds = 3600
    /// The number of processors; nil for all that this process may use.
    package var cpus: Int?

    package init() {}
  }

  var steps: [Verdict.Step] = []
  var kernel: String
  var moduleBytes: Int64?
  /// The modules that were installed, each `-` in their names as `_`.
  var installed: Set<String> = []
  var accelerator: String?
  var probeKey: String?
  private var chroot: Verdict.Root?

  init(
    release: CandidateRelease, package: DKMSPackage, target: Target, definition: ChrootDefinition, chroots: ChrootCache,
    programs: Qualification.Programs, level: Verdict.Level, isLife: Bool,
    previous: CandidateRelease?, other: OtherRelease? = nil, kernel: String, folder: FilePath,
    settings: Settings, host: GuestHost, progress: Progress
  ) {
    self.release = release
    self.package = package
    self.target = target
    self.definition = definition
    self.chroots = chroots
    self.programs = programs
    self.level = level
    self.isLife = isLife
    self.previous = previous
    self.other = other
    self.kernel = kernel
    self.folder = folder
    self.settings = settings
    self.host = host
    self.progress = progress
  }

  /// Why a step failed.
  struct Failure: Error {
    var result = Verdict.Result.fail
    var step: Verdict.Step.Name
    var reason: String
  }

  /// Runs all steps up to the level.
  ///
  /// - Parameter work: the steps; tests run fewer.
  /// - Throws: only `CancellationError`: any other error becomes a verdict.
  func verdict(
    inputs: SHA256Digest, logs: String, trying work: (CaseRun) async throws -> Void = { try await $0.run() }
  ) async throws -> Verdict {
    let start = ContinuousClock.now
    var verdict = Verdict(
      release: release.name, plan: try release.plan.identity, variant: package.package.variant, target: target.name,
      kernel: kernel,
      architecture: target.architecture, level: level, isLife: isLife, against: try other?.against(), result: .pass,
      steps: [], seconds: 0,
      started: Int64(time(nil)), logs: logs, inputs: inputs)
    do {
      try Files.makeFolder(folder)
      try await work(self)
    } catch let failure as Failure {
      verdict.result = failure.result
      verdict.step = failure.step
      verdict.reason = failure.reason
      verdict.change = release.manifest.qualify.change(behind: failure.reason)
    } catch let error as ReleaseError {
      // An unexpected error says nothing about the release.
      verdict.result = .notRun
      verdict.reason = "\(error)"
    }
    try Task.checkCancellation()
    verdict.reason = verdict.reason?.cut(to: Verdict.longestReason)
    verdict.kernel = kernel
    verdict.steps = steps
    verdict.seconds = rounded((ContinuousClock.now - start).seconds)
    verdict.moduleBytes = moduleBytes
    verdict.accelerator = accelerator
    verdict.probeKey = probeKey
    verdict.root = chroot
    return verdict
  }

  func rounded(_ seconds: Double) -> Double { (seconds * 100).rounded() / 100 }

  /// Runs one step. The result becomes its note.
  func step(_ name: Verdict.Step.Name, _ body: () async throws -> String?) async throws {
    let start = ContinuousClock.now
    func record(passed: Bool, _ note: String? = nil) {
      let seconds = rounded((ContinuousClock.now - start).seconds)
      steps.append(Verdict.Step(name: name, seconds: seconds, passed: passed, note: note))
    }
    do {
      let note = try await body()
      record(passed: true, note)
    } catch let failure as Failure {
      record(passed: false)
      throw failure
    } catch let error as ReleaseError {
      record(passed: false)
      // A failure of a chroot, of QEMU or a missing tool is not the fault of the release.
      throw Failure(result: .notRun, step: name, reason: "\(error)")
    }
  }

  private func run() async throws {
    var made: Chroot?
    try await step(.root) {
      made = try await chroots.chroot(definition, progress: progress)
      return nil
    }
    guard let made else { return }
    chroot = Verdict.Root(name: made.name, packages: made.record.identity)
    do {
      try await made.use { session in
        if isLife {
          try await tryLifecycle(in: session)
        } else if let other {
          try await made.use { try await tryPair(with: other, in: session, $0) }
        } else {
          try await run(in: session)
        }
      }
    } catch let failure as Failure where failure.result != .skipped {
      try await demandWhole(made)
      throw failure
    }
  }

  /// What fails in a damaged chroot says nothing about the release.
  func demandWhole(_ chroot: Chroot) async throws {
    let damage: String?
    do {
      damage = try await chroot.damage(target.packageManager, doing: "checking the chroot of \(target.name)")
    } catch is ReleaseError {
      return
    }
    try Task.checkCancellation()
    guard let damage else { return }
    steps.append(.init(name: .root, seconds: 0, passed: false, note: Verdict.damaged))
    throw Failure(result: .notRun, step: .root, reason: "the chroot \(chroot.path) is damaged: \(damage)")
  }

  private func run(in session: ChrootSession) async throws {
    if let cross = target.cross {
      try await step(.compile) { try await compile(with: cross, in: session) }
      try await step(.modules) { try await checkModules(in: session) }
      return
    }
    try await step(.install) { try await install(in: session) }
    try await step(.modules) { try await checkModules(in: session) }
    if package.package.probe != nil {
      try await step(.probe) { try keepProbeResults(in: session) }
    }
    guard level > .build else { return }
    let isSmoked = level == .mount && release.smoke != nil && release.manifest.qualify.covers(package.package)
    if isSmoked { try await step(.packages) { try await installPrograms(in: session) } }
    try await boot(in: session, withSmoke: isSmoked)
  }

  // MARK: in the chroot

  static var outOfSpace: String {
    "No space left on device in \(Files.temporaryFolder): free some, or set TMPDIR to where there is some"
  }

  /// Runs a script in the chroot. Its output goes to a log beside the verdict.
  func sh(
    _ script: Script, _ arguments: [String] = [], in session: ChrootSession, folders: [String: FilePath] = [:],
    log: String, step: Verdict.Step.Name
  ) async throws -> (succeeded: Bool, output: String, log: CommandLog) {
    let disk = session.written("/")
    let watch = Task {
      var wasFull = Files.isFull(disk)
      while !wasFull && !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(50))
        wasFull = Files.isFull(disk)
      }
      return wasFull
    }
    defer { watch.cancel() }
    let outcome = try await session.run(
      ["timeout", "--kill-after=10", "\(settings.seconds)", "sh", "-c", script.text, "qualify"] + arguments,
      folders: folders,
      // nproc(1), and therefore dkms, obeys this: a process may see more processors than it may use.
      environment: settings.cpus.map { ["OMP_NUM_THREADS": "\($0)"] } ?? [:], doing: "qualifying on \(target.name)")
    let path = folder.appending("\(logPrefix)\(log).log")
    try Files.replace(path, with: outcome.output + Array(outcome.errors.utf8))
    if outcome.status == .exited(124) {
      throw Failure(step: step, reason: "\(step.rawValue) has not ended after \(settings.seconds) s")
    }
    watch.cancel()
    let words = CommandLog(outcome.text, diskWasFull: await watch.value)
    if !outcome.succeeded {
      if words.isOutOfSpace { throw Failure(result: .notRun, step: step, reason: CaseRun.outOfSpace) }
      // The script writes to standard output, so errors come from the program that starts it.
      if let line = CommandLog(outcome.errors).lines.last {
        throw Failure(result: .notRun, step: step, reason: "the chroot cannot be used: \(line)")
      }
    }
    return (outcome.succeeded, outcome.text, words)
  }
}

extension Script {
  /// Runs its arguments as a command.
  static let command = Script(PackageResources.command_sh)
}
