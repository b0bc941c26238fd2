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
  func files(for definition: ChrootDefinition) -> [String: String]

  /// The commands that make a chroot in a folder that does not exist, one after the other.
  func commands(for definition: ChrootDefinition, in chroot: FilePath, scratch: FilePath) async throws
    -> [BootstrapCommand]

  /// Whether it adds packages to a chroot that it has made. If not, each chroot is made whole.
  var addsPackages: Bool { get }

  /// What adds packages, and keeps others in `/later`; nil if there are none.
  ///
  /// - Parameter folders: the chroot as it lies in the cache, each folder on top of the next.
  func addition(_ packages: [String], later: [String], to folders: [FilePath]) -> ChrootAddition?
}

extension Bootstrapper {
  var addsPackages: Bool { false }
  func addition(_ packages: [String], later: [String], to folders: [FilePath]) -> ChrootAddition? { nil }
}

/// A command of a bootstrapper: the program and its arguments, and what it reads from standard input.
struct BootstrapCommand: Sendable, Equatable {
  var words: [String]
  var input: [UInt8] = []
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
    try await withScratch { scratch in
      for (path, text) in files(for: definition) {
        let file = scratch.appending(path)
        try Files.makeFolder(file.removingLastComponent())
        try Files.write(Array(text.utf8), to: file)
      }
      for command in try await commands(for: definition, in: part, scratch: scratch) {
        try await Self.run(command.words, input: command.input, in: scratch, doing: doing)
      }
    }
  }

  /// What is installed in a chroot and what lies in it for later, sorted: name, version and architecture a line.
  func packages(in chroot: FilePath, doing: String) async throws -> [String] {
    let outcome = try await Command("chroot", [chroot.string] + packageManager.list).check(doing: doing)
    return (outcome.text.split(separator: "\n").map(String.init) + (try chroot.keptForLater)).sorted()
  }

  /// Runs what makes a chroot in a mount and process namespace of its own, so that nothing stays mounted or running.
  private static func run(_ words: [String], input: [UInt8] = [], in folder: FilePath, doing: String) async throws {
    var sandbox = Sandbox.leavingNothing
    sandbox.directory = folder
    var command = sandbox.command(words[0], Array(words.dropFirst()))
    command.environment.merge(ProxyEnvironment.values) { $1 }
    let outcome = try await command.run(input: input, doing: doing)
    guard outcome.succeeded else { throw outcome.bootstrapFailure(of: words[0], doing: doing) }
  }
}

extension FilePath {
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
  /// - Parameter program: the program of this machine that failed; nil for one of the chroot.
  func bootstrapFailure(of program: String?, doing: String) -> ReleaseError {
    if let program, status == .exited(127) {
      return ReleaseError(
        .missingTool, doing: doing, reason: "the program \(program) is not installed",
        advice: "on Debian: apt-get install \(program)")
    }
    // The first error of apt or dnf; the last line only says that it failed.
    let cause =
      (errors + "\n" + text).split(separator: "\n").map { $0.trimmed }.first {
        ["E: ", "Error: "].contains(where: $0.hasPrefix) || $0.contains(" Depends: ") && $0.contains(" but ")
      } ?? complaint
    let remedy: (any Remedy)? =
      if ["No space left", "enough free space"].contains(where: cause.contains) {
        DistributionsRemedy.freeSpaceInCache
      } else if ["fetch", "download"].contains(where: cause.contains) {
        Advice("is its archive reachable?")
      } else {
        nil
      }
    let said = program.map { "\($0): \(cause)" } ?? cause
    return ReleaseError(.failed, doing: doing, reason: said.cut(to: 1000), remedy: remedy)
  }
}
