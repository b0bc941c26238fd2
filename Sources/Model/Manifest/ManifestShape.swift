// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc

extension Manifest {
  /// The format of a manifest, key by key.
  static let shape = Shape.table([
    Field("extends", .text, "a manifest beside this one, whose keys this one replaces or adds to"),
    Field("name", packageName, required: true, "name of the release: the tarball is <name>-<version>.tar.xz"),
    Field("version", .text, required: true, "version, with {kernel} or the name of a source in braces"),
    Field("summary", .text, required: true, "one line that says what it is"),
    Field("description", .text, "a paragraph or more for the packages"),
    Field("license", .text, required: true, "SPDX expression"),
    Field("homepage", .text, required: true, "URL"),
    Field("maintainer", maintainer, required: true, "Name <address>, as packages state it"),
    Field("sources", .map(source), required: true, "where files come from, by name"),
    Field("tree", .array(rule, atLeast: 1), required: true, "which files are taken and where they go"),
    Field("generate", .array(generated, atLeast: 0), "files made from templates"),
    Field("prepare", .array(prepare, atLeast: 0), "commands run in the assembled tree, in a sandbox"),
    Field("extras", .map(extra), "what may be added with --with, off by default"),
    Field("packaging", packaging, "how a release builds its packages by itself, and its source packages"),
    Field("modules", modules, "how the kernel modules are built; what all packages share"),
    Field("packages", .array(package, atLeast: 0), "packages to make"),
    Field("qualify", Qualify.shape, "what is tried on a booted kernel"),
    Field("audit", audit, "what belongs to mainline, and what is there for other kernels"),
  ])

  private static let source = Shape.table([
    Field("kernel", .text, "URL or folder below which linux-{kernel}.tar.xz lies"),
    Field("git", .text, "URL or path of a git repository"),
    Field("folder", .text, "folder, relative to the manifest"),
    Field("archive", .text, "URL or path of a tarball"),
    Field("ref", .text, "tag, branch or commit of a git repository"),
    Field("version", .text, "what {<name of the source>} stands for in version"),
    Field("sha256", sha256, "pinned SHA-256 of the tarball"),
    Field("keyring", .text, "OpenPGP keyring (binary) to check signatures with, relative to the manifest"),
    Field("signers", .array(fingerprint, atLeast: 1), "fingerprints, one of which must have signed"),
    Field("patches", .text, "quilt series to apply on top, relative to the manifest"),
    Field("date", date, "when the folder was released, as 2026-11-01T00:00:00Z"),
  ])

  private static let rule = Shape.table([
    Field("from", .text, required: true, "SOURCE:PATH, a file or a folder"),
    Field("to", .path, "where it goes; the top of the release when it is left out"),
    Field("include", .texts, "patterns: only these"),
    Field("exclude", .texts, "patterns: not these"),
    Field("rename", .map(.path), "other names, relative to 'to'"),
    Field("overlay", .boolean, "may replace what an earlier rule wrote"),
  ])

  private static let generated = Shape.table([
    Field("path", .path, required: true, "where it goes"),
    Field("template", .text, required: true, "file with @NAME@ placeholders, relative to the manifest"),
    Field("executable", .boolean, "mode 0755 instead of 0644"),
    Field("overlay", .boolean, "may replace what a rule wrote"),
  ])

  private static let prepare = Shape.table([
    Field("run", .array(.text, atLeast: 1), required: true, "program and arguments, run at the top of the tree"),
    Field("tools", .texts, "programs whose versions are recorded and pinned"),
    Field("exclude", .texts, "patterns of new files that are not taken"),
  ])

  private static let extra = Shape.table([
    Field("summary", .text, required: true, "one line that says what it is"),
    Field("license", .text, required: true, "SPDX expression of its own"),
    Field("tree", .array(rule, atLeast: 0), "rules for its files"),
    Field("generate", .array(generated, atLeast: 0), "files of it made from templates"),
    Field("patches", .text, "quilt series to apply to the assembled tree"),
    Field("configure", .texts, "options that it adds to every package's"),
    Field("modules", .array(module, atLeast: 0), "kernel modules that it adds to every package"),
    Field("needs", .texts, "extras that must be chosen too"),
    Field("conflicts", .texts, "extras that it cannot be chosen with"),
    Field("deb-depends", .texts, "packages that it makes every .deb depend on"),
    Field("rpm-depends", .texts, "packages that it makes every .rpm require"),
    Field("packages", .array(package, atLeast: 0), "packages of its own"),
    Field("kernels", kernels, "kernel releases that every package supports with it, beside its own"),
  ])

  private static let module = Shape.table([
    Field("name", moduleName, required: true, "module name, without .ko"),
    Field("path", buildFolder, required: true, "folder in the tree in which it is built; '.' is the top"),
    Field("install", .text, "folder below /lib/modules/<kernel>"),
    Field("own-version", .boolean, "its MODULE_VERSION is not that of the release"),
  ])

  private static let kernels = Shape.table([
    Field("min", kernelRelease, required: true, "oldest kernel release that is supported, as 5.10"),
    Field("max", kernelRelease, required: true, "newest; 7.2 includes every 7.2.y"),
  ])

  private static let building: [Field] = [
    Field("kernels", kernels, "range of kernel releases"),
    Field("architectures", .text, "expression that dkms matches with the machine's architecture"),
    Field("probe", .path, "script of the tree that PRE_BUILD runs with the kernel release and its build folder"),
    Field("probe-inputs", .array(.path, atLeast: 1), "files and folders of the tree that decide what the probe finds"),
    Field("make", .text, "make command of dkms"),
    Field("configure", .texts, "options for @CONFIGURE_OPTIONS@ in templates"),
    Field("include", .texts, "patterns of the release that go into the package"),
    Field("exclude", .texts, "patterns that do not"),
    Field("files", .array(generated, atLeast: 0), "files of the package alone, made from templates"),
    Field("etc", .array(configuration, atLeast: 0), "configuration files, in every format"),
  ]

  private static let configuration = Shape.table([
    Field("path", absolute, required: true, "absolute path on the target"),
    Field("template", .text, required: true, "file with @NAME@ placeholders, relative to the manifest"),
  ])

  private static let modules = Shape.table(
    building + [Field("list", .array(module, atLeast: 0), "modules that every package builds")])

  private static let package = Shape.table(
    building + [
      Field("kind", .oneOf(["dkms"]), required: true, "what kind of package"),
      Field("variant", packageName, required: true, "name of the variant, for people and for @VARIANT@"),
      Field("module", packageName, required: true, "DKMS PACKAGE_NAME"),
      Field("summary", .text, required: true, "one line, without the name of the package"),
      Field("description", .text, "a paragraph or more"),
      Field("modules", .array(module, atLeast: 0), "modules that this variant builds"),
      Field("deb", relations, "the Debian package"),
      Field("rpm", relations, "the RPM package"),
    ])

  private static let packaging = Shape.table([
    Field("debian", .text, required: true, "folder that becomes debian/ of the tarball; its files are templates"),
    Field("spec", .text, required: true, "spec that becomes <name>.spec of the tarball; a template"),
  ])

  private static let relations = Shape.table([
    Field("name", packageName, required: true, "name of the package"),
    Field(
      "recipe", .text, required: true, "deb: folder with control and maintainer scripts; rpm: spec; both templates"),
    Field("depends", .texts, "further dependencies"),
    Field("recommends", .texts, "recommended packages"),
    Field("provides", .texts, "names that it provides"),
    Field("conflicts", .texts, "packages that cannot be installed beside it"),
    Field("replaces", .texts, "packages that it takes over from (RPM: Obsoletes)"),
    Field("etc", .array(configuration, atLeast: 0), "configuration files in this format alone"),
  ])

  private static let audit = Shape.table([
    Field("upstream", .array(upstream, atLeast: 1), "what belongs to mainline, where no rule takes it from a kernel"),
    Field("compat", .texts, "patterns of the release: the files of the compatibility layer"),
    Field("includes", .texts, "patterns of the names by which #include gets it"),
    Field("probes", probes, "macros that say what the kernel at hand offers"),
    Field("build", nativeBuild, "what the upstream part needs in a kernel tree"),
  ])

  private static let upstream = Shape.table([
    Field("from", .path, required: true, "a file or a folder of the kernel tree"),
    Field("to", .path, required: true, "where the release has it"),
    Field("include", .texts, "patterns: only these"),
    Field("exclude", .texts, "patterns: not these"),
  ])

  private static let probes = Shape.table([
    Field("prefix", identifier, required: true, "how their names begin, as HAVE_"),
    Field("defined", .texts, "patterns of the release: configure's macros and headers that define them"),
    Field("files", .texts, "patterns of the release: probes that are one file each, named after it"),
    Field("aliases", .map(identifier), "how names begin in results of configure, and how the code spells that"),
  ])

  private static let nativeBuild = Shape.table([
    Field("options", .array(option, atLeast: 1), required: true, "CONFIG_ names without CONFIG_; NAME=y is never m"),
    Field("includes", .array(.path, atLeast: 0), "folders of the kernel tree in which its headers are looked for"),
  ])

  // MARK: strings

  private static let identifier = Shape.string(
    .init(
      name: "the beginning of a C identifier", expression: "^[A-Za-z_][A-Za-z0-9_]*$", accepts: { isIdentifier($0) }))

  private static let option = Shape.string(
    .init(
      name: "NAME or NAME=y", expression: "^[A-Z0-9_]+(=y)?$",
      accepts: { isIdentifier("_" + ($0.hasSuffix("=y") ? String($0.dropLast(2)) : $0)) && !$0.hasPrefix("CONFIG_") }))

  @Sendable private static func isIdentifier(_ text: String) -> Bool {
    let letters = text.unicodeScalars.allSatisfy {
      $0 == "_" || ($0.isASCII && $0.properties.isAlphabetic) || ("0"..."9").contains($0)
    }
    return letters && text.unicodeScalars.first.map { !("0"..."9").contains($0) } ?? false
  }

  private static let packageName = Shape.string(
    .init(
      name: "a package name of lower-case letters, digits, '+', '-' and '.'", expression: "^[a-z0-9][a-z0-9+.-]+$",
      accepts: { name in
        name.utf8.count > 1 && name.utf8.first != 0x2d && name.utf8.first != 0x2b && name.utf8.first != 0x2e
          && name.unicodeScalars.allSatisfy {
            ("a"..."z").contains($0) || ("0"..."9").contains($0) || "+-.".unicodeScalars.contains($0)
          }
      }))

  private static let moduleName = Shape.string(
    .init(
      name: "a module name of letters, digits, '_' and '-'", expression: "^[A-Za-z0-9_-]+$",
      accepts: { name in
        !name.isEmpty
          && name.unicodeScalars.allSatisfy {
            $0 == "_" || $0 == "-" || ($0.isASCII && $0.properties.isAlphabetic) || ("0"..."9").contains($0)
          }
      }))

  private static let maintainer = Shape.string(
    .init(
      name: "Name <address>", expression: "^.+ <.+@.+>$",
      accepts: { text in
        guard let open = text.firstIndex(of: "<"), text.last == ">" else { return false }
        return open > text.startIndex && text[open...].contains("@") && !text.contains("\n")
      }))

  private static let sha256 = Shape.string(
    .init(
      name: "64 hexadecimal digits", expression: "^[0-9a-fA-F]{64}$", accepts: { SHA256Digest(hex: $0) != nil }))

  private static let fingerprint = Shape.string(
    .init(
      name: "the 40 hexadecimal digits of a fingerprint", expression: "^[0-9A-Fa-f ]{40,}$",
      accepts: { text in
        let digits = text.filter { !$0.isWhitespace }
        return (digits.count == 40 || digits.count == 64) && digits.allSatisfy(\.isHexDigit)
      }))

  private static let kernelRelease = Shape.string(
    .init(
      name: "a kernel release such as 5.10 or 6.12.3", expression: #"^[0-9]+\.[0-9]+(\.[0-9]+)?$"#,
      accepts: { KernelRelease($0)?.text == $0 }))

  private static let buildFolder = Shape.string(
    .init(name: "a folder of the tree, or '.'", expression: "^.+$", accepts: { $0 == "." || isCleanPath($0) }))

  private static let date = Shape.string(
    .init(
      name: "a time such as 2026-11-01T00:00:00Z", expression: "^[0-9]{4}-.*Z$",
      accepts: { Timestamp(iso8601: $0) != nil }))

  private static let absolute = Shape.string(
    .init(
      name: "an absolute path below /etc", expression: "^/etc/.+$",
      accepts: { $0.hasPrefix("/etc/") && isCleanPath(String($0.dropFirst())) }))
}
