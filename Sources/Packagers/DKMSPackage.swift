// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Groundwork

/// A DKMS package as the manifest describes it, laid out for the target: what the .deb and the .rpm have in common.
package struct DKMSPackage: Sendable {
  package let package: Manifest.Package
  private let plan: Plan
  private let manifest: Manifest
  private let version: ReleaseVersion
  private let range: KernelRange
  private let modules: [Manifest.Module]
  private let values: [String: String]

  package init(_ package: Manifest.Package, plan: Plan, manifest: Manifest) throws {
    self.package = package
    self.plan = plan
    self.manifest = manifest
    version = try ReleaseVersion(plan.version)
    range = try KernelRange(package.kernelMin, package.kernelMax)
    let extras = plan.extras.compactMap { manifest.extras[$0] }
    modules = package.modules + extras.flatMap(\.modules)
    let configure = package.configure + extras.flatMap(\.configure)
    let licenses = [manifest.license] + extras.map(\.license)
    let unique = licenses.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let date = Timestamp(seconds: plan.sourceDate)
    let description = [package.description, manifest.description].first { !$0.isEmpty } ?? package.summary
    let carried = plan.extras.isEmpty ? "" : "\n\nThis release was made with: \(plan.extras.joined(separator: ", "))."
    values = try plan.values(manifest).merging([
      "VARIANT": package.variant, "MODULE": package.module, "CONFIGURE_OPTIONS": configure.joined(separator: " "),
      "SUMMARY": package.summary, "DESCRIPTION": description + carried,
      "LICENSE": unique.count == 1 ? manifest.license : unique.map { "(\($0))" }.joined(separator: " AND "),
      "KERNEL_MIN": package.kernelMin, "KERNEL_MAX": package.kernelMax, "DATE": date.iso8601,
      "YEAR": String(date.fields.year), "CHANGELOG_DATE": date.rfc5322, "RPM_DATE": date.rpmChangelogDate,
      "DEB_VERSION": version.debian, "RPM_VERSION": version.rpmVersion, "RPM_RELEASE": version.rpmRelease,
    ]) { $1 }
  }

  private var folder: String { "usr/src/\(package.module)-\(version.dkms)" }

  /// The source tree as dkms finds it below /usr/src: the part of the release that the modules need.
  package func sourceTree(_ release: ReleaseTree) throws -> ReleaseTree {
    let extras = plan.extras.compactMap { manifest.extras[$0] }.flatMap(\.rules).map(\.to)
    let unwanted: Set = ["COPYING", "LICENSE", "LICENCE", ".gitignore", ".gitattributes"]
    var tree = release.filter { path in
      let name = path.split(separator: "/").last.map(String.init) ?? path
      if unwanted.contains(name) || path.hasPrefix("lrelease/") { return false }
      if extras.contains(where: { !$0.isEmpty && path.hasPrefix($0 + "/") }) { return true }
      if package.exclude.contains(where: { $0.matches(path) }) { return false }
      return package.include.isEmpty || package.include.contains { $0.matches(path) }
    }
    var recipe = Recipe(plan: plan)
    for file in package.files {
      let template = try Template(file: file.template, bytes: recipe.read(file.template, at: file.location))
      tree[file.path] = entry(try template.render(values), executable: file.isExecutable, "template \(file.template)")
    }
    if let probe = package.probe, tree[probe] == nil {
      throw ReleaseError(
        .input, at: package.location, doing: "making the package '\(package.variant)'",
        reason: "its probe \(probe) is not among its files", advice: "generate it, or correct 'include'")
    }
    tree["dkms.conf"] = entry(configuration, executable: false, "dkms.conf")
    tree["dkms/pre-build"] = entry(preBuild, executable: true, "dkms/pre-build")
    return tree
  }

  private func entry(_ text: String, executable: Bool, _ generator: String) -> TreeEntry {
    TreeEntry(
      content: .file(Array(text.utf8)), isExecutable: executable,
      origin: Origin(source: "generated", generator: generator))
  }

  /// Static text: dkms sources it again and again. Source: dkms(8).
  package var configuration: String {
    var lines = [
      "# Made by lrelease with release \(version) of \(manifest.name).",
      "PACKAGE_NAME=\"\(package.module)\"",
      "PACKAGE_VERSION=\"\(version.dkms)\"",
      "AUTOINSTALL=\"yes\"",
      "# MIN and MAX for dkms since 3.0.11, the expression for older ones.",
      "BUILD_EXCLUSIVE_KERNEL_MIN=\"\(range.min)\"",
      "BUILD_EXCLUSIVE_KERNEL_MAX=\"\(range.dkmsMax)\"",
      "BUILD_EXCLUSIVE_KERNEL=\"\(range.expression)\"",
    ]
    if let architectures = package.architectures { lines.append("BUILD_EXCLUSIVE_ARCH=\"\(architectures)\"") }
    lines += [
      "PRE_BUILD=\"dkms/pre-build $kernelver $kernel_source_dir\"",
      "MAKE[0]=\"\(package.make)\"",
      "CLEAN=\"true\"",
    ]
    for (index, module) in modules.enumerated() {
      lines += [
        "BUILT_MODULE_NAME[\(index)]=\"\(module.name)\"",
        "BUILT_MODULE_LOCATION[\(index)]=\"\(module.path)/\"",
        "DEST_MODULE_LOCATION[\(index)]=\"\(module.install.isEmpty ? "/updates/dkms" : module.install)\"",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Checks the kernel, with one clear line where it is outside the supported range, then runs the recipe's probe.
  private var preBuild: String {
    let name = "\(package.module) \(version)"
    let probe = package.probe.map { "exec sh \($0) \"$kernel\" \"$source\"\n" } ?? ""
    return """
      #!/bin/sh
      # Called by dkms before each build: pre-build KERNEL SOURCE. Exit status 77 means that the kernel is skipped.
      set -eu
      kernel=$1
      source=$2

      number() {
        release=${1%%[!0-9.]*}
        major=${release%%.*}
        rest=${release#*.}
        minor=${rest%%.*}
        patch=${rest#"$minor"}
        patch=${patch#.}
        patch=${patch%%.*}
        echo $((major * 1000000 + minor * 1000 + ${patch:-$2}))
      }

      here=$(number "$kernel" 0)
      if [ "$here" -lt "$(number \(range.min) 0)" ] || [ "$here" -gt "$(number \(range.max) 999)" ]; then
        echo "\(name): kernel $kernel is skipped: supported are \(range.text)" >&2
        exit 77
      fi
      if [ ! -e "$source/Makefile" ]; then
        echo "\(name): kernel $kernel has no headers in $source: install them and build again" >&2
        exit 1
      fi
      \(probe)
      """
  }

  private func configurationFiles(_ relations: Manifest.Relations) throws -> [PackageFile] {
    var recipe = Recipe(plan: plan)
    return try relations.etc.map { file in
      let template = try Template(file: file.template, bytes: recipe.read(file.template, at: file.location))
      return PackageFile(
        path: String(file.path.dropFirst()), content: .file(Array(try template.render(values).utf8)))
    }
  }

  /// The files below /usr/src and /etc.
  private func files(_ tree: ReleaseTree, _ relations: Manifest.Relations) throws -> [PackageFile] {
    let sources = tree.paths.compactMap { path in
      tree[path].map { PackageFile(path: "\(folder)/\(path)", content: $0.content, mode: $0.mode & 0o755) }
    }
    return try sources + configurationFiles(relations)
  }

  /// Renders a template of a packaging recipe, with the names and relations of one format.
  private func render(_ file: String, _ relations: Manifest.Relations, _ more: [String: String]) throws -> String {
    var recipe = Recipe(plan: plan)
    let template = try Template(file: file, bytes: recipe.read(file, at: relations.location))
    return try template.render(values.merging(more.merging(["PACKAGE": relations.name]) { $1 }) { $1 })
  }

  // MARK: Debian

  /// The .deb. Its recipe is a folder with `control`, maintainer scripts, `copyright` and `changelog`.
  package func deb(_ relations: Manifest.Relations, tree: ReleaseTree) throws -> DebPackage {
    var recipe = Recipe(plan: plan)
    func list(_ items: [String]) -> String { items.joined(separator: ", ") }
    // A Debian description is indented, with a dot on empty lines; DebPackage writes the dots.
    let more = [
      "DEPENDS": relations.depends.map { ", \($0)" }.joined(),
      "RECOMMENDS": relations.recommends.map { ", \($0)" }.joined(),
      "PROVIDES": list(relations.provides), "CONFLICTS": list(relations.conflicts),
      "REPLACES": list(relations.replaces),
      "DESCRIPTION": (values["DESCRIPTION"] ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.isEmpty ? " ." : " \($0)" }.joined(separator: "\n"),
    ]
    var scripts: [String: [UInt8]] = [:]
    var fields: [(name: String, value: String)] = []
    let docs = "usr/share/doc/\(relations.name)"
    var packageFiles = try files(tree, relations)
    for file in try recipe.list(relations.recipe, at: relations.location) {
      let name = String(file.dropFirst(relations.recipe.count + 1))
      let text = try render(file, relations, more)
      switch name {
      case "control": fields = try DKMSPackage.fields(text, file: file)
      case "copyright": packageFiles.append(PackageFile(path: "\(docs)/copyright", content: .file(Array(text.utf8))))
      case "changelog":
        let packed = try Codec.gzip.compress(Array(text.utf8), doing: "compressing the changelog")
        packageFiles.append(PackageFile(path: "\(docs)/changelog.Debian.gz", content: .file(packed)))
      default: scripts[name] = Array(text.utf8)
      }
    }
    packageFiles.append(
      PackageFile(
        path: "\(docs)/origins.jsonl.gz",
        content: .file(try Codec.gzip.compress(OriginRecord.list(tree), doing: "compressing the origins"))))
    let own: Set = ["Package", "Version", "Architecture"]
    return DebPackage(
      name: relations.name, version: version.debian,
      fields: fields.filter { !own.contains($0.name) && !$0.value.isEmpty },
      conffiles: relations.etc.map { String($0.path.dropFirst()) }, maintainerScripts: scripts, files: packageFiles,
      sourceDate: plan.sourceDate)
  }

  private static func fields(_ text: String, file: String) throws -> [(name: String, value: String)] {
    var fields: [(name: String, value: String)] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("#") || line.isEmpty { continue }
      if line.first == " " {
        guard !fields.isEmpty else { continue }
        fields[fields.count - 1].value += "\n\(line)"
      } else if let colon = line.firstIndex(of: ":") {
        fields.append((String(line[..<colon]), line[line.index(after: colon)...].trimmed))
      } else {
        throw ReleaseError(
          .input, at: SourceLocation(file: file, line: number + 1, column: 1), doing: "reading the control template",
          reason: "'\(line)' is not a field")
      }
    }
    return fields
  }

  // MARK: RPM

  /// The .rpm. Its recipe is a spec whose %files lists what is here.
  package func rpm(_ relations: Manifest.Relations, tree: ReleaseTree) throws -> RPMPackage {
    func lines(_ tag: String, _ items: [String]) -> String { items.map { "\(tag): \($0)" }.joined(separator: "\n") }
    let spec = try render(
      relations.recipe, relations,
      [
        "REQUIRES": lines("Requires", relations.depends), "RECOMMENDS": lines("Recommends", relations.recommends),
        "PROVIDES": lines("Provides", relations.provides), "CONFLICTS": lines("Conflicts", relations.conflicts),
        "OBSOLETES": lines("Obsoletes", relations.replaces),
        "CONFIG_FILES": relations.etc.map { "%config(noreplace) \($0.path)" }.joined(separator: "\n"),
      ])
    var packageFiles = try files(tree, relations)
    packageFiles.append(
      PackageFile(
        path: "usr/share/doc/\(relations.name)/origins.jsonl.gz",
        content: .file(try Codec.gzip.compress(OriginRecord.list(tree), doing: "compressing the origins"))))
    return RPMPackage(spec: spec, files: packageFiles, sourceDate: plan.sourceDate)
  }
}
