// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

// The keys of [modules] and [[packages]]: see `ManifestKeys.swift`.

extension Manifest.Module {
  init?(_ table: inout TableReader) {
    let name = table.required("name", .moduleName, "module name, without .ko")
    path = table.optional("path", .buildFolder, default: ".", "folder in the tree in which it is built; '.' is the top")
    install = table.optional("install", .moduleFolder, default: "", "folder below /lib/modules/<kernel>")
    hasOwnVersion = table.optional(
      "own-version", .boolean, default: false, "its MODULE_VERSION is not that of the release")
    condition = table.optional("when", .condition, "what a site must have for it: a word that 'conditions' prints")
    guard let name else { return nil }
    self.name = name
  }
}

extension Manifest {
  /// How packages are built: for all of them in `[modules]`, or for one package.
  struct Building: Sendable {
    var kernels: Kernels?
    var architectures: String?
    var probe: String?
    var probeInputs: [String]?
    var make: String?
    var conditions: String?
    var buildDepends: [String] = []
    var strips: Bool?
    var keep: [String] = []
    var configure: [String] = []
    var include: [Glob] = []
    var exclude: [Glob] = []
    var files: [GeneratedFile] = []
    var etc: [GeneratedFile] = []

    /// The values for a package: its own value replaces the shared one, its own list adds to it.
    func over(_ shared: Building) -> Building {
      Building(
        kernels: kernels ?? shared.kernels, architectures: architectures ?? shared.architectures,
        probe: probe ?? shared.probe, probeInputs: probeInputs ?? shared.probeInputs, make: make ?? shared.make,
        conditions: conditions ?? shared.conditions, buildDepends: shared.buildDepends + buildDepends,
        strips: strips ?? shared.strips, keep: shared.keep + keep, configure: shared.configure + configure,
        include: shared.include + include,
        exclude: shared.exclude + exclude, files: shared.files + files, etc: shared.etc + etc)
    }
  }

  /// `[modules]`.
  struct Shared: Sendable {
    var building = Building()
    var list: [Module] = []
    /// What a package is called, and what it is, where it does not say so itself.
    var name = ""
    var summary = ""

    func named(_ name: String, _ summary: String) -> Shared {
      Shared(building: building, list: list, name: name, summary: summary)
    }

    /// What stands in `[modules]` is about the code of the release; of that, only the kernels and the architectures
    /// count for a package of an extra.
    func forExtra(_ name: String, _ summary: String) -> Shared {
      Shared(
        building: Building(kernels: building.kernels, architectures: building.architectures), name: name,
        summary: summary)
    }
  }
}

extension Manifest.Building {
  init(_ table: inout TableReader) {
    kernels = table.optional("kernels", Manifest.Kernels.shape, Manifest.Kernels.doc)
    architectures = table.optional(
      "architectures", .architectures, "expression that dkms matches with the machine's architecture")
    probe = table.optional(
      "probe", .plainPath, "script of the tree that PRE_BUILD runs with the kernel release and its build folder")
    probeInputs = table.optional(
      "probe-inputs", .array(.plainPath, atLeast: 1), "files and folders of the tree that decide what the probe finds")
    make = table.optional("make", .makeCommand, "make command of dkms, which runs as root on sites")
    conditions = table.optional(
      "conditions", .plainPath, "script of the tree that prints what a site has, for 'when' of modules")
    buildDepends = table.optional(
      "build-depends", .array(.packageName), default: [],
      "modules of dkms that it builds before these where a site has them")
    strips = table.optional("strip", .boolean, "whether dkms strips debug information; true when it is left out")
    keep = table.optional(
      "keep", .array(.plainPath), default: [], "files of the build folder that stay beside the built modules")
    configure = table.optional(
      "configure", .array(.configureOption), default: [], "options for @CONFIGURE_OPTIONS@ in templates")
    include = table.optional("include", .globs, default: [], "patterns of the release that go into the package")
    exclude = table.optional("exclude", .globs, default: [], "patterns that do not")
    files = table.optional(
      "files", .array(.table { .init(&$0) }), default: [], "files of the package alone, made from templates")
    etc = table.optional(
      "etc", .array(.table { .init(configuration: &$0) }), default: [], "configuration files, in every format")
  }
}

extension Manifest.Shared {
  init?(_ table: inout TableReader) {
    building = Manifest.Building(&table)
    list = table.optional("list", .array(.table { .init(&$0) }), default: [], "modules that every package builds")
  }
}

extension Manifest.Package {
  init?(_ table: inout TableReader, shared: Manifest.Shared, extra: String? = nil) {
    let building = Manifest.Building(&table).over(shared.building)
    kind = table.optional("kind", .oneOf(Kind.self), default: .dkms, "what kind of package")
    variant = table.optional(
      "variant", .packageName, default: extra ?? "modules", "name of the variant, for people and for @VARIANT@")
    let module = table.optional("module", .packageName, default: shared.name, "DKMS PACKAGE_NAME")
    summary = table.optional(
      "summary", .line, default: shared.summary, "one line, without the name of the package")
    description = table.optional("description", .paragraphs, default: "", "a paragraph or more").trimmed
    let own = table.optional(
      "modules", .array(.table { Manifest.Module(&$0) }), default: [], "modules that this variant builds")
    deb = table.optional("deb", .table { .init(&$0, .deb, of: module, etc: building.etc) }, "the Debian package")
    rpm = table.optional("rpm", .table { .init(&$0, .rpm, of: module, etc: building.etc) }, "the RPM package")
    table.constrain(.anyOf(["deb", "rpm"]))
    if extra != nil { table.constrain(.notEmpty("modules")) }
    guard let kernels = building.kernels else {
      table.report(
        "'kernels' is missing: neither the package '\(variant)' nor [modules] says which kernel releases are supported",
        advice: "write kernels = { min = \"5.10\", max = \"6.12\" } in [modules]")
      return nil
    }
    self.extra = extra
    self.module = module
    self.kernels = kernels
    architectures = building.architectures
    probe = building.probe
    probeInputs = building.probeInputs ?? []
    make = building.make ?? "make -C $kernel_source_dir M=$dkms_tree/$module/$module_version/build modules"
    conditions = building.conditions
    buildDepends = building.buildDepends
    strips = building.strips ?? true
    keep = building.keep
    configure = building.configure
    include = building.include
    exclude = building.exclude
    files = building.files
    modules = shared.list + own
    location = table.location
  }
}

extension Manifest.Relations {
  /// - Parameters:
  ///   - module: what dkms calls the package, which stands for its name where that is left out.
  ///   - shared: configuration files that the package has in every format.
  init?(
    _ table: inout TableReader, _ format: Target.Format, of module: String, etc shared: [Manifest.GeneratedFile]
  ) {
    name = table.optional("name", .packageName, default: "\(module)-dkms", "name of the package")
    let recipe = table.required(
      "recipe", .located(.beside), "deb: folder with control and maintainer scripts; rpm: spec; both templates")
    depends = table.optional("depends", .array(.relation(format)), default: [], "further dependencies")
    recommends = table.optional("recommends", .array(.relation(format)), default: [], "recommended packages")
    provides = table.optional("provides", .array(.relation(format)), default: [], "names that it provides")
    conflicts = table.optional(
      "conflicts", .array(.relation(format)), default: [], "packages that cannot be installed beside it")
    replaces = table.optional(
      "replaces", .array(.relation(format)), default: [], "packages that it takes over from (RPM: Obsoletes)")
    let own = table.optional(
      "etc", .array(.table { Manifest.GeneratedFile(configuration: &$0) }), default: [],
      "configuration files in this format alone")
    guard let recipe else { return nil }
    self.recipe = recipe.value
    recipeLocation = recipe.location
    etc = shared + own
    location = table.location
  }
}
