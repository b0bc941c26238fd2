// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import Releases
import SystemPackage

/// A vendor's request.
package struct RebuildRequest: Sendable {
  /// Who changes the release; nil for an unchanged rebuild.
  package var vendor: String?
  /// The number of the vendor's rebuild; nil for the next one.
  package var number: Int?
  package var series: PatchSeries?
  /// Extras to add, and where their sources come from; `kernel` and `respin` are ignored.
  package var added: CutRequest

  package init(vendor: String?, number: Int?, series: PatchSeries?, added: CutRequest) {
    self.vendor = vendor
    self.number = number
    self.series = series
    self.added = added
  }

  package var changesNothing: Bool {
    vendor == nil && number == nil && series == nil && added.extras.isEmpty && added.places.isEmpty
  }
}

/// Makes a changed release from the tarball of an existing one, without its sources, as a vendor does.
extension Planner {
  /// Plans and applies the changes.
  ///
  /// - Parameter code: the files of the release without its packaging, which is generated again.
  /// - Returns: the new plan and its tree. A cut of this plan gives the same tree.
  package static func rebuild(
    _ released: Release, _ code: ReleaseTree, _ request: RebuildRequest, progress: Progress
  ) async throws -> (plan: Plan, tree: ReleaseTree) {
    let old = released.plan
    let manifest = released.manifest
    var request = request
    request.added.extras = manifest.ordered(request.added.extras)
    let version = old.version.value
    let vendor = try nextVendor(of: version, request)
    for extra in request.added.extras where old.extras.contains(extra) {
      throw ReleaseError(
        .input, doing: "choosing extras", reason: "the release already has the extra '\(extra)'",
        remedy: AssemblerRemedy.leaveOutExtra(extra))
    }
    let rebuild = Plan.Rebuild(
      vendor: vendor.name, number: vendor.number,
      basedOn: .init(name: old.name, version: old.version, tarball: released.sha256, plan: released.planDigest),
      extras: request.added.extras.isEmpty ? nil : request.added.extras)
    var plan = old
    // A plan of format 1 has its patches as text, and keeps that form.
    if old.appliedPatches.isEmpty { plan.format = Plan.format(patches: request.series?.pins ?? []) }
    var recipe = Recipe(plan: old)
    plan.rebuilds = (old.rebuilds ?? []) + [rebuild.adding(request.series, to: &recipe)]
    plan.recipe = recipe.files
    plan.extras += request.added.extras
    plan.version = try ReleaseVersion(
      components: version.components, prerelease: version.prerelease, respin: version.respin, extras: plan.extras,
      vendor: vendor
    ).planned
    plan.useCurrentForms(families: manifest.families)

    let contents = try await readAdded(manifest, request.added, into: &plan, progress)
    let tree = try await changed(code, from: old, to: &plan, manifest, contents, cache: request.added.cache, progress)
    return (plan, tree)
  }

  private static func nextVendor(
    of version: ReleaseVersion, _ request: RebuildRequest
  ) throws -> ReleaseVersion.Vendor {
    let doing = "naming the rebuild of \(version)"
    guard let name = request.vendor else {
      throw ReleaseError(
        .input, doing: doing, reason: "a changed release is a new one",
        remedy: AssemblerRemedy.nameVendor)
    }
    let vendor = try ReleaseVersion.Vendor(name: name, number: request.number ?? (version.vendor?.number ?? 0) + 1)
    guard let before = version.vendor else { return vendor }
    guard before.name == vendor.name else {
      throw ReleaseError(
        .input, doing: doing, reason: "it is \(before.name)'s rebuild, not \(vendor.name)'s",
        advice: "start from the release that \(before.name) started from")
    }
    guard before.number < vendor.number else {
      throw ReleaseError(
        .input, doing: doing, reason: "it already has the number \(before.number)",
        remedy: AssemblerRemedy.giveNumber(before.number + 1))
    }
    return vendor
  }

  // MARK: sources of extras

  /// Reads the sources of the added extras, and pins them in `plan`. Nothing else is fetched.
  private static func readAdded(
    _ manifest: Manifest, _ request: CutRequest, into plan: inout Plan, _ progress: Progress
  ) async throws -> [String: SourceContent] {
    var request = request
    request.kernel = plan.kernel
    func planner(_ extras: [String]) -> Planner {
      var request = request
      request.extras = extras
      var planner = Planner(
        manifest: manifest, request: request, recipe: Recipe(plan: plan), progress: progress,
        manifestName: plan.manifest, planned: plan.sources)
      planner.added = plan.patches ?? []
      return planner
    }
    var all = planner(plan.extras)
    try all.checkRequest()
    let rules = manifest.rules(of: request.extras)
    let needed = Set(rules.map(\.source))
    for name in (Array(request.places.keys) + request.hashes.keys + request.refs.keys).sorted()
    where !needed.contains(name) {
      throw ReleaseError(
        .input, doing: "choosing sources", reason: "no extra that is added takes files from the source '\(name)'",
        remedy: AssemblerRemedy.leaveOutSource)
    }
    var contents: [String: SourceContent] = [:]
    for name in needed.sorted() {
      guard let source = manifest.sources[name] else { continue }
      guard request.places[name] != nil else {
        let extras = request.extras.filter { extra in manifest.rules(of: [extra]).contains { $0.source == name } }
        throw ReleaseError(
          .source, doing: "adding the extra '\(extras.joined(separator: "', '"))'",
          reason: "its files come from the source '\(name)', which is not in the release",
          remedy: AssemblerRemedy.sayWhereSourceIs(name: name))
      }
      let (content, _) = try await all.read(name, source)
      contents[name] = content
      guard let pin = plan.sources[name] else {
        plan.sources[name] = content.pin
        continue
      }
      // The digest of a folder covers the wanted files, which were fewer without the extra.
      var before = planner(plan.extras.filter { !request.extras.contains($0) })
      let found = content.pin.kind == "folder" ? try await before.read(name, source).0.pin : content.pin
      guard found.sha256 == pin.sha256, found.commit == pin.commit else {
        throw ReleaseError(
          .unverified, doing: "opening the source '\(name)'",
          reason: "it is not the one that the release was made from",
          advice: "an extra must fit the rest: give the same one")
      }
      try all.checkVerification(name, planned: pin, found: found)
      plan.sources[name]?.sha256 = content.pin.sha256
      contents[name]?.pin = plan.sources[name] ?? pin
    }
    all.warnOfUnsigned(plan)
    plan.sourceDate = plan.sources.values.map(\.date).max() ?? plan.sourceDate
    return contents
  }

  // MARK: the tree

  private static func changed(
    _ code: ReleaseTree, from old: Plan, to plan: inout Plan, _ manifest: Manifest,
    _ contents: [String: SourceContent], cache: FilePath, _ progress: Progress
  ) async throws -> ReleaseTree {
    guard let rebuild = plan.rebuilds?.last else { return code }
    var recipe = Recipe(plan: plan)
    let extras = rebuild.extras ?? []
    let values = try plan.values(manifest)
    let stale = try staleFiles(
      code, manifest.generated + manifest.generated(of: old.extras), &recipe, before: old.values(manifest), now: values)
    // The result of prepare steps depends on everything before them.
    let isPrepared = !manifest.prepare.isEmpty && !(extras.isEmpty && stale.isEmpty)
    let start = isPrepared ? try unprepared(code, manifest) : code

    var assembly = Assembly(manifest, from: start)
    try assembly.apply(manifest.rules(of: extras), contents)
    for (path, bytes) in stale { assembly.replace(path, with: bytes) }
    try assembly.generate(manifest.generated(of: extras), &recipe, values)
    try await assembly.patch(with: extras, &recipe, progress)
    if isPrepared {
      plan.tools = try await PrepareSandbox.versions(
        of: manifest.prepare.flatMap(\.tools), at: manifest.prepare.first?.location)
      try await assembly.prepare(tools: plan.tools, sourceDate: plan.sourceDate, cache: cache, progress)
    }
    try await assembly.patch(for: rebuild, &recipe, progress)
    if !isPrepared { warnOfUnprepared(assembly.tree, patchedBy: rebuild, manifest, progress) }
    try assembly.check(with: plan.extras)
    return assembly.tree
  }

  /// The generated files that change, such as those that contain the version.
  private static func staleFiles(
    _ code: ReleaseTree, _ generated: [Manifest.GeneratedFile], _ recipe: inout Recipe, before: [String: String],
    now: [String: String]
  ) throws -> [(path: String, bytes: [UInt8])] {
    // If several write one path, the last one counts.
    let files = Dictionary(generated.map { ($0.path, $0) }) { $1 }
    return try files.sorted { $0.key < $1.key }.compactMap { path, file in
      let template = try Template(file: file.template, bytes: recipe.read(file.template, at: file.location))
      let (was, bytes) = (Array(try template.render(before).utf8), Array(try template.render(now).utf8))
      guard was != bytes, let entry = code[path] else { return nil }
      guard entry.content == .file(was) else {
        throw ReleaseError(
          .input, at: file.location, doing: "making \(path) again",
          reason: "it contains the version, and was changed after it was generated (\(entry.origin.summary))",
          advice: "cut the release from its sources instead")
      }
      return (path, bytes)
    }
  }

  /// Warns if a patch changes the input of a prepare step: the output of the step stays as it was.
  private static func warnOfUnprepared(
    _ tree: ReleaseTree, patchedBy rebuild: Plan.Rebuild, _ manifest: Manifest, _ progress: Progress
  ) {
    guard let step = manifest.prepare.first else { return }
    // The inputs of a step are not recorded, but those of autotools, the usual tools of prepare steps, are known.
    for path in tree.paths where [".ac", ".am", ".m4"].contains(where: path.hasSuffix) {
      guard tree[path]?.origin.patches?.contains(where: { $0.hasPrefix("\(rebuild.mark)/") }) == true else { continue }
      progress.warning(
        "\(path) is patched, and '\(step.run.joined(separator: " "))' is not run again: "
          + "what it made of it must be patched too")
    }
  }

  /// The tree without the files that prepare steps added.
  private static func unprepared(_ code: ReleaseTree, _ manifest: Manifest) throws -> ReleaseTree {
    let commands = manifest.prepare.map { $0.run.joined(separator: " ") }
    var tree = code
    for (path, entry) in code.entries {
      guard let generator = entry.origin.generator,
        commands.contains(where: { generator == $0 || generator.hasPrefix("\($0) with ") })
      else { continue }
      guard entry.origin.patches == nil else {
        throw ReleaseError(
          .input, doing: "preparing the tree again", reason: "\(path) was patched after it was generated",
          advice: "start from the release without the patch")
      }
      if entry.origin.source == "generated" { tree[path] = nil }
    }
    return tree
  }
}

extension Plan.Rebuild {
  /// Records a series, and adds it and its patches to the recipe.
  fileprivate func adding(_ series: PatchSeries?, to recipe: inout Recipe) -> Plan.Rebuild {
    guard let series else { return self }
    var rebuild = self
    let added = recipe.add(series, mark: mark, source: nil)
    (rebuild.series, rebuild.patches) = (added.series, added.patches)
    return rebuild
  }
}

extension Recipe {
  /// Adds a series from elsewhere, with its patches, in a folder named `mark`.
  mutating func add(_ series: PatchSeries, mark: String, source: String?) -> Plan.AddedSeries {
    let file = "\(mark)/\(FilePath(series.file).lastComponent?.string ?? "series")"
    add(file, series.bytes)
    for patch in series.patches { add("\(mark)/\(patch.name)", patch.bytes) }
    return Plan.AddedSeries(source: source, series: file, patches: series.pins)
  }
}
