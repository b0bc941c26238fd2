// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Assembler
import Diagnostics
import Files
import Model
import Packagers
import Releases
import SystemPackage

/// Makes a release of a plan: tree, tarball, packages, release folder.
package struct Cut: Sendable {
  package struct Report: Sendable, Encodable {
    package var release: String
    package var folder: String
    /// The release already existed, with the same plan, and its files are unchanged.
    package var alreadyExisted: Bool
    package var files: Int?
    /// The files of the release folder, by name.
    package var outputs: [Artifact]
    package var supportedKernels: [SupportedKernels]
    /// The fingerprint of the key that signed it; nil if no signature was requested.
    package var signedBy: String?

    private enum CodingKeys: String, CodingKey {
      case release, folder
      case alreadyExisted = "wasThere"
      case files, outputs, supportedKernels, signedBy
    }
  }

  package var output: FilePath
  package var codec: Codec
  /// Signs the .rpm files, SHA256SUMS and the tar; nil for an unsigned release.
  package var signer: SigningKey?
  /// The folder where compressed blocks are kept for the next cut; nil for nowhere.
  package var cache: FilePath?
  package var progress: Progress

  package init(
    output: FilePath, codec: Codec = .xz, signer: SigningKey? = nil, cache: FilePath?, progress: Progress
  ) {
    self.output = output
    self.codec = codec
    self.signer = signer
    self.cache = cache
    self.progress = progress
  }

  /// Reports errors that a cut of the plan would meet. If the manifest has prepare steps, which decide what there is to
  /// package, reports only what can be known without running them.
  package static func rehearse(_ opened: OpenedPlan, progress: Progress) async throws {
    let context = try PackagingContext(opened.plan, opened.manifest)
    try warnOfOwnKernel(context, progress)
    guard opened.manifest.prepare.isEmpty else { return }
    _ = try complete(try await opened.plan.assemble(opened, progress: .silent), in: context) {
      try judge($0, $1, progress)
    }
  }

  /// Warns if a package does not support the kernel release that its code comes from: this is usually a mistake.
  private static func warnOfOwnKernel(_ context: PackagingContext, _ progress: Progress) throws {
    guard let kernel = context.plan.sources.values.compactMap(\.kernel).first else { return }
    for package in context.packages {
      let kernels = try DKMSPackage(package, in: context).kernels
      guard !kernels.contains(kernel) else { continue }
      progress.warning(
        "the package '\(package.variant)' supports \(kernels.text), and the release is made from Linux \(kernel)")
    }
  }

  /// Checks the licences of a new release. An existing release is not checked: it cannot be changed.
  private static func judge(_ files: FileLicences, _ licences: PackageLicences, _ progress: Progress) throws {
    for rule in files.idleRules {
      progress.tell(Diagnostic(.warning, at: rule.location, reason: "the rule of [[licenses]] matches no file"))
    }
    try files.judge(licences)
  }

  /// Carries a plan out.
  package func run(_ opened: OpenedPlan) async throws -> Report {
    try Self.warnOfOwnKernel(try PackagingContext(opened.plan, opened.manifest), progress)
    return try await run(
      opened.plan, opened.manifest, judge: { try Self.judge($0, $1, progress) },
      code: { try await opened.plan.assemble(opened, progress: progress) })
  }

  /// Makes a release from existing code.
  ///
  /// - Parameters:
  ///   - remedy: what to do when the release exists with other content.
  ///   - check: is called with the complete folder before it is renamed.
  ///   - judge: checks the licences of the files and of the release.
  ///   - code: returns the release without its packaging; not called if the release already exists.
  package func run(
    _ plan: Plan, _ manifest: Manifest, remedy: any Remedy = OperationsRemedy.giveRespin,
    check: (FilePath) throws -> Void = { _ in },
    judge: (FileLicences, PackageLicences) throws -> Void = { _, _ in }, code: () async throws -> ReleaseTree
  ) async throws -> Report {
    let name = try plan.releaseName
    let context = try PackagingContext(plan, manifest)
    let version = context.version
    try VersionComparator.dpkg.check(version.debian)
    try VersionComparator.rpm.check(version.rpmVersion)
    let folder = ReleaseFolder(Files.absolute(output).appending(name), remedy: remedy)
    if Files.exists(folder.path) { return try await existing(folder, context, name) }
    if let signer {
      if context.makesRPM { try RPMSigning.demandTools(doing: "signing \(name)") }
      try await signer.unlock()
    }

    let (released, packages) = try Self.complete(try await code(), in: context, judge: judge)
    let blocks = cache.map { BlockCache($0.appending("blocks")) }
    let isWritten = try await folder.createIfMissing { part in
      let planFile = FileBytes(try JSON.encode(plan.portable))
      try Files.write(planFile, to: part.appending(ReleaseFolder.plan))
      var artifacts = try await BlockCache.$current.withValue(blocks) {
        try await writeAll(plan, packages, released, name: name, to: part)
      }
      blocks?.trim()
      if PatchArchive.isNeeded(for: plan) { artifacts.append(try await writePatches(plan, name: name, to: part)) }
      if let signer { artifacts = try await sign(artifacts, signer, in: part) }
      try ReleaseFolder.writeChecksums(
        of: artifacts + [
          Artifact(name: ReleaseFolder.plan, bytes: Int64(planFile.count), sha256: planFile.sha256)
        ], in: part)
      try check(part)
      if let signer, let tarball = artifacts.first(where: { $0.kind == .tarball }) {
        try await ReleaseSigning(signer, progress: progress).sign(tarball, in: part)
      }
    }
    guard isWritten else { return try await existing(folder, context, name) }
    // Compares the files on disk with the digests that the writers computed.
    let outputs = try withUnlisted(try await folder.whole(), in: folder.path)
    return Report(
      release: name, folder: folder.path.string, alreadyExisted: false, files: released.count, outputs: outputs,
      supportedKernels: try CutOutlook.kernels(of: context), signedBy: signer?.fingerprint)
  }

  /// The files of a release: SHA256SUMS lists neither itself nor signatures.
  private func withUnlisted(_ listed: [Artifact], in folder: FilePath) throws -> [Artifact] {
    let known = Set(listed.map(\.name))
    let others = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.filter { !known.contains($0) }
    let unlisted = try others.map { name in
      let (digest, size) = try Files.digest(folder.appending(name))
      return Artifact(name: name, bytes: size, sha256: digest)
    }
    return (listed + unlisted).sortedByBytes(\.name)
  }

  /// Signs the .rpm files. This changes their digests.
  private func sign(_ artifacts: [Artifact], _ signer: SigningKey, in part: FilePath) async throws -> [Artifact] {
    let packages = artifacts.filter { $0.kind == .rpm || $0.kind == .srpm }
    guard !packages.isEmpty else { return artifacts }
    return try await progress.step("signing \(packages.map(\.name).shortened)") {
      try await RPMSigning.sign(packages.map { part.appending($0.name) }, with: signer)
      return try await BlockingExecutor.run {
        try artifacts.map { artifact in
          guard packages.contains(artifact) else { return artifact }
          let (digest, size) = try Files.digest(part.appending(artifact.name))
          return Artifact(name: artifact.name, bytes: size, sha256: digest)
        }
      }
    }
  }

  /// Adds the packaging and the records to the code of a release.
  ///
  /// - Parameter judge: checks the licences of the files and of the release.
  package static func complete(
    _ code: ReleaseTree, in context: PackagingContext,
    judge: (FileLicences, PackageLicences) throws -> Void = { _, _ in }
  ) throws -> (tree: ReleaseTree, packages: [PackageSources]) {
    var tree = code
    let licences = try FileLicences(of: code, in: context)
    let packages = try context.packages.map { package in
      let dkms = try DKMSPackage(package, in: context)
      let sources = try dkms.sourceTree(code)
      return PackageSources(dkms: dkms, tree: sources, licences: try licences.package(package, sources))
    }
    try judge(licences, try PackagingTree.add(to: &tree, in: context, packages: packages, licences))
    try Tarball.addRecords(to: &tree, plan: context.plan)
    return (tree, packages)
  }

  /// Writes the tarball and the packages in parallel: compression takes most of the time, and shares the cores.
  private func writeAll(
    _ plan: Plan, _ packages: [PackageSources], _ released: ReleaseTree, name: String, to part: FilePath
  ) async throws -> [Artifact] {
    try await withThrowingTaskGroup(of: [Artifact].self) { group in
      group.addTask { try await writeSources(released, plan, name: name, to: part) }
      for package in packages {
        for writer in try package.writers() {
          group.addTask {
            let step = "writing \(writer.title)"
            return try await progress.step(step) {
              try await writer.write(in: part) { progress.advanced(step, $0, of: $1) }
            }
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func writePatches(_ plan: Plan, name: String, to part: FilePath) async throws -> Artifact {
    let file = PackageFileName.patches(name)
    let (_, output) = try ContentStore.create(at: part.appending(file), mode: 0o644)
    let bytes = try await PatchArchive.write(plan, to: output)
    try output.flush()
    return Artifact(name: file, bytes: Int64(bytes.count), sha256: bytes.sha256)
  }

  /// Writes the tarball, and the source packages that contain it unchanged.
  private func writeSources(
    _ released: ReleaseTree, _ plan: Plan, name: String, to part: FilePath
  ) async throws -> [Artifact] {
    let tarball = PackageFileName.tarball(name, codec)
    let step = "writing \(tarball)"
    let bytes = try await progress.step(step) {
      let (_, output) = try ContentStore.create(at: part.appending(tarball), mode: 0o644)
      let bytes = try await Tarball.write(
        released, folder: name, codec: codec, blocks: plan.blockLayout, time: plan.sourceDate, to: output,
        report: { progress.advanced(step, $0, of: $1) })
      try output.flush()
      return bytes
    }
    let artifact = Artifact(name: tarball, bytes: Int64(bytes.count), sha256: bytes.sha256)
    guard released["debian/control"] != nil else { return [artifact] }
    guard codec == .xz else {
      let named = PackageFileName.tarball(name, .xz)
      progress.warning("no source packages: their recipes name \(named), and this is \(tarball)")
      return [artifact]
    }
    return try await progress.step("writing the source packages") {
      try await [artifact] + Cut.writeSourcePackages(released, plan, tarball: part.appending(tarball), to: part)
    }
  }

  /// Writes the .dsc with its files, and the .src.rpm.
  @discardableResult
  package static func writeSourcePackages(
    _ released: ReleaseTree, _ plan: Plan, tarball: FilePath, to part: FilePath
  ) async throws -> [Artifact] {
    let spec = try released["\(plan.name).spec"]?.read() ?? []
    let writers: [any PackageWriter] = [
      DebianSourceWriter(try DebianSource(released, plan: plan), tarball: tarball),
      RPMSource(name: plan.name, spec: spec, tarball: tarball, sourceDate: plan.sourceDate),
    ]
    var artifacts: [Artifact] = []
    for writer in writers { artifacts += try await writer.write(in: part) { _, _ in } }
    return artifacts
  }

  /// An existing release is never changed: it is either this one, verified, or a conflict.
  private func existing(_ folder: ReleaseFolder, _ context: PackagingContext, _ name: String) async throws -> Report {
    guard let known = try? Files.read(folder.path.appending(ReleaseFolder.plan)),
      known == (try JSON.encode(context.plan.portable))
    else { throw folder.conflict }
    let released = try await Release(opening: folder.path, progress: progress)
    var signedBy: String?
    if let signer { signedBy = try await demandSigned(released, by: signer) }
    return Report(
      release: name, folder: folder.path.string, alreadyExisted: true, files: nil,
      outputs: try withUnlisted(released.artifacts, in: folder.path),
      supportedKernels: try CutOutlook.kernels(of: context), signedBy: signedBy)
  }

  /// An existing release must be signed by the same key: this never writes to it.
  private func demandSigned(_ released: Release, by signer: SigningKey) async throws -> String {
    guard ReleaseSignatures(of: released).list != nil else {
      throw ReleaseError(
        .conflict, doing: "writing the release \(released.path)", reason: "it exists, and is not signed",
        remedy: OperationsRemedy.signRelease)
    }
    do {
      _ = try await SignatureVerification(try await signer.trust(), progress: progress).check(released)
    } catch let error as Diagnostics where error.code == .unverified {
      throw ReleaseError(
        .conflict, doing: "writing the release \(released.path)",
        reason: "it exists, and \(signer.fingerprint) has not signed it: \(error.findings.first?.reason ?? "")",
        remedy: ReleasesRemedy.chooseOtherOutput, cause: error)
    }
    return signer.fingerprint
  }
}
