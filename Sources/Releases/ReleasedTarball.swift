// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Model
import SystemPackage

/// A release tarball, read whole and found to be as its own list of origins says.
package struct ReleasedTarball: Sendable {
  package let path: FilePath
  /// Of the tarball as it lies there, compressed.
  package let sha256: SHA256Digest
  package let plan: Plan
  /// The manifest in the plan.
  package let manifest: Manifest
  /// Of its plan.json: which release it is, however the tarball is compressed.
  package let planDigest: SHA256Digest
  /// Every file with its origin, the records of the release among them.
  package let tree: ReleaseTree
  package let codec: Codec

  /// - Throws: `ReleaseError` with code `source` for what is no release of lrelease, `different` for one that was changed.
  package init(reading path: FilePath, progress: Progress) async throws {
    let doing = "opening the release \(path)"
    let archive = try ArchiveFile(path)
    let sha256 = try await archive.digest()
    let files = try await archive.read(progress: progress).files
    guard let planFile = files[Tarball.planPath] else {
      throw ReleaseError(
        .source, doing: doing, reason: "it holds no \(Tarball.planPath)", advice: "it is not a release made by lrelease"
      )
    }
    let records = try Tarball.records(in: files, doing: doing)
    let verification = Tarball.verify(files, against: records)
    guard verification.isGood else {
      throw ReleaseError(
        .different, doing: doing, reason: verification.findings.shortened,
        remedy: ReleasesRemedy.getTarballAgain)
    }
    self.path = path
    self.sha256 = sha256
    let planBytes = try planFile.content.readFile()
    plan = try Plan(parsing: planBytes, doing: "\(doing), its plan")
    manifest = try plan.parsedManifest()
    // The name becomes that of a folder, and the plan may come from a stranger.
    guard plan.name == manifest.name, try !plan.releaseName.contains("/") else {
      throw ReleaseError(
        .unverified, doing: doing, reason: "its plan says \(plan.name) \(plan.version), its manifest \(manifest.name)")
    }
    planDigest = SHA256Digest(of: planBytes)
    codec = try archive.codec ?? .xz
    var tree = ReleaseTree()
    let origins = Dictionary(records.map { ($0.path, $0.origin) }) { $1 }
    for (path, file) in files {
      tree[path] = TreeEntry(
        content: file.content, isExecutable: file.isExecutable, origin: origins[path] ?? Tarball.ownOrigin)
    }
    self.tree = tree
  }
}
