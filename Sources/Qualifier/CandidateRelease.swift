// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Packagers
import Releases
import SystemPackage

/// A release whose packages are tried: its folder, with what the tarball says of it.
package struct CandidateRelease: Sendable {
  package let folder: FilePath
  package let name: String
  package let tarball: FilePath
  package let plan: Plan
  package let manifest: Manifest
  package let packages: [DKMSPackage]
  let digest: SHA256Digest
  /// The script that is run in guests.
  let smoke: [UInt8]?

  /// - Parameter path: a release folder, or the tarball in it.
  package init(_ path: FilePath, progress: Progress) async throws {
    var path = Files.absolute(path)
    let doing = "opening the release \(path)"
    guard Files.exists(path) else {
      throw ReleaseError(
        .source, doing: doing, reason: "it is not there", advice: "name a folder that 'lrelease cut' has made")
    }
    if !Files.isFolder(path) { path.removeLastComponent() }
    folder = path
    name = path.lastComponent?.string ?? ""
    tarball = path.appending("\(name).tar.xz")
    guard Files.exists(tarball) else {
      throw ReleaseError(
        .source, doing: doing, reason: "there is no \(tarball)", advice: "name a folder that 'lrelease cut' has made")
    }
    let released = try await Release(opening: tarball, progress: progress)
    plan = released.plan
    manifest = released.manifest
    digest = released.sha256
    packages = try released.manifest.packages(with: released.plan.extras).map { package in
      try DKMSPackage(package, plan: released.plan, manifest: released.manifest)
    }
    guard !packages.isEmpty else {
      throw ReleaseError(
        .input, doing: doing, reason: "it has no packages to qualify", advice: "add [[packages]] to its manifest")
    }
    smoke = try released.manifest.qualify.smoke.map { script in
      guard let entry = released.tree[script] else {
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
    let path = folder.appending(file)
    guard Files.exists(path) else {
      throw ReleaseError(
        .source, doing: "opening the release \(folder)", reason: "there is no \(file)", advice: "get the release whole")
    }
    return path
  }
}
