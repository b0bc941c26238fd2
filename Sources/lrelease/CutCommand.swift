// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Groundwork
import Packagers
import SystemPackage

struct CutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cut", abstract: "Cut a release: tarball and packages, in a folder that never changes.",
    discussion: """
      Makes OUTPUT/NAME-VERSION with the tarball, the packages, plan.json and SHA256SUMS. The folder is written beside \
      its place and renamed when it is complete. When the release is there already, made from the same plan, its files \
      are checked and nothing is written; with another plan the exit status is 5.

      From a kernel release on kernel.org, whose signature is checked:

        lrelease cut manifests/ceph.toml --kernel 6.12.117 --output releases

      From a tarball that is here, with its signature linux-6.12.117.tar.sign beside it:

        lrelease cut manifests/ceph.toml --source linux=linux-6.12.117.tar.xz

      From a tarball without a signature whose hash you trust:

        lrelease cut ceph.toml --source linux=linux.tar.xz --sha256 linux=DIGEST

      The same kernel release once more, with a correction in the companion repository:

        lrelease cut manifests/ceph.toml --kernel 6.12.117 --respin 1

      A plan that 'lrelease plan' saved, or the plan.json of a release. A signature that is at hand is checked again; \
      otherwise the hash in the plan vouches for the source, and a warning says so. A plan from a stranger vouches for \
      nothing.

        lrelease cut --plan plan.json --source linux=linux-6.12.117.tar.xz
      """)

  @OptionGroup var source: SourceOptions
  @OptionGroup var console: ConsoleOptions

  @Option(
    help: ArgumentHelp("Carry out a saved plan instead of a manifest.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var plan: String?

  @Option(
    help: ArgumentHelp("Folder in which the release folder is made.", valueName: "folder"), completion: .directory)
  var output = "."

  enum Compression: String, ExpressibleByArgument, CaseIterable { case xz, zst, gz }
  @Option(help: "Compression of the tarball.")
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
    commandName: "plan", abstract: "Show what a cut would use and write, and save it as a plan.",
    discussion: """
      Reads and checks every source, pins it by hash or commit, and saves the plan: the pins, the manifest and every \
      file that the manifest names. The same plan gives the same bytes. Nothing else is written.

        lrelease plan manifests/ceph.toml --kernel 6.12.117 --save ceph.json
        lrelease cut --plan ceph.json --output releases
      """)

  @OptionGroup var source: SourceOptions
  @OptionGroup var console: ConsoleOptions

  @Option(
    name: .customLong("save"),
    help: ArgumentHelp("Where to save the plan; it must not exist.", valueName: "file"), completion: .file())
  var path = "plan.json"

  func run() async throws {
    try await Console.run(console) { console in
      let opened = try await source.open(plan: nil, console.progress)
      let plan = opened.plan
      try Files.write(try JSON.encode(plan), to: FilePath(path))
      if console.isJSON { return try console.printJSON(plan) }
      console.print("\(console.bold(try plan.releaseName))  \(Timestamp(seconds: plan.sourceDate).iso8601)")
      for (name, pin) in plan.sources.sorted(by: { $0.key < $1.key }) {
        console.print("  source   \(name): \(pin.kind) \(plan.places?[name] ?? ""), \(pin.identity)")
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
