// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Glibc
import Groundwork
import Packagers
import SystemPackage

/// One package of a release on one kernel of a target: tried step by step until one fails.
package final class CaseRun {
  let release: CandidateRelease
  let package: DKMSPackage
  let target: Target
  let recipe: RootRecipe
  let roots: FilePath
  let programs: Qualification.Programs
  let level: Verdict.Level
  /// Tries what happens in the life of a site, instead of one kernel.
  let isLife: Bool
  /// The release that is upgraded from.
  let previous: CandidateRelease?
  let folder: FilePath
  let settings: Settings
  let progress: Progress

  /// How long things may take, and what tests change to see what a fault leads to.
  package struct Settings: Sendable, Codable {
    /// For each command in a root, in seconds.
    package var seconds = 3600
    package var qemu: String?
    /// A script that a guest runs first.
    package var hook = ""
    /// For the boot and each step in a guest, in seconds; nil for what the manifest says.
    package var guestSeconds: Double?
    /// For the boot alone.
    package var bootSeconds: Double?
    /// What a guest may write to its console.
    package var consoleBytes: Int64?
    /// How many processors to use; nil for all that this process may use.
    package var cpus: Int?

    package init() {}
  }

  private var steps: [Verdict.Step] = []
  var kernel: String
  private var moduleBytes: Int64?
  private var accelerator: String?
  private var probeKey: String?

  init(
    release: CandidateRelease, package: DKMSPackage, target: Target, recipe: RootRecipe, roots: FilePath,
    programs: Qualification.Programs, level: Verdict.Level, isLife: Bool,
    previous: CandidateRelease?, kernel: String, folder: FilePath,
    settings: Settings, progress: Progress
  ) {
    self.release = release
    self.package = package
    self.target = target
    self.recipe = recipe
    self.roots = roots
    self.programs = programs
    self.level = level
    self.isLife = isLife
    self.previous = previous
    self.kernel = kernel
    self.folder = folder
    self.settings = settings
    self.progress = progress
  }

  /// Why a step did not pass.
  struct Failure: Error {
    var result = Verdict.Result.fail
    var step: Verdict.Step.Name
    var reason: String
  }

  /// Tries everything up to the level.
  ///
  /// - Parameter work: what is tried; tests try less.
  /// - Throws: `CancellationError` alone: whatever else happens is a verdict.
  func verdict(
    inputs: SHA256Digest, logs: String, trying work: (CaseRun) async throws -> Void = { try await $0.run() }
  ) async throws -> Verdict {
    let start = ContinuousClock.now
    var verdict = Verdict(
      release: release.name, plan: try release.plan.identity, variant: package.package.variant, target: target.name,
      kernel: kernel,
      architecture: target.architecture, level: level, isLife: isLife, result: .pass, steps: [], seconds: 0,
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
      // Of what the steps themselves do not expect: nothing can be said of the release.
      verdict.result = .notRun
      verdict.reason = "\(error)"
    }
    try Task.checkCancellation()
    verdict.kernel = kernel
    verdict.steps = steps
    verdict.seconds = rounded((ContinuousClock.now - start).seconds)
    verdict.moduleBytes = moduleBytes
    verdict.accelerator = accelerator
    verdict.probeKey = probeKey
    return verdict
  }

  private func rounded(_ seconds: Double) -> Double { (seconds * 100).rounded() / 100 }

  /// Runs one step. What it gives is a note on it.
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
      // What a root, QEMU or a missing tool stops is no fault of the release.
      throw Failure(result: .notRun, step: name, reason: "\(error)")
    }
  }

  private func run() async throws {
    var made: Root?
    try await step(.root) {
      made = try await Root(recipe, cache: roots, progress: progress)
      return nil
    }
    try await made?.use { session in
      if isLife {
        try await live(in: session)
      } else {
        try await run(in: session)
      }
    }
  }

  private func run(in session: RootSession) async throws {
    try await step(.install) { try await install(in: session) }
    try await step(.modules) { try await checkModules(in: session) }
    if package.package.probe != nil {
      try await step(.probe) { try await keepProbeResults(in: session) }
    }
    guard level > .build else { return }
    let isSmoked = level == .mount && release.smoke != nil && release.manifest.qualify.covers(package.package)
    if isSmoked { try await step(.packages) { try await installPrograms(in: session) } }
    try await boot(in: session, withSmoke: isSmoked)
  }

  // MARK: in the root

  /// Runs a script in the root, whose words go to a log beside the verdict.
  func sh(
    _ script: String, _ arguments: [String] = [], in session: RootSession, folders: [String: FilePath] = [:],
    log: String, step: Verdict.Step.Name
  ) async throws -> (succeeded: Bool, output: String, log: BuildLog) {
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
      ["timeout", "--kill-after=10", "\(settings.seconds)", "sh", "-c", "exec 2>&1\n\(script)", "qualify"] + arguments,
      folders: folders,
      // What nproc(1) obeys, and with it dkms: a process may see more processors than it was given.
      environment: settings.cpus.map { ["OMP_NUM_THREADS": "\($0)"] } ?? [:], doing: "qualifying on \(target.name)")
    let path = folder.appending("\(log).log")
    try Files.replace(path, with: outcome.output + Array(outcome.errors.utf8))
    if outcome.status == .exited(124) {
      throw Failure(step: step, reason: "\(step.rawValue) has not ended after \(settings.seconds) s")
    }
    watch.cancel()
    let words = BuildLog(outcome.text, diskWasFull: await watch.value)
    if !outcome.succeeded {
      if words.isOutOfSpace { throw Failure(result: .notRun, step: step, reason: CaseRun.outOfSpace) }
      // The script's own words go to its output: these come from what was to start it.
      if let line = BuildLog(outcome.errors).lines.last {
        throw Failure(result: .notRun, step: step, reason: "the root cannot be used: \(line)")
      }
    }
    return (outcome.succeeded, outcome.text, words)
  }

  /// The kernels of the root whose headers are there.
  func kernels(in session: RootSession) async throws -> [String] {
    let listed = try await sh(
      "for k in /lib/modules/*; do [ ! -e \"$k/build/Makefile\" ] || basename \"$k\"; done", in: session,
      log: "kernels", step: .root)
    return listed.output.split(separator: "\n").map(String.init)
  }

  func wrongKernels(_ kernels: [String]) -> Failure {
    Failure(
      result: .notRun, step: .root,
      reason: kernels.isEmpty
        ? "the root holds no kernel headers: correct 'kernels' of the target \(target.name)"
        : "the root holds several kernels: \(kernels.joined(separator: ", "))")
  }

  private static let outOfSpace = "No space left on device: free some, or set TMPDIR to where there is some"

  /// Installs the package with the distribution's own tool; dkms builds its modules at that.
  func install(in session: RootSession) async throws -> String? {
    guard let file = try release.file(of: package, target.format) else {
      throw Failure(result: .skipped, step: .install, reason: "there is no .\(target.format.rawValue) of this package")
    }
    let kernels = try await kernels(in: session)
    guard kernels.count == 1 else { throw wrongKernels(kernels) }
    kernel = kernels[0]
    let name = file.lastComponent?.string ?? ""
    let (succeeded, output, log) = try await sh(
      """
      mkdir -p /q
      find /lib/modules/"$1" -name '*.ko*' | sort >/q/before
      export DKMS_PROBE_RESULTS=/q/results
      \(PackageManager(format: target.format).install("/release/\(name)"))
      status=$?
      find /var/lib/dkms -name make.log -exec cat {} + 2>/dev/null
      find /lib/modules/"$1" -name '*.ko*' | sort >/q/after
      [ "$(cat /q/before)" != "$(cat /q/after)" ] || echo no module was installed
      exit $status
      """, [kernel], in: session, folders: ["/release": file.removingLastComponent()], log: "install", step: .install)
    let isEmpty = output.hasSuffix("no module was installed\n")
    if isEmpty && log.isOutOfSpace {
      throw Failure(result: .notRun, step: .install, reason: CaseRun.outOfSpace)
    }
    if succeeded && isEmpty {
      let isSupported = package.range.contains(kernel)
      let words = log.lines.first { $0.contains("is skipped") || $0.contains("BUILD_EXCLUSIVE") }
      if let words, !isSupported { throw Failure(result: .skipped, step: .install, reason: words) }
    }
    guard succeeded, !isEmpty else {
      throw Failure(step: .install, reason: log.firstError ?? "no module was installed, and nobody said why")
    }
    return nil
  }

  /// Every module of the package is there and no other, made for this kernel and of this release.
  private func checkModules(in session: RootSession) async throws -> String? {
    let (succeeded, output, log) = try await sh(
      """
      set -e
      comm -13 /q/before /q/after | sed 's|.*/||; s|[.]ko.*||' | tr - _ >/q/names
      comm -13 /q/before /q/after | while read -r file; do
        name=$(basename "$file"); name=${name%%.ko*}
        printf 'module\\t%s\\t%s\\t%s\\t%s\\n' "$name" "$(stat -c %s "$file")" \
          "$(modinfo -F version "$file")" "$(modinfo -F vermagic "$file")"
      done
      depmod -n -e -E "/lib/modules/$1/build/Module.symvers" "$1" 2>&1 >/dev/null \
        | grep -F -f /q/names || :
      """, [kernel], in: session, log: "modules", step: .modules)
    guard succeeded else { throw Failure(step: .modules, reason: log.lines.last ?? "modinfo failed") }
    var found: Set<String> = []
    var bytes: Int64 = 0
    var problems: [String] = []
    for line in output.split(separator: "\n") {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 5, fields[0] == "module" else {
        problems.append(String(line))
        continue
      }
      found.insert(fields[1].replacing("-", with: "_"))
      bytes += Int64(fields[2]) ?? 0
      // A module may add a remark to the version.
      let isOwn = package.modules.contains { $0.hasOwnVersion && $0.name == fields[1] }
      if !isOwn, !fields[3].isEmpty, fields[3].split(separator: " ").first.map(String.init) != package.version.dkms {
        problems.append("\(fields[1]) has version \(fields[3]), not \(package.version.dkms)")
      }
      if !fields[4].hasPrefix("\(kernel) ") {
        problems.append("\(fields[1]) is made for '\(fields[4])', not \(kernel)")
      }
    }
    let expected = Set(package.modules.map { $0.name.replacing("-", with: "_") })
    problems += expected.subtracting(found).sorted().map { "the module \($0) was not installed" }
    problems += found.subtracting(expected).sorted().map { "the module \($0) is not of this package" }
    moduleBytes = bytes
    if let first = problems.first {
      throw Failure(
        step: .modules, reason: first + (problems.count > 1 ? " (and \(problems.count - 1) more)" : ""))
    }
    return "\(found.count) modules"
  }

  /// Keeps what PRE_BUILD has found out, for packages that are made later.
  private func keepProbeResults(in session: RootSession) async throws -> String? {
    let (succeeded, output, log) = try await sh(
      """
      cd "/\(package.folder)" || exit 1
      sh dkms/key "$1" "/lib/modules/$1/build" >/q/key || exit 1
      [ ! -f "\(DKMSPackage.probed)/$(cat /q/key)" ] || echo its results came with the release
      """, [kernel], in: session, log: "probe", step: .probe)
    guard succeeded else { throw Failure(step: .probe, reason: log.lines.last ?? "it gives no key") }
    guard let key = session.found("/q/key"), let results = session.found("/q/results") else {
      return "its results cannot be kept: it knows no --results"
    }
    probeKey = String(decoding: try Files.read(key), as: UTF8.self).trimmed
    try Files.replace(folder.appending(Qualification.probeResults), with: try Files.read(results))
    return output.isEmpty ? nil : output.trimmed
  }

  /// Installs the programs that the smoke script calls.
  private func installPrograms(in session: RootSession) async throws -> String? {
    if let error = programs.error {
      throw Failure(result: programs.isFault ? .fail : .notRun, step: .packages, reason: error)
    }
    let files = programs.files.map { FilePath($0) }
    guard let folder = files.first?.removingLastComponent() else { return nil }
    let names = files.map { "/built/\($0.lastComponent?.string ?? "")" }.joined(separator: " ")
    let (succeeded, _, log) = try await sh(
      PackageManager(format: target.format).install(names), in: session, folders: ["/built": folder], log: "packages",
      step: .packages)
    guard succeeded else { throw Failure(step: .packages, reason: log.firstError ?? "they cannot be installed") }
    return "\(files.count) packages"
  }

  // MARK: in the guest

  func boot(in session: RootSession, withSmoke: Bool) async throws {
    let qualify = release.manifest.qualify
    let doing = "booting \(kernel) of \(target.name)"
    let initramfs = session.written("/q/initramfs")
    let guest = Guest(
      kernel: kernel, modules: package.modules.map(\.name), smoke: withSmoke ? release.smoke : nil, qualify: qualify)
    var image: FilePath?
    try await step(.guest) {
      do {
        image = try await guest.write(to: initramfs, from: session, hook: settings.hook, doing: doing)
      } catch let lack as Guest.Lack {
        throw Failure(step: .guest, reason: lack.reason)
      }
      return nil
    }
    guard let image else { return }

    var limits = VirtualMachine.Limits()
    limits.steps["smoke"] = Double(qualify.seconds)
    if let seconds = settings.guestSeconds {
      limits.boot = seconds
      limits.step = seconds
      limits.steps = [:]
      limits.factor = 1
    }
    limits.boot = settings.bootSeconds ?? limits.boot
    limits.console = settings.consoleBytes ?? limits.console
    let machine = VirtualMachine(
      kernel: image, initramfs: initramfs, architecture: target.architecture, memory: qualify.memory,
      cpus: settings.cpus, program: settings.qemu)
    do {
      let outcome = try await machine.run(limits: limits, folder: folder, doing: doing)
      accelerator = outcome.accelerator.rawValue
      try judge(outcome)
    } catch let error as ReleaseError {
      throw Failure(result: .notRun, step: .boot, reason: "\(error)")
    }
  }

  /// Makes steps of what a guest has reported.
  private func judge(_ outcome: VirtualMachine.Outcome) throws {
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
        // What the kernel said tells more than what a program made of it.
        let fault = outcome.console.firstFault
        throw Failure(step: name(text), reason: fault ?? (reason.isEmpty ? "it failed" : reason))
      case .end: break
      }
      last = time
    }
    let fault = outcome.console.firstFault
    switch outcome.ending {
    case .stopped(let why) where outcome.reports.last != .end:
      // The last line of a kernel that hangs may tell where.
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
