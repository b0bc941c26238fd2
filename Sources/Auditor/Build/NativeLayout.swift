// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage

/// The upstream part of a release laid out as mainline would have it, and how it is built there.
struct NativeLayout: Sendable {
  let tree: AuditedTree
  let kernel: KernelTree
  private let options: [(name: String, isFixed: Bool)]
  private let includes: [String]
  /// Folders with a make file of their own, each below a folder of the kernel.
  private let folders: [String]
  /// Options that a Kconfig of the upstream part declares.
  private let declared: Set<String>
  /// C files of the upstream part: in the release, in the kernel tree.
  let sources: [(path: String, place: String)]

  /// Where the files stand while make runs: on top of a kernel tree, or in a folder beside headers.
  var place: String { kernel.kind == .source ? kernel.path.string : NativeLayout.beside }
  private static let beside = "/tmp/native"

  /// Headers of the compatibility layer that upstream files get, to stand there with nothing in them.
  private let empty: Set<String>

  init(_ tree: AuditedTree, in kernel: KernelTree, emptyCompat: Bool) throws {
    let doing = "building \(tree.name) natively"
    guard let build = tree.audit.build else {
      throw ReleaseError(
        .input, at: tree.audit.location, doing: doing, reason: "[audit] does not say how it is configured",
        advice: "name its options in [audit.build]")
    }
    self.tree = tree
    self.kernel = kernel
    options = build.options.map { $0.hasSuffix("=y") ? (String($0.dropLast(2)), true) : ($0, false) }
    includes = build.includes
    let places = Set(tree.mainline.values)
    folders = Set(tree.rules.map(\.from)).filter { folder in
      ["Makefile", "Kbuild"].contains { places.contains("\(folder)/\($0)") }
    }.sorted()
    guard !folders.isEmpty else {
      throw ReleaseError(
        .source, doing: doing, reason: "none of \(tree.rules.map(\.from).shortened) has a Makefile",
        advice: "add one as mainline would have it")
    }
    var declared: Set<String> = []
    for (path, place) in tree.mainline where place.split(separator: "/").last?.hasPrefix("Kconfig") == true {
      for line in String(decoding: tree[path] ?? [], as: UTF8.self).lines {
        let words = line.split(whereSeparator: \.isWhitespace)
        if words.count == 2, words[0] == "config" || words[0] == "menuconfig" { declared.insert(String(words[1])) }
      }
    }
    self.declared = declared
    var empty: Set<String> = []
    for path in tree.mainline.keys where emptyCompat && AuditedTree.isC(path) {
      let headers = SourceText(tree[path] ?? []).directives.compactMap(\.header)
      empty.formUnion(headers.filter { header in tree.audit.includes.contains { $0.matches(header) } })
    }
    self.empty = empty.filter(isCleanPath)
    let folders = folders
    sources = tree.mainline.filter { path, place in
      place.hasSuffix(".c") && folders.contains { place.hasPrefix("\($0)/") }
    }.map { ($0.key, $0.value) }.sorted { $0.1 < $1.1 }
  }

  func isBelow(_ place: String) -> Bool { folders.contains { place.hasPrefix("\($0)/") } }

  /// The upstream file that stands at a place of the kernel tree.
  func bytes(of place: String) -> [UInt8]? {
    sources.first { $0.place == place }.flatMap { tree[$0.path] } ?? other(place)
  }

  private func other(_ place: String) -> [UInt8]? {
    tree.mainline.first { $0.value == place }.flatMap { tree[$0.key] }
  }

  // MARK: files

  /// Writes the files below `scratch`.
  ///
  /// - Returns: where the objects will be.
  func write(to scratch: FilePath, value: String) throws -> FilePath {
    var files = ReleaseTree()
    func add(_ path: String, _ bytes: [UInt8]) {
      files[path] = TreeEntry(content: .file(bytes), origin: Origin(source: "linux"))
    }
    for (path, place) in tree.mainline { if let bytes = tree[path] { add(place, bytes) } }
    for header in empty { add("include/\(header)", []) }
    switch kernel.kind {
    case .source:
      for (path, text) in try entries(value) { add(path, Array(text.utf8)) }
      add(".config", Array(configured(value).utf8))
    case .headers:
      add("Kbuild", Array(top(value).utf8))
    }
    try files.write(to: scratch.appending("layout"))
    guard kernel.kind == .source else { return scratch.appending("layout") }
    for layer in Sandbox.Layers.folders { try Files.makeFolder(scratch.appending(layer)) }
    // The kernel's own files at these places are removed first: files that no longer exist must not be found.
    let stale = tree.rules.filter { $0.include.isEmpty }.map(\.from).filter { !$0.isEmpty }
    try Files.write(Array(stale.map { $0 + "\0" }.joined().utf8), to: scratch.appending("stale"))
    return scratch.appending("upper")
  }

  /// The Kconfig and Makefile of the folders above, with an entry for each folder that they do not know.
  private func entries(_ value: String) throws -> [String: String] {
    var texts: [String: String] = [:]
    for folder in folders {
      let parent = folder.folder
      let name = folder.split(separator: "/").last ?? ""
      let kconfig = "\(parent)/Kconfig"
      let source = "source \"\(folder)/Kconfig\""
      if tree.mainline.values.contains("\(folder)/Kconfig") {
        let text = try texts[kconfig] ?? kernel.text(kconfig) ?? ""
        if !text.contains(source) { texts[kconfig] = text + "\n\(source)\n" }
      }
      let makefile = "\(parent)/Makefile"
      var text = try texts[makefile] ?? kernel.text(makefile) ?? ""
      if !text.split(whereSeparator: \.isWhitespace).contains("\(name)/") { text += "\nobj-y += \(name)/\n" }
      texts[makefile] = text + flags(value, root: "$(srctree)")
    }
    return texts
  }

  /// Lines of make for what mainline's own files would say some day: folders of headers, and options without a Kconfig.
  /// Debug information would take most of the time, and is of no use here.
  private func flags(_ value: String, root: String) -> String {
    var lines = ["subdir-ccflags-y += -g0"] + includes.map { "subdir-ccflags-y += -I\(root)/\($0)" }
    for option in options where kernel.kind == .headers || !declared.contains(option.name) {
      let suffix = value == "m" && !option.isFixed ? "_MODULE" : ""
      lines.append("subdir-ccflags-y += -DCONFIG_\(option.name)\(suffix)=1")
    }
    return "\n" + lines.joined(separator: "\n") + "\n"
  }

  /// The make file of a module outside of the kernel: its own headers come before those of the kernel.
  private func top(_ value: String) -> String {
    folders.map { "obj-m += \($0)/\n" }.joined()
      + "NOSTDINC_FLAGS += -I\(place)/include -I\(place)/include/uapi\n" + flags(value, root: place)
  }

  private func configured(_ value: String) -> String {
    let set = options.filter { declared.contains($0.name) }
    let kept = kernel.configuration.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      !set.contains { line.hasPrefix("CONFIG_\($0.name)=") || line == "# CONFIG_\($0.name) is not set" }
    }
    return kept.joined(separator: "\n") + "\n"
      + set.map { "CONFIG_\($0.name)=\($0.isFixed ? "y" : value)\n" }.joined()
  }

  // MARK: make

  /// Runs make to its end, in a sandbox without network in which the machine cannot be written to.
  func build(_ scratch: FilePath, value: String, _ compiler: Compiler, doing: String) async throws -> Command.Outcome {
    // make must not stop, because we want all failures. All goes to one stream, in the order in which it came.
    var options = ["-k", "-Otarget", "-j\(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))"] + compiler.makeArguments
    for option in self.options where kernel.kind == .headers || !declared.contains(option.name) {
      options.append("CONFIG_\(option.name)=\(option.isFixed ? "y" : value)")
    }
    let place = FilePath(self.place)
    var sandbox = Sandbox(
      [.readOnly("/", at: "/"), .devices, .processes, .empty("/tmp")], namespaces: [.network, .processes, .ipc],
      environment: ["LC_ALL": "C", "PATH": Command.plainEnvironment["PATH"] ?? "/usr/bin:/bin"], directory: place)
    let command: Command
    switch kernel.kind {
    case .headers:
      // It may lie below /tmp.
      sandbox.mounts.append(.readOnly(kernel.path, at: kernel.path))
      sandbox.mounts.append(.writable(scratch.appending("layout"), at: place))
      let make = Script(PackageResources.headers_make_sh).text
      command = sandbox.command(
        "sh",
        ["-c", make, "sh", "make"] + options
          + ["-C", kernel.path.string, "M=\(place)", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"])
    case .source:
      let isRoot = geteuid() == 0
      if isRoot { sandbox.capabilities = .these(["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]) }
      var layers = Sandbox.Layers(on: [place], in: scratch, mapsUser: !isRoot)
      let layOut = Script(PackageResources.source_layout_sh).text
      layers.preparation =
        ["sh", "-c", layOut, "sh", layers.merged.string] + ["stale", "layout"].map { scratch.appending($0).string }
      sandbox.mounts.append(.layered(layers, at: place))
      sandbox.environment?["LRELEASE_LLVM"] = compiler.makeArguments.joined()
      let make = Script(PackageResources.source_make_sh).text
      command = sandbox.command("sh", ["-c", make, "sh", "make"] + options + folders.map { "\($0)/" })
    }
    let outcome = try await command.run(limit: 1 << 30, doing: doing)
    // Before make could say anything.
    if !outcome.succeeded, outcome.output.isEmpty {
      throw ReleaseError(
        .failed, doing: doing, reason: outcome.complaint,
        advice: "an overlay on the kernel tree is needed: try as root, and with TMPDIR on a disk")
    }
    return outcome
  }

  /// Demands that the options were taken.
  ///
  /// - Returns: the compiler that the kernel was configured for.
  func configuration(_ built: FilePath, value: String, _ log: BuildLog, doing: String) throws -> String {
    var text = kernel.configuration
    if kernel.kind == .source {
      text = String(decoding: try Files.read(built.appending(".config"), limit: 16 << 20), as: UTF8.self)
      for option in options where declared.contains(option.name) {
        let wanted = option.isFixed ? "y" : value
        let got = KernelTree.value(of: option.name, in: text)
        guard got != wanted else { continue }
        throw ReleaseError(
          .source, doing: doing, reason: "CONFIG_\(option.name) is \(got ?? "not set"), not \(wanted), in this kernel",
          advice: log.complaint ?? "configure what it depends on")
      }
    }
    return (KernelTree.value(of: "CC_VERSION_TEXT", in: text) ?? "").filter { $0 != "\"" }
  }

  // MARK: causes

  /// Judges a file by the first error in it.
  func failure(_ messages: [BuildLog.Message]) -> NativeBuild.Failure {
    let first = messages[0]
    var (cause, subject) = first.text.hasPrefix("No rule to make target") ? (.rule, nil) : Cause.of(first.text)
    if cause == .header, let header = subject, tree.audit.includes.contains(where: { $0.matches(header) }) {
      cause = .compat
    } else if let probe = probe(around: first) {
      (cause, subject) = (.probe, probe)
    }
    return NativeBuild.Failure(
      cause: cause, subject: subject, message: first.place + first.text,
      errors: messages.count)
  }

  /// Names that the kernel lacks or has otherwise.
  func lacks(_ messages: [BuildLog.Message]) -> [Cause: Set<String>] {
    var names: [Cause: Set<String>] = [:]
    for message in messages {
      let (cause, subject) = Cause.of(message.text)
      guard let subject, cause != .header else { continue }
      names[cause, default: []].insert(subject)
    }
    return names
  }

  /// The innermost probe on which it depends whether the line of an error is compiled.
  private func probe(around message: BuildLog.Message) -> String? {
    guard let file = message.file, let line = message.line, let prefix = tree.audit.probes?.prefix,
      let bytes = bytes(of: file)
    else { return nil }
    let names = SourceText(bytes).tests(around: line).flatMap(\.identifiers)
    return names.last { $0.hasPrefix(prefix) }
  }
}
