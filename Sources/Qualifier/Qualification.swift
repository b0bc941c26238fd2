// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Glibc
import Model
import Packagers
import Releases
import SystemPackage
import Verdicts

/// The packages of a release on the kernels of its targets: the cases, and where their verdicts are kept.
///
/// Everything is in one folder beside the release, `RELEASE.qualification`: `verdicts/CASE.json` and `logs/CASE/`.
package struct Qualification: Sendable, Codable {
  /// One package on one kernel.
  package struct Case: Sendable, Codable, Hashable {
    package var id: String
    package var variant: String
    /// Path of the target's file.
    package var target: String
    /// Packages with the headers and the image of the kernel.
    package var headers: [String]
    package var images: [String]
    /// What the kernel is called until its chroot says which it is: its release where that was asked for, else the package
    /// with its headers.
    package var kernel: String
    /// Tests the life of a site, instead of one kernel.
    package var isLife: Bool
    /// What the release is beside another one in two guests; nil for the package alone.
    package var role: Verdict.Against.Role?
    /// Identifies the inputs of the verdict.
    package var inputs: SHA256Digest
  }

  /// The programs of a release, built for a target.
  package struct Programs: Sendable, Codable {
    package var files: [String] = []
    /// The packages of the distribution that they need.
    package var dependencies: [String] = []
    /// Why they could not be built, and whether that is the fault of the release.
    package var error: String?
    package var isFault = false
  }

  package var release: String
  package var level: Verdict.Level
  package var chroots: ChrootCache
  package var settings: CaseRun.Settings
  /// The release to upgrade from, in the life of a site.
  package var previous: String?
  /// The release that takes the other role in pairs of guests.
  package var against: String?
  package var cases: [Case]
  /// By the path of the target's file.
  package var programs: [String: Programs] = [:]
  /// Those of `against`.
  package var otherPrograms: [String: Programs]?

  private enum CodingKeys: String, CodingKey {
    case release, level
    case chroots = "roots"
    case settings, previous, against, cases, programs, otherPrograms
  }

  /// A user's request.
  package struct Request: Sendable {
    package var targets: [(path: FilePath, target: Target)]
    /// Kernel releases to try instead of those that the targets name.
    package var kernels: [String]
    /// Kernel releases of single targets, by the target's name, instead of those.
    package var kernelsByTarget: [String: [String]] = [:]
    /// Empty for all.
    package var variants: [String]
    package var level: Verdict.Level
    package var chroots: ChrootCache
    package var settings = CaseRun.Settings()
    /// Also tests the life of a site.
    package var withLife = false
    package var previous: CandidateRelease?
    /// Tries the release as client of this one and as service for it, instead of each package alone.
    package var against: CandidateRelease?
    /// Repeats cases that already have a verdict.
    package var retriesKnown = false

    package init(
      targets: [(path: FilePath, target: Target)], kernels: [String] = [], variants: [String] = [],
      level: Verdict.Level, chroots: ChrootCache
    ) {
      self.targets = targets
      self.kernels = kernels
      self.variants = variants
      self.level = level
      self.chroots = chroots
    }
  }

  /// Determines the cases of a release.
  package init(_ candidate: CandidateRelease, _ request: Request) throws {
    release = candidate.folder.string
    level = request.level
    chroots = request.chroots
    settings = request.settings
    previous = request.previous?.folder.string
    against = request.against?.folder.string
    cases = []
    let doing = "choosing what to qualify"
    let variants = candidate.packages.map(\.package.variant)
    if let unknown = request.variants.first(where: { !variants.contains($0) }) {
      throw ReleaseError(
        .input, doing: doing, reason: "the release has no variant '\(unknown)'",
        advice: unknown.nearest(in: variants).map { "did you mean '\($0)'?" }
          ?? "it has \(variants.joined(separator: ", "))")
    }
    var seen: Set<String> = []
    for (path, target) in request.targets {
      guard seen.insert(target.name).inserted else {
        throw ReleaseError(
          .input, doing: doing, reason: "the target \(target.name) is given twice", advice: "give it once")
      }
      if target.cross != nil, request.level > .compiled || request.withLife {
        throw ReleaseError(
          .input, doing: doing,
          reason: "\(target.name) only compiles for \(target.architecture): nothing is installed or booted there",
          remedy: QualifierRemedy.qualifyUpToCompiled)
      }
      var kernels: [KernelToTry]
      let wanted = request.kernelsByTarget[target.name] ?? request.kernels
      if wanted.isEmpty {
        guard !target.kernels.isEmpty else {
          throw ReleaseError(
            .input, doing: doing, reason: "the target \(target.name) names no kernels",
            remedy: QualifierRemedy.nameKernel)
        }
        kernels = [KernelToTry(headers: target.kernels, images: target.images)]
      } else {
        kernels = wanted.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }.map { (kernel: String) in
          let packages = target.kernelNames.of(kernel)
          return KernelToTry(label: ".\(kernel)", headers: packages.headers, images: packages.images, release: kernel)
        }
      }
      if request.withLife {
        kernels.append(KernelToTry(label: ".life", headers: target.kernels, images: target.images, isLife: true))
      }
      for kernel in kernels {
        if let against = request.against {
          guard !kernel.isLife else { continue }
          cases += try pairs(of: candidate, against, request, (path, target), kernel)
          continue
        }
        for dkms in candidate.packages {
          let variant = dkms.package.variant
          guard request.variants.isEmpty || request.variants.contains(variant) else { continue }
          let inputs = Inputs(
            release: candidate.digest, package: try candidate.digest(of: dkms, target.format),
            target: target.digest, headers: kernel.headers, images: kernel.images,
            previous: kernel.isLife ? request.previous?.digest : nil)
          cases.append(
            Case(
              id: "\(target.name)\(kernel.label).\(variant)", variant: variant, target: path.string,
              headers: kernel.headers, images: kernel.images, kernel: kernel.name, isLife: kernel.isLife,
              inputs: SHA256Digest(of: try JSON.encode(inputs))))
        }
      }
    }
  }

  /// A kernel of a target for which cases are made.
  struct KernelToTry {
    /// What the names of its cases have after that of the target.
    var label = ""
    var headers: [String]
    var images: [String]
    /// Where it was asked for.
    var release: String?
    var isLife = false

    var name: String { release ?? headers.first ?? "" }
  }

  /// The inputs of a verdict, apart from the contents of the chroot.
  struct Inputs: Encodable {
    /// Increased whenever the steps or their judgement change.
    var format = 6
    var release: SHA256Digest
    var package: SHA256Digest?
    var target: SHA256Digest
    var headers: [String]
    var images: [String]
    var previous: SHA256Digest?
    var against: SHA256Digest?
    /// The package of the other release.
    var otherPackage: SHA256Digest?
  }

  // MARK: verdicts

  package var folder: FilePath { FilePath("\(release).qualification") }

  package var store: VerdictStore { VerdictStore(folder) }

  /// The verdict of a case, if its inputs are unchanged and it went far enough.
  ///
  /// If the chroot no longer exists, the verdict stays valid: nothing suggests that it would change.
  package func known(_ one: Case) -> Verdict? {
    guard let verdict = kept(one)?.answer(at: level) else { return nil }
    if let chroot = verdict.root, let now = chroots.record(of: chroot.name),
      now.identity != chroot.packages || chroots.isOutdated(now)
    {
      return nil
    }
    return verdict
  }

  /// The verdict of exactly this case, whatever its result.
  func kept(_ one: Case) -> Verdict? { store.verdict(on: one.id, inputs: one.inputs) }

  /// Records that a case was not run.
  func notRun(_ one: Case, _ candidate: CandidateRelease, reason: String) async throws -> Verdict {
    let target = try Target(reading: FilePath(one.target))
    let verdict = Verdict(
      release: candidate.name, plan: try candidate.plan.identity, variant: one.variant, target: target.name,
      kernel: one.kernel, architecture: target.architecture, level: level, isLife: one.isLife,
      against: try await otherRelease(one, progress: .silent)?.against(), result: .notRun,
      reason: reason.cut(to: Verdict.longestReason), steps: [], seconds: 0, started: Int64(time(nil)),
      logs: logs(of: one),
      inputs: one.inputs)
    try Files.makeFolder(folder.pushing(FilePath(verdict.logs)))
    try store.keep(verdict, on: one.id)
    return verdict
  }

  private func logs(of one: Case) -> String { VerdictStore.logs(of: one.id) }

  // MARK: running

  /// Runs one case and keeps its verdict.
  package func run(
    _ one: Case, _ candidate: CandidateRelease, on host: GuestHost, progress: Progress
  ) async throws -> Verdict {
    let target = try Target(reading: FilePath(one.target))
    let other = try await otherRelease(one, progress: progress)
    guard let dkms = candidate.packages.first(where: { $0.package.variant == one.variant }) else {
      throw ReleaseError(.input, doing: "qualifying \(one.id)", reason: "the release has no variant '\(one.variant)'")
    }
    let logs = logs(of: one)
    // Another lrelease may be trying the same case. The lock ends with this process. It is a file of its own, since network
    // file systems lock no folders; without any locks, two must not be started at once.
    let folder = folder.pushing(FilePath(logs))
    try Files.makeFolder(folder)
    let lock = try FileLock(folder.appending(".lock"), touch: false)
    if (try? lock.tryAcquire(.exclusive)) == false {
      progress.stands("qualifying \(one.id): waiting until another lrelease has tried it")
      let before = kept(one)
      try await lock.acquire(.exclusive)
      // Its verdict counts as if it were ours.
      if let verdict = known(one), verdict != before?.answer(at: level) { return verdict }
    }
    defer { lock.release() }
    let run = CaseRun(
      release: candidate, package: dkms, target: target, definition: definition(one, target),
      chroots: chroots, programs: programs[one.target] ?? Programs(), level: level,
      isLife: one.isLife, previous: try await previousRelease(one, progress: progress), other: other,
      kernel: one.kernel,
      folder: folder, settings: settings, host: host, progress: progress)
    let verdict = try await progress.silentStep("qualifying \(one.id)") {
      try await run.verdict(inputs: one.inputs, logs: logs)
    }
    if !mustStay(kept(one), beside: verdict) { try store.keep(verdict, on: one.id) }
    return verdict
  }

  /// Whether a failure that a case of a higher level has found stays on record: that it passes lower levels is no news.
  private func mustStay(_ kept: Verdict?, beside verdict: Verdict) -> Bool {
    guard let kept, kept.result == .fail, kept.level > verdict.level, kept.root == verdict.root else { return false }
    return verdict.result == .pass
  }

  private func previousRelease(_ one: Case, progress: Progress) async throws -> CandidateRelease? {
    guard one.isLife, let previous else { return nil }
    return try await CandidateRelease(FilePath(previous), progress: progress)
  }

  /// The packages in the chroot of a case. Those of a kernel are layers on a base that all kernels of a target share.
  func definition(_ one: Case, _ target: Target) -> ChrootDefinition {
    var definition = target.root
    definition.packages.removeAll { target.kernels.contains($0) }
    definition.packages = Set(definition.packages + ["dkms", "gcc", "make", "kmod"] + (target.cross?.packages ?? []))
      .sorted()
    var headers = one.headers
    if let cross = target.cross {
      definition.foreign = .init(architecture: target.architecture, standsFor: cross.standsFor)
      headers = headers.map { "\($0):\(target.architecture)" }
    }
    var layers = [headers]
    if one.isLife {
      layers.append(one.images)
      if !target.later.isEmpty {
        layers.append([])
        definition.later = target.later
      }
    } else if level > .build {
      layers.append(one.images + (programs[one.target]?.dependencies ?? []))
      if one.role != nil { layers[1] += otherPrograms?[one.target]?.dependencies ?? [] }
    }
    definition.layers = layers.map { Set($0).sorted() }
    return definition
  }

  /// Recreates the chroots of these cases, if `chroots` says so.
  ///
  /// Errors are ignored here: the case that needs the chroot reports them.
  package func refreshChroots(for cases: [Case], progress: Progress) async throws {
    for definition in Set(try cases.map { definition($0, try Target(reading: FilePath($0.target))) }) {
      do {
        _ = try await chroots.chroot(definition, progress: progress)
      } catch is ReleaseError {
        continue
      }
    }
  }
}
