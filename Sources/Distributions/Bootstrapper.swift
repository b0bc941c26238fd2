// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import SystemPackage

/// Makes the chroots of a distribution. Each is a type in its own file, which gives arguments; this file runs the
/// commands and interprets their errors.
protocol Bootstrapper: Sendable {
  /// The package manager of the chroots that it makes.
  var packageManager: any PackageManager { get }

  func makes(_ definition: ChrootDefinition) -> Bool

  /// Files that its commands read, by their path in the scratch folder.
  func files(for definition: ChrootDefinition) -> [String: [UInt8]]

  /// The commands that make a chroot in a folder that does not exist, one after the other.
  func commands(for definition: ChrootDefinition, in chroot: FilePath, scratch: FilePath) async throws
    -> [BootstrapCommand]

  /// Whether it adds packages to a chroot that it has made. If not, each chroot is made whole.
  var addsPackages: Bool { get }

  /// What adds packages, and keeps others in `/later`; nil if there are none.
  ///
  /// - Parameter folders: the chroot as it lies in the cache, each folder on top of the next.
  func addition(
    _ packages: [String], later: [String], to definition: ChrootDefinition, in folders: [FilePath]
  ) -> ChrootAddition?
}

extension Bootstrapper {
  var addsPackages: Bool { false }
  func addition(
    _ packages: [String], later: [String], to definition: ChrootDefinition, in folders: [FilePath]
  ) -> ChrootAddition? { nil }
}

/// A command of a bootstrapper: the program and its arguments, and what it reads from standard input.
struct BootstrapCommand: Sendable, Equatable {
  var words: [String]
  var input: [UInt8] = []
  /// What messages call it.
  var program: String
  var environment: [String: String] = [:]

  init(words: [String], input: [UInt8] = [], program: String? = nil, environment: [String: String] = [:]) {
    self.words = words
    self.input = input
    self.program = program ?? words[0]
    self.environment = environment
  }
}

extension ChrootDefinition {
  /// A new one is added here.
  static let bootstrappers: [any Bootstrapper] = [DnfInstallroot(), Mmdebstrap()]

  func bootstrapper(
    among bootstrappers: [any Bootstrapper] = Self.bootstrappers, doing: String
  ) throws -> any Bootstrapper {
    guard let chosen = bootstrappers.first(where: { $0.makes(self) }) else {
      throw ReleaseError(
        .input, doing: doing, reason: "the target names neither suites nor repositories", advice: "correct its [root]")
    }
    return chosen
  }
}

extension Bootstrapper {
  /// Makes the chroot of a definition in a folder that is not there.
  func make(_ definition: ChrootDefinition, in part: FilePath, doing: String) async throws {
    try definition.demandKeys(doing: doing)
    try await withScratch { scratch in
      try scratch.write(files(for: definition))
      for command in try await commands(for: definition, in: part, scratch: scratch) {
        try await Self.run(command, of: definition, in: scratch, doing: doing)
      }
    }
  }

  /// What is installed in a chroot and what lies in it for later, sorted: name, version and architecture a line.
  func packages(in chroot: FilePath, doing: String) async throws -> [String] {
    let outcome = try await Command("chroot", [chroot.string] + packageManager.list).check(doing: doing)
    return (outcome.text.split(separator: "\n").map(String.init) + (try chroot.keptForLater)).sorted()
  }

  /// Runs what makes a chroot in a mount and process namespace of its own, so that nothing stays mounted or running.
  private static func run(
    _ step: BootstrapCommand, of definition: ChrootDefinition, in folder: FilePath, doing: String
  ) async throws {
    var sandbox = Sandbox.leavingNothing
    sandbox.directory = folder
    var command = sandbox.command(step.words[0], Array(step.words.dropFirst()))
    command.environment.merge(ProxyEnvironment.values) { $1 }
    command.environment.merge(step.environment) { $1 }
    let outcome = try await command.run(input: step.input, doing: doing)
    guard outcome.succeeded else {
      let cache = folder.appending("cache")
      throw outcome.bootstrapFailure(of: step.program, making: definition, cache: cache, doing: doing)
    }
  }
}

extension FilePath {
  /// Writes files by their path in this folder.
  func write(_ files: [String: [UInt8]]) throws {
    for (path, bytes) in files {
      let file = appending(path)
      try Files.makeFolder(file.removingLastComponent())
      try Files.write(bytes, to: file)
    }
  }

  /// The files in `/later` of a chroot's folder.
  var keptForLater: [String] {
    get throws {
      let later = appending("later")
      return Files.exists(later) ? try Files.names(in: later).map { String(decoding: $0, as: UTF8.self) } : []
    }
  }
}

extension Command.Outcome {
  /// Why a chroot or a layer of it could not be made.
  ///
  /// - Parameters:
  ///   - program: the program of this machine that failed; nil for one of the chroot.
  ///   - cache: where dnf put what it downloaded; nil for another program.
  func bootstrapFailure(
    of program: String?, making definition: ChrootDefinition, cache: FilePath? = nil, doing: String
  ) -> ReleaseError {
    if let program, status == .exited(127) {
      return ReleaseError(
        .missingTool, doing: doing, reason: "the program \(program) is not installed",
        advice: "on Debian: apt-get install \(program)")
    }
    func said(_ words: String) -> String { (program.map { "\($0): \(words)" } ?? words).cut(to: 1000) }
    let complaint = BootstrapComplaint(errors + "\n" + text, of: definition, cache: cache)
    if let refusal = complaint.refusal {
      return ReleaseError(
        .unverified, doing: doing, reason: said(refusal),
        advice: "correct the keys in \(definition.place), or use another mirror")
    }
    let cause = complaint.cause ?? self.complaint
    let remedy: (any Remedy)? =
      if ["No space left", "enough free space"].contains(where: cause.contains) {
        DistributionsRemedy.freeSpaceInCache
      } else if complaint.isWithoutMirrors {
        Advice("correct the list of mirrors in \(definition.place), or give a url there")
      } else if ["fetch", "download"].contains(where: cause.lowercased().contains) {
        Advice("is its archive reachable?")
      } else {
        nil
      }
    return ReleaseError(.failed, doing: doing, reason: said(cause), remedy: remedy)
  }
}

extension ChrootDefinition {
  /// What messages call the place where it is written.
  var place: String { file.map { "the target \($0)" } ?? "the target" }

  /// Throws `ReleaseError` with code `input` if a file of keys is not there.
  func demandKeys(doing: String) throws {
    for key in [keyring].compactMap(\.self) + repositories.flatMap({ $0.keys ?? [] })
    where !key.isURL && key.bytes == nil {
      throw ReleaseError(
        .input, doing: doing, reason: "\(key.name), the file of keys that \(place) names, is not there",
        advice: "install the package that has it, or put the keys beside the target")
    }
  }
}
