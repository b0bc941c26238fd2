// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// A release on disk, opened and verified: the files of its folder are those that SHA256SUMS lists, plan.json is the
/// one in the tarball, and the tarball holds what its list of origins says.
package struct Release: Sendable {
  /// As it was given: a release folder, or a tarball.
  package let path: FilePath
  /// nil for a tarball, even inside its release folder: the files beside it are not looked at.
  package let folder: ReleaseFolder?
  /// The folder whose SHA256SUMS lists the tarball: the release folder, or where the tarball lies; nil where none does.
  package let listing: ReleaseFolder?
  /// The files of the release folder; none for a tarball alone.
  package let artifacts: [Artifact]
  package let tarball: FilePath
  /// Of the compressed tarball.
  package let sha256: SHA256Digest
  package let codec: Codec
  /// `sample-7.4`, whatever the folder is called.
  package let name: String
  package let plan: Plan
  /// The manifest in the plan.
  package let manifest: Manifest
  /// Of its plan.json: which release it is, however the tarball is compressed.
  package let planDigest: SHA256Digest
  /// Every file with its origin, the records of the release among them.
  package let tree: ReleaseTree

  /// - Parameters:
  ///   - path: a release folder, or a tarball.
  ///   - judge: replaces the usual error if the tarball differs from its list of origins. It is always called.
  /// - Throws: `ReleaseError` with code `source` if it is not a release of lrelease, `different` if it was changed.
  package init(
    opening path: FilePath, progress: Progress, judge: ((Tarball.Verification) throws -> Void)? = nil
  ) async throws {
    guard Files.isFolder(path) else {
      try await self.init(path, nil, [], TarballContent(reading: path, progress: progress), judge)
      return
    }
    let folder = ReleaseFolder(path)
    let artifacts = try await folder.whole()
    guard let tarball = artifacts.first(where: { $0.kind == .tarball }), artifacts.contains(where: { $0.kind == .plan })
    else {
      throw ReleaseError(
        .source, doing: "opening the release \(path)", reason: "it holds no tarball with its \(ReleaseFolder.plan)",
        advice: "get the complete release")
    }
    let content = try await TarballContent(reading: path.appending(tarball.name), progress: progress)
    try self.init(path, folder, artifacts, content, judge)
  }

  /// A tarball alone.
  package init(_ content: TarballContent) throws { try self.init(content.path, nil, [], content, nil) }

  private init(
    _ path: FilePath, _ folder: ReleaseFolder?, _ artifacts: [Artifact], _ content: TarballContent,
    _ judge: ((Tarball.Verification) throws -> Void)?
  ) throws {
    let doing = "opening the release \(path)"
    guard let planFile = content.files[Tarball.planPath] else {
      throw ReleaseError(
        .source, doing: doing, reason: "it holds no \(Tarball.planPath)", advice: "it is not a release made by lrelease"
      )
    }
    let records = try Tarball.records(in: content.files, doing: doing)
    let verification = Tarball.verify(content.files, against: records)
    if let judge { try judge(verification) } else { try verification.demandGood(doing: doing) }

    self.path = path
    self.folder = folder
    self.artifacts = artifacts
    listing = content.listing
    tarball = content.path
    sha256 = content.sha256
    codec = content.codec
    let planBytes = try planFile.content.readFile()
    plan = try Plan(parsing: planBytes, doing: "\(doing), its plan")
    manifest = try plan.parsedManifest()
    name = try plan.releaseName
    // The name becomes that of a folder, and the plan may be untrusted.
    guard plan.name == manifest.name, !name.utf8.contains(0x2f) else {
      throw ReleaseError(
        .unverified, doing: doing, reason: "its plan says \(plan.name) \(plan.version), its manifest \(manifest.name)")
    }
    guard content.topFolder?.isSameInBytes(name) == true else {
      throw ReleaseError(
        .unverified, doing: doing,
        reason: "its plan says \(plan.name) \(plan.version), and its files lie in \(content.topFolder ?? "no folder")")
    }
    let known = manifest.extras
    if let extra = plan.extras.first(where: { known[$0] == nil }) {
      throw ReleaseError(
        .unverified, doing: doing,
        reason: "its plan says that it has the extra \(extra), which its manifest does not have")
    }
    planDigest = planFile.content.sha256
    if let beside = artifacts.first(where: { $0.kind == .plan }), beside.sha256 != planDigest {
      throw ReleaseError(
        .different, doing: doing, reason: "\(ReleaseFolder.plan) is not the plan in its tarball",
        advice: "get the complete release")
    }
    var tree = ReleaseTree()
    let origins = ByPath(records.map { ($0.path, $0.origin) })
    for (path, file) in content.files {
      tree[path] = TreeEntry(
        content: file.content, isExecutable: file.isExecutable, origin: origins[path] ?? Tarball.ownOrigin)
    }
    self.tree = tree
  }

  /// The only file of a kind, or the first of them.
  package func artifact(_ kind: Artifact.Kind) -> Artifact? { artifacts.first { $0.kind == kind } }

  package func artifact(named name: String) -> Artifact? { artifacts.first { $0.name == name } }
}
