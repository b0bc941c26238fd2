// SPDX-License-Identifier: GPL-2.0-only

import Groundwork
import SystemPackage

/// What a release is made of, as its author wrote it. See `docs/manifest.md` for the reference.
package struct Manifest: Sendable {
  package var name: String
  /// The version with its placeholders, such as `{kernel}`.
  package var version: String
  package var summary: String
  package var description: String
  package var license: String
  package var homepage: String
  package var maintainer: String
  package var sources: [String: Source]
  package var rules: [TreeRule]
  package var generated: [GeneratedFile]
  package var prepare: [PrepareStep]
  package var extras: [String: Extra]
  package var packages: [Package]
  package var packaging: Packaging?
  package var qualify: Qualify
  package var audit: Audit?

  /// Where files of the release come from.
  package struct Source: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
      /// A Linux release: a tarball named after the kernel release below a URL or folder.
      case kernel
      /// A git repository, bare or not, read at `ref`.
      case git
      /// A folder, relative to the manifest.
      case folder
      /// A tarball of any kind, such as an earlier release.
      case archive
    }
    package var kind: Kind
    package var place: String
    package var ref: String?
    package var version: String?
    package var sha256: SHA256Digest?
    package var keyring: String?
    package var signers: [String]
    package var series: String?
    /// Seconds since 1970; for a folder, whose files tell nothing reliable.
    package var date: Int64?
    package var location: SourceLocation
  }

  /// Files of a source and where they go in the release.
  package struct TreeRule: Sendable {
    package var source: String
    /// A file or a folder of the source; empty for all of it.
    package var from: String
    package var to: String
    package var include: [Glob]
    package var exclude: [Glob]
    package var rename: [String: String]
    package var isOverlay: Bool
    package var location: SourceLocation

    package var text: String { "\(source):\(from)" }

    /// The files of a source that one of the patterns matches, where they are.
    package static func taking(_ patterns: [Glob]) -> TreeRule {
      TreeRule(
        source: "", from: "", to: "", include: patterns, exclude: [], rename: [:], isOverlay: false,
        location: SourceLocation(file: "", line: 1, column: 1))
    }

    func matchesNothing(_ advice: String? = nil) -> ReleaseError {
      ReleaseError(
        .source, at: location, doing: "assembling the tree", reason: "the rule from \(text) matches no file",
        advice: advice ?? "correct 'from', 'include' or 'exclude', or take the rule out")
    }

    /// The path in the release of a file of the source, or nil when the rule does not take it.
    package func destination(of path: String) -> String? {
      let inner: Substring
      if from.isEmpty {
        inner = path[...]
      } else if path == from {
        inner = ""
      } else if path.hasPrefix(from), path.utf8.dropFirst(from.utf8.count).first == 0x2f {
        inner = path.dropFirst(from.count + 1)
      } else {
        return nil
      }
      let relative = String(inner)
      if !relative.isEmpty {
        if !include.isEmpty && !include.contains(where: { $0.matches(relative) }) { return nil }
        if exclude.contains(where: { $0.matches(relative) }) { return nil }
      }
      let renamed = rename[relative] ?? relative
      // A single file without 'to' keeps its name, at the top.
      if to.isEmpty { return renamed.isEmpty ? from.split(separator: "/").last.map(String.init) : renamed }
      return renamed.isEmpty ? to : "\(to)/\(renamed)"
    }

    /// The path in the source of a file of the release: the other way round. Nil when the rule does not give it.
    package func source(of path: String) -> String? {
      let inner: String
      if to.isEmpty {
        inner = path
      } else if path == to {
        inner = ""
      } else if path.hasPrefix("\(to)/") {
        inner = String(path.dropFirst(to.count + 1))
      } else {
        return nil
      }
      let named = rename.filter { $0.value == inner }.keys.sorted() + [inner]
      let places = named.map { $0.isEmpty ? from : from.isEmpty ? $0 : "\(from)/\($0)" }
      return (places + [from]).first { destination(of: $0) == path }
    }
  }

  /// What is to be found out about the way of a release to mainline.
  package struct Audit: Sendable {
    /// What belongs to mainline, as rules from the kernel tree; empty where the rules of a kernel source say it.
    package var upstream: [TreeRule]
    /// The compatibility layer: its files, and the names by which `#include` gets them.
    package var compat: [Glob]
    package var includes: [Glob]
    package var probes: Probes?
    package var build: Build?
    package var location: SourceLocation

    /// Macros that say what the kernel at hand offers.
    package struct Probes: Sendable {
      package var prefix: String
      /// Input of autoconf, and headers.
      package var defined: [Glob]
      /// `probes/guard.c` defines HAVE_GUARD.
      package var files: [Glob]
      /// Prefix in results → prefix in the code.
      package var aliases: [String: String]
    }

    /// What the upstream part needs to be built in a kernel tree.
    package struct Build: Sendable {
      package var options: [String]
      package var includes: [String]
    }
  }

  /// A file made from a template beside the manifest.
  package struct GeneratedFile: Sendable {
    package var path: String
    package var template: String
    package var isExecutable: Bool
    package var isOverlay: Bool
    package var location: SourceLocation
  }

  /// A command that is run in the assembled tree, such as `sh autogen.sh`, and whose new files are taken.
  package struct PrepareStep: Sendable {
    package var run: [String]
    /// Programs whose versions decide the outcome; they are recorded and pinned.
    package var tools: [String]
    package var exclude: [Glob]
    package var location: SourceLocation
  }

  /// Something that the kernel will not take and that a release may carry: off by default.
  package struct Extra: Sendable {
    package var summary: String
    package var license: String
    package var rules: [TreeRule]
    package var generated: [GeneratedFile]
    package var series: String?
    package var configure: [String]
    package var modules: [Module]
    /// Other extras that must be chosen too.
    package var needs: [String]
    /// Other extras that must not.
    package var conflicts: [String]
    /// Packages that it makes every .deb and every .rpm depend on.
    package var debDepends: [String]
    package var rpmDepends: [String]
    /// Packages that are made only with it, and that alone hold its files.
    package var packages: [Package]
    /// Kernel releases to which it widens the range of every package.
    package var kernels: Kernels?
    package var location: SourceLocation

    /// Whether a path of the release is one of its files.
    package func holds(_ path: String) -> Bool {
      generated.contains { $0.path == path }
        || rules.contains { !$0.to.isEmpty && (path == $0.to || path.hasPrefix($0.to + "/")) }
    }
  }

  /// A range of kernel releases, both ends of which belong to it.
  package struct Kernels: Sendable, Equatable {
    package var min: String
    package var max: String
  }

  /// A kernel module that a package builds.
  package struct Module: Sendable {
    package var name: String
    /// The folder in the tree in which it is built.
    package var path: String
    /// The folder below the kernel's modules into which it goes.
    package var install: String
    /// Its MODULE_VERSION is its own, and not the release's.
    package var hasOwnVersion = false
  }

  /// A package to make.
  package struct Package: Sendable {
    /// The extra that it belongs to.
    package var extra: String?
    package var variant: String
    package var module: String
    package var summary: String
    package var description: String
    package var include: [Glob]
    package var exclude: [Glob]
    package var files: [GeneratedFile]
    package var modules: [Module]
    package var kernels: Kernels
    package var architectures: String?
    package var probe: String?
    /// Files and folders of the tree that decide what the probe finds; empty for all.
    package var probeInputs: [String]
    package var make: String
    package var configure: [String]
    package var deb: Relations?
    package var rpm: Relations?
    package var location: SourceLocation
  }

  /// What makes a release build by itself with the distributions' own tools.
  package struct Packaging: Sendable {
    /// The folder that becomes `debian/`.
    package var debian: String
    /// The spec that becomes `<name>.spec`.
    package var spec: String
    package var location: SourceLocation
  }

  /// The name that a package has in one format, and what it says of others.
  package struct Relations: Sendable {
    package var name: String
    package var recipe: String
    package var depends: [String]
    package var recommends: [String]
    package var provides: [String]
    package var conflicts: [String]
    package var replaces: [String]
    /// Configuration on the target: `path` is absolute there.
    package var etc: [GeneratedFile]
    package var location: SourceLocation
  }
}

extension Manifest {
  /// The tree rules of extras.
  package func rules(of extras: [String]) -> [TreeRule] { extras.flatMap { self.extras[$0]?.rules ?? [] } }

  /// The files that extras make from templates.
  package func generated(of extras: [String]) -> [GeneratedFile] { extras.flatMap { self.extras[$0]?.generated ?? [] } }

  /// The packages of a release that is made with these extras.
  package func packages(with extras: [String]) -> [Package] {
    packages + extras.flatMap { self.extras[$0]?.packages ?? [] }
  }

  /// The extras that add to a package: none to one that an extra has of its own.
  package func extras(_ chosen: [String], addingTo package: Package) -> [Extra] {
    package.extra == nil ? chosen.compactMap { extras[$0] } : []
  }

  /// What a package builds in a release that is made with these extras.
  package func modules(of package: Package, with extras: [String]) -> [Module] {
    package.modules + self.extras(extras, addingTo: package).flatMap(\.modules)
  }

  /// Reads a manifest. All that is wrong with it is reported in one run.
  ///
  /// - Parameters:
  ///   - bytes: the TOML text.
  ///   - file: the name under which messages speak of it.
  ///   - reader: gives the text of the manifest that this one extends, by its path relative to this one.
  /// - Throws: `ReleaseError` for a syntax error, `Diagnostics` for anything else.
  package init(parsing bytes: [UInt8], file: String, base reader: ((String) throws -> [UInt8])? = nil) throws {
    var root = try TOMLDocument.parse(bytes, file: file)
    if let extended = root["extends"], let name = extended.string, let reader {
      let path = FilePath(file).removingLastComponent().pushing(FilePath(name)).string
      let base: TOMLNode
      do {
        base = try TOMLDocument.parse(reader(name), file: path)
      } catch let error as ReleaseError where error.location == nil {
        throw ReleaseError(
          .input, at: extended.location, doing: error.doing, reason: error.reason, advice: error.advice)
      }
      if let again = base["extends"] {
        throw ReleaseError(
          .input, at: again.location, doing: "", reason: "error: a manifest that is extended cannot extend another",
          advice: "extend \(again.string ?? "that one") itself")
      }
      root = root.extending(base)
    }
    let findings = Manifest.shape.findings(in: root, at: "")
    guard findings.isEmpty else { throw Diagnostics(findings) }
    var problems: [ReleaseError] = []
    self = Manifest(checked: root, problems: &problems)
    problems += crossFindings()
    guard problems.isEmpty else { throw Diagnostics(problems) }
  }

  /// The JSON schema of the format, for editors.
  package static var jsonSchema: String {
    guard case .object(var members) = shape.jsonSchema() else { return "{}" }
    members["$schema"] = .string("https://json-schema.org/draft/2020-12/schema")
    members["title"] = .string("lrelease manifest")
    return JSONText.object(members).text() + "\n"
  }

  private init(checked root: TOMLNode, problems: inout [ReleaseError]) {
    func text(_ key: String) -> String { root[key]?.string ?? "" }
    name = text("name")
    version = text("version")
    summary = text("summary")
    description = text("description")
    license = text("license")
    homepage = text("homepage")
    maintainer = text("maintainer")
    sources = [:]
    for (key, node) in root["sources"]?.table ?? [:] {
      sources[key] = Source(key, node, problems: &problems)
    }
    let known = Set(sources.keys)
    rules = (root["tree"]?.array ?? []).compactMap { TreeRule($0, sources: known, problems: &problems) }
    generated = (root["generate"]?.array ?? []).map { GeneratedFile($0) }
    prepare = (root["prepare"]?.array ?? []).map {
      PrepareStep(
        run: $0["run"]?.strings ?? [], tools: $0["tools"]?.strings ?? [],
        exclude: ($0["exclude"]?.strings ?? []).map { Glob($0) }, location: $0.location)
    }
    let shared = root["modules"]
    extras = [:]
    for (key, node) in root["extras"]?.table ?? [:] {
      extras[key] = Extra(
        summary: node["summary"]?.string ?? "", license: node["license"]?.string ?? "",
        rules: (node["tree"]?.array ?? []).compactMap { TreeRule($0, sources: known, problems: &problems) },
        generated: (node["generate"]?.array ?? []).map { GeneratedFile($0) }, series: node["patches"]?.string,
        configure: node["configure"]?.strings ?? [],
        modules: (node["modules"]?.array ?? []).map { Module($0) }, needs: node["needs"]?.strings ?? [],
        conflicts: node["conflicts"]?.strings ?? [], debDepends: node["deb-depends"]?.strings ?? [],
        rpmDepends: node["rpm-depends"]?.strings ?? [],
        packages: (node["packages"]?.array ?? []).map { Package($0, shared: shared, extra: key) },
        kernels: node["kernels"].map { Kernels($0) },
        location: node.location)
    }
    packages = (root["packages"]?.array ?? []).map { Package($0, shared: shared) }
    packaging = root["packaging"].map {
      Packaging(debian: $0["debian"]?.string ?? "", spec: $0["spec"]?.string ?? "", location: $0.location)
    }
    qualify = root["qualify"].map { Qualify($0) } ?? .plain
    audit = root["audit"].map { Audit($0) }
  }

  /// What no single key shows: variants named twice, packages without a format, files listed in no rule.
  private func crossFindings() -> [ReleaseError] {
    var findings: [ReleaseError] = []
    func report(_ location: SourceLocation, _ reason: String) {
      findings.append(ReleaseError(.input, at: location, doing: "", reason: "error: \(reason)"))
    }
    for (name, source) in sources {
      if (source.keyring == nil) != source.signers.isEmpty {
        report(
          source.location,
          "source '\(name)' has \(source.keyring == nil ? "signers but no keyring" : "a keyring but no signers")"
            + ": its signature would not be checked")
      }
      if source.sha256 != nil, source.kind == .git || source.kind == .folder {
        report(source.location, "source '\(name)' is no tarball, which alone sha256 can pin")
      }
    }
    for (name, extra) in extras {
      for other in extra.needs + extra.conflicts where extras[other] == nil || other == name {
        let hint = other.nearest(in: extras.keys.filter { $0 != name }).map { "; did you mean '\($0)'?" } ?? ""
        report(extra.location, "extra '\(name)' names '\(other)', which is no other extra\(hint)")
      }
      if !extra.packages.isEmpty && !extra.modules.isEmpty {
        report(
          extra.location,
          "extra '\(name)' has packages of its own, which alone hold its files, so it cannot add modules to the others: "
            + "make it two extras, one of which needs the other")
      }
    }
    var names: [String: SourceLocation] = [:]
    var variants: [String: SourceLocation] = [:]
    for package in packages(with: extras.keys.sorted()) {
      if let other = variants[package.variant] {
        report(
          package.location, "the variant '\(package.variant)' is named a second time (first at line \(other.line))")
      }
      variants[package.variant] = package.location
      if package.deb == nil && package.rpm == nil {
        report(package.location, "the package '\(package.variant)' has neither [packages.deb] nor [packages.rpm]")
      }
      if package.modules.isEmpty { report(package.location, "the package '\(package.variant)' names no modules") }
      for relations in [package.deb, package.rpm].compactMap({ $0 }) {
        let key = "\(relations.recipe) \(relations.name)"
        if let other = names[key] {
          report(relations.location, "'\(relations.name)' is named a second time (first at line \(other.line))")
        }
        names[key] = relations.location
      }
    }
    let added = extras.values.compactMap { extra in extra.kernels.map { ($0, extra.location) } }
    for (range, location) in packages.map({ ($0.kernels, $0.location) }) + added {
      guard let low = KernelRelease(range.min), let high = KernelRelease(range.max), low <= high else {
        report(location, "kernels.min '\(range.min)' must not be above kernels.max '\(range.max)'")
        continue
      }
    }
    return findings.sorted { ($0.location?.line ?? 0) < ($1.location?.line ?? 0) }
  }
}

extension Manifest.Source {
  fileprivate init?(_ name: String, _ node: TOMLNode, problems: inout [ReleaseError]) {
    let kinds = Manifest.Source.Kind.allCases.filter { node[$0.rawValue] != nil }
    guard kinds.count == 1, let kind = kinds.first, let place = node[kind.rawValue]?.string else {
      problems.append(
        ReleaseError(
          .input, at: node.location, doing: "",
          reason: "error: source '\(name)' must have exactly one of kernel, git, folder, archive"))
      return nil
    }
    self.init(
      kind: kind, place: place, ref: node["ref"]?.string, version: node["version"]?.string,
      sha256: node["sha256"]?.string.flatMap { SHA256Digest(hex: $0) }, keyring: node["keyring"]?.string,
      signers: (node["signers"]?.strings ?? []).map { $0.filter { !$0.isWhitespace }.uppercased() },
      series: node["patches"]?.string, date: node["date"]?.string.flatMap { Timestamp(iso8601: $0)?.seconds },
      location: node.location)
  }
}

extension Manifest.TreeRule {
  fileprivate init?(_ node: TOMLNode, sources: Set<String>, problems: inout [ReleaseError]) {
    let from = node["from"]?.string ?? ""
    let place = node["from"]?.location ?? node.location
    let parts = from.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let path = parts.count == 2 ? parts[1].trimmingSlashes : ""
    guard parts.count == 2, path.isEmpty || isCleanPath(path) else {
      problems.append(
        ReleaseError(.input, at: place, doing: "", reason: "error: 'from' must be SOURCE:PATH, not '\(from)'"))
      return nil
    }
    guard sources.contains(parts[0]) else {
      let hint = parts[0].nearest(in: sources).map { "did you mean '\($0)'?" }
      problems.append(
        ReleaseError(
          .input, at: place, doing: "", reason: "error: 'from' names the source '\(parts[0])', which is not declared",
          advice: hint ?? "declare it as [sources.\(parts[0])]"))
      return nil
    }
    self.init(
      source: parts[0], from: path, to: node["to"]?.string ?? "",
      include: (node["include"]?.strings ?? []).map { Glob($0) },
      exclude: (node["exclude"]?.strings ?? []).map { Glob($0) },
      rename: (node["rename"]?.table ?? [:]).compactMapValues(\.string),
      isOverlay: node["overlay"]?.boolean ?? false, location: node.location)
  }
}

extension Manifest.Audit {
  fileprivate init(_ node: TOMLNode) {
    func globs(_ node: TOMLNode?, _ key: String) -> [Glob] { (node?[key]?.strings ?? []).map { Glob($0) } }
    self.init(
      upstream: (node["upstream"]?.array ?? []).map {
        Manifest.TreeRule(
          source: "linux", from: $0["from"]?.string ?? "", to: $0["to"]?.string ?? "", include: globs($0, "include"),
          exclude: globs($0, "exclude"), rename: [:], isOverlay: false, location: $0.location)
      },
      compat: globs(node, "compat"), includes: globs(node, "includes"),
      probes: node["probes"].map {
        Probes(
          prefix: $0["prefix"]?.string ?? "", defined: globs($0, "defined"), files: globs($0, "files"),
          aliases: ($0["aliases"]?.table ?? [:]).compactMapValues(\.string))
      },
      build: node["build"].map {
        Build(options: $0["options"]?.strings ?? [], includes: $0["includes"]?.strings ?? [])
      },
      location: node.location)
  }
}

extension Manifest.GeneratedFile {
  fileprivate init(_ node: TOMLNode) {
    self.init(
      path: node["path"]?.string ?? "", template: node["template"]?.string ?? "",
      isExecutable: node["executable"]?.boolean ?? false, isOverlay: node["overlay"]?.boolean ?? false,
      location: node.location)
  }
}

extension Manifest.Module {
  fileprivate init(_ node: TOMLNode) {
    self.init(
      name: node["name"]?.string ?? "", path: node["path"]?.string ?? "", install: node["install"]?.string ?? "",
      hasOwnVersion: node["own-version"]?.boolean ?? false)
  }
}

extension Manifest.Kernels {
  fileprivate init(_ node: TOMLNode) {
    self.init(min: node["min"]?.string ?? "", max: node["max"]?.string ?? "")
  }
}

extension Manifest.Package {
  /// What stands in `[modules]` is about the code of the release; of that, only the kernels and the architectures
  /// count for a package of an extra.
  fileprivate init(_ node: TOMLNode, shared common: TOMLNode?, extra: String? = nil) {
    let shared = extra == nil ? common : nil
    func find(_ key: String) -> TOMLNode? { node[key] ?? shared?[key] }
    func globs(_ key: String) -> [Glob] {
      ((shared?[key]?.strings ?? []) + (node[key]?.strings ?? [])).map { Glob($0) }
    }
    self.extra = extra
    variant = node["variant"]?.string ?? ""
    module = node["module"]?.string ?? ""
    summary = node["summary"]?.string ?? ""
    description = (node["description"]?.string ?? "").trimmed
    include = globs("include")
    exclude = globs("exclude")
    files = (shared?["files"]?.array ?? []).map { .init($0) } + (node["files"]?.array ?? []).map { .init($0) }
    let etc = (shared?["etc"]?.array ?? []) + (node["etc"]?.array ?? [])
    modules = (shared?["list"]?.array ?? []).map { .init($0) } + (node["modules"]?.array ?? []).map { .init($0) }
    kernels = (node["kernels"] ?? common?["kernels"]).map { .init($0) } ?? .init(min: "", max: "")
    architectures = (node["architectures"] ?? common?["architectures"])?.string
    probe = find("probe")?.string
    probeInputs = find("probe-inputs")?.strings ?? []
    make = find("make")?.string ?? "make -C $kernel_source_dir M=$dkms_tree/$module/$module_version/build modules"
    configure = (shared?["configure"]?.strings ?? []) + (node["configure"]?.strings ?? [])
    deb = node["deb"].map { .init($0, etc: etc) }
    rpm = node["rpm"].map { .init($0, etc: etc) }
    location = node.location
  }
}

extension Manifest.Relations {
  fileprivate init(_ node: TOMLNode, etc shared: [TOMLNode]) {
    func list(_ key: String) -> [String] { node[key]?.strings ?? [] }
    self.init(
      name: node["name"]?.string ?? "", recipe: node["recipe"]?.string ?? "", depends: list("depends"),
      recommends: list("recommends"), provides: list("provides"), conflicts: list("conflicts"),
      replaces: list("replaces"), etc: (shared + (node["etc"]?.array ?? [])).map { .init($0) },
      location: node.location)
  }
}

extension String {
  fileprivate var trimmingSlashes: String {
    var slice = self[...]
    while slice.last == "/" { slice.removeLast() }
    return String(slice)
  }
}
