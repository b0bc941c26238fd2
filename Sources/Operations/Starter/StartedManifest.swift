// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model

/// A new manifest with comments for newcomers, and the files that it names.
struct StartedManifest {
  private let start: Start

  init(_ start: Start) { self.start = start }

  /// The name of its file.
  var name: String { "\(start.name).toml" }

  var text: String {
    let parts = [head, source, tree, generated, packaging, modules, package, qualify]
    return parts.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  /// A string in TOML syntax.
  static func quote(_ text: String) -> String {
    "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }

  private func quote(_ text: String) -> String { StartedManifest.quote(text) }
  private func list(_ items: [String]) -> String { "[\(items.map(quote).joined(separator: ", "))]" }

  /// The name of the source, as in its table.
  private var sourceName: String { start.source.name }

  private var isOfKernel: Bool { start.kernel != nil }

  // MARK: text

  private var head: [String] {
    func line(_ key: String, _ value: String, _ comment: String) -> String {
      let isPlaceholder = start.placeholders.contains(key)
      let padded = "\(key)\(String(repeating: " ", count: max(0, 11 - key.utf8.count))) = \(quote(value))"
      return "\(padded)  # \(isPlaceholder ? "CHANGE: " : "")\(comment)"
    }
    let version =
      switch start.version {
      case "{kernel}": "of the kernel release that is cut; +r1, +r2… follow with --respin"
      case "{code}": "{code} is the version of the source below, which its tag says"
      default: "digits and dots; raise it for each release"
      }
    return [
      "# What a release of \(start.name) is made of. 'lrelease init' began it; from here on it is yours.",
      "# After a change: lrelease manifest check \(name). Every key is explained in docs/manifest.md of lrelease.",
      "# Files are named relative to the folder of this one.",
      "",
      line("name", start.name, "of the release: \(start.name)-VERSION.tar.xz"),
      line("version", start.version, version),
      line("summary", start.summary, "one line for people who look for packages"),
      line("description", description, "a paragraph or more"),
      line("license", start.license, "SPDX expression, for files without SPDX-License-Identifier"),
      line("homepage", start.homepage, "where people find the code"),
      line("maintainer", start.maintainer, "whom the packages name"),
    ]
  }

  /// Omits the summary, which packages show above the description.
  private var description: String {
    let names = start.survey.modules.map(\.name)
    let text = "The kernel module\(names.count == 1 ? "" : "s") \(names.joined(separator: ", "))."
    return text.utf8.count < 78 ? text : "The \(names.count) kernel modules of \(start.name)."
  }

  private var source: [String] {
    [
      "# Where the code comes from. More sources are more tables: see 'sources' in docs/manifest.md.",
      "[sources.\(sourceName)]",
    ]
      + start.source.lines
  }

  private var tree: [String] {
    var lines = ["# Which files are taken, and where they go; 'exclude' has patterns as in .gitignore."]
    for (number, rule) in start.rules.enumerated() {
      if number > 0 { lines.append("") }
      lines += ["[[tree]]", "from = \(quote("\(sourceName):\(rule.from)"))"]
      if !rule.to.isEmpty { lines.append("to   = \(quote(rule.to))") }
      if !rule.exclude.isEmpty { lines.append("exclude = \(list(rule.exclude))") }
    }
    return lines
  }

  private var generated: [String] {
    var lines = [
      "# Files that are made when a release is cut: templates beside this file, in which @VERSION@ and the like"
    ]
    lines.append("# are filled in.")
    for (path, template) in templates {
      if lines.count > 2 { lines.append("") }
      lines += ["[[generate]]", "path     = \(quote(path))", "template = \(quote(template))"]
      if path == start.smoke { lines.append("executable = true") }
    }
    return lines
  }

  private var packaging: [String] {
    [
      "# With these a release builds its packages by itself ('lrelease build', dpkg-buildpackage, rpmbuild).",
      "[packaging]",
      "debian = \"debian\"",
      "spec   = \(quote("\(start.name).spec"))",
    ]
  }

  private var modules: [String] {
    var lines = ["[modules]"]
    lines += kernels
    lines += ["# What the packages do not need: it stays in the tarball.", "exclude = \(list(["/\(start.smoke)"]))"]
    if let make {
      lines += ["# How dkms builds the modules on a site, as root.", "make = \(quote(make))"]
    }
    return lines
  }

  private var kernels: [String] {
    guard start.kernels != nil || !start.families.isEmpty else { return [] }
    let mark = start.placeholders.contains("kernels") ? "CHANGE: " : ""
    let comment = [
      "# \(mark)Kernel releases that the packages claim to support; others are skipped. 'lrelease qualify' tells",
      "# whether it is true.",
    ]
    func ends(_ min: String, _ max: String) -> String { "min = \(quote(min)), max = \(quote(max))" }
    let mainline = start.kernels.map { ends($0.min.text, $0.max.text) }
    if start.families.isEmpty { return comment + ["kernels = { \(mainline ?? "") }"] }
    let entries =
      [mainline.map { ("mainline", $0) }].compactMap { $0 }
      + start.families.map { ($0.family, ends($0.span.min.text, $0.span.max.text)) }
    return comment + ["kernels = ["] + entries.map { "  { family = \(quote($0.0)), \($0.1) }," } + ["]"]
  }

  private var package: [String] {
    var lines = [
      "# The package: sources, of which dkms builds modules where it is installed.", "[[packages]]", "modules = [",
    ]
    for module in start.survey.modules {
      var entry = "{ name = \(quote(module.name))"
      if !module.folder.isEmpty { entry += ", path = \(quote(module.folder))" }
      if isOfKernel { entry += ", install = \(quote("/kernel/\(module.folder)"))" }
      if module.hasVersion { entry += ", own-version = true" }
      lines.append("  \(entry) },")
    }
    lines.append("]")
    if start.survey.modules.contains(where: \.hasVersion) {
      lines.append("# own-version: the code has a MODULE_VERSION of its own, which need not be that of the release.")
    }
    return lines + [
      "",
      "[packages.deb]",
      "recipe = \"dkms-deb\"",
      "# depends = [\"some-package (>= 1.0)\"]; also recommends, provides, conflicts and replaces",
      "",
      "[packages.rpm]",
      "recipe = \"dkms.spec\"",
    ]
  }

  private var qualify: [String] {
    [
      "# What 'lrelease qualify' runs in a virtual machine when the modules have been loaded: add what a user would do.",
      "[qualify]",
      "smoke = \(quote(start.smoke))",
      "# programs = [\"mkfs.ext4\"]   # programs of the distribution that the script calls",
    ]
  }

  /// The make command, unless it is the usual one for external modules.
  private var make: String? {
    let root = start.survey.roots.count == 1 && !isOfKernel ? start.survey.roots[0] : ""
    let options = isOfKernel ? [] : start.survey.options.map { " CONFIG_\($0)=m" }
    guard !root.isEmpty || !options.isEmpty else { return nil }
    return "make -C $kernel_source_dir M=$dkms_tree/$module/$module_version/build\(root.isEmpty ? "" : "/\(root)")"
      + "\(options.joined()) modules"
  }

  // MARK: files

  /// Generated files: path and template.
  private var templates: [(path: String, template: String)] {
    var all = kbuilds.map { ($0.path, $0.template) }
    if isOfKernel { all.append(("include/release-version.h", "release-version.h")) }
    return all + [(start.smoke, "smoke.sh")]
  }

  /// The Kbuild files that the code lacks.
  private var kbuilds: [(path: String, template: String, text: String)] {
    if isOfKernel { return [("Kbuild", "Kbuild", kernelKbuild)] + start.survey.roots.compactMap(versionKbuild) }
    guard start.survey.roots.count > 1 else { return [] }
    let text = """
      # The folders with modules, each of which has a Kbuild or Makefile of its own.
      obj-m += \(start.survey.roots.map { "\($0)/" }.joined(separator: " "))

      """
    return [("Kbuild", "Kbuild", text)]
  }

  private var kernelKbuild: String {
    let headers = start.rules.filter { $0.from.hasPrefix("include/") }
    let includes = ["include"] + (headers.contains { $0.from.hasPrefix("include/uapi/") } ? ["include/uapi"] : [])
    let options = start.survey.options.map { "export CONFIG_\($0) := m" }
    return """
      # Builds \(start.name) outside of the kernel that it comes from:
      #
      #   make -C KERNEL_BUILD_FOLDER M=THIS_FOLDER modules
      #
      # The folders of the kernel are here file for file. Their own Makefiles say what the modules are made of.

      # Built whether or not the kernel has them, and always as modules.
      \(options.joined(separator: "\n"))

      # Before the folders of the kernel's own headers: those of this release must be found first.
      NOSTDINC_FLAGS += \(includes.map { "-I$(src)/\($0)" }.joined(separator: " "))
      export NOSTDINC_FLAGS

      obj-m += \(start.survey.roots.map { "\($0)/" }.joined(separator: " "))

      """
  }

  /// Gives the modules of a folder the version of the release, which dkms compares with the kernel's own module.
  private func versionKbuild(_ folder: String) -> (path: String, template: String, text: String)? {
    let modules = start.survey.modules.filter { $0.home == folder && !$0.hasVersion }
    // make prefers Kbuild to Makefile.
    guard !modules.isEmpty, let makefile = start.survey.makefile(of: folder), makefile.hasSuffix("Makefile") else {
      return nil
    }
    let lines = modules.map { "CFLAGS_\($0.firstObject).o += -include release-version.h" }
    let text = """
      # The kernel reads this in place of the Makefile beside it. One object of each module brings the version of the
      # release along, for modinfo and dkms: see include/release-version.h.
      include $(src)/Makefile
      \(lines.joined(separator: "\n"))

      """
    return ("\(folder)/Kbuild", "\(folder.replacing("/", with: "-"))-Kbuild", text)
  }

  private static let versionHeader = """
    /*
     * MODULE_VERSION("@DKMS_VERSION@") as <linux/module.h> would have it, in words that need no header: this is read
     * before the first line of a file.
     */
    static const char release_version[] __attribute__((__used__, __section__(".modinfo"), __aligned__(1))) =
    	"version=@DKMS_VERSION@";

    """

  /// The manifest and all files that it names.
  func files() throws -> [TreeWriter.Entry] {
    func entry(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) -> TreeWriter.Entry {
      TreeWriter.Entry(path, .file(bytes), mode: mode)
    }
    func entry(_ path: String, _ text: String) -> TreeWriter.Entry { entry(path, Array(text.utf8)) }
    let smoke = String(decoding: PackageResources.smoke_sh, as: UTF8.self)
      .replacing("MODULES", with: start.survey.modules.map(\.name).joined(separator: " "))
      // Same licence as the manifest, like everything that it names.
      .replacing("# SPDX-License-Identifier: GPL-2.0-only\n#\n", with: "")
    var entries = [
      entry(name, text), entry("smoke.sh", Array(smoke.utf8), mode: 0o755),
      entry("\(start.name).spec", PackageResources.source_spec),
      entry("debian/control", PackageResources.source_control),
      entry("debian/changelog", PackageResources.source_changelog),
      entry("debian/copyright", PackageResources.source_copyright),
      entry("debian/rules", PackageResources.source_rules, mode: 0o755),
      entry("debian/source/format", PackageResources.source_format),
      entry("dkms.spec", PackageResources.dkms_spec),
      entry("dkms-deb/changelog", PackageResources.deb_dkms_changelog),
      entry("dkms-deb/control", PackageResources.deb_dkms_control),
      entry("dkms-deb/copyright", PackageResources.deb_dkms_copyright),
      entry("dkms-deb/preinst", PackageResources.deb_dkms_preinst),
      entry("dkms-deb/postinst", PackageResources.deb_dkms_postinst),
      entry("dkms-deb/prerm", PackageResources.deb_dkms_prerm),
      entry("dkms-deb/postrm", PackageResources.deb_dkms_postrm),
    ]
    entries += kbuilds.map { entry($0.template, $0.text) }
    if isOfKernel {
      entries += [
        entry("release-version.h", StartedManifest.versionHeader),
        entry("keys/kernel.org.gpg", PackageResources.kernel_org_gpg),
      ]
    }
    return entries
  }
}
