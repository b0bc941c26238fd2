// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Model
import Processes

/// A DKMS package of the manifest, as it is installed: what the .deb and the .rpm have in common.
package struct DKMSPackage: Sendable {
  package let package: Manifest.Package
  private let context: PackagingContext
  /// The kernels that it supports.
  package let kernels: PackageKernels
  /// The modules that it builds, including those of extras.
  package let modules: [Manifest.Module]
  /// The values of `@NAME@` in files of the package.
  package let values: [String: String]
  /// The extras that add to it.
  private let extras: [Manifest.Extra]

  package init(_ package: Manifest.Package, in context: PackagingContext) throws {
    self.package = package
    self.context = context
    let (plan, manifest) = (context.plan, context.manifest)
    extras = manifest.extras(plan.extras, addingTo: package)
    kernels = try PackageKernels(package, extras: extras, plan: plan)
    modules = manifest.modules(of: package, with: plan.extras)
    let configure = package.configure + extras.flatMap(\.configure)
    values = context.values.merging([
      "VARIANT": package.variant, "MODULE": package.module, "CONFIGURE_OPTIONS": configure.joined(separator: " "),
      "SUMMARY": package.summary, "DESCRIPTION": context.description(of: package),
      "KERNEL_MIN": kernels.ends.min, "KERNEL_MAX": kernels.ends.max,
      "KERNELS": kernels.list,
    ]) { $1 }
  }

  package var version: ReleaseVersion { context.version }
  package var versionInDKMS: String { plan.versionInDKMS }
  private var plan: Plan { context.plan }
  private var manifest: Manifest { context.manifest }

  /// The path of the source tree on the target.
  package var folder: String { "usr/src/\(package.module)-\(versionInDKMS)" }

  /// The source tree below /usr/src for dkms: the part of the release that the modules need.
  package func sourceTree(_ release: ReleaseTree) throws -> ReleaseTree {
    // Files of an extra with its own packages are only in these.
    let own = package.extra.flatMap { manifest.extras[$0] }
    let added = own.map { [$0] } ?? extras.filter(\.packages.isEmpty)
    let foreign = extras.filter { !$0.packages.isEmpty }
    let unwanted: Set = ["COPYING", "LICENSE", "LICENCE", ".gitignore", ".gitattributes"]
    var tree = release.filter { path in
      let name = path.pathParts.last.map(String.init) ?? path
      if unwanted.contains(name) || path.startsInBytes(with: "lrelease/") { return false }
      guard let origin = release[path]?.origin else { return false }
      if added.contains(where: { manifest.holds(path, origin, extra: $0) }) { return true }
      if foreign.contains(where: { manifest.holds(path, origin, extra: $0) }) { return false }
      if package.exclude.contains(where: { $0.matches(path) }) { return false }
      return package.include.isEmpty && own == nil || package.include.contains { $0.matches(path) }
    }
    for file in package.files {
      tree[file.path] = entry(
        try context.render(file.template, at: file.location, values), executable: file.isExecutable,
        "template \(file.template)")
    }
    for (what, script) in [("probe", package.probe), ("conditions", package.conditions)] {
      guard let script, tree[script] == nil else { continue }
      throw ReleaseError(
        .input, at: package.location, doing: "making the package '\(package.variant)'",
        reason: "its \(what) \(script) \(what == "probe" ? "is" : "are") not among its files",
        advice: "generate it, or correct 'include'")
    }
    try checkMakefile(tree)
    tree["dkms.conf"] = entry(try configuration, executable: false, "dkms.conf")
    tree["dkms/pre-build"] = entry(try preBuild, executable: true, "dkms/pre-build")
    tree["dkms/post-install"] = entry(try postInstall, executable: true, "dkms/post-install")
    if !package.keep.isEmpty { tree["dkms/post-build"] = entry(try postBuild, executable: true, "dkms/post-build") }
    if package.probe != nil {
      tree["dkms/key"] = entry(try key, executable: true, "dkms/key")
      for (key, results) in plan.proven?[package.variant]?.probes ?? [:] {
        tree["\(Self.probed)/\(key)"] = entry(results, executable: false, "qualification")
      }
    }
    return tree
  }

  /// Requires a makefile, unless a probe may generate it or the command names another place.
  private func checkMakefile(_ tree: ReleaseTree) throws {
    guard package.probe == nil, let folder = makeFolder else { return }
    let names = ["Kbuild", "Makefile"] + (package.make.contains("M=") ? [] : ["makefile", "GNUmakefile"])
    guard !names.contains(where: { tree[folder.isEmpty ? $0 : "\(folder)/\($0)"] != nil }) else { return }
    throw ReleaseError(
      .input, at: package.location, doing: "making the package '\(package.variant)'",
      reason: "it cannot be built: neither Makefile nor Kbuild is in \(folder.isEmpty ? "its top folder" : folder)",
      advice: "generate one with files of the package, or correct its 'include'")
  }

  /// The folder of the package's makefile, empty for the top; nil if the command does not say.
  private var makeFolder: String? {
    let words = package.make.split(separator: " ")
    guard let place = words.first(where: { $0.hasPrefix("M=") }) else {
      return words.contains { $0.hasPrefix("-C") || $0.hasPrefix("-f") || $0.hasPrefix("--") } ? nil : ""
    }
    guard let build = place.firstRange(of: "/$module_version/build") else { return nil }
    let folder = place[build.upperBound...].split { "/\"'".contains($0) }.joined(separator: "/")
    return folder.contains("$") ? nil : folder
  }

  private func entry(_ text: String, executable: Bool, _ generator: String) -> TreeEntry {
    TreeEntry(
      content: .file(Array(text.utf8)), isExecutable: executable,
      origin: Origin(source: "generated", generator: generator))
  }

  /// Static text, because dkms sources it many times. Source: dkms(8).
  package var configuration: String {
    get throws {
      // Quoting would change the bytes of released packages; make commands also contain variables of dkms.
      return try filled(
        PackageResources.dkms_conf_bash, "dkms.conf",
        [
          "NAME": .plain(manifest.name), "DKMS_VERSION": .plain(versionInDKMS),
          "ARCHITECTURES": package.architectures.map { .verbatim($0) },
          "MAKE": .verbatim(package.make), "MODULES": .verbatim(moduleLines.joined(separator: "\n")),
          "CONDITIONS": conditions, "KEEP": keep, "STRIP": package.strips ? nil : .plain("no"),
        ])
    }
  }

  /// Fills values into a script, including those that all scripts of the package share.
  private func filled(_ script: [UInt8], _ name: String, _ more: [String: Script.Value?]) throws -> String {
    let common: [String: Script.Value] = ["MODULE": .plain(package.module), "VERSION": .plain("\(version)")]
      .merging(kernels.scriptValues) { $1 }
    return try Script(script).filled(common.merging(more.compactMapValues { $0 }) { $1 }, doing: "writing \(name)")
  }

  /// Checks the kernel, prints one clear line if it is outside the supported range, then runs the recipe's probe.
  private var preBuild: String {
    get throws {
      // make looks here first; a missing makefile is reported before the probe runs.
      let folder = makeFolder.map { $0.isEmpty ? "" : "\($0)/" } ?? ""
      let makefiles = ["Kbuild", "Makefile"].map { Script.quote(folder + $0) }.joined(separator: " ")
      return try filled(
        PackageResources.pre_build_sh, "dkms/pre-build",
        // Quoting would change the bytes of released packages.
        [
          "PROBE": package.probe.map { .verbatim($0) }, "MAKEFILES": .verbatim(makefiles),
          "SCRATCH": .verbatim(try scratch), "CONDITIONS": conditions,
        ])
    }
  }

  /// Keeps files of the build folder for who builds against these modules.
  private var postBuild: String {
    get throws { try filled(PackageResources.post_build_sh, "dkms/post-build", ["KEEP": keep]) }
  }

  private var keep: Script.Value? { package.keep.isEmpty ? nil : .verbatim(package.keep.joined(separator: " ")) }
  private var conditions: Script.Value? { package.conditions.map { .plain($0) } }

  /// Finds a folder for temporary files, in the scripts that need one.
  private var scratch: String {
    get throws { try filled(PackageResources.scratch_sh, "the scripts", [:]).trimmed }
  }

  /// Checks what dkms installed, if no maintainer script does.
  private var postInstall: String {
    get throws {
      let site = try siteScripts["DKMS_SITE"] ?? ""
      return try filled(PackageResources.post_install_sh, "dkms/post-install", ["SITE": .verbatim(site)])
    }
  }

  /// Shell code that the maintainer scripts of the package share, as values of templates: complete, and only the paths.
  private var siteScripts: [String: String] {
    get throws {
      func filled(_ more: [String: Script.Value?]) throws -> String {
        let script = try self.filled(PackageResources.site_sh, "the maintainer scripts", more)
        return script.trimmed
      }
      var places: [String] = []
      for place in modules.map({ "\($0.name)=\($0.place)" }) where !places.contains(place) { places.append(place) }
      let values: [String: Script.Value?] = [
        "DKMS_VERSION": .plain(versionInDKMS), "PLACES": .word(places.joined(separator: " ")),
        "CONDITIONAL": .word(conditionalNames.joined(separator: " ")),
        "SCRATCH": .verbatim(try scratch),
      ]
      return [
        "DKMS_SITE": try filled(values.merging(["ALL": .verbatim("")]) { $1 }), "DKMS_FOLDERS": try filled(values),
      ]
    }
  }

  /// The folder of shipped probe results, each named by the key that `dkms/key` computes. Scripts use the same path.
  package static let probed = "dkms/probed"

  /// Computes a key of all inputs of a probe: any changed byte in a header changes the key.
  private var key: String {
    get throws {
      let inputs = package.probeInputs.isEmpty ? ["."] : package.probeInputs
      let settings = Set(([package.deb, package.rpm].compactMap(\.self)).flatMap { $0.etc.map(\.path) }).sorted()
      let options = "\(package.variant) \(values["CONFIGURE_OPTIONS"] ?? "")"
      // Quoting would change the bytes of released packages.
      return try filled(
        PackageResources.key_sh, "dkms/key",
        [
          "OPTIONS": .word(options), "INPUTS": .verbatim(inputs.joined(separator: " ")),
          "SETTINGS": settings.isEmpty ? nil : .verbatim(settings.joined(separator: " ")),
        ])
    }
  }

  /// The files below /etc.
  package func configurationFiles(_ relations: Manifest.Relations) throws -> [PackageFile] {
    try relations.etc.map { file in
      let text = try context.render(file.template, at: file.location, values)
      return PackageFile(path: String(file.path.dropFirst()), content: .file(Array(text.utf8)))
    }
  }

  /// The files below /usr/src and /etc.
  private func files(_ tree: ReleaseTree, _ relations: Manifest.Relations) throws -> [PackageFile] {
    let sources = tree.paths.compactMap { path in
      tree[path].map { PackageFile(path: "\(folder)/\(path)", content: $0.content, mode: $0.mode & 0o755) }
    }
    return try sources + configurationFiles(relations)
  }

  /// Fills in a template of a packaging recipe, with the names and relations of one format.
  private func render(
    _ file: String, _ relations: Manifest.Relations, _ licences: PackageLicences, _ more: [String: String]
  ) throws -> String {
    try context.render(file, at: relations.recipeLocation, recipeValues(relations, licences, more))
  }

  private func recipeValues(
    _ relations: Manifest.Relations, _ licences: PackageLicences, _ more: [String: String]
  ) throws -> [String: String] {
    let more = try siteScripts.merging(["PACKAGE": relations.name]) { $1 }.merging(more) { $1 }
    return values.merging(licences.values) { $1 }.merging(more) { $1 }
  }

  /// The values of `@NAME@` in the recipe of one format that are known without the files of the release.
  package func recipeValues(_ relations: Manifest.Relations, _ format: Target.Format) throws -> [String: String] {
    let more = try format == .deb ? debianValues(relations) : specValues(relations)
    return context.values.merging(try recipeValues(relations, .unknown, more)) { $1 }
  }

  /// The file names of its packages.
  package var fileNames: [String] {
    [
      package.deb.map { PackageFileName.deb($0.name, version) },
      package.rpm.map { PackageFileName.rpm($0.name, version) },
    ].compactMap { $0 }
  }

  /// The packages of every format that the manifest asks for.
  package func writers(_ tree: ReleaseTree, _ licences: PackageLicences) throws -> [any PackageWriter] {
    var writers: [any PackageWriter] = []
    if let relations = package.deb { writers.append(try deb(relations, tree: tree, licences)) }
    if let relations = package.rpm {
      writers.append(
        RPMPackageWriter(
          package: try rpm(relations, tree: tree, licences), name: relations.name,
          title: PackageFileName.rpm(relations.name, version)))
    }
    return writers
  }

  // MARK: Debian

  /// The filled-in Debian recipe of this package: its control stanza, and its other files by name.
  package func debianRecipe(
    _ relations: Manifest.Relations, _ licences: PackageLicences
  ) throws -> (stanza: DebianControl.Stanza, files: [String: String]) {
    var recipe = Recipe(plan: plan)
    let more = debianValues(relations)
    var stanza = DebianControl.Stanza()
    var files: [String: String] = [:]
    for file in try recipe.list(relations.recipe, at: relations.recipeLocation) {
      let text = try render(file, relations, licences, more)
      let name = String(file.dropFirst(relations.recipe.count + 1))
      if name == "control" {
        stanza = try DebianControl(parsing: text, file: file).stanzas.first ?? stanza
      } else {
        files[name] = text
      }
    }
    return (stanza, files)
  }

  private func debianValues(_ relations: Manifest.Relations) -> [String: String] {
    func list(_ items: [String]) -> String { items.joined(separator: ", ") }
    return [
      "DEPENDS": (relations.depends + extras.flatMap(\.debDepends)).map { ", \($0)" }.joined(),
      "RECOMMENDS": relations.recommends.map { ", \($0)" }.joined(),
      "PROVIDES": list(relations.provides), "CONFLICTS": list(relations.conflicts),
      "REPLACES": list(relations.replaces),
      "DESCRIPTION": DebianControl.indented(values["DESCRIPTION"] ?? ""),
      "KERNELS": DebianControl.indented(values["KERNELS"] ?? ""),
    ]
  }

  /// The .deb. Its recipe is a folder with `control`, maintainer scripts, `copyright` and `changelog`.
  package func deb(
    _ relations: Manifest.Relations, tree: ReleaseTree, _ licences: PackageLicences
  ) throws -> DebPackage {
    let recipe = try debianRecipe(relations, licences)
    let docs = "usr/share/doc/\(relations.name)"
    var scripts: [String: [UInt8]] = [:]
    var packageFiles = try files(tree, relations)
    for (name, text) in recipe.files.sorted(by: { $0.key < $1.key }) {
      switch name {
      case "copyright": packageFiles.append(PackageFile(path: "\(docs)/copyright", content: .file(Array(text.utf8))))
      case "changelog":
        let packed = try Codec.gzip.compress(Array(text.utf8), doing: "compressing the changelog")
        packageFiles.append(PackageFile(path: "\(docs)/changelog.Debian.gz", content: .file(packed)))
      // debhelper would insert its snippets here; a DKMS package needs none.
      default: scripts[name] = Array(text.replacing("#DEBHELPER#", with: "").utf8)
      }
    }
    packageFiles.append(
      PackageFile(path: "\(docs)/\(Self.origins)", content: .file(try origins(tree)), isRecord: true))
    let own: Set = ["Package", "Version", "Architecture"]
    return DebPackage(
      name: relations.name, version: version.debian, fields: recipe.stanza.fields.filter { !own.contains($0.name) },
      conffiles: relations.etc.map { String($0.path.dropFirst()) }, maintainerScripts: scripts, files: packageFiles,
      blocks: plan.blockLayout, sourceDate: plan.sourceDate)
  }

  /// The name of the list of origins in the documentation of a package.
  package static let origins = "origins.jsonl.gz"

  package func origins(_ tree: ReleaseTree) throws -> [UInt8] {
    try Codec.gzip.compress(OriginRecord.list(tree), doing: "compressing the origins")
  }

  // MARK: RPM

  /// The spec of the .rpm.
  package func spec(_ relations: Manifest.Relations, _ licences: PackageLicences) throws -> String {
    try render(relations.recipe, relations, licences, specValues(relations))
  }

  private func specValues(_ relations: Manifest.Relations) throws -> [String: String] {
    func lines(_ tag: String, _ items: [String]) -> String { items.map { "\(tag): \($0)" }.joined(separator: "\n") }
    // In a spec, a percent sign starts a macro.
    let scripts = try siteScripts.mapValues { $0.replacing("%", with: "%%") }
    return [
      "REQUIRES": lines("Requires", relations.depends + extras.flatMap(\.rpmDepends)),
      "RECOMMENDS": lines("Recommends", relations.recommends),
      "PROVIDES": lines("Provides", relations.provides), "CONFLICTS": lines("Conflicts", relations.conflicts),
      "OBSOLETES": lines("Obsoletes", relations.replaces),
      "CONFIG_FILES": relations.etc.map { "%config(noreplace) \($0.path)" }.joined(separator: "\n"),
    ].merging(scripts) { $1 }
  }

  /// The texts of licences as files of the .rpm; empty if the recipe does not list them, as in older releases.
  func licenceFiles(_ relations: Manifest.Relations, _ licences: PackageLicences) throws -> [PackageFile] {
    let text = try spec(relations, licences)
    let places = ["/\(PackageLicences.folder(relations.name))", "_licensedir", "_defaultlicensedir"]
    return places.contains { text.contains($0) } ? licences.files(of: relations.name) : []
  }

  /// The .rpm. Its recipe is a spec whose %files lists these files.
  package func rpm(
    _ relations: Manifest.Relations, tree: ReleaseTree, _ licences: PackageLicences
  ) throws -> RPMPackage {
    let documents = "usr/share/doc/\(relations.name)/\(Self.origins)"
    let packageFiles =
      try files(tree, relations) + [PackageFile(path: documents, content: .file(try origins(tree)))]
      + licenceFiles(relations, licences)
    return RPMPackage(spec: try spec(relations, licences), files: packageFiles, sourceDate: plan.sourceDate)
  }
}
