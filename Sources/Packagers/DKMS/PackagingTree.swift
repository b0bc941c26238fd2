// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import Releases

/// A DKMS package and its source tree.
package struct PackageSources: Sendable {
  package var dkms: DKMSPackage
  package var tree: ReleaseTree
  package var licences: PackageLicences

  package init(dkms: DKMSPackage, tree: ReleaseTree, licences: PackageLicences) {
    self.dkms = dkms
    self.tree = tree
    self.licences = licences
  }

  package func writers() throws -> [any PackageWriter] { try dkms.writers(tree, licences) }
}

/// The files that let distributions' own tools build a release without lrelease: `debian/`, the spec, and the prepared
/// files of the DKMS packages.
package struct PackagingTree {
  /// The folder in the tarball with the additional files of the DKMS packages.
  static let folder = "lrelease/dkms"

  private let context: PackagingContext
  private let packages: [PackageSources]
  private let licences: PackageLicences
  /// Other packages that a build of the tarball makes.
  private let built: [(package: Manifest.BuiltPackage, licences: PackageLicences)]

  /// Adds the packaging to a release, if the manifest has `[packaging]`, and the texts of its licences.
  ///
  /// - Returns: the licences of the whole release.
  @discardableResult
  package static func add(
    to tree: inout ReleaseTree, in context: PackagingContext, packages: [PackageSources], _ files: FileLicences
  ) throws -> PackageLicences {
    let licences = try files.release(packaging: files.recipe())
    defer { files.addTexts(to: &tree, of: licences) }
    guard let packaging = context.manifest.packaging else { return licences }
    let adder = PackagingTree(
      context: context, packages: packages, licences: licences,
      built: try packaging.packages.map { ($0, try files.built($0, with: packages)) })
    let release = tree
    for (path, entry) in try adder.debian(packaging) + adder.spec(packaging) + adder.laidOut(release) {
      guard tree[path] == nil else {
        throw ReleaseError(
          .input, at: packaging.location, doing: "adding the packaging",
          reason: "\(path) is already in the release, from \(tree[path]?.origin.summary ?? "elsewhere")",
          advice: "exclude it in the rule that takes it")
      }
      tree[path] = entry
    }
    return licences
  }

  /// A release without its packaging and records.
  package static func code(of release: ReleaseTree, in context: PackagingContext) throws -> ReleaseTree {
    var records: PathSet = [Tarball.planPath, Tarball.originsPath]
    for (path, entry) in release.entries where entry.origin == FileLicences.textOrigin { records.insert(path) }
    guard let packaging = context.manifest.packaging else { return release.filter { !records.contains($0) } }
    let adder = try withoutRelease(packaging, in: context)
    let made = try adder.debian(packaging) + adder.spec(packaging)
    let packagingPaths = PathSet(made.map(\.0)).union(records)
    return release.filter { !packagingPaths.contains($0) && !$0.startsInBytes(with: "\(folder)/") }
  }

  /// The name of the Debian source package; nil if the release has no source packages.
  package static func sourcePackage(in context: PackagingContext) throws -> String? {
    guard let packaging = context.manifest.packaging else { return nil }
    let control = try withoutRelease(packaging, in: context).debian(packaging).first { $0.0 == "debian/control" }
    guard let text = try control?.1.read() else { return nil }
    return try DebianControl(parsing: String(decoding: text, as: UTF8.self), file: "debian/control")
      .stanzas.first?["Source"]
  }

  /// For the names of files, which do not depend on the contents of the release.
  private static func withoutRelease(
    _ packaging: Manifest.Packaging, in context: PackagingContext
  ) throws -> PackagingTree {
    let packages = try context.packages.map { package in
      PackageSources(dkms: try DKMSPackage(package, in: context), tree: ReleaseTree(), licences: .unknown)
    }
    return PackagingTree(
      context: context, packages: packages, licences: .unknown, built: packaging.packages.map { ($0, .unknown) })
  }

  /// The origin of files that lrelease generates without a template.
  private static let own = Origin(source: "generated", generator: "lrelease")

  private typealias Entries = [(String, TreeEntry)]

  private func entry(_ text: String, from generator: String, executable: Bool? = nil) -> TreeEntry {
    TreeEntry(
      content: .file(Array(text.utf8)), isExecutable: executable ?? text.hasPrefix("#!"),
      origin: Origin(source: "generated", generator: generator))
  }

  /// `debian/`, with the stanzas and scripts of the DKMS packages among those of the recipe.
  private func debian(_ packaging: Manifest.Packaging) throws -> Entries {
    var recipe = Recipe(plan: context.plan)
    var entries: Entries = []
    let values = Self.values(context, licences, forSpec: false)
    for file in try recipe.list(packaging.debian, deep: true, at: packaging.debianLocation) {
      var text = try context.render(file, at: packaging.debianLocation, values)
      let name = String(file.dropFirst(packaging.debian.count + 1))
      if name == "control" {
        for package in packages {
          guard let deb = package.dkms.package.deb else { continue }
          var stanza = try package.dkms.debianRecipe(deb, package.licences).stanza
          let ofTheSource: Set = ["Source", "Version", "Maintainer", "Homepage"]
          stanza.fields.removeAll { ofTheSource.contains($0.name) || $0.name == "Priority" }
          stanza.fields = stanza.fields.map { $0.name == "Depends" ? ($0.name, "${misc:Depends}, \($0.value)") : $0 }
          text += "\n" + stanza.text
        }
      }
      entries.append(("debian/\(name)", entry(text, from: "template \(file)")))
    }
    for package in packages {
      guard let deb = package.dkms.package.deb else { continue }
      let files = try package.dkms.debianRecipe(deb, package.licences).files
      for (name, text) in files.sorted(by: { $0.key < $1.key }) where name != "changelog" {
        entries.append(("debian/\(deb.name).\(name)", entry(text, from: "template \(deb.recipe)/\(name)")))
      }
    }
    return try entries + copyrights(packaging, besides: PathSet(entries.map(\.0)))
  }

  /// Copyright files for debhelper, instead of `debian/copyright`, which covers the whole source: one for each built
  /// package, unless the recipe has one.
  private func copyrights(_ packaging: Manifest.Packaging, besides known: PathSet) throws -> Entries {
    guard known.contains("debian/copyright") else { return [] }
    let file = "\(packaging.debian)/copyright"
    return try built.compactMap { package, licences in
      guard let deb = package.deb, !known.contains("debian/\(deb).copyright") else { return nil }
      let values = licences.values.merging(["DESCRIPTION": DebianControl.indented(context.description())]) { $1 }
      let text = try context.render(file, at: packaging.debianLocation, values)
      return ("debian/\(deb).copyright", entry(text, from: "template \(file)"))
    }
  }

  /// The spec, with the DKMS packages as sub-packages: the part of their own spec that starts with `%package`.
  private func spec(_ packaging: Manifest.Packaging) throws -> Entries {
    let specs = try packages.compactMap { package in
      try package.dkms.package.rpm.map { try package.dkms.spec($0, package.licences) }
    }
    let parts = try specs.map { text in
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      guard let start = lines.firstIndex(where: { $0.hasPrefix("%package ") }) else {
        throw ReleaseError(
          .input, at: packaging.location, doing: "adding the packaging",
          reason: "the spec of a DKMS package has no %package", advice: "make it a sub-package, as specs/dkms.spec does"
        )
      }
      return lines[start...].joined(separator: "\n")
    }
    let text = try context.render(
      packaging.spec, at: packaging.specLocation,
      Self.values(context, licences, built: built, forSpec: true, dkmsPackages: parts.joined(separator: "\n")))
    return [("\(context.manifest.name).spec", entry(text, from: "template \(packaging.spec)"))]
  }

  /// The values of `@NAME@` in `debian/` or in the spec, in addition to those of the context.
  ///
  /// - Parameter built: the packages that a build of the release makes, with their licences; nil if not known yet.
  package static func values(
    _ context: PackagingContext, _ licences: PackageLicences = .unknown,
    built: [(package: Manifest.BuiltPackage, licences: PackageLicences)]? = nil, forSpec: Bool,
    dkmsPackages: String = ""
  ) -> [String: String] {
    let built = built ?? (context.manifest.packaging?.packages ?? []).map { ($0, .unknown) }
    let ofBuilt = built.reduce(into: licences.values) { values, made in
      guard forSpec, let rpm = made.package.rpm else { return }
      values.merge(made.licences.values(of: rpm)) { $1 }
    }
    return ofBuilt.merging(
      forSpec
        ? [
          "DKMS_PACKAGES": dkmsPackages, "DESCRIPTION": context.description(),
          // The Open Build Service replaces this one.
          "BUILD_FLAVOR": "@BUILD_FLAVOR@",
        ] : ["DESCRIPTION": DebianControl.indented(context.description())]
    ) { $1 }
  }

  /// A path for `tar -T`, which interprets options and escapes in such a list.
  private static func listed(_ path: String) -> String {
    let bytes = path.utf8.flatMap { $0 == UInt8(ascii: "\\") ? [$0, $0] : [$0] }
    return (path.startsInBytes(with: "-") ? "./" : "") + String(decoding: bytes, as: UTF8.self)
  }

  /// A folder for each DKMS package: `files` lists its files from the release, `tree` holds its other sources, and for
  /// each format a file states the name of the package and the path of its sources.
  private func laidOut(_ release: ReleaseTree) throws -> Entries {
    var entries: Entries = []
    for package in packages {
      let (dkms, tree) = (package.dkms, package.tree)
      let home = "\(Self.folder)/\(dkms.package.variant)"
      var taken = ""
      for path in tree.paths {
        guard let file = tree[path] else { continue }
        if let same = release[path], same.content == file.content, same.isExecutable == file.isExecutable {
          taken += Self.listed(path) + "\n"
        } else {
          entries.append(("\(home)/tree/\(path)", file))
        }
      }
      entries.append(("\(home)/files", entry(taken, from: "lrelease", executable: false)))
      let origins = TreeEntry(
        content: .file(try dkms.origins(tree)), origin: Self.own)
      entries.append(("\(home)/\(DKMSPackage.origins)", origins))
      for (format, relations) in [("deb", dkms.package.deb), ("rpm", dkms.package.rpm)] {
        guard let relations else { continue }
        entries.append(("\(home)/\(format)", entry("\(relations.name) \(dkms.folder)\n", from: "lrelease")))
        if format == "rpm" {
          for file in try dkms.licenceFiles(relations, package.licences) {
            entries.append(("\(home)/rpm.files/\(file.path)", TreeEntry(content: file.content, origin: Self.own)))
          }
        }
        for file in try dkms.configurationFiles(relations) {
          let origin = Origin(source: "generated", generator: "template for /\(file.path)")
          entries.append(("\(home)/\(format).files/\(file.path)", TreeEntry(content: file.content, origin: origin)))
        }
      }
    }
    if !packages.isEmpty {
      let install = try Script(PackageResources.install_sh).filled([:], doing: "writing \(Self.folder)/install")
      entries.append(("\(Self.folder)/install", entry(install, from: "lrelease")))
    }
    return entries
  }
}
