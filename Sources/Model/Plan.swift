// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage

/// A release with every input pinned. The same plan gives the same bytes on any machine.
///
/// It holds the manifest and all files that the manifest names, so that only the sources are needed besides.
package struct Plan: Sendable, Equatable, Codable {
  /// The format of this file: 1, or 2 if there are patches, which the plan of a release names by digest only.
  package var format = 1
  package var name: String
  package var version: Spelled<ReleaseVersion>
  /// The requested kernel release.
  package var kernel: String?
  package var extras: [String]
  /// Seconds since 1970: the time of everything in the release.
  package var sourceDate: Int64
  package var sources: [String: SourcePin]
  /// Versions of the programs that prepare steps use.
  package var tools: [String: String]
  /// Name of the manifest among `recipe`.
  package var manifest: String
  /// The manifest and the files that it names, by their path relative to it. In the plan of a release of format 2,
  /// without the patches that were applied: their text lies in a file beside it.
  package var recipe: [String: RecipeFile]
  /// What the qualification of a candidate proved about each package, by variant; nil for a candidate.
  package var proven: [String: Proven]?
  /// The version in dkms, where that is not what it was before extras and a fourth number showed in it: a plan without
  /// it keeps its bytes.
  package private(set) var dkmsVersion: String?
  /// Where the blocks of .xz archives end, if not as in plans that do not say it.
  package private(set) var blocks: BlockLayout?
  /// The families of kernels that packages tell apart; nil in older plans, to which all kernels are of one.
  package private(set) var families: [KernelFamily]?
  /// Series that were given when the release was cut, over those of the manifest; nil for none.
  package var patches: [AddedSeries]?
  /// The changes of vendors, in order; nil for a release as it was cut.
  package var rebuilds: [Rebuild]?
  /// Where the sources were found. Not part of the release: the copy in the tarball omits it.
  package var places: [String: String]?

  package struct RecipeFile: Sendable, Equatable, Codable {
    package var sha256: SHA256Digest
    package var text: String?
    /// For binary files, such as a keyring.
    package var hex: String?

    package init(_ bytes: [UInt8]) {
      sha256 = SHA256Digest(of: bytes)
      if let text = String(validating: bytes, as: UTF8.self) {
        self.text = text
      } else {
        hex = String(hexadecimal: bytes)
      }
    }

    package var bytes: [UInt8] {
      if let text { return Array(text.utf8) }
      let digits = (hex ?? "").utf8.map { $0 <= 0x39 ? $0 &- 0x30 : $0 &- 0x57 }
      return stride(from: 0, to: digits.count - digits.count % 2, by: 2).map { digits[$0] << 4 | digits[$0 + 1] & 15 }
    }
  }

  /// What a package is known to do.
  package struct Proven: Sendable, Equatable, Codable {
    /// In older plans, the kernels that it supports, instead of those of the manifest.
    package var kernelMin: Spelled<KernelRelease>?
    package var kernelMax: Spelled<KernelRelease>?
    /// The same in plans with families of kernels.
    package var supported: [KernelSupport.Entry]?
    /// Each kernel on which it passed, by the target's name.
    package var kernels: [String: [String]]
    /// The results of its probe, by their key.
    package var probes: [String: String]

    package init(_ range: KernelRange, kernels: [String: [String]], probes: [String: String]) {
      kernelMin = Spelled(range.min, as: range.min.text)
      kernelMax = Spelled(range.max, as: range.max.text)
      self.kernels = kernels
      self.probes = probes
    }

    package init(_ support: KernelSupport, kernels: [String: [String]], probes: [String: String]) {
      supported = support.entries
      self.kernels = kernels
      self.probes = probes
    }
  }

  /// A series that was given when the release was cut.
  package struct AddedSeries: Sendable, Equatable, Codable {
    /// The source that it changes; nil for the assembled tree.
    package var source: String?
    /// Name of the series among the recipe; its patches lie beside it.
    package var series: String
    package var patches: [SourcePin.PatchPin]

    package init(source: String?, series: String, patches: [SourcePin.PatchPin]) {
      self.source = source
      self.series = series
      self.patches = patches
    }

    /// How origins name it: `cut.1`.
    package var mark: String { series.prefix { $0 != "/" }.description }
  }

  /// How a vendor changed a release.
  package struct Rebuild: Sendable, Equatable, Codable {
    package var vendor: String
    /// The vendor's rebuilds count from 1.
    package var number: Int
    package var basedOn: Base
    /// Extras of the manifest that were added.
    package var extras: [String]?
    /// Name of the vendor's series among the recipe; its patches lie beside it.
    package var series: String?
    package var patches: [SourcePin.PatchPin]?

    package init(
      vendor: String, number: Int, basedOn: Base, extras: [String]? = nil, series: String? = nil,
      patches: [SourcePin.PatchPin]? = nil
    ) {
      self.vendor = vendor
      self.number = number
      self.basedOn = basedOn
      self.extras = extras
      self.series = series
      self.patches = patches
    }

    /// The release that was changed, and what identifies it.
    package struct Base: Sendable, Equatable, Codable {
      package var name: String
      package var version: Spelled<ReleaseVersion>
      /// Of the tarball, compressed as it was.
      package var tarball: SHA256Digest
      /// Of its plan.json.
      package var plan: SHA256Digest

      package init(name: String, version: Spelled<ReleaseVersion>, tarball: SHA256Digest, plan: SHA256Digest) {
        self.name = name
        self.version = version
        self.tarball = tarball
        self.plan = plan
      }
    }

    /// How versions, origins and the recipe name it: `by.acme.1`.
    package var mark: String { "by.\(vendor).\(number)" }
  }

  /// Has the version spelled for dkms, archives laid out and kernels told apart as is done now: for a plan that is new.
  ///
  /// - Parameter known: the families of kernels; a plan that has some keeps them.
  package mutating func useCurrentForms(families known: [KernelFamily]) {
    families = families ?? known
    dkmsVersion = version.value.dkms == version.value.dkmsBefore ? nil : version.value.dkms
    blocks = .folders
  }

  package var blockLayout: BlockLayout { blocks ?? .even }

  /// `PACKAGE_VERSION` and `MODULE_VERSION` of DKMS.
  package var versionInDKMS: String { dkmsVersion ?? version.value.dkmsBefore }

  /// `lustre-7.4.2`: the name of the release folder and of the top folder of the tarball.
  package var releaseName: String {
    get throws { "\(name)-\(version.value.tarball)" }
  }

  package func parsedManifest() throws -> Manifest {
    guard let file = recipe[manifest] else {
      throw ReleaseError(.input, doing: "reading the plan", reason: "it does not hold its manifest \(manifest)")
    }
    let recipe = Recipe(plan: self)
    return try Manifest(parsing: file.bytes, file: manifest, isStored: true) {
      var recipe = recipe
      return try recipe.read($0)
    }
  }

  /// The plan as it goes into the release: without the places, which differ between machines, and without the text of
  /// patches, which would be most of it.
  package var portable: Plan {
    var plan = self
    plan.places = nil
    guard format > 1 else { return plan }
    let applied = Set(appliedPatches.map(\.sha256))
    plan.recipe = recipe.filter { !applied.contains($0.value.sha256) }
    return plan
  }

  /// The patches of sources, of the cut and of vendors, whose text is also in the recipe of a saved plan.
  package var appliedPatches: [SourcePin.PatchPin] {
    sources.sorted { $0.key < $1.key }.flatMap { $0.value.patches ?? [] }
      + (patches ?? []).flatMap(\.patches)
      + (rebuilds ?? []).flatMap { $0.patches ?? [] }
  }

  /// Those that this release added, not a release that it was made from: their text is beside this release.
  package var ownPatches: [SourcePin.PatchPin] {
    if let last = rebuilds?.last { return last.patches ?? [] }
    return appliedPatches
  }

  /// Those whose text it does not hold.
  package var missingPatches: [SourcePin.PatchPin] {
    let held = Set(recipe.values.map(\.sha256))
    return appliedPatches.filter { !held.contains($0.sha256) }
  }

  /// The format in which a plan with these patches is written.
  package static func format(patches: [SourcePin.PatchPin]) -> Int { patches.isEmpty ? 1 : 2 }

  /// Identifies the code of the release and how it is packaged: the same for a candidate and the release that is made
  /// of it.
  package var identity: SHA256Digest {
    get throws {
      var plan = portable
      plan.proven = nil
      return SHA256Digest(of: try JSON.encode(plan))
    }
  }

  /// Reads a saved plan and checks its recipe files against their digests.
  package init(reading path: FilePath) throws {
    let doing = "reading the plan \(path)"
    try self.init(parsing: Files.read(path, limit: 256 << 20, doing: doing), doing: doing)
  }

  /// The same for the text of a plan.
  package init(parsing bytes: [UInt8], doing: String) throws {
    do {
      self = try JSON.decode(Plan.self, from: bytes)
    } catch let error as DecodingError {
      throw ReleaseError(
        .input, doing: doing, reason: "it is not a plan of lrelease: \(error.reason)", remedy: ModelRemedy.makePlan,
        cause: error)
    }
    if let key = RepeatedKey.find(in: bytes) {
      throw ReleaseError(
        .input, doing: doing, reason: "it has the key \(key) twice in one place", remedy: ModelRemedy.makePlan)
    }
    guard (1...2).contains(format) else {
      throw ReleaseError(.input, doing: doing, reason: "its format \(format) needs a newer version of lrelease")
    }
    guard Timestamp.releasable.contains(sourceDate) else {
      throw ReleaseError(
        .input, doing: doing, reason: "its sourceDate \(sourceDate) is not a possible time of a release")
    }
    for (name, file) in recipe where SHA256Digest(of: file.bytes) != file.sha256 {
      throw ReleaseError(.unverified, doing: doing, reason: "its file \(name) was changed")
    }
    try check(doing: doing)
  }

  package init(
    name: String, version: Spelled<ReleaseVersion>, kernel: String?, extras: [String], sourceDate: Int64,
    sources: [String: SourcePin], tools: [String: String], manifest: String, recipe: [String: RecipeFile]
  ) {
    self.name = name
    self.version = version
    self.kernel = kernel
    self.extras = extras
    self.sourceDate = sourceDate
    self.sources = sources
    self.tools = tools
    self.manifest = manifest
    self.recipe = recipe
  }
}
