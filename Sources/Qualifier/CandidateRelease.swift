// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Model
import Packagers
import Releases
import SystemPackage
import Verdicts

/// A release whose packages are qualified.
package struct CandidateRelease: Sendable {
  package let release: Release
  package let packages: [DKMSPackage]
  /// The smoke script, which runs in guests.
  let smoke: [UInt8]?
  /// The scripts of a pair of guests, by what each is for.
  let pair: [Verdict.Against.Role: [UInt8]]

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
    func script(_ path: String, _ key: String) throws -> [UInt8] {
      guard let entry = release.tree[path] else {
        throw ReleaseError(
          .input, doing: doing, reason: "its script \(path) is not in the tree",
          advice: "correct \(key) of the manifest")
      }
      return try entry.read()
    }
    let qualify = release.manifest.qualify
    smoke = try qualify.smoke.map { try script($0, "[qualify] smoke") }
    pair =
      try qualify.pair.map {
        [
          .service: try script($0.service, "[qualify.pair] service"),
          .client: try script($0.client, "[qualify.pair] client"),
        ]
      } ?? [:]
  }

  /// The package whose modules a guest of a pair has.
  ///
  /// - Throws: `ReleaseError` if the manifest says nothing of pairs, or names a variant that is not there.
  func package(as role: Verdict.Against.Role) throws -> DKMSPackage {
    let doing = "choosing what to qualify"
    guard let pair = manifest.qualify.pair else {
      throw ReleaseError(
        .input, doing: doing, reason: "the manifest of \(name) does not say how a service and a client are tried",
        advice: "add [qualify.pair] to it, see docs/manifest.md")
    }
    let variant = role == .client ? pair.clientVariant : pair.serviceVariant
    guard let found = packages.first(where: { $0.package.variant == variant }) else {
      throw ReleaseError(
        .input, doing: doing, reason: "\(name) has no variant '\(variant)'",
        advice: "correct [qualify.pair] of its manifest")
    }
    return found
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

  /// The digest of that file; nil if the release has none.
  func digest(of dkms: DKMSPackage, _ format: Target.Format) throws -> SHA256Digest? {
    try file(of: dkms, format).map { try Files.digest($0).0 }
  }
}
