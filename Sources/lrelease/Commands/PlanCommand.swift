// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Diagnostics
import Files
import Model
import Operations
import SystemPackage

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a cut would use and write, and save that as a plan.",
    discussion: """
      Reads and checks every source, pins it by hash or commit, and saves the plan: the pins, the manifest, and \
      every file that the manifest names. The same plan gives the same bytes. Nothing else is written. Prints the \
      sources, the kernels that the packages will support, what says so, and the files of the release to come.

        lrelease plan manifests/ceph.toml --kernel 6.12.117 --save ceph.json
        lrelease cut --plan ceph.json --output releases

      Only look:

        lrelease plan manifests/ceph.toml --kernel 6.12.117 --dry-run
      """)

  @OptionGroup var source: SourceOptions
  @OptionGroup var sandbox: SandboxOptions
  @OptionGroup var console: ConsoleOptions

  @Option(
    name: .customLong("save"),
    help: ArgumentHelp(
      "Where to save the plan; '-' for standard output, with all else on standard error. (default: plan.json)",
      valueName: "file"), completion: .file())
  var path: String?

  @Flag(help: "Save the plan even if the file exists.")
  var replace = false

  @Flag(help: "Save nothing: print what a cut would do.")
  var dryRun = false

  func validate() throws {
    if dryRun && path != nil { throw ValidationError("--dry-run and --save cannot be combined.") }
    if path == "-" && console.json { throw ValidationError("--save - and --json cannot be combined.") }
  }

  /// The plan with additional keys, which are ignored when it is read as a plan.
  private struct Report: Encodable {
    private enum CodingKeys: String, CodingKey { case outputs, signatures, supportedKernels }
    var plan: Plan
    var outlook: CutOutlook

    func encode(to encoder: any Encoder) throws {
      try plan.encode(to: encoder)
      var keys = encoder.container(keyedBy: CodingKeys.self)
      try keys.encode(outlook.outputs, forKey: .outputs)
      try keys.encode(outlook.signatures, forKey: .signatures)
      try keys.encode(outlook.kernels, forKey: .supportedKernels)
    }
  }

  func run() async throws {
    try await Console.run(console) { console in try await sandbox.apply(console) { try await run(console) } }
  }

  private func run(_ console: Console) async throws {
    let file = dryRun ? nil : path ?? "plan.json"
    if let file, file != "-" { try demandFree(FilePath(file)) }
    let opened = try await source.open(plan: nil, console.progress)
    try await Cut.rehearse(opened, progress: console.progress)
    let outlook = try CutOutlook(opened)
    if file == "-" {
      try console.print(opened, outlook, savedAs: file, to: console.say)
      return console.printDocument(try JSON.encode(opened.plan))
    }
    if let file { try Files.replace(FilePath(file), with: try JSON.encode(opened.plan), overwrites: replace) }
    try console.output(Report(plan: opened.plan, outlook: outlook)) {
      try console.print(opened, outlook, savedAs: file, to: console.print)
    }
  }

  /// Reading the sources takes a while, so errors about the output come first.
  private func demandFree(_ file: FilePath) throws {
    let doing = "saving the plan"
    try OutputPlace.demandParent(of: file, doing: doing)
    guard replace || !Files.exists(file) else {
      throw ReleaseError(
        .conflict, doing: doing, reason: "\(file) already exists", advice: "give --replace or another --save")
    }
  }
}

extension Console {
  fileprivate func print(
    _ opened: OpenedPlan, _ outlook: CutOutlook, savedAs path: String?, to print: (String) -> Void
  ) throws {
    let plan = opened.plan
    print("\(bold(try plan.releaseName))  \(Timestamp(seconds: plan.sourceDate).iso8601)")
    for (name, pin) in plan.sources.sorted(by: { $0.key < $1.key }) {
      print(
        "  source   \(name): \(pin.kind) \(plan.places?[name] ?? ""), \(pin.identity)"
          + (pin.version.map { ", version \($0)" } ?? ""))
    }
    for added in plan.patches ?? [] {
      for patch in added.patches {
        print("  patch    \(added.mark)/\(patch.name), to \(added.source.map { "the source \($0)" } ?? "the tree")")
      }
    }
    for (tool, version) in plan.tools.sorted(by: { $0.key < $1.key }) {
      print("  tool     \(tool): \(version)")
    }
    for kernels in outlook.kernels { kernels.words.forEach(print) }
    for output in outlook.outputs { print("  output   \(output)") }
    print("  signed   \(outlook.signatures.joined(separator: ", ")): only with 'lrelease cut --sign'")
    switch path {
    case nil: print("not saved: --dry-run")
    case "-": print("written to standard output")
    case let path?: print("saved as \(path); 'lrelease cut --plan \(path)' carries it out")
    }
  }
}
