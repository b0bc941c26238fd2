// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Glibc
import Model
import Releases
import SystemPackage

/// Builds the binary packages of a release in a chroot of each target. Only making the chroot uses the network.
package struct BinaryBuilder: Sendable {
  /// The result for one target.
  package struct TargetResult: Sendable, Encodable {
    package enum Status: String, Sendable, Codable {
      case built
      case existing = "there"
      case failed
    }
    package var target: String
    package var status: Status
    package var folder: String?
    package var files: [Artifact] = []
    package var seconds: Double
    /// Why it failed, in one line, and where the log is.
    package var error: String?
    package var log: String?
    /// The error as a value, for rendering its remedy.
    package var failure: ReleaseError?

    private enum CodingKeys: String, CodingKey { case target, status, folder, files, seconds, error, log }
  }

  /// The inputs of the packages, kept beside them to detect an unchanged build.
  struct Inputs: Sendable, Codable, Equatable {
    var format = 1
    var release: String
    var tarball: SHA256Digest
    var target: SHA256Digest
    /// The definition and the contents of the chroot.
    var chroot: String
    var packages: SHA256Digest?
    var modules: Bool
    /// What was chosen of the release's packaging, as on the command line; nothing if nothing was.
    var choices: [String]?

    private enum CodingKeys: String, CodingKey {
      case format, release, tarball, target
      case chroot = "root"
      case packages, modules, choices
    }
  }

  package var output: FilePath
  package var chroots: ChrootCache
  /// Also builds ready-built modules for the kernels of the target.
  package var buildsModules: Bool
  /// What is chosen of what the release's packaging offers.
  package var choices: [PackagingChoice] = []
  /// Targets at a time.
  package var jobs: Int
  /// Replaces packages that were built from other input.
  package var replaces = false
  package var progress: Progress

  package init(output: FilePath, chroots: ChrootCache, buildsModules: Bool, jobs: Int, progress: Progress) {
    self.output = output
    self.chroots = chroots
    self.buildsModules = buildsModules
    self.jobs = jobs
    self.progress = progress
  }

  /// The released tarball, and what a build needs to know about it.
  private struct Input: Sendable {
    var name: String
    var tarball: FilePath
    var digest: SHA256Digest
    var packaging: ReleasePackaging
  }

  /// Builds for every target. If one fails, the others continue.
  ///
  /// - Returns: the result for each target, in their order.
  package func run(_ release: Release, _ targets: [Target]) async throws -> [TargetResult] {
    var input = try BinaryBuilder.input(release)
    if release.codec == .xz { return try await run(input, targets) }
    return try await withScratch { scratch in
      // The spec names an .xz, and the chroot may lack the program for other formats.
      input.tarball = scratch.appending(PackageFileName.tarball(release.name, .xz))
      _ = try await Files.replace(input.tarball) { output in
        try await Tarball.write(
          release.tree, folder: release.name, codec: .xz, blocks: release.plan.blockLayout,
          time: release.plan.sourceDate, to: output)
      }
      return try await run(input, targets)
    }
  }

  private func run(_ release: Input, _ targets: [Target]) async throws -> [TargetResult] {
    try await withThrowingTaskGroup(of: (Int, TargetResult).self) { group in
      var outcomes: [TargetResult?] = Array(repeating: nil, count: targets.count)
      var next = 0
      func start() {
        guard next < targets.count else { return }
        let index = next
        next += 1
        group.addTask { (index, try await result(release, targets[index])) }
      }
      for _ in 0..<max(1, jobs) { start() }
      while let (index, outcome) = try await group.next() {
        outcomes[index] = outcome
        start()
      }
      return outcomes.compactMap { $0 }
    }
  }

  private static func input(_ release: Release) throws -> Input {
    guard let control = try release.tree["debian/control"]?.read(),
      let spec = try release.tree["\(release.plan.name).spec"]?.read()
    else {
      throw ReleaseError(
        .source, doing: "opening the release \(release.path)", reason: "it holds no packaging",
        advice: "add [packaging] to its manifest and cut again")
    }
    let rules = try release.tree["debian/rules"]?.read() ?? []
    return Input(
      name: release.name, tarball: Files.absolute(release.tarball), digest: release.sha256,
      packaging: ReleasePackaging(
        name: release.plan.name,
        debianControl: String(decoding: control, as: UTF8.self).components(before: "\nPackage:"),
        debianRules: String(decoding: rules, as: UTF8.self), spec: String(decoding: spec, as: UTF8.self)))
  }

  private func result(_ release: Input, _ target: Target) async throws -> TargetResult {
    let start = ContinuousClock.now
    func seconds() -> Double { (ContinuousClock.now - start).seconds }
    let log = Files.absolute(output).appending("\(release.name).\(target.name).log")
    do {
      let (folder, alreadyExisted) = try await build(release, target, log: log)
      let files = try await folder.verified()
      return TargetResult(
        target: target.name, status: alreadyExisted ? .existing : .built, folder: folder.path.string, files: files,
        seconds: seconds())
    } catch let error as ReleaseError {
      return TargetResult(
        target: target.name, status: .failed, seconds: seconds(), error: "\(error)",
        log: Files.exists(log) ? log.string : nil, failure: error)
    }
  }

  private func build(_ release: Input, _ target: Target, log: FilePath) async throws -> (ReleaseFolder, Bool) {
    var definition = target.root
    if buildsModules && target.kernels.isEmpty {
      throw ReleaseError(
        .input, doing: "building modules", reason: "the target names no kernels",
        remedy: PackagersRemedy.giveTargetKernels)
    }
    if target.cross != nil {
      throw ReleaseError(
        .input, doing: "building packages",
        reason: "the target only compiles modules for \(target.architecture), to see whether they can be compiled")
    }
    let offered = target.packageManager.choices(in: release.packaging)
    if let other = choices.first(where: { !offered.contains($0) }) {
      let list = offered.isEmpty ? "none" : offered.map(\.description).joined(separator: ", ")
      throw ReleaseError(
        .input, doing: "building \(release.name)",
        reason: "its packaging for .\(target.format.rawValue) does not offer '\(other)'; it offers: \(list)")
    }
    target.packageManager.addBuildDependencies(release.packaging, to: &definition)
    if !buildsModules { definition.packages.removeAll { target.kernels.contains($0) } }
    definition.packages.sort()
    let name = try definition.key
    var inputs = Inputs(
      release: release.name, tarball: release.digest, target: target.digest, chroot: name,
      packages: chroots.record(of: name)?.identity, modules: buildsModules,
      choices: choices.isEmpty ? nil : choices.map(\.description))
    let folder = ReleaseFolder(Files.absolute(output).appending("\(release.name).\(target.name)"))
    func alreadyExists() throws -> Bool {
      guard Files.exists(folder.path) else { return false }
      let read = Result { try JSON.decode(Inputs.self, from: Files.read(folder.path.appending("build.json"))) }
      let known = try? read.get()
      // If the chroot no longer exists, the packages count as current.
      if inputs.packages == nil { inputs.packages = known?.packages }
      if known == inputs { return true }
      guard replaces else {
        var reason = "\(folder.path) exists, and was built from something else"
        var cause: (any Error)?
        if case .failure(let error as DecodingError) = read {
          reason = "\(folder.path) exists, and its build.json is damaged: \(error.reason)"
          cause = error
        }
        throw ReleaseError(
          .conflict, doing: "building", reason: reason, remedy: PackagersRemedy.replacePackages, cause: cause)
      }
      return false
    }
    if chroots.refresh == nil, try alreadyExists() { return (folder, true) }
    let chroot = try await chroots.chroot(definition, progress: progress)
    inputs.packages = chroot.record.identity
    if try alreadyExists() { return (folder, true) }
    try await folder.create(replacing: replaces) { part in
      try await progress.step("building for \(target.name)") {
        try await chroot.use { session in
          try await build(release, target, in: session, to: part, log: log)
        }
      }
      try Files.write(try JSON.encode(inputs), to: part.appending("build.json"))
      try await ReleaseFolder.writeChecksums(in: part)
    }
    return (folder, false)
  }

  private func build(
    _ release: Input, _ target: Target, in session: ChrootSession, to part: FilePath, log: FilePath
  ) async throws {
    let doing = "building"
    let manager = target.packageManager
    let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / max(1, jobs))
    let outcome = try await session.run(
      manager.build(
        tarball: release.tarball.name, of: release.packaging, release: release.name, withModules: buildsModules,
        choices: choices, for: target),
      folders: ["/release": release.tarball.removingLastComponent()],
      environment: manager.buildEnvironment(for: target, cores: cores), doing: doing)
    let written = session.written("/build.log")
    let text = Files.exists(written) ? try Files.read(written) : Array(outcome.errors.utf8)
    guard outcome.succeeded else {
      try Files.replace(log, with: text)
      let words = String(decoding: text, as: UTF8.self)
      if session.isFull || words.contains("No space left on device") {
        throw ReleaseError(errno: ENOSPC, doing: doing, advice: "free some space, or set TMPDIR to another folder")
      }
      let reason = BinaryBuilder.complaint(in: words) ?? outcome.complaint
      throw ReleaseError(.failed, doing: doing, reason: reason, advice: "see \(log)")
    }
    let packages = session.written("/packages")
    for name in try Files.names(in: packages) {
      try Files.move(packages.appending(bytes: name), to: part.appending(bytes: name))
    }
    try Files.write(text, to: part.appending("build.log"))
  }

  /// The errors in a log: the first error that a program reports, and the last line.
  ///
  /// The lines between come from each make and script that ended because of it.
  static func complaint(in log: String) -> String? {
    let lines = log.split(separator: "\n").map { $0.trimmed }.filter { !$0.isEmpty }
    guard let last = lines.last else { return nil }
    let first = lines.first { $0.hasPrefix("error: ") || $0.contains(": error: ") || $0.contains(": fatal error: ") }
    return [first, last].compactMap(\.self).reduce(into: []) { if $0.last != $1 { $0.append($1) } }
      .joined(separator: " … ")
  }
}

extension String {
  /// The text before the first `mark`, or all of it.
  fileprivate func components(before mark: String) -> String {
    firstRange(of: mark).map { String(self[..<$0.lowerBound]) + "\n" } ?? self
  }
}
