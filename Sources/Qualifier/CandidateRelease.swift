// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Model
import Packagers
import Releases
import SystemPackage

/// A release whose packages are qualified.
package struct CandidateRelease: Sendable {
  package let release: Release
  package let packages: [DKMSPackage]
  /// The smoke script, which runs in guests.
  let smoke: [UInt8]?

  package var folder: FilePath { release.path }
  package var name: String { release.name }
  package var plan: Plan { release.plan }
  package var manifest: Manifest { release.manifest }
  var digest: SHA256Digest { release.sha256 }

  /// - Parameter path: a release folder, or the tarball in it.
  package init(_ path: FilePath, progress: Progress) async throws {
    var path = Files.absolute(path)
    let doing = "opening the release \(path)"
    guard Files.exists(path) else {
      throw ReleaseError(
        .source, doing: doing, reason: "it is not there", remedy: ReleasesRemedy.nameReleaseFolder)
    }
    if !Files.isFolder(path) { path.removeLastComponent() }
    let release = try await Release(opening: path, progress: progress)
    self.release = release
    let context = try PackagingContext(release.plan, release.manifest)
    packages = try context.packages.map { try DKMSPackage($0, in: context) }
    guard !packages.isEmpty else {
      throw ReleaseError(
        .input, doing: doing, reason: "it has no packages to qualify", advice: "add [[packages]] to its manifest")
    }
    smoke = try release.manifest.qualify.smoke.map { script in
      guard let entry = release.tree[script] else {
        throw ReleaseError(
          .input, doing: doing, reason: "its smoke script \(script) is not in the tree",
          advice: "correct [qualify] smoke of the manifest")
      }
      return try entry.read()
    }
  }

  /// The file of a package in one format; nil if the release has none.
  func file(of dkms: DKMSPackage, _ format: Target.Format) throws -> FilePath? {
    guard let relations = dkms.package.relations(format) else { return nil }
    let file = format.packageManager.fileName(of: relations.name, dkms.version)
    guard release.artifact(named: file) != nil else {
      throw ReleaseError(
        .source, doing: "opening the release \(folder)", reason: "there is no \(file)",
        advice: "get the complete release")
    }
    return folder.appending(file)
  }
}
