// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Distributions
import Files
import Model
import Processes
import Qualifier
import SystemPackage
import Verdicts

struct QualifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "qualify", abstract: "Try the packages of a release on real kernels, up to a mounted file system.",
    discussion: """
      For each target and kernel, the distribution's own tool installs the package in a fresh chroot, where dkms \
      builds its modules. Then that kernel boots in QEMU, the modules are loaded and unloaded, and the smoke script \
      of the manifest runs. The verdicts are kept beside the release, in RELEASE.qualification, with all logs. Cases \
      that already have a verdict are not tried again. --refresh recreates the chroots, and repeats the cases in \
      whose chroot something changed.

        lrelease qualify out/sample-7.2.1 --target debian-12 --target debian-13
        lrelease qualify out/sample-7.2.1 --target debian-12 --level load \\
            --kernel 6.1.0-49-amd64
        lrelease qualify /shared/sample-7.2.1 --target debian-12 \\
            --executor slurm --cache /shared/roots

      Exit status 0 if every package passed at its level, or does not claim the kernel. Requires root privileges and \
      mmdebstrap or dnf, and above --level build also qemu-system-x86 and busybox-static.
      """)

  @Argument(help: "A release folder.", completion: .directory)
  var release: String

  @Option(
    name: .customLong("target"), help: "A target: its name, or a .toml file. May be repeated.",
    completion: Completions.targets)
  var names: [String] = []

  @Option(
    name: .customLong("kernel"),
    help: ArgumentHelp(
      "A kernel of the targets, as uname -r prints it, instead of their usual one. May be repeated.",
      valueName: "release"))
  var kernels: [String] = []

  @Flag(help: "Every kernel that the archives of the targets serve with its headers; see 'lrelease kernels'.")
  var allKernels = false

  @Option(
    name: .customLong("variant"),
    help: ArgumentHelp("Only the package of this variant. May be repeated.", valueName: "variant"),
    completion: Completions.variants)
  var variants: [String] = []

  @Option(help: "How far to go; each level includes those before it.")
  var level = Verdict.Level.mount

  @Flag(help: "Also try the life of a site: another kernel, upgrade, reinstallation, removal.")
  var life = false

  @Option(
    help: ArgumentHelp("The release to upgrade from, in the life of a site.", valueName: "folder"),
    completion: .directory)
  var previous: String?

  @Option(
    help: ArgumentHelp(
      """
      Another release: try this one as its client and as the service for it, in two guests on one network, instead of \
      each package alone.
      """, valueName: "folder"),
    completion: .directory)
  var against: String?

  @Option(
    help: "Cases at a time. (default: half the number of cores, but at least 2; with Slurm, as many as it allows)")
  var jobs: Int?

  @Option(help: "Where to run the cases; slurm: as an array job, with a task for each.")
  var executor = Place.local

  @Option(
    name: .customLong("slurm-option"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "An option for sbatch, such as --partition=build. May be repeated.", valueName: "option"))
  var slurmOptions: [String] = []

  @Flag(help: "Repeat cases that already have a verdict.")
  var again = false

  @OptionGroup var targets: TargetOptions
  @OptionGroup var roots: ChrootOptions
  @OptionGroup var console: ConsoleOptions

  enum Place: String, ExpressibleByArgument, CaseIterable { case local, slurm }

  func validate() throws {
    if names.isEmpty { throw ValidationError("Name a --target; 'lrelease targets' lists them.") }
    if allKernels && !kernels.isEmpty { throw ValidationError("--all-kernels and --kernel exclude each other.") }
    if against != nil {
      if life { throw ValidationError("--against and --life exclude each other.") }
      if level != .mount { throw ValidationError("--against needs --level mount.") }
    }
    if previous != nil && !life { throw ValidationError("--previous needs --life.") }
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be 1 or more.") }
    if !slurmOptions.isEmpty && executor != .slurm {
      throw ValidationError("--slurm-option needs --executor slurm.")
    }
    if let wrong = slurmOptions.first(where: { !$0.hasPrefix("-") }) {
      throw ValidationError("--slurm-option takes one option of sbatch in one word, such as --time=60, not '\(wrong)'.")
    }
  }

  func run() async throws {
    try await Console.run(console) { console in
      let progress = console.progress
      let candidate = try await CandidateRelease(FilePath(release), progress: progress)
      let chosen = try Target.named(names, in: targets.place())
      let place = try targets.place()
      var request = Qualification.Request(
        targets: zip(names, chosen).map { name, target in
          (
            name.hasSuffix(".toml") ? Files.absolute(FilePath(name)) : Files.absolute(place).appending("\(name).toml"),
            target
          )
        }, kernels: kernels, variants: variants, level: level, chroots: try roots.roots())
      if allKernels { request.kernelsByTarget = try await archivedKernels(of: chosen, progress) }
      request.retriesKnown = again
      request.withLife = life
      if let previous { request.previous = try await CandidateRelease(FilePath(previous), progress: progress) }
      if let against { request.against = try await CandidateRelease(FilePath(against), progress: progress) }
      let executor: any Executor =
        switch self.executor {
        case .local: LocalExecutor(jobs: jobs ?? CPUSlots.defaultJobs)
        case .slurm: SlurmExecutor(options: slurmOptions, jobs: jobs)
        }
      let outcome = try await Qualifier.run(
        candidate, request, executor: executor, jobs: jobs ?? CPUSlots.defaultJobs, progress: progress)
      try console.output(outcome.verdicts) { console.print(outcome) }
      let bad = outcome.verdicts.filter { $0.result == .fail || $0.result == .notRun }
      if !bad.isEmpty {
        throw Diagnostics(bad.map { $0.asError })
      }
    }
  }
}

extension QualifyCommand {
  /// The kernels of each target that can be tried.
  private func archivedKernels(of targets: [Target], _ progress: Progress) async throws -> [String: [String]] {
    let cache = try KernelsCommand.cache(roots.place.cache)
    var kernels: [String: [String]] = [:]
    for target in targets {
      let archive = try await ArchivedKernels(of: target, cache: cache)
      let fit = archive.kernels.filter { $0.hasHeaders && ($0.hasImage || level <= .build) }
      guard !fit.isEmpty else {
        throw ReleaseError(
          .source, doing: "choosing what to qualify",
          reason: "the archive of \(target.name) serves no kernel with headers",
          advice: "see 'lrelease kernels --target \(target.name)'")
      }
      let left = archive.kernels.count - fit.count
      progress.stands(
        "\(target.name): \(fit.count) kernels" + (left == 0 ? "" : "; \(left) without headers or image are left out"))
      kernels[target.name] = fit.map(\.release)
    }
    return kernels
  }
}

extension Verdict.Level: ExpressibleByArgument {}

extension Verdict {
  /// One line that says what is wrong.
  fileprivate var asError: ReleaseError {
    let place = "\(target), \(kernel), \(variant)" + (against.map { ", \($0.inWords)," } ?? "")
    let what = step.map { "\($0.rawValue): " } ?? ""
    return ReleaseError(
      .failed, doing: "\(place) \(result == .fail ? "fails" : "was not run")", reason: what + (reason ?? ""),
      remedy: damagedChroot.map { DistributionsRemedy.removeRoot($0) } ?? change.map { Advice($0) })
  }
}

extension Console {
  /// The verdicts as a table.
  fileprivate func print(_ outcome: Qualifier.QualificationResult) {
    let rows = outcome.verdicts.map { verdict in
      [
        verdict.target, verdict.kernel, verdict.variant, verdict.result.rawValue,
        // Without a smoke script, modules are only loaded.
        verdict.result == .pass
          ? verdict.isLife
            ? "life"
            : verdict.against.map(\.inWords)
              ?? (verdict.proven ?? .build).rawValue : verdict.step?.rawValue ?? "",
        outcome.known.contains(verdict.logs) ? "known" : duration(verdict.seconds),
      ]
    }
    printTable(rows)
    print("\(outcome.folder)")
  }
}
