// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Auditor
import Diagnostics
import SystemPackage

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Show what keeps the upstream part of a release from compiling in mainline.",
    discussion: """
      Counts tests of probes (#ifdef HAVE_…), tests of kernel versions, and includes of the compatibility layer, by \
      folder and with --files by file. The [audit] table of the manifest says which files are which. A release holds \
      its manifest; for a tree or a git repository, give it:

        lrelease audit releases/lustre-7.4.2
        lrelease audit lustre-release.git --ref v2_17_0 \\
            --manifest manifests/lustre.toml

      Compare with an earlier release:

        lrelease audit releases/lustre-7.4.1 --json > old.json
        lrelease audit releases/lustre-7.4.2 --compare old.json

      Which probes have the same answer on all supported kernels, and how many lines depend on them:

        lrelease audit lustre --manifest manifests/lustre.toml \\
            --probes 6.1=a/config.h --probes 6.12=b/config.h

      How the same files differ in a newer kernel release:

        lrelease audit releases/ceph-6.12.117 --against linux-7.2.12.tar.xz

      Which files compile by themselves at their places in a kernel. With headers, they are built as modules; in a \
      source tree that is configured and prepared (make defconfig modules_prepare), also as a part of the kernel. \
      The tree is not changed:

        lrelease audit releases/ceph-6.12.117 --build /lib/modules/6.12.117/build
        lrelease audit releases/ceph-6.12.117 --build linux-6.12 --llvm
      """)

  @Argument(help: "A release tarball, a release folder, or a tree.", completion: .file())
  var release: String

  @Option(
    help: ArgumentHelp("Use this manifest instead of the one in the release.", valueName: "file"),
    completion: .file(extensions: ["toml"]))
  var manifest: String?

  @Option(help: ArgumentHelp("The tree is a git repository: read this tag, branch or commit.", valueName: "ref"))
  var ref: String?

  @Option(
    help: ArgumentHelp(
      "The config.h that configure made for a kernel. Give it for each kernel.", valueName: "kernel=file"))
  var probes: [String] = []

  @Option(
    help: ArgumentHelp(
      "Compare the upstream part with this newer kernel release, a tarball or folder.", valueName: "linux"),
    completion: .file())
  var against: String?

  @Option(
    help: ArgumentHelp(
      "Build the upstream part alone in this kernel: a source tree or headers.", valueName: "kernel"),
    completion: .directory)
  var build: String?

  @Flag(help: "Build with clang and lld instead of the kernel's own compiler.")
  var llvm = false

  @Flag(help: "Build with empty headers of the compatibility layer, to see what they supply.")
  var emptyCompat = false

  @Option(
    help: ArgumentHelp("Show what changed since this report, made with --json.", valueName: "report"),
    completion: .file(extensions: ["json"]))
  var compare: String?

  @Option(
    help: ArgumentHelp(
      "Exit with 6 if more places than this must change: tests and includes together.", valueName: "number"))
  var failAbove: Int?

  @Flag(help: "List files and probes as well.")
  var files = false

  @Option(
    help: ArgumentHelp(
      "Folder for unpacked sources. (default: lrelease in XDG_CACHE_HOME or ~/.cache)", valueName: "folder"),
    completion: .directory)
  var cache: String?

  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if (llvm || emptyCompat) && build == nil { throw ValidationError("--llvm and --empty-compat need --build.") }
  }

  func run() async throws {
    try await Console.run(console) { console in
      let kernel = try build.map { try KernelTree(FilePath($0)) }
      let old = try compare.map { try AuditReport(reading: FilePath($0)) }
      let tree = try await AuditedTree.read(
        FilePath(release), ref: ref, manifest: manifest.map { FilePath($0) }, progress: console.progress)
      var report = try AuditReport(tree, await SourceAudit(tree), ProbeResults.read(probes, for: tree))
      if let against {
        report.drift = try await Drift(
          tree, against: FilePath(against), cache: try SourceOptions.cacheFolder(cache), progress: console.progress)
      }
      if let kernel {
        report.build = try await NativeBuild(
          tree, in: kernel, compiler: llvm ? .installedLLVM() : .gcc, emptyCompat: emptyCompat,
          progress: console.progress)
      }
      let comparison = old.map { AuditComparison($0, report) }
      try console.output(comparison.map { Compared(report: report, comparison: $0) } ?? report) {
        console.print(report, withFiles: files)
        if let comparison { console.print(comparison, withFiles: files) }
      }
      if let failAbove, report.total.places > failAbove {
        throw ReleaseError(
          .different, doing: "auditing \(tree.name)",
          reason: "\(report.total.places) places must change, more than \(failAbove)")
      }
    }
  }

  private struct Compared: Encodable {
    var report: AuditReport
    var comparison: AuditComparison
  }
}

extension Console {
  fileprivate func print(_ report: AuditReport, withFiles: Bool) {
    print(bold(report.release) + (report.identity.map { " (\($0))" } ?? ""))
    table("upstream folder", report.folders.filter { $0.value.places > 0 }, total: report.total)
    if withFiles { table("upstream file", report.files, total: nil) }
    print("\nprobes that are tested: \(report.probes.count)")
    if withFiles {
      columns(
        ["probe", "tests"], report.probes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { [$0, "\($1)"] })
    }
    if let deadWeight = report.deadWeight { print(deadWeight) }
    if let drift = report.drift { print(drift) }
    if let build = report.build { print(build, withFiles: withFiles) }
  }

  private func table(_ title: String, _ rows: [String: Counts], total: Counts?) {
    func row(_ name: String, _ counts: Counts) -> [String] {
      [name] + [counts.files, counts.probeTests, counts.versionTests, counts.compatIncludes].map(String.init)
    }
    if !rows.isEmpty || total != nil { print("") }
    columns(
      [title, "C files", "probe tests", "version tests", "compat includes"],
      rows.sorted { $0.key < $1.key }.map(row) + (total.map { [row("all", $0)] } ?? []))
  }

  /// Rows below their titles; the first column is text, the others are numbers.
  private func columns(_ titles: [String], _ rows: [[String]]) {
    guard !rows.isEmpty else { return }
    let widths = titles.indices.map { column in ([titles] + rows).map { $0[column].count }.max() ?? 0 }
    for (index, row) in ([titles] + rows).enumerated() {
      let cells = row.enumerated().map { column, text in
        let padding = String(repeating: " ", count: widths[column] - text.count)
        return column == 0 ? text + padding : padding + text
      }
      let line = "  " + cells.joined(separator: "  ")
      print(index == 0 ? bold(line) : line.singleLine)
    }
  }

  private func print(_ weight: ProbeAudit) {
    if !weight.kernels.isEmpty {
      let parts = [AuditedTree.Part.upstream, .compat]
      let tested = weight.constant.filter { probe in parts.contains { probe.tests[$0.rawValue] != nil } }
      print(
        "\n\(bold("constant")) on \(weight.kernels.joined(separator: ", ")): \(weight.constant.count) of "
          + "\(weight.known) probes; upstream and compat test \(tested.count) of them, and \(weight.deadLines) lines there "
          + "are compiled on none of these kernels")
      columns(
        ["probe", "is", "tests upstream", "in compat", "dead lines"],
        tested.map { probe in
          [probe.name, probe.isTrue ? "set" : "unset"] + parts.map { String(probe.tests[$0.rawValue] ?? 0) }
            + [String(probe.deadLines)]
        })
    }
    for (title, names) in [("defined, never used", weight.unused), ("tested, never defined", weight.undefined)] {
      if !names.isEmpty { print("\n\(bold(title)): \(names.joined(separator: ", "))") }
    }
  }

  private func print(_ drift: Drift) {
    print(
      "\n\(bold("drift")) to \(drift.kernel.map { "Linux \($0)" } ?? "the other tree"): "
        + "files: \(drift.count(.changed)) changed, \(drift.count(.added)) added, \(drift.count(.removed)) removed, "
        + "\(drift.unchanged) the same; lines: \(drift.linesAdded) added, \(drift.linesRemoved) removed")
    columns(
      ["file", "", "added", "removed"],
      drift.files.map { file in
        let counts = [file.linesAdded, file.linesRemoved].map { $0.map(String.init) ?? "-" }
        return [file.path, file.change.rawValue] + counts
      })
  }

  private func print(_ build: NativeBuild, withFiles: Bool) {
    for pass in build.passes {
      let isModule = pass.value == "m"
      print(
        "\n\(bold(isModule ? "native build as modules" : "native build, built-in")) in Linux \(build.kernel) "
          + "(\(build.kind.rawValue)) with \(build.compiler): "
          + "\(pass.compiled) of \(pass.compiled + pass.failures.count) files compile")
      if !isModule, pass.compiledAsModule > 0 {
        print("  \(pass.compiledAsModule) of them as modules all the same: their make files say so")
      }
      if !pass.missing.isEmpty { print("  make has no rule for \(pass.missing.joined(separator: ", "))".singleLine) }
      if !pass.notBuilt.isEmpty {
        print("  not built by make files and configuration: \(pass.notBuilt.count) files")
        if withFiles { for path in pass.notBuilt { print("    \(path)".singleLine) } }
      }
      let groups = Dictionary(grouping: pass.failures.values) { [$0.cause.rawValue, $0.subject ?? ""] }
      columns(
        ["cause", "about", "files"],
        groups.sorted { ($1.value.count, $0.key[0], $0.key[1]) < ($0.value.count, $1.key[0], $1.key[1]) }
          .map { $0.key + [String($0.value.count)] })
      if withFiles {
        for (path, failure) in pass.failures.sorted(by: { $0.key < $1.key }) {
          print("  \(path) (\(failure.errors)): \(failure.message)".singleLine)
        }
      }
      if withFiles {
        let lacks = pass.lacks.flatMap { cause, names in names.map { (cause, $0.key, $0.value) } }
        columns(
          ["lacking", "name", "files"],
          lacks.sorted { ($1.2, $0.0, $0.1) < ($0.2, $1.0, $1.1) }.map { [$0.0, $0.1, String($0.2)] })
      }
      if let undefined = pass.undefined {
        print("  undefined symbols: \(undefined.isEmpty ? "none" : undefined.joined(separator: ", "))".singleLine)
      }
    }
  }

  fileprivate func print(_ comparison: AuditComparison, withFiles: Bool) {
    print("\n\(bold("\(comparison.before) → \(comparison.after)"))")
    if comparison.isEmpty { return print("  nothing moved") }
    var rows = comparison.totals.map(row)
    rows += comparison.folders.map(row)
    if withFiles { rows += (comparison.files + comparison.probes).map(row) }
    columns(["", "before", "after", "moved"], rows)
  }

  private func row(_ move: AuditComparison.Move) -> [String] {
    [
      move.name, move.before.map(String.init) ?? "-", move.after.map(String.init) ?? "-",
      (move.difference > 0 ? "+" : "") + String(move.difference),
    ]
  }
}
