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
    for key in [definition.keyring].compactMap(\.self) + definition.repositories.flatMap({ $0.keys ?? [] })
    where !key.isURL && key.bytes == nil {
      throw ReleaseError(
        .input, doing: doing, reason: "\(key.name), the file of keys that \(definition.place) names, is not there",
        advice: "install the package that has it, or put the keys beside the target")
    }
    try await withScratch { scratch in
      for (path, bytes) in files(for: definition) {
        let file = scratch.appending(path)
        try Files.makeFolder(file.removingLastComponent())
        try Files.write(bytes, to: file)
      }
      for command in try await commands(for: definition, in: part, scratch: scratch) {
        try await Self.run(command, of: definition, in: scratch, doing: doing)
      }
    }
  }

  /// What is installed in a chroot and what lies in it for later, sorted: name, version and architecture a line.
  func packages(in chroot: FilePath, doing: String) async throws -> [String] {
    let outcome = try await Command("chroot", [chroot.string] + packageManager.list).check(doing: doing)
    let later = chroot.appending("later")
    let names = Files.exists(later) ? try Files.names(in: later) : []
    return (outcome.text.split(separator: "\n").map(String.init) + names.map { String(decoding: $0, as: UTF8.self) })
      .sorted()
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
    guard !outcome.succeeded else { return }
    if outcome.status == .exited(127) {
      throw ReleaseError(
        .missingTool, doing: doing, reason: "the program \(step.program) is not installed",
        advice: "on Debian: apt-get install \(step.program)")
    }
    let complaint = BootstrapComplaint(outcome.errors, of: definition, cache: folder.appending("cache"))
    if let refusal = complaint.refusal {
      throw ReleaseError(
        .unverified, doing: doing, reason: "\(step.program): \(refusal.cut(to: 1000))",
        advice: "correct the keys in \(definition.place), or use another mirror")
    }
    let cause = complaint.cause ?? outcome.complaint
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
    throw ReleaseError(.failed, doing: doing, reason: "\(step.program): \(cause.cut(to: 1000))", remedy: remedy)
  }
}

extension ChrootDefinition {
  /// What messages call the place where it is written.
  var place: String { file.map { "the target \($0)" } ?? "the target" }
}
