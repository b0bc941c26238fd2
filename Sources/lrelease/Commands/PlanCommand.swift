// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Files
import Model
import Operations
import SystemPackage

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a cut would use and write, and save that as a plan.",
    discussion: """
      Reads and checks every source, pins it by hash or commit, and saves the plan: the pins, the manifest, and \
      every file that the manifest names. The same plan gives the same bytes. Nothing else is written.

        lrelease plan manifests/ceph.toml --kernel 6.12.117 --save ceph.json
        lrelease cut --plan ceph.json --output releases
      """)

  @OptionGroup var source: SourceOptions
  @OptionGroup var sandbox: SandboxOptions
  @OptionGroup var console: ConsoleOptions

  @Option(
    name: .customLong("save"),
    help: ArgumentHelp("Where to save the plan; it must not exist.", valueName: "file"), completion: .file())
  var path = "plan.json"

  func run() async throws {
    try await Console.run(console) { console in try await sandbox.apply(console) { try await run(console) } }
  }

  private func run(_ console: Console) async throws {
    let opened = try await source.open(plan: nil, console.progress)
    let plan = opened.plan
    try await Cut.rehearse(opened, progress: console.progress)
    try Files.replace(FilePath(path), with: try JSON.encode(plan), overwrites: false)
    try console.output(plan) { try console.print(opened, savedAs: path) }
  }
}

extension Console {
  fileprivate func print(_ opened: OpenedPlan, savedAs path: String) throws {
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
    let version = plan.version.value
    for package in opened.manifest.packages(with: plan.extras) {
      if let deb = package.deb {
        print("  package  \(PackageFileName.deb(deb.name, version)) (\(package.variant))")
      }
      if let rpm = package.rpm {
        print(
          "  package  \(PackageFileName.rpm(rpm.name, version)) (\(package.variant))")
      }
    }
    print("saved as \(path); 'lrelease cut --plan \(path)' carries it out")
  }
}
