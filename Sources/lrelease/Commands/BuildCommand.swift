// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Distributions
import Glibc
import Model
import Packagers
import Processes
import Releases
import SystemPackage

struct BuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build the binary packages of a release, in a chroot of each target.",
    discussion: """
      Makes OUTPUT/RELEASE.TARGET with the packages, build.log, build.json and SHA256SUMS, using the packaging in \
      the tarball. The chroot is made once for each list of packages, and kept in the cache; the build itself has no \
      network. A release that was changed is refused, with exit status 6. If nothing changed since the last build, \
      nothing is built. If a target fails, the others continue; the exit status is then 1, and the log is beside the \
      folders.

        lrelease build out/lustre-7.4.2 --target debian-12 --target debian-13
        lrelease build out/lustre-7.4.2 --target rocky-9 --modules --with servers

      Requires root privileges, and mmdebstrap or dnf.
      """)

  @Argument(help: "A release folder, or its tarball.", completion: .file())
  var release: String

  @Option(
    name: .customLong("target"), help: "A target: its name, or a .toml file. May be repeated.",
    completion: Completions.targets)
  var names: [String] = []

  @Flag(help: "Also build ready-built modules for the kernels of the target.")
  var modules = false

  @Option(
    name: .customLong("with"),
    help: ArgumentHelp(
      "Choose what the release's packaging offers: a %bcond of its spec, a build profile of its debian/. May be repeated.",
      valueName: "name"))
  var wanted: [String] = []

  @Option(
    name: .customLong("without"), help: ArgumentHelp("The opposite of --with. May be repeated.", valueName: "name"))
  var unwanted: [String] = []

  @Option(help: "Targets at a time. (default: half the number of cores, but at least 2)")
  var jobs: Int?

  @Option(
    help: ArgumentHelp("Where to make the folders of packages.", valueName: "folder"), completion: .directory
  )
  var output = "."

  @Flag(help: "Replace packages that were built from other input.")
  var replace = false

  @OptionGroup var targets: TargetOptions
  @OptionGroup var roots: ChrootOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if names.isEmpty { throw ValidationError("Name a --target; 'lrelease targets' lists them.") }
    if let both = wanted.first(where: unwanted.contains) {
      throw ValidationError("--with and --without cannot both be '\(both)'.")
    }
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be 1 or more.") }
  }

  func run() async throws {
    try await Console.run(console) { console in
      let chosen = try Target.named(names, in: targets.place())
      var build = BinaryBuilder(
        output: try OutputPlace.folder(output), chroots: try roots.roots(), buildsModules: modules,
        jobs: min(jobs ?? CPUSlots.defaultJobs, chosen.count), progress: console.progress)
      build.replaces = replace
      build.choices = Set(
        wanted.map { PackagingChoice($0, isWanted: true) } + unwanted.map { PackagingChoice($0, isWanted: false) }
      ).sorted()
      let opened = try await Release(opening: FilePath(release), progress: console.progress)
      let outcomes = try await build.run(opened, chosen)
      try console.output(outcomes) {
        for outcome in outcomes {
          let words =
            switch outcome.status {
            case .built: "built in \(duration(outcome.seconds))"
            case .existing: "already exists; all files verified"
            case .failed: "failed after \(duration(outcome.seconds))"
            }
          console.print("\(console.bold(outcome.target)) \(words)")
          for file in outcome.files where file.isBinaryPackage || file.kind == .srpm {
            let padding = String(repeating: " ", count: max(1, 10 - size(file.bytes).count))
            console.print("\(padding)\(size(file.bytes))  \(outcome.folder ?? "")/\(file.name)")
          }
        }
      }
      let failures = outcomes.compactMap { outcome in outcome.failure.map { $0.told(of: outcome.target) } }
      if !failures.isEmpty { throw Diagnostics(failures) }
    }
  }
}
