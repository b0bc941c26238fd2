// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Diagnostics
import Files
import Model
import Packagers
import SystemPackage

/// Reads a manifest and every file that it names, as a cut would, and reports all that is wrong with them. No source is
/// opened.
package struct ManifestCheck {
  package struct Report: Sendable, Encodable {
    package var name: String
    package var version: String
    package var sources: Int
    package var rules: Int
    package var packages: Int
    /// Files beside the manifest that a cut reads.
    package var files: Int
  }

  private let path: FilePath
  private let manifest: Manifest
  private var recipe: Recipe
  private var findings: [ReleaseError] = []

  /// - Throws: `Diagnostics` with every finding, each with its file, line and column.
  package static func run(_ path: FilePath) throws -> Report {
    var check = try ManifestCheck(path)
    check.readFiles()
    check.fillIn()
    guard check.findings.isEmpty else { throw Diagnostics(check.findings) }
    let manifest = check.manifest
    return Report(
      name: manifest.name, version: manifest.version, sources: manifest.sources.count, rules: manifest.rules.count,
      packages: manifest.packages.count, files: check.recipe.files.count)
  }

  private init(_ path: FilePath) throws {
    self.path = path
    var recipe = Recipe(folder: Files.absolute(path).removingLastComponent())
    let bytes = try Manifest.bytes(of: path)
    manifest = try Manifest(parsing: bytes, file: path.string) { try recipe.read($0) }
    _ = try recipe.read(path.name)
    self.recipe = recipe
  }

  // MARK: findings

  /// Continues after an error, which becomes a finding.
  private mutating func attempt(at location: SourceLocation?, _ body: (inout Recipe) throws -> Void) {
    do {
      try body(&recipe)
    } catch let error as ReleaseError {
      add(error, at: location)
    } catch let error as Diagnostics {
      for finding in error.findings { add(finding, at: location) }
    } catch {
      add(ReleaseError(.failed, doing: "", reason: "\(error)"), at: location)
    }
  }

  /// - Parameter location: where the manifest names what the error is about.
  private mutating func add(_ error: ReleaseError, at location: SourceLocation?) {
    var place = error.location ?? location ?? SourceLocation(file: path.string, line: 1, column: 1)
    // Files beside the manifest get a path that can be opened from the working directory.
    if place.file != path.string, recipe.files[place.file] != nil {
      place.file = path.removingLastComponent().pushing(FilePath(place.file)).string
    }
    let finding = ReleaseError(
      error.code, at: place, doing: "", reason: error.doing.isEmpty ? error.reason : "\(error.doing): \(error.reason)",
      remedy: error.remedy, cause: error.cause)
    // Report a mistake in a shared recipe once.
    if !findings.contains(where: { $0.description == finding.description }) { findings.append(finding) }
  }

  // MARK: files

  /// The packages of the release and of every extra, with the extra.
  private var packages: [(package: Manifest.Package, extras: [String])] {
    manifest.packages.map { ($0, []) }
      + manifest.extras.sorted { $0.key < $1.key }.flatMap { name, extra in
        extra.packages.map { ($0, manifest.ordered([name] + extra.needs)) }
      }
  }

  /// Reads the files that are not templates.
  private mutating func readFiles() {
    for (_, source) in manifest.sources.sorted(by: { $0.key < $1.key }) {
      if let keyring = source.keyring { attempt(at: source.location) { _ = try $0.read(keyring, at: source.location) } }
      if let series = source.series { read(series: series, at: source.location) }
    }
    for rule in manifest.licenceRules {
      if let text = rule.text { attempt(at: rule.location) { _ = try $0.read(text, at: rule.location) } }
    }
    for (_, extra) in manifest.extras.sorted(by: { $0.key < $1.key }) {
      if let series = extra.series { read(series: series, at: extra.location) }
    }
  }

  private mutating func read(series: String, at location: SourceLocation) {
    attempt(at: location) { recipe in
      var reader = recipe
      defer { recipe = reader }
      _ = try PatchSeries(file: series) { try reader.read($0, at: location) }
    }
  }

  // MARK: templates

  /// Fills in every template with the values of an example release.
  private mutating func fillIn() {
    let check = self
    attempt(at: nil) { _ in _ = try check.context(extras: []) }
    guard let plain = try? context(extras: []) else { return }
    fillIn(manifest.generated, with: plain.plan, plain.manifest)
    for (name, extra) in manifest.extras.sorted(by: { $0.key < $1.key }) {
      guard let context = try? context(extras: manifest.ordered([name] + extra.needs)) else { continue }
      fillIn(extra.generated, with: context.plan, context.manifest)
    }
    if let packaging = manifest.packaging { fillIn(packaging, plain) }
    for (package, extras) in packages {
      attempt(at: package.location) { _ in _ = try DKMSPackage(package, in: try check.context(extras: extras)) }
      guard let context = try? context(extras: extras), let dkms = try? DKMSPackage(package, in: context) else {
        continue
      }
      let values = context.values.merging(dkms.values) { $1 }
      for file in package.files { fillIn(file.template, at: file.location, values) }
      if let deb = package.deb { fillIn(deb, .deb, dkms, values) }
      if let rpm = package.rpm { fillIn(rpm, .rpm, dkms, values) }
    }
  }

  private mutating func fillIn(_ files: [Manifest.GeneratedFile], with plan: Plan, _ manifest: Manifest) {
    guard let values = try? plan.values(manifest) else { return }
    for file in files { fillIn(file.template, at: file.location, values) }
  }

  private mutating func fillIn(_ file: String, at location: SourceLocation, _ values: [String: String]) {
    var problems: [ReleaseError] = []
    attempt(at: location) { recipe in
      problems = try Template(file: file, bytes: recipe.read(file, at: location)).problems(with: values)
    }
    for problem in problems { add(problem, at: location) }
  }

  private mutating func fillIn(_ packaging: Manifest.Packaging, _ context: PackagingContext) {
    let place = packaging.debianLocation
    let ofDebian = context.values.merging(PackagingTree.values(context, forSpec: false)) { $1 }
    let ofSpec = context.values.merging(PackagingTree.values(context, forSpec: true)) { $1 }
    var names: [String] = []
    attempt(at: place) { recipe in names = try recipe.list(packaging.debian, deep: true, at: place) }
    for name in names { readPackaging(name, at: place, ofDebian) }
    if !names.isEmpty {
      readControl(of: packaging.debian, at: place, ofDebian, field: "Source")
    }
    readPackaging(packaging.spec, at: packaging.specLocation, ofSpec)
  }

  private mutating func fillIn(
    _ relations: Manifest.Relations, _ format: Target.Format, _ dkms: DKMSPackage, _ values: [String: String]
  ) {
    let place = relations.recipeLocation
    for file in relations.etc { fillIn(file.template, at: file.location, values) }
    guard let values = try? dkms.recipeValues(relations, format) else { return }
    guard format == .deb else {
      return readPackaging(relations.recipe, at: place, values)
    }
    var names: [String] = []
    attempt(at: place) { recipe in names = try recipe.list(relations.recipe, at: place) }
    for name in names { readPackaging(name, at: place, values) }
    if !names.isEmpty { readControl(of: relations.recipe, at: place, values, field: "Description") }
  }

  private mutating func readPackaging(_ file: String, at location: SourceLocation, _ values: [String: String]) {
    attempt(at: location) { try $0.readPackaging([file], at: location) }
    if recipe.files[file] != nil { fillIn(file, at: location, values) }
  }

  /// Requires a control file that dpkg can read, with a mandatory field.
  private mutating func readControl(
    of folder: String, at location: SourceLocation, _ values: [String: String], field: String
  ) {
    let file = "\(folder)/control"
    attempt(at: location) { recipe in
      guard recipe.files[file] != nil else {
        throw ReleaseError(
          .input, at: location, doing: "reading the recipe \(folder)", reason: "it has no control",
          advice: "a recipe is a folder such as debian/dkms of lrelease")
      }
      let template = try Template(file: file, bytes: recipe.read(file, at: location))
      guard template.problems(with: values).isEmpty else { return }
      let control = try DebianControl(parsing: template.render(values), file: file)
      guard control.stanzas.first?[field] != nil else {
        throw ReleaseError(
          .input, at: SourceLocation(file: file, line: 1, column: 1), doing: "", reason: "it has no field \(field)")
      }
    }
  }

  /// An example release of the manifest, with versions for its sources, none of which is opened.
  private func context(extras: [String]) throws -> PackagingContext {
    let version = try manifest.exampleVersion()
    let pins = manifest.sources.mapValues { source in
      var pin = SourcePin(kind: source.kind.rawValue, date: 1_000_000_000)
      pin.version = source.version ?? (source.versionFrom == nil ? nil : "1")
      return pin
    }
    let named = try ReleaseVersion(
      components: version.components, prerelease: version.prerelease, respin: version.respin, extras: extras)
    var plan = Plan(
      name: manifest.name, version: named.planned, kernel: "1.0", extras: extras,
      sourceDate: 1_000_000_000, sources: pins, tools: [:], manifest: path.name, recipe: recipe.files)
    plan.useCurrentForms(families: manifest.families)
    return try PackagingContext(plan, manifest)
  }
}
