// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Groundwork
import Packagers
import SystemPackage

struct CutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cut", abstract: "Cut a release: tarball and packages, in a folder that never changes.")

  @OptionGroup var source: SourceOptions
  @OptionGroup var console: ConsoleOptions

  @Option(help: "Carry out a saved plan instead of a manifest.", completion: .file(extensions: ["json"]))
  var plan: String?

  @Option(help: "Folder in which the release folder is made.", completion: .directory)
  var output = "."

  enum Compression: String, ExpressibleByArgument, CaseIterable { case xz, zst, gz }
  @Option(help: "Compression of the tarball: xz, zst or gz.")
  var compression = Compression.xz

  func run() async throws {
    try await Console.run(console) { console in
      let opened = try await source.open(plan: plan, console.progress)
      let codec: Codec =
        switch compression {
        case .xz: .xz
        case .zst: .zstd
        case .gz: .gzip
        }
      let report = try await Cut(output: FilePath(output), codec: codec, progress: console.progress).run(opened)
      if console.isJSON { return try console.printJSON(report) }
      console.print(console.bold(report.release) + (report.wasThere ? " is there already, and whole" : ""))
      for output in report.outputs {
        let padding = String(repeating: " ", count: max(1, 10 - size(output.bytes).count))
        console.print("\(padding)\(size(output.bytes))  \(report.folder)/\(output.name)")
      }
    }
  }
}

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a cut would use and write, and save it as a plan.")

  @OptionGroup var source: SourceOptions
  @OptionGroup var console: ConsoleOptions

  @Option(name: .customLong("save"), help: "Where to save the plan; it must not exist.", completion: .file())
  var path = "plan.json"

  func run() async throws {
    try await Console.run(console) { console in
      let opened = try await source.open(plan: nil, console.progress)
      let plan = opened.plan
      try Files.write(try JSON.encode(plan), to: FilePath(path))
      if console.isJSON { return try console.printJSON(plan) }
      console.print("\(console.bold(try plan.releaseName))  \(Timestamp(seconds: plan.sourceDate).iso8601)")
      for (name, pin) in plan.sources.sorted(by: { $0.key < $1.key }) {
        let identity = pin.commit.map { "commit \($0)" } ?? pin.sha256.map { "SHA-256 \($0)" } ?? ""
        let signed = pin.signedBy.map { ", signed by \($0)" } ?? ""
        console.print("  source   \(name): \(pin.kind) \(plan.places?[name] ?? ""), \(identity)\(signed)")
      }
      for (tool, version) in plan.tools.sorted(by: { $0.key < $1.key }) {
        console.print("  tool     \(tool): \(version)")
      }
      let version = try ReleaseVersion(plan.version)
      for package in opened.manifest.packages {
        if let deb = package.deb {
          console.print("  package  \(deb.name)_\(version.debian)_all.deb (\(package.variant))")
        }
        if let rpm = package.rpm {
          console.print(
            "  package  \(rpm.name)-\(version.rpmVersion)-\(version.rpmRelease).noarch.rpm (\(package.variant))")
        }
      }
      console.print("saved as \(path); 'lrelease cut --plan \(path)' carries it out")
    }
  }
}
