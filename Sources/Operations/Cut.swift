// SPDX-License-Identifier: GPL-2.0-only

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
    /// The release already existed, with the same plan, and its files are what was released.
    package var alreadyExisted: Bool
    package var files: Int?
    package var outputs: [Artifact]

    private enum CodingKeys: String, CodingKey {
      case release, folder
      case alreadyExisted = "wasThere"
      case files, outputs
    }
  }

  package var output: FilePath
  package var codec: Codec
  package var progress: Progress

  package init(output: FilePath, codec: Codec = .xz, progress: Progress) {
    self.output = output
    self.codec = codec
    self.progress = progress
  }

  /// Carries a plan out.
  package func run(_ opened: OpenedPlan) async throws -> Report {
    try await run(opened.plan, opened.manifest) { try await opened.plan.assemble(opened, progress: progress) }
  }

  /// Makes a release of code that is there.
  ///
  /// - Parameters:
  ///   - remedy: what to do when the release exists with other content.
  ///   - check: is given the folder with all files of the release before it gets its name.
  ///   - code: gives the release without its packaging; not asked when the release already exists.
  package func run(
    _ plan: Plan, _ manifest: Manifest, remedy: any Remedy = OperationsRemedy.giveRespin,
    check: (FilePath) throws -> Void = { _ in }, code: () async throws -> ReleaseTree
  ) async throws -> Report {
    let name = try plan.releaseName
    let context = try PackagingContext(plan, manifest)
    let version = context.version
    try VersionComparator.dpkg.check(version.debian)
    try VersionComparator.rpm.check(version.rpmVersion)
    let folder = ReleaseFolder(Files.absolute(output).appending(name), remedy: remedy)
    if Files.exists(folder.path) { return try await existing(folder, plan, name) }

    let (released, packages) = try Self.complete(try await code(), in: context)
    try await folder.create { part in
      try await writeAll(plan, packages, released, name: name, to: part)
      try Files.write(JSON.encode(plan.portable), to: part.appending(ReleaseFolder.plan))
      try await ReleaseFolder.writeChecksums(in: part)
      try check(part)
    }
    let outputs = try await folder.verified()
    return Report(
      release: name, folder: folder.path.string, alreadyExisted: false, files: released.count, outputs: outputs)
  }

  /// Adds to the code of a release what belongs to it besides: the packaging and the records.
  package static func complete(
    _ code: ReleaseTree, in context: PackagingContext
  ) throws -> (tree: ReleaseTree, packages: [PackageSources]) {
    var tree = code
    let packages = try context.packages.map { package in
      let dkms = try DKMSPackage(package, in: context)
      return PackageSources(dkms: dkms, tree: try dkms.sourceTree(code))
    }
    try PackagingTree.add(to: &tree, in: context, packages: packages)
    try Tarball.addRecords(to: &tree, plan: context.plan)
    return (tree, packages)
  }

  /// Writes the tarball and the packages, all at once: what takes long in each, the compression, shares the cores.
  private func writeAll(
    _ plan: Plan, _ packages: [PackageSources], _ released: ReleaseTree, name: String, to part: FilePath
  ) async throws {
    let version = plan.version.value
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let tarball = PackageFileName.tarball(name, codec)
        try await progress.step("writing \(tarball)") {
          let (_, output) = try ContentStore.create(at: part.appending(tarball), mode: 0o644)
          try await Tarball.write(
            released, folder: name, codec: codec, time: plan.sourceDate, to: output,
            report: { progress.advanced("writing \(tarball)", $0, of: $1) })
          try output.flush()
        }
        guard released["debian/control"] != nil else { return }
        guard codec == .xz else {
          let named = PackageFileName.tarball(name, .xz)
          return progress.warning("no source packages: their recipes name \(named), and this is \(tarball)")
        }
        try await progress.step("writing the source packages") {
          try await Cut.writeSourcePackages(released, plan, tarball: part.appending(tarball), to: part)
        }
      }
      for package in packages {
        let (dkms, sources) = (package.dkms, package.tree)
        if let relations = dkms.package.deb {
          let deb = try dkms.deb(relations, tree: sources)
          group.addTask {
            try await progress.step("writing \(deb.fileName)") {
              try await deb.write(
                to: part.appending(deb.fileName),
                report: { progress.advanced("writing \(deb.fileName)", $0, of: $1) })
            }
          }
        }
        if let relations = dkms.package.rpm {
          let file = PackageFileName.rpm(relations.name, version)
          let rpm = try dkms.rpm(relations, tree: sources)
          group.addTask {
            try await progress.step("writing \(file)") {
              try await rpm.write(to: part.appending(file), name: relations.name)
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// The .dsc with its files and the .src.rpm: both hold the released tarball as it is.
  package static func writeSourcePackages(
    _ released: ReleaseTree, _ plan: Plan, tarball: FilePath, to part: FilePath
  ) async throws {
    let debian = try DebianSource(released, plan: plan)
    try Files.copy(tarball, to: part.appending(debian.origName))
    try await Files.replace(part.appending(debian.debianName)) { try await debian.writeDebianTarball(to: $0) }
    let files = try [debian.origName, debian.debianName].map { try DebianSource.describe(part.appending($0), as: $0) }
    try Files.write(Array(try debian.dsc(files: files).utf8), to: part.appending(debian.dscName))

    let spec = try released["\(plan.name).spec"]?.read() ?? []
    _ = try await RPMSource(name: plan.name, spec: spec, tarball: tarball, sourceDate: plan.sourceDate).write(in: part)
  }

  /// A release that is there is left alone: it is either this one, whole, or another.
  private func existing(_ folder: ReleaseFolder, _ plan: Plan, _ name: String) async throws -> Report {
    guard let known = try? Files.read(folder.path.appending(ReleaseFolder.plan)),
      known == (try JSON.encode(plan.portable))
    else { throw folder.conflict }
    let outputs = try await Release(opening: folder.path, progress: progress).artifacts
    return Report(release: name, folder: folder.path.string, alreadyExisted: true, files: nil, outputs: outputs)
  }
}
