// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Diagnostics
import Files
import Model
import Packagers
import Releases
import SystemPackage

/// Makes a release again from its tarball alone, or a changed one, as a vendor does.
package struct Rebuild: Sendable {
  package struct Report: Sendable, Encodable {
    package var made: Cut.Report
    /// The original release.
    package var basedOn: String
    /// No change was requested; the result was compared with the tarball and is identical.
    package var isUnchanged: Bool
    /// What the result was compared with, byte for byte: SHA256SUMS with all files, or the tarball alone.
    package var comparedWith: String?
    /// The .rpm files that only differ in their signatures, which cannot be reproduced.
    package var signaturesDiffer: [String]?
  }

  /// Where and how the release is written.
  package var output: FilePath
  /// Signs the result; nil for an unsigned release.
  package var signer: SigningKey?
  /// The folder where compressed blocks are kept; nil for nowhere.
  package var cache: FilePath?
  package var progress: Progress

  package init(output: FilePath, signer: SigningKey? = nil, cache: FilePath?, progress: Progress) {
    self.output = output
    self.signer = signer
    self.cache = cache
    self.progress = progress
  }

  package func run(_ path: FilePath, _ request: RebuildRequest) async throws -> Report {
    let released = try await Release(opening: path, progress: progress)
    let code = try PackagingTree.code(of: released.tree, in: PackagingContext(released.plan, released.manifest))
    let cut = cut(released)
    if request.changesNothing { return try await repeated(released, code, cut) }

    try checkPackagingIsNotPatched(request, released, code)
    let (plan, tree) = try await Planner.rebuild(released, code, request, progress: progress)
    try warnOfOrder(released.plan.version, plan.version)
    let made = try await cut.run(plan, released.manifest, remedy: OperationsRemedy.giveNumber) { tree }
    return Report(made: made, basedOn: released.name, isUnchanged: false)
  }

  private func cut(_ released: Release) -> Cut {
    Cut(output: output, codec: released.codec, signer: signer, cache: cache, progress: progress)
  }

  /// Makes the release of a candidate: the same code, with packages that state what the verdicts prove.
  ///
  /// - Parameter prove: adds the proven kernels to the plan.
  package func run(_ path: FilePath, proving prove: (Plan) throws -> Plan) async throws -> Report {
    let released = try await Release(opening: path, progress: progress)
    let code = try PackagingTree.code(of: released.tree, in: PackagingContext(released.plan, released.manifest))
    let made = try await cut(released)
      .run(try prove(try await completePlan(of: released)), released.manifest, remedy: ReleasesRemedy.chooseOtherOutput)
    { code }
    return Report(made: made, basedOn: released.name, isUnchanged: false)
  }

  /// The plan with the text of its patches, if the release folder has it.
  private func completePlan(of released: Release) async throws -> Plan {
    var plan = released.plan
    if let folder = released.listing?.path { try await PatchArchive.complete(&plan, from: folder, progress: progress) }
    if plan.format > 1, !plan.ownPatches.isEmpty, !PatchArchive.isNeeded(for: plan) {
      progress.note(
        "\(PackageFileName.patches(released.name)) is not made: the text of patches is not in the tarball, "
          + "and no release folder is here that has it")
    }
    return plan
  }

  // MARK: an identical rebuild

  private func repeated(_ released: Release, _ code: ReleaseTree, _ cut: Cut) async throws -> Report {
    let original = released.listing
    var differing: [String] = []
    let made = try await cut.run(
      try await completePlan(of: released), released.manifest, remedy: ReleasesRemedy.chooseOtherOutput,
      check: { part in differing = try compare(part, released, original) },
      code: {
        try checkTree(code, released)
        return code
      })
    return Report(
      made: made, basedOn: released.name, isUnchanged: true,
      comparedWith: made.alreadyExisted
        ? nil : Files.absolute(original?.path.appending(ReleaseFolder.checksums) ?? released.path).string,
      signaturesDiffer: differing.isEmpty ? nil : differing)
  }

  private func doing(_ released: Release) -> String { "making \(released.path) again" }

  /// Generated packaging and records must equal those of the release.
  private func checkTree(_ code: ReleaseTree, _ released: Release) throws {
    let tree = try Cut.complete(code, in: PackagingContext(released.plan, released.manifest)).tree
    let paths = PathSet(tree.entries.keys).union(released.tree.entries.keys)
    let different = paths.filter { tree[$0] != released.tree[$0] }.sortedByBytes()
    guard different.isEmpty else {
      // The list of origins differs whenever a file does.
      let named = different.filter { $0 != Tarball.originsPath }
      throw ReleaseError(
        .different, doing: doing(released),
        reason: "this version of lrelease generates different \((named.isEmpty ? different : named).shortened)",
        remedy: OperationsRemedy.useSameLrelease)
    }
  }

  /// Compares the result with what is available of the release.
  ///
  /// - Returns: the .rpm files that differ in their signatures.
  private func compare(_ part: FilePath, _ released: Release, _ original: ReleaseFolder?) throws -> [String] {
    let made = Dictionary(uniqueKeysWithValues: try ReleaseFolder(part).listed().map { ($0.name, $0.sha256) })
    let expected =
      try original.map { try $0.listed() }
      ?? [(PackageFileName.tarball(released.name, released.codec), released.sha256)]
    var different: [String] = []
    var signed: [String] = []
    for (name, digest) in expected where made[name] != digest {
      let isSame = try made[name] != nil && original.map { try differsInSignatures(name, digest, part, $0) } ?? false
      if isSame { signed.append(name) } else { different.append(name) }
    }
    if original != nil { different += made.keys.filter { name in !expected.contains { $0.name == name } }.sorted() }
    guard different.isEmpty else {
      throw ReleaseError(
        .different, doing: doing(released), reason: "\(different.shortened): not the bytes that were released",
        advice:
          "the files in it are the same, only packed differently, by another version of lrelease, liblzma or rpm: use the versions of the cut"
      )
    }
    return signed
  }

  /// Whether two .rpm files only differ in their signatures, and at least one is signed.
  ///
  /// - Parameter digest: of the package as it was released.
  private func differsInSignatures(
    _ name: String, _ digest: SHA256Digest, _ part: FilePath, _ original: ReleaseFolder
  ) throws -> Bool {
    let before = original.path.appending(name)
    guard [.rpm, .srpm].contains(Artifact.Kind(fileName: name)), Files.exists(before),
      try Files.digest(before).0 == digest
    else { return false }
    let after = part.appending(name)
    return try (RPMSigning.isSigned(before) || RPMSigning.isSigned(after)) && RPMSigning.isSame(before, after)
  }

  // MARK: changes

  /// In a version, extras come before the vendor: an added extra can make the new version sort before the old one.
  private func warnOfOrder(_ old: Spelled<ReleaseVersion>, _ new: Spelled<ReleaseVersion>) throws {
    guard try VersionComparator.dpkg.compare(new.value.debian, old.value.debian) <= 0 else { return }
    progress.warning(
      "\(new) sorts before \(old), because of the extras in it: machines with the old one will not upgrade")
  }

  /// Packaging is generated from the recipe in the plan, so a patch to it would have no effect.
  private func checkPackagingIsNotPatched(
    _ request: RebuildRequest, _ released: Release, _ code: ReleaseTree
  ) throws {
    for patch in request.series?.patches ?? [] {
      let made = patch.paths.first {
        $0.startsInBytes(with: "lrelease/") || released.tree[$0] != nil && code[$0] == nil
      }
      guard let path = made else { continue }
      throw ReleaseError(
        .input, doing: "reading the patch \(patch.name)",
        reason: "it changes \(path), which lrelease makes of the manifest's recipe",
        advice: "patch the code only; packaging is changed in a manifest of your own")
    }
  }
}
