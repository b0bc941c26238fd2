// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc

// The keys of a manifest, table by table. Each is declared once, here: see `TableReader`.

extension Manifest {
  static var shape: Shape<Manifest> { .table { Manifest(&$0) } }

  /// The key that is read before the others, since they may stand in the manifest that it names.
  static let extends = "extends"
  /// The key of what is changed in that one.
  static let change = "change"

  private init?(_ table: inout TableReader) {
    _ = table.optional(
      Manifest.extends, .place, "another manifest, whose keys this one replaces or adds to")
    _ = table.optional(
      Manifest.change, .anyTable, "single parts of the manifest that is extended, as they are to be")
    table.constrain(.needs(Manifest.change, Manifest.extends))
    let name = table.required(
      "name", .packageName, "name of the release: the tarball is <name>-<version>.tar.xz")
    let version = table.required(
      "version", .located(.releaseVersion), "version, with {kernel} or the name of a source in braces")
    let summary = table.required("summary", .line, "one line that says what it is")
    description = table.optional("description", .paragraphs, default: "", "a paragraph or more for the packages")
    let license = table.required(
      "license", .licence, "SPDX expression, for files that say nothing and have no rule")
    copyright = table.optional(
      "copyright", .array(.line), default: [], "holders of copyright, with years, beside those that files name")
    licenceRules = table.optional(
      "licenses", .array(.table { LicenceRule(&$0) }), default: [], "under which licences files are that do not say so")
    let homepage = table.required("homepage", .url, "URL")
    let maintainer = table.required("maintainer", .maintainer, "Name <address>, as packages state it")
    // A source that cannot be read is there nevertheless for the rules that name it.
    let sources = table.required(
      "sources", .map(.word) { name in .table { .some(Source(&$0, name: name)) } }, "where files come from, by name")
    let names = Set((sources ?? [:]).keys)
    let rules = table.required(
      "tree", .array(.table { TreeRule(&$0, sources: names) }, atLeast: 1), "which files are taken and where they go")
    generated = table.optional(
      "generate", .array(.table { GeneratedFile(&$0) }), default: [], "files made from templates")
    prepare = table.optional(
      "prepare", .array(.table { PrepareStep(&$0) }), default: [], "commands run in the assembled tree, in a sandbox")
    packaging = table.optional(
      "packaging", .table { Packaging(&$0) }, "how a release builds its packages by itself, and its source packages")
    let shared = table.optional(
      "modules", .table { Shared(&$0) }, default: Shared(), "how the kernel modules are built; what all packages share"
    ).named(name ?? "", summary ?? "")
    packages = table.optional(
      "packages", .array(.table { Package(&$0, shared: shared) }), default: [], "packages to make")
    extras = table.optional(
      "extras", .map(.word) { name in .table { Extra(&$0, name: name, sources: names, shared: shared) } }, default: [:],
      "what may be added with --with, off by default")
    qualify = table.optional("qualify", .table { Qualify(&$0) }, default: .plain, "what is tried on a booted kernel")
    audit = table.optional(
      "audit", .table { Audit(&$0) }, "what belongs to mainline, and what is there for other kernels")
    ownFamilies = table.optional(
      "kernel-families", .map(.familyName) { name in .table { KernelFamily(&$0, name: name) } }, default: [:],
      "families of kernels beside those that lrelease knows, by name"
    ).sorted { $0.key < $1.key }.map(\.value)
    guard let name, let version, let summary, let license, let homepage, let maintainer, let sources, let rules
    else { return nil }
    self.name = name
    self.version = version.value
    self.summary = summary
    self.license = license
    self.homepage = homepage
    self.maintainer = maintainer
    self.sources = sources.compactMapValues { $0 }
    self.rules = rules
    check(&table)
    checkVersion(&table, at: version.location)
  }
}

extension Manifest.TreeRule {
  /// - Parameter sources: the names of sources.
  fileprivate init?(_ table: inout TableReader, sources: Set<String>) {
    let from = table.required("from", .located(.sourcePath), "SOURCE:PATH, a file or a folder")
    to = table.optional("to", .path, default: "", "where it goes; the top of the release when it is left out")
    include = table.optional("include", .globs, default: [], "patterns: only these")
    exclude = table.optional("exclude", .globs, default: [], "patterns: not these")
    rename = table.optional("rename", .map(.path), default: [:], "other names, relative to 'to'")
    isOverlay = table.optional("overlay", .boolean, default: false, "may replace what an earlier rule wrote")
    guard let from else { return nil }
    location = from.location
    let parts = from.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let path = parts.count == 2 ? parts[1].trimmingSlashes : ""
    guard parts.count == 2, path.isEmpty || isCleanPath(path) else {
      table.report("'from' must be SOURCE:PATH, not '\(from.value)'", at: from.location)
      return nil
    }
    if !sources.contains(parts[0]) {
      table.report(
        "'from' names the source '\(parts[0])', which is not declared", at: from.location,
        advice: parts[0].nearest(in: sources).map { "did you mean '\($0)'?" } ?? "declare it as [sources.\(parts[0])]")
    }
    source = parts[0]
    self.from = path
  }

  /// A rule for what belongs to mainline.
  fileprivate init?(upstream table: inout TableReader) {
    let from = table.required("from", .path, "a file or a folder of the kernel tree")
    let to = table.required("to", .path, "where the release has it")
    include = table.optional("include", .globs, default: [], "patterns: only these")
    exclude = table.optional("exclude", .globs, default: [], "patterns: not these")
    guard let from, let to else { return nil }
    self.from = from
    self.to = to
    source = "linux"
    rename = [:]
    isOverlay = false
    location = table.location
  }
}

extension Manifest.LicenceRule {
  fileprivate init?(_ table: inout TableReader) {
    let paths = table.required(
      "paths", .array(.glob, atLeast: 1), "patterns of the release")
    let expression = table.required("expression", .licence, "SPDX expression")
    why = table.optional("why", .text, "why it is so where a file says something else, or why such files stay")
    text = table.optional("text", .beside, "file with the text of the licence, where lrelease has none")
    copyright = table.optional("copyright", .texts, default: [], "holders of copyright, with years")
    location = table.location
    guard let paths, let expression else { return nil }
    self.paths = paths
    self.expression = expression
  }
}

extension Manifest.GeneratedFile {
  init?(_ table: inout TableReader) {
    let path = table.required("path", .path, "where it goes")
    let template = table.required("template", .beside, "file with @NAME@ placeholders, relative to the manifest")
    isExecutable = table.optional("executable", .boolean, default: false, "mode 0755 instead of 0644")
    isOverlay = table.optional("overlay", .boolean, default: false, "may replace what a rule wrote")
    guard let path, let template else { return nil }
    self.path = path
    self.template = template
    location = table.location
  }

  /// A configuration file on a target.
  init?(configuration table: inout TableReader) {
    let path = table.required("path", .configurationPath, "absolute path on the target")
    let template = table.required("template", .beside, "file with @NAME@ placeholders, relative to the manifest")
    guard let path, let template else { return nil }
    self.init(path: path, template: template, isExecutable: false, isOverlay: false, location: table.location)
  }
}

extension Manifest.PrepareStep {
  fileprivate init?(_ table: inout TableReader) {
    let run = table.required(
      "run", .array(.text, atLeast: 1), "program and arguments, run at the top of the tree")
    tools = table.optional("tools", .array(.word), default: [], "programs whose versions are recorded and pinned")
    inputs = table.optional(
      "inputs", .globs, default: [], "patterns of the files that it reads; it sees no others. (default: all)")
    exclude = table.optional("exclude", .globs, default: [], "patterns of new files that are not taken")
    guard let run else { return nil }
    self.run = run
    location = table.location
  }
}

extension Manifest.Extra {
  fileprivate init?(_ table: inout TableReader, name: String, sources: Set<String>, shared: Manifest.Shared) {
    let summary = table.required("summary", .line, "one line that says what it is")
    let license = table.required(
      "license", .licence, "SPDX expression, for its files that say nothing and have no rule")
    copyright = table.optional("copyright", .array(.line), default: [], "holders of copyright of its files, with years")
    rules = table.optional(
      "tree", .array(.table { .init(&$0, sources: sources) }), default: [], "rules for its files")
    generated = table.optional(
      "generate", .array(.table { .init(&$0) }), default: [], "files of it made from templates")
    series = table.optional("patches", .beside, "quilt series to apply to the assembled tree")
    configure = table.optional(
      "configure", .array(.configureOption), default: [], "options that it adds to every package's")
    modules = table.optional(
      "modules", .array(.table { .init(&$0) }), default: [], "kernel modules that it adds to every package")
    needs = table.optional("needs", .array(.word), default: [], "extras that must be chosen too")
    conflicts = table.optional("conflicts", .array(.word), default: [], "extras that it cannot be chosen with")
    debDepends = table.optional(
      "deb-depends", .array(.relation(.deb)), default: [], "packages that it makes every .deb depend on")
    rpmDepends = table.optional(
      "rpm-depends", .array(.relation(.rpm)), default: [], "packages that it makes every .rpm require")
    packages = table.optional(
      "packages", .array(.table { .init(&$0, shared: shared.forExtra(name, summary ?? ""), extra: name) }), default: [],
      "packages of its own")
    kernels = table.optional(
      "kernels", Manifest.Kernels.shape, "kernels that every package supports with it, beside its own"
    )
    table.constrain(.notBothFilled("packages", "modules"))
    guard let summary, let license else { return nil }
    self.summary = summary
    self.license = license
    location = table.location
  }
}

extension Manifest.Audit {
  fileprivate init?(_ table: inout TableReader) {
    upstream = table.optional(
      "upstream", .array(.table { .init(upstream: &$0) }, atLeast: 1), default: [],
      "what belongs to mainline, where no rule takes it from a kernel")
    compat = table.optional(
      "compat", .globs, default: [], "patterns of the release: the files of the compatibility layer")
    includes = table.optional(
      "includes", .globs, default: [], "patterns of the names by which #include gets it")
    probes = table.optional("probes", .table { Probes(&$0) }, "macros that say what the kernel at hand offers")
    build = table.optional("build", .table { Build(&$0) }, "what the upstream part needs in a kernel tree")
    location = table.location
  }
}

extension Manifest.Audit.Probes {
  fileprivate init?(_ table: inout TableReader) {
    let prefix = table.required("prefix", .identifier, "how their names begin, as HAVE_")
    defined = table.optional(
      "defined", .globs, default: [], "patterns of the release: configure's macros and headers that define them")
    files = table.optional(
      "files", .globs, default: [], "patterns of the release: probes that are one file each, named after it")
    aliases = table.optional(
      "aliases", .map(.identifier), default: [:],
      "how names begin in results of configure, and how the code spells that")
    guard let prefix else { return nil }
    self.prefix = prefix
  }
}

extension Manifest.Audit.Build {
  fileprivate init?(_ table: inout TableReader) {
    let options = table.required(
      "options", .array(.option, atLeast: 1), "CONFIG_ names without CONFIG_; NAME=y is never m")
    includes = table.optional(
      "includes", .array(.path), default: [], "folders of the kernel tree in which its headers are looked for")
    guard let options else { return nil }
    self.options = options
  }
}

extension String {
  fileprivate var trimmingSlashes: String {
    var slice = self[...]
    while slice.last == "/" { slice.removeLast() }
    return String(slice)
  }
}
