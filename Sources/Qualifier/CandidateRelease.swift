// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Packagers
import Releases
import SystemPackage

/// A release whose packages are tried.
package struct CandidateRelease: Sendable {
  package let release: Release
  package let packages: [DKMSPackage]
  /// The script that is run in guests.
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
        .source, doing: doing, reason: "it is not there", advice: "name a folder that 'lrelease cut' has made")
    }
    if !Files.isFolder(path) { path.removeLastComponent() }
    let release = try await Release(opening: path, progress: progress)
    self.release = release
    packages = try release.manifest.packages(with: release.plan.extras).map { package in
      try DKMSPackage(package, plan: release.plan, manifest: release.manifest)
    }
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
      return entry.bytes
    }
  }

  /// The file of a package in one format, or nil when it is not made in that.
  func file(of dkms: DKMSPackage, _ format: Target.Format) throws -> FilePath? {
    let file =
      switch format {
      case .deb: dkms.package.deb.map { PackageFileName.deb($0.name, dkms.version) }
      case .rpm: dkms.package.rpm.map { PackageFileName.rpm($0.name, dkms.version) }
      }
    guard let file else { return nil }
    guard release.artifact(named: file) != nil else {
      throw ReleaseError(
        .source, doing: "opening the release \(folder)", reason: "there is no \(file)", advice: "get the release whole")
    }
    return folder.appending(file)
  }
}
