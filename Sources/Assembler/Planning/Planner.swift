// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Releases
import SystemPackage

/// A plan with the contents of its sources.
package struct OpenedPlan: Sendable {
  package var plan: Plan
  package var manifest: Manifest
  package var contents: [String: SourceContent]
  /// The folder for what can be made again.
  package var cache: FilePath
}

/// Reads the sources of a manifest and pins them.
package struct Planner {
  let manifest: Manifest
  let request: CutRequest
  var recipe: Recipe
  let progress: Progress
  let manifestName: String
  /// The pins of the plan that is carried out; empty while a new plan is made.
  var planned: [String: SourcePin] = [:]
  /// The series of the request, applied after those of the manifest. The recipe holds them.
  var added: [Plan.AddedSeries] = []
  /// The series that were read, by the name of their file.
  private var series: [String: PatchSeries] = [:]

  init(
    manifest: Manifest, request: CutRequest, recipe: Recipe, progress: Progress, manifestName: String,
    planned: [String: SourcePin] = [:]
  ) {
    self.manifest = manifest
    self.request = request
    self.recipe = recipe
    self.progress = progress
    self.manifestName = manifestName
    self.planned = planned
  }

  /// Pins the sources of the manifest at `path`.
  package static func plan(
    manifest path: FilePath, _ request: CutRequest, progress: Progress
  ) async throws -> OpenedPlan {
    let name = path.lastComponent?.string ?? path.string
    var recipe = Recipe(folder: Files.absolute(path).removingLastComponent())
    let bytes = try Manifest.bytes(of: path)
    let manifest = try Manifest(parsing: bytes, file: path.string) { try recipe.read($0) }
    _ = try recipe.read(name)
    var request = request
    request.extras = manifest.ordered(request.extras)
    var planner = Planner(
      manifest: manifest, request: request, recipe: recipe, progress: progress, manifestName: name)
    planner.added = request.patches.enumerated().map { number, given in
      planner.recipe.add(given.series, mark: "cut.\(number + 1)", source: given.source)
    }
    let opened = try await planner.run()
    planner.warnOfUnsigned(opened.plan)
    return opened
  }

  /// Opens the sources of a saved plan, or of the plan of a release, which has its patches beside it.
  package static func open(
    planAt path: FilePath, _ request: CutRequest, progress: Progress
  ) async throws -> OpenedPlan {
    var plan = try Plan(reading: path)
    try await PatchArchive.complete(&plan, from: Files.absolute(path).removingLastComponent(), progress: progress)
    return try await open(plan, request, progress: progress)
  }

  /// Opens the sources of a plan again, and checks that they are what it pins.
  package static func open(_ plan: Plan, _ request: CutRequest, progress: Progress) async throws -> OpenedPlan {
    if let name = request.refs.keys.min() {
      throw ReleaseError(
        .input, doing: "carrying out the plan",
        reason: "a ref was given for the source '\(name)', and the plan says what is read",
        advice: "make a new plan with this ref")
    }
    var request = request
    request.kernel = plan.kernel
    request.extras = plan.extras
    let version = plan.version.value
    request.respin = version.respin
    request.vendor = version.vendor
    for (name, place) in plan.places ?? [:] where request.places[name] == nil { request.places[name] = place }
    for (name, pin) in plan.sources { request.refs[name] = pin.ref }
    let manifest = try plan.parsedManifest()
    var planner = Planner(
      manifest: manifest, request: request, recipe: Recipe(plan: plan), progress: progress,
      manifestName: plan.manifest, planned: plan.sources)
    planner.added = plan.patches ?? []
    var opened = try await planner.run()
    // The name becomes the name of a folder, so it must agree with the manifest in the plan.
    guard opened.plan.name == plan.name, opened.plan.version == plan.version else {
      throw ReleaseError(
        .unverified, doing: "carrying out the plan",
        reason: "it says \(plan.name) \(plan.version), its manifest \(opened.plan.name) \(opened.plan.version)",
        advice: "make a new plan")
    }
    for name in Set(plan.sources.keys).union(opened.plan.sources.keys).sorted() {
      guard let pin = plan.sources[name], let found = opened.plan.sources[name],
        found.sha256 == pin.sha256, found.commit == pin.commit
      else {
        throw ReleaseError(
          .unverified, doing: "opening the source '\(name)'",
          reason: "its content differs from the one that the plan pins",
          remedy: AssemblerRemedy.giveSameSource(name: name))
      }
      try planner.checkVerification(name, planned: pin, found: found)
      // The release records what the plan says, whether or not a signature was available this time.
      opened.contents[name]?.pin = pin
    }
    planner.warnOfUnsigned(plan)
    for (tool, version) in plan.tools {
      guard let here = opened.plan.tools[tool], here != version else { continue }
      throw ReleaseError(
        .missingTool, doing: "carrying out the plan", reason: "it was made with \(version), here is \(here)",
        advice: "use a machine with the same tools, or make a new plan")
    }
    let places = opened.plan.places
    opened.plan = plan
    opened.plan.places = places
    return opened
  }

  private mutating func run() async throws -> OpenedPlan {
    try checkRequest()
    // Querying tool versions takes about as long as reading a repository: do both at the same time.
    let steps = manifest.prepare
    async let tools = PrepareSandbox.versions(of: steps.flatMap(\.tools), at: steps.first?.location)
    var contents: [String: SourceContent] = [:]
    var places: [String: String] = [:]
    var kernel = request.kernel
    for name in manifest.sources.keys.sorted() {
      guard let source = manifest.sources[name], isUsed(name) else { continue }
      let (content, place) = try await read(name, source)
      if source.kind == .kernel {
        kernel = try checkKernel(name, content.pin, asked: request.kernel).text
      }
      contents[name] = content
      places[name] = place
    }
    let pins = contents.mapValues(\.pin)
    try checkTimes(pins)
    let version = try resolveVersion(kernel: kernel, pins)
    try readNamedFiles()
    var plan = Plan(
      name: manifest.name, version: version.planned, kernel: kernel, extras: request.extras,
      sourceDate: pins.values.map(\.date).max() ?? 0, sources: pins, tools: try await tools, manifest: manifestName,
      recipe: recipe.files)
    if !added.isEmpty { plan.patches = added }
    plan.useCurrentForms(families: manifest.families)
    plan.format = Plan.format(patches: plan.appliedPatches)
    plan.places = places
    return OpenedPlan(plan: plan, manifest: manifest, contents: contents, cache: request.cache)
  }

  func checkRequest() throws {
    if let kernel = request.kernel, KernelRelease(kernel) == nil {
      throw ReleaseError(
        .input, doing: "reading --kernel", reason: "'\(kernel)' is not a kernel release",
        advice: "a release is 7.4, 7.4.2 or 7.4-rc3")
    }
    for name in request.extras where manifest.extras[name] == nil {
      throw ReleaseError(
        .input, doing: "choosing extras", reason: "the manifest has no extra '\(name)'",
        advice: name.nearest(in: manifest.extras.keys).map { "did you mean '\($0)'?" }
          ?? (manifest.extras.isEmpty
            ? "it has none" : "it has \(manifest.extras.keys.sorted().joined(separator: ", "))"))
    }
    for name in request.extras {
      guard let extra = manifest.extras[name] else { continue }
      if let needed = extra.needs.first(where: { !request.extras.contains($0) }) {
        throw ReleaseError(
          .input, at: extra.location, doing: "choosing extras", reason: "'\(name)' needs '\(needed)'",
          remedy: AssemblerRemedy.addExtra(needed))
      }
      if let other = extra.conflicts.first(where: request.extras.contains) {
        throw ReleaseError(
          .input, at: extra.location, doing: "choosing extras", reason: "'\(name)' conflicts with '\(other)'",
          advice: "choose one of them")
      }
    }
    let named = Array(request.places.keys) + request.hashes.keys + request.refs.keys + added.compactMap(\.source)
    for name in named.sorted()
    where manifest.sources[name] == nil {
      throw ReleaseError(
        .input, doing: "choosing sources", reason: "the manifest has no source '\(name)'",
        advice: name.nearest(in: manifest.sources.keys).map { "did you mean '\($0)'?" }
          ?? "it has \(manifest.sources.keys.sorted().joined(separator: ", "))")
    }
  }

  /// The rules of the manifest and of the chosen extras.
  private var rules: [Manifest.TreeRule] {
    manifest.rules + manifest.rules(of: request.extras)
  }

  private func isUsed(_ source: String) -> Bool { rules.contains { $0.source == source } }

  // MARK: sources

  mutating func read(_ name: String, _ source: Manifest.Source) async throws -> (SourceContent, String) {
    var selection = Selection(rules: rules.filter { $0.source == name })
    if source.kind == .kernel { selection.paths.insert("Makefile") }
    if let file = source.versionFrom?.file { selection.paths.insert(file) }
    var series: [(mark: String?, series: PatchSeries)] = []
    if let file = source.series { series.append((nil, try readSeries(file, at: source.location))) }
    for added in added where added.source == name {
      series.append((added.mark, try readSeries(added.series)))
    }
    for (_, series) in series { selection.paths.formUnion(series.needed) }
    let (place, found) = try await locate(name, source)
    var content: SourceContent
    switch found {
    case .archive(let path, let signature, let isFetched):
      var archive = ArchiveSource(path: path, signature: signature, pinnedSHA256: try hash(name, source))
      archive.trust = try trust(source)
      // Whether the plan alone is enough is decided after its hash was verified: see checkVerification.
      archive.allowsUnsigned = request.allowsUnsigned || planned[name] != nil && signature == nil
      archive.cache = request.cache.appending("archives")
      archive.isFetched = isFetched
      content = try await archive.read(selection, progress: progress)
      if source.kind == .archive, let date = source.date { content.pin.date = date }
    case .repository(var git):
      git.commit = planned[name]?.commit
      git.trust = try trust(source)
      git.allowsUnsigned = request.allowsUnsigned || planned[name] != nil
      let isUnsigned = try isUnsigned(name, source, kind: "a git repository", isChecked: git.trust != nil)
      content = try await git.read(selection, progress: progress)
      content.pin.isUnsigned = content.pin.isUnsigned ?? isUnsigned
    case .folder(let path):
      let isUnsigned = try isUnsigned(name, source, kind: "a folder", isChecked: false)
      content = try await FolderSource(path: path, date: source.date).read(selection)
      content.pin.isUnsigned = isUnsigned
    }
    try checkPointers(name, content)
    for (mark, series) in series {
      try await series.apply(to: &content.files, by: mark, progress: progress)
      if mark == nil { content.pin.patches = series.pins }
    }
    content.pin.version = try version(of: name, source, content)
    // Report first that a tree is not a kernel, or is another one.
    if source.kind == .kernel { _ = try checkKernel(name, content.pin, asked: request.kernel) }
    let paths = content.files.keys
    for rule in selection.rules where !paths.contains(where: { rule.destination(of: $0) != nil }) {
      let near = await nearPaths(of: rule, in: found).map { "'\(rule.source):\($0)'" }
      if !near.isEmpty { throw rule.matchesNothing("did you mean \(near.joined(separator: " or "))?") }
      guard source.kind == .kernel, rule.include.isEmpty else { throw rule.matchesNothing() }
      throw rule.matchesNothing("this kernel tree does not hold it: " + (await otherManifests(for: found)))
    }
    return (content, place)
  }

  private mutating func readSeries(_ file: String, at location: SourceLocation? = nil) throws -> PatchSeries {
    if let known = series[file] { return known }
    var reader = recipe
    let read = try PatchSeries(file: file) { try reader.read($0, at: location) }
    recipe = reader
    series[file] = read
    return read
  }

  /// Advice that names the manifests beside this one whose files the kernel tree has.
  private func otherManifests(for found: FoundSource) async -> String {
    let advice = "give a kernel tree that does"
    guard let folder = recipe.folder, let names = try? Files.names(in: folder) else { return advice }
    var fitting: [String] = []
    for name in names.map({ String(decoding: $0, as: UTF8.self) }) where name.hasSuffix(".toml") {
      let path = folder.appending(name)
      guard let bytes = try? Files.read(path, limit: 16 << 20),
        let other = try? Manifest(parsing: bytes, file: path.string, base: { try Files.read(folder.appending($0)) })
      else { continue }
      let kernels = other.sources.filter { $0.value.kind == .kernel }
      let wanted = other.rules.filter { kernels[$0.source] != nil }
      // Skip manifests that take nothing from a kernel tree, unless they make the same release.
      guard !wanted.isEmpty || other.name == manifest.name && name != manifestName else { continue }
      guard let held = try? await files(of: found, Selection(rules: wanted)) else { continue }
      let fits = wanted.allSatisfy { rule in held.contains { rule.destination(of: $0) != nil } }
      if fits { fitting.append(name) }
    }
    return fitting.isEmpty ? advice : "cut with \(fitting.joined(separator: " or ")), or \(advice)"
  }

  private func files(of found: FoundSource, _ selection: Selection) async throws -> [String] {
    switch found {
    case .archive(let path, _, _):
      Array(try await ArchiveSource(path: path).read(selection, progress: .silent).files.keys)
    case .repository(let git):
      Array(try await git.read(selection, progress: .silent).files.keys)
    case .folder(let path):
      Array(try await FolderSource(path: path).read(selection).files.keys)
    }
  }

  private func checkKernel(_ name: String, _ pin: SourcePin, asked: String?) throws -> KernelRelease {
    guard let found = pin.kernel.flatMap({ KernelRelease($0) }) else {
      throw ReleaseError(
        .source, doing: "reading the kernel release of '\(name)'", reason: "its Makefile states no kernel release",
        advice: "check that it is a kernel tree")
    }
    if let asked, let release = KernelRelease(asked), release != found {
      throw ReleaseError(
        .source, doing: "reading the kernel release of '\(name)'",
        reason: "its Makefile says \(found), --kernel says \(asked)", remedy: AssemblerRemedy.giveTreeOfKernel)
    }
    return found
  }

  // MARK: version and recipe

  private func resolveVersion(kernel: String?, _ pins: [String: SourcePin]) throws -> ReleaseVersion {
    let doing = "making the version"
    var text = manifest.version
    if text.contains("{kernel}") {
      guard let kernel else {
        throw ReleaseError(
          .input, doing: doing, reason: "the version is '\(text)' and no kernel release was named",
          remedy: AssemblerRemedy.nameKernel)
      }
      guard KernelRelease(kernel) != nil else {
        throw ReleaseError(
          .input, doing: doing, reason: "'\(kernel)' is not a kernel release",
          advice: "a release is 7.4, 7.4.2 or 7.4-rc3")
      }
      text = text.replacing("{kernel}", with: kernel)
    }
    for (name, source) in manifest.sources where text.contains("{\(name)}") {
      guard let version = pins[name]?.version ?? source.version else {
        throw ReleaseError(
          .input, at: source.location, doing: doing,
          reason: "the version uses {\(name)}, "
            + (source.versionFrom == nil ? "which has no version" : "of which no file is read"),
          advice: source.versionFrom == nil
            ? "add version-from = { … } or version = \"…\" to [sources.\(name)]" : "add a rule that takes files from it"
        )
      }
      text = text.replacing("{\(name)}", with: version)
    }
    if let open = text.firstIndex(of: "{") {
      throw ReleaseError(
        .input, doing: doing, reason: "there is no \(text[open...])", advice: "use {kernel} or {<source>}")
    }
    let version = try ReleaseVersion(text)
    return try ReleaseVersion(
      components: version.components, prerelease: version.prerelease,
      respin: request.respin > 0 ? request.respin : version.respin, extras: request.extras, vendor: request.vendor)
  }

  /// Reads all files that the manifest names, so that the plan holds them, and a missing file is reported now.
  ///
  /// This includes files of extras that were not chosen: a vendor may add one later.
  private mutating func readNamedFiles() throws {
    let isPlanned = recipe.folder == nil
    for (_, source) in manifest.sources.sorted(by: { $0.key < $1.key }) where !isPlanned {
      if let keyring = source.keyring { _ = try recipe.read(keyring, at: source.location) }
      if let series = source.series { _ = try readSeries(series, at: source.location) }
    }
    for rule in manifest.licenceRules { if let text = rule.text { _ = try recipe.read(text, at: rule.location) } }
    for file in manifest.generated { _ = try recipe.read(file.template, at: file.location) }
    for (name, extra) in manifest.extras.sorted(by: { $0.key < $1.key }) {
      guard !isPlanned || request.extras.contains(name) else { continue }
      if let series = extra.series { _ = try readSeries(series, at: extra.location) }
      for file in extra.generated { _ = try recipe.read(file.template, at: file.location) }
    }
    if let packaging = manifest.packaging {
      try recipe.readPackaging(recipe.list(packaging.debian, deep: true, at: packaging.debianLocation))
      try recipe.readPackaging([packaging.spec], at: packaging.specLocation)
    }
    for package in manifest.packages(with: isPlanned ? request.extras : manifest.extras.keys.sorted()) {
      for file in package.files + (package.deb?.etc ?? []) + (package.rpm?.etc ?? []) {
        _ = try recipe.read(file.template, at: file.location)
      }
      if let deb = package.deb { try recipe.readPackaging(recipe.list(deb.recipe, at: deb.recipeLocation)) }
      if let rpm = package.rpm { try recipe.readPackaging([rpm.recipe], at: rpm.recipeLocation) }
    }
  }
}
