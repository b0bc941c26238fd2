// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Diagnostics
import Files
import Model
import Packagers
import Releases

/// The kernels that a package supports, and what says so.
package struct SupportedKernels: Sendable, Encodable, Equatable {
  package enum Basis: String, Sendable, Encodable {
    /// The range in the manifest.
    case manifest
    /// That range, widened by extras.
    case extras
    /// Verdicts on a candidate.
    case verdicts
    /// A claim that nothing proves yet: the release is a candidate.
    case claim
  }

  /// The variant of the package.
  package var package: String
  package var min: String
  package var max: String
  /// All of them, as people read it.
  package var text: String
  /// Each family and line, with how it is known that the package works there; empty for plans without families.
  package var supported: [KernelSupport.Entry]
  package var basis: Basis
  /// Where the manifest describes the package; nil where the manifest does not decide.
  package var place: String?
  /// The same in lines, for people.
  package var lines: [String]
  /// The extras that widen the range.
  package var extras: [String]
  /// The kernels on which the package passed, by target.
  package var passed: [String: [String]]

  private enum CodingKeys: String, CodingKey {
    case package, min, max
    case text = "kernels"
    case supported
    case basis = "from"
    case place, extras, passed
  }

  init(_ package: Manifest.Package, in context: PackagingContext) throws {
    let kernels = try DKMSPackage(package, in: context).kernels
    self.package = package.variant
    (min, max) = kernels.ends
    text = kernels.text
    supported = kernels.support?.entries ?? []
    lines = kernels.support?.lines ?? []
    extras = []
    passed = [:]
    if let proven = context.plan.proven?[package.variant] {
      basis = proven.kernels.isEmpty ? .claim : .verdicts
      passed = proven.kernels
      return
    }
    place = "\(package.location)"
    let own = try PackageKernels(package, extras: [], plan: context.plan)
    if kernels != own {
      extras = context.plan.extras.filter { name in
        context.manifest.extras([name], addingTo: package).contains { $0.kernels != nil }
      }
    }
    basis = extras.isEmpty ? .manifest : .extras
  }
}

/// What a cut of a plan writes, told before it is written.
package struct CutOutlook: Sendable {
  /// The files of the release folder, by name.
  package let outputs: [String]
  /// What is added when the release is signed.
  package let signatures: [String]
  package let kernels: [SupportedKernels]

  package init(_ opened: OpenedPlan, codec: Codec = .xz) throws {
    let plan = opened.plan
    let context = try PackagingContext(plan, opened.manifest)
    let release = try plan.releaseName
    let tarball = PackageFileName.tarball(release, codec)
    var names = [tarball, ReleaseFolder.plan, ReleaseFolder.checksums]
    names += try context.packages.flatMap { try DKMSPackage($0, in: context).fileNames }
    if PatchArchive.isNeeded(for: plan) { names.append(PackageFileName.patches(release)) }
    // Their recipes name the tarball, and with it its compression.
    if codec == .xz, let source = try PackagingTree.sourcePackage(in: context) {
      let version = context.version
      names += [
        PackageFileName.dsc(source, version), PackageFileName.orig(source, version),
        PackageFileName.debianTarball(source, version), PackageFileName.srpm(plan.name, version),
      ]
    }
    outputs = names.sortedByBytes()
    signatures = [ReleaseFolder.signature, signatureName(of: tarball)]
    kernels = try Self.kernels(of: context)
  }

  package static func kernels(of context: PackagingContext) throws -> [SupportedKernels] {
    try context.packages.map { try SupportedKernels($0, in: context) }
  }
}
