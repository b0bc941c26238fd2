// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import SystemPackage

/// What is known about a release before its manifest is written, and from where.
struct Start {
  /// A rule of `[[tree]]`.
  struct Rule {
    var from: String
    var to: String
    var exclude: [String] = []
  }

  private let wishes: Starter.Wishes
  private(set) var facts: [Starter.Report.Fact] = []
  private(set) var notes: [String] = []
  /// Keys with a placeholder value.
  private(set) var placeholders: Set<String> = []

  var survey = ModuleSurvey([:])
  private(set) var name = ""
  private(set) var version = ""
  private(set) var summary = ""
  private(set) var license = ""
  private(set) var homepage = ""
  private(set) var maintainer = ""
  var kernels: KernelRange?
  /// Kernels of families that do not follow kernel.org.
  var families: [InstalledKernels.Line] = []

  /// The lines of the table of the one source.
  private(set) var source: (name: String, lines: [String]) = ("code", [])
  private(set) var rules: [Rule] = []
  /// The path of the smoke script in the release.
  private(set) var smoke = "smoke.sh"
  /// The kernel that the code is a part of.
  var kernel: KernelRelease?
  /// The arguments that a cut needs.
  var given: String?

  init(_ wishes: Starter.Wishes) { self.wishes = wishes }

  mutating func tell(_ key: String, _ value: String, _ from: String) {
    facts.append(Starter.Report.Fact(key: key, value: value, from: from))
  }

  // MARK: package metadata

  /// The name and the metadata of the release.
  ///
  /// - Parameter folder: the folder of the code; its name is the fallback for the name of the release.
  mutating func describe(_ code: CodeFacts, _ git: GitFacts, folder: FilePath) {
    let place = folder.name == ".git" ? folder.removingLastComponent() : folder
    let words = place.name.hasSuffix(".git") ? String(place.name.dropLast(4)) : place.name
    let plainName = survey.modules.first?.name ?? "modules"
    name = choose(
      "name", wishes.name,
      [
        code.name.map { (Start.packageName($0.value), $0.path) }, (Start.packageName(words), "the folder"),
        (Start.packageName(plainName), "the first module"),
      ], else: "kernel-modules")
    version = choose(
      "version", wishes.version, [code.version.map { ($0.value, $0.path) }], else: "0.1",
      unless: wishes.version == nil && takesVersion(of: git))
    summary = choose(
      "summary", wishes.summary, [code.summary.map { ($0.value, $0.path) }], else: "\(name) kernel modules", quiet: true
    )
    license = choose("license", wishes.license, [code.licence.map { ($0.value, $0.path) }], else: "GPL-2.0-only")
    homepage = choose(
      "homepage", wishes.homepage, [git.homepage.map { ($0, "remote.origin.url of git") }],
      else: "https://example.org/\(name)")
    maintainer = choose(
      "maintainer", wishes.maintainer,
      [
        git.author.map { ($0, "user.name and user.email of git") },
        environmentVariable("DEBFULLNAME").flatMap { name in
          environmentVariable("DEBEMAIL").map { ("\(name) <\($0)>", "DEBFULLNAME and DEBEMAIL") }
        },
      ], else: "Your Name <you@example.org>")
  }

  /// The first value that the manifest accepts: the requested one, else the one that was found.
  ///
  /// - Parameters:
  ///   - replacement: used otherwise; a comment in the manifest says that it must be changed.
  ///   - isKnown: the value comes from another place.
  ///   - quiet: the replacement is as good as any other.
  private mutating func choose(
    _ key: String, _ wish: String?, _ found: [(value: String, from: String)?], else replacement: String,
    unless isKnown: Bool = false, quiet: Bool = false
  ) -> String {
    if let wish {
      tell(key, wish, "you")
      return wish
    }
    if isKnown { return "" }
    for (value, from) in found.compactMap(\.self) {
      guard let fault = Manifest.fault(of: value, for: key) else {
        tell(key, value, from)
        return value
      }
      notes.append("\(key): '\(value)' (\(from)) cannot be used: \(fault)")
    }
    if !quiet {
      placeholders.insert(key)
      notes.append("\(key): not found; replace '\(replacement)' in the manifest")
    }
    tell(key, replacement, quiet ? "the name" : "not found")
    return replacement
  }

  /// Lower-case letters, digits, `+`, `-` and `.`, starting with a letter or digit.
  private static func packageName(_ text: String) -> String {
    let plain = text.lowercased().utf8.map { byte -> UInt8 in
      switch byte {
      case 0x61...0x7a, 0x30...0x39, 0x2b, 0x2d, 0x2e: byte
      default: 0x2d
      }
    }
    let start = plain.drop { "+-.".utf8.contains($0) }
    let end = start.reversed().drop { "+-.".utf8.contains($0) }
    return String(decoding: end.reversed(), as: UTF8.self)
  }

  // MARK: sources

  /// The pattern of a tag that contains a valid version, and that version.
  private func pattern(ofTag tag: String) -> (pattern: String, version: String)? {
    for form in ["v{version}", "{version}", "\(name)-{version}", "\(name)-v{version}", "release-{version}"] {
      guard let version = VersionPattern(form)?.version(inTag: tag), (try? ReleaseVersion(version)) != nil else {
        continue
      }
      return (form, version)
    }
    return nil
  }

  private func takesVersion(of git: GitFacts) -> Bool { git.tag.flatMap { pattern(ofTag: $0) } != nil }

  /// A separate tree: a repository if there is one, else the folder.
  mutating func takeTree(_ git: GitFacts, _ tree: FilePath, from output: FilePath, files: Set<String>) {
    var exclude: [String] = []
    if files.contains("debian/control") {
      exclude.append("/debian")
      notes.append("the code's debian/ is left out, because the release has its own: compare them")
    }
    if files.contains(where: { !$0.contains("/") && $0.hasSuffix(".spec") }) {
      exclude.append("/*.spec")
      notes.append("the code's .spec is left out, because the release has its own: compare them")
    }
    let own = output.string.inner(of: tree.string)
    if files.contains(smoke) { smoke = "lrelease-smoke.sh" }
    if let repository = git.repository {
      if let own, !own.isEmpty { exclude.append("/\(own)") }
      takeRepository(git, Start.relative(repository, from: output))
      rules = [Rule(from: git.part, to: "", exclude: exclude)]
      if git.changes > 0 {
        notes.append("changes that are not committed (files: \(git.changes)) are not part of a release")
      }
    } else {
      if git.isEmpty { notes.append("the repository has no commit yet, so the files in the folder are used") }
      if let own, !own.isEmpty { exclude.append("/\(own)") }
      exclude += ["*.o", "*.ko", "*.mod", "*.mod.c", "*.cmd", "modules.order", "Module.symvers"]
      source.lines = [
        "# The folder as it is when a release is cut. A git repository would say which commit that was:",
        "# git = \"…\" and ref = \"v1.0\" in place of this.",
        "folder = \(StartedManifest.quote(Start.relative(tree, from: output)))",
      ]
      rules = [Rule(from: "", to: "", exclude: exclude)]
      tell("source", "the folder \(tree)", "you")
    }
    if !survey.leftOut.isEmpty {
      notes.append(
        "modules in \(survey.leftOut.joined(separator: ", ")) are left out: nothing above these folders builds them")
    }
    notes += survey.notes
  }

  private mutating func takeRepository(_ git: GitFacts, _ place: String) {
    source.lines = ["git = \(StartedManifest.quote(place))"]
    if let origin = git.origin {
      source.lines.append("# For others, who do not have this clone: git = \(StartedManifest.quote(origin))")
    }
    if let tag = git.tag, let (form, found) = pattern(ofTag: tag) {
      source.lines += [
        "# What is read: a tag, a branch or a commit. For the next release, change it, or give --ref code=TAG.",
        "ref = \(StartedManifest.quote(tag))",
      ]
      tell("source", "the tag \(tag)", "git")
      if wishes.version == nil {
        source.lines.append("version-from = { tags = [\(StartedManifest.quote(form))] }")
        version = "{code}"
        tell("version", found, "the tag \(tag)")
      }
    } else {
      source.lines += [
        "# CHANGE: what is read is the newest commit. Name a tag, such as v1.0, so that everyone reads the same; then",
        "# version-from = { tags = [\"v{version}\"] } and version = \"{code}\" above take the version from it.",
        "ref = \"HEAD\"",
      ]
      tell("source", "HEAD of the repository", "git")
      notes.append("source: the newest commit has no tag with a version, so HEAD is read; tag what you release")
    }
  }

  /// Folders of a kernel, and their headers.
  ///
  /// - Parameter included: folders of headers that the code includes.
  mutating func takeKernel(
    _ source: String, _ folders: [String], _ headers: [String], files: Set<String>, included: [String]
  ) {
    self.source = (
      source,
      [
        "# linux-VERSION.tar.xz is fetched from here; another place is given with --source \(source)=PATH.",
        "kernel = \"https://cdn.kernel.org/pub/linux/kernel\"",
        "# Without the # these check who signed it; kernel.org signs, distributions do not.",
        "# keyring = \"keys/kernel.org.gpg\"",
        "# signers = [",
        "#   \"647F 2865 4894 E3BD 4571  99BE 38DB BDC8 6092 693E\",   # Greg Kroah-Hartman",
        "#   \"ABAF 11C6 5A29 70B1 30AB  E3C4 79BE 3E43 0041 1886\",   # Linus Torvalds",
        "#   \"E27E 5D8A 3403 A2EF 6687  3BBC DEA6 6FF7 9777 2CDC\",   # Sasha Levin",
        "# ]",
      ]
    )
    if wishes.version == nil {
      version = "{kernel}"
      facts.removeAll { $0.key == "version" }
      placeholders.remove("version")
      notes.removeAll { $0.hasPrefix("version: ") }
      tell("version", kernel?.text ?? "", "the Makefile of the kernel")
    }
    let found = Set(files.compactMap { Start.header($0) })
    let taken = (headers + found).reduce(into: [String]()) { all, path in
      if !all.contains(where: { path.inner(of: $0) != nil }) { all.append(path) }
    }
    rules = (folders + taken.sortedByBytes()).map { Rule(from: $0, to: $0) }
    tell("source", (folders + taken).joined(separator: ", "), "Linux \(kernel?.text ?? "")")
    if homepage.hasPrefix("https://example.org/") { homepage = "https://www.kernel.org/" }
    notes.removeAll { $0.hasPrefix("homepage: ") }
    placeholders.remove("homepage")
    facts.removeAll { $0.key == "homepage" }
    let others = included.map { "include/\($0)" }.filter { path in !taken.contains { path.inner(of: $0) != nil } }
    if !others.isEmpty {
      notes.append(
        "headers: the code also includes headers of \(others.shortened). Name the folders that belong to the modules; for "
          + "the others, each kernel's own headers are used")
    }
    notes += survey.notes
  }

  /// `include/linux/ceph` of `include/linux/ceph/types.h`; nil if it is not a kernel header.
  private static func header(_ path: String) -> String? {
    for start in ["include/uapi/linux", "include/trace/events", "include/linux", "include/net"] {
      guard let inner = path.inner(of: start), let first = inner.pathParts.first else { continue }
      return "\(start)/\(first)"
    }
    return nil
  }

  /// A path as the manifest names it: relative if they are close, else absolute.
  private static func relative(_ path: FilePath, from folder: FilePath) -> String {
    let there = path.string.pathParts
    let here = folder.string.pathParts
    let shared = zip(there, here).prefix { $0.isSameInBytes($1) }.count
    guard shared > 0, here.count - shared <= 3 else { return path.string }
    let parts = Array(repeating: "..", count: here.count - shared) + there.dropFirst(shared).map(String.init)
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  // MARK: kernels

  /// The kernels whose headers are installed here and can be tried.
  mutating func takeInstalledKernels() {
    let names = ((try? Files.names(in: "/lib/modules")) ?? []).map { String(decoding: $0, as: UTF8.self) }
    let installed = InstalledKernels(names.filter { Files.isFolder(FilePath("/lib/modules/\($0)/build")) })
    kernels = installed.mainline
    families = installed.families
    if kernels == nil && families.isEmpty {
      kernels = try? KernelRange("6.1", "6.12")
      placeholders.insert("kernels")
      notes.append("kernels: no kernel headers are installed here; replace 6.1 to 6.12 in the manifest")
      tell("kernels", kernels?.text ?? "", "not found")
      return
    }
    let texts = [kernels?.text].compactMap { $0 } + families.map { "\($0.family) \($0.span.shortText)" }
    tell("kernels", texts.joined(separator: ", "), "the kernel headers that are installed here")
  }
}
