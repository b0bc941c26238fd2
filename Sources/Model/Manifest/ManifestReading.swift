// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import SystemPackage

extension Manifest {
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
          .input, at: extended.location, doing: error.doing, reason: error.reason, remedy: error.remedy,
          cause: error)
      }
      if let again = base["extends"] {
        throw ReleaseError(
          .input, at: again.location, doing: "", reason: "a manifest that is extended cannot extend another",
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
      findings.append(ReleaseError(.input, at: location, doing: "", reason: reason))
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
          reason: "source '\(name)' must have exactly one of kernel, git, folder, archive"))
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
        ReleaseError(.input, at: place, doing: "", reason: "'from' must be SOURCE:PATH, not '\(from)'"))
      return nil
    }
    guard sources.contains(parts[0]) else {
      let hint = parts[0].nearest(in: sources).map { "did you mean '\($0)'?" }
      problems.append(
        ReleaseError(
          .input, at: place, doing: "", reason: "'from' names the source '\(parts[0])', which is not declared",
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
