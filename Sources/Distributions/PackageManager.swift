// SPDX-License-Identifier: GPL-2.0-only

import Model
import SystemPackage

/// A distribution's own tool for packages. Commands are run in a chroot without network.
///
/// Each is a type in a file of its own, and `Target.Format.packageManager` chooses it.
package protocol PackageManager: Sendable {
  /// The format of its packages.
  var format: Target.Format { get }

  // MARK: commands

  /// Installs files, or upgrades to them.
  func install(_ files: [String]) -> [String]
  func reinstall(_ files: [String]) -> [String]
  /// Removes packages, with their configuration.
  func remove(_ names: [String]) -> [String]
  /// Prints what is half-installed or broken, and nothing when all is well.
  var audit: [String] { get }
  /// Prints the files that are not as their packages brought them, each with what is wrong with it, and nothing when all
  /// are.
  var verification: [String] { get }
  /// Prints the installed packages, one a line: name, version and architecture.
  var list: [String] { get }
  /// Prints which packages own files and folders. Some of them may not exist: then it fails, but prints the others.
  func owners(of paths: [String]) -> [String]
  /// The packages that the output of `owners(of:)` names, sorted.
  func owners(in output: String) -> [String]

  // MARK: packages

  /// What a package file needs and provides. Asks a tool of this machine.
  func relations(of file: FilePath, doing: String) async throws -> PackageRelations
  /// The name of the file of an architecture-independent package of a release.
  func fileName(of package: String, _ version: ReleaseVersion) -> String

  // MARK: building

  /// Adds to a definition what a chroot needs to build packages of a release.
  func addBuildDependencies(_ packaging: ReleasePackaging, to definition: inout ChrootDefinition)
  /// The choices that the packaging offers for this format, sorted.
  func choices(in packaging: ReleasePackaging) -> [PackagingChoice]
  /// Builds the packages of a release from its tarball, which lies in `/release`, to `/packages`.
  ///
  /// - Parameter choices: some of those that the packaging offers.
  func build(
    tarball: String, of packaging: ReleasePackaging, release: String, withModules: Bool, choices: [PackagingChoice],
    for target: Target
  ) -> [String]
  /// What that command reads from its environment.
  func buildEnvironment(for target: Target, cores: Int) -> [String: String]
}

/// What a package needs of others, and what it is itself.
package struct PackageRelations: Sendable, Equatable {
  package var required: Set<String>
  package var provided: Set<String>
}

extension PackageManager {
  /// What built packages need of the distribution, as a chroot's definition names it.
  package func dependencies(of files: [FilePath], doing: String) async throws -> [String] {
    var required: Set<String> = []
    var provided: Set<String> = []
    for file in files {
      let relations = try await relations(of: file, doing: doing)
      required.formUnion(relations.required)
      provided.formUnion(relations.provided)
    }
    return required.subtracting(provided).sorted()
  }
}

extension Target.Format {
  /// The one place that chooses a package manager.
  package var packageManager: any PackageManager {
    switch self {
    case .deb: Apt()
    case .rpm: Dnf()
    }
  }
}

extension Target {
  package var packageManager: any PackageManager { format.packageManager }
}
