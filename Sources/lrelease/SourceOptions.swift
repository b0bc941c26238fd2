// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Groundwork
import SystemPackage

/// What `cut` and `plan` have in common: the manifest or plan, and where its sources come from.
struct SourceOptions: ParsableArguments {
  @Argument(help: "The manifest, such as manifests/lustre.toml.", completion: .file(extensions: ["toml"]))
  var manifest: String?

  @Option(help: "The kernel release: 7.4, 7.4.2, 7.4-rc3.")
  var kernel: String?

  @Option(name: .customLong("source"), help: "Take a source from here: NAME=PATH_OR_URL. May be repeated.")
  var sources: [String] = []

  @Option(name: .customLong("with"), help: "Add an extra of the manifest. May be repeated.")
  var extras: [String] = []

  @Option(help: "Number of this respin; 0 for the first release.")
  var respin = 0

  @Flag(help: "Go on where a signature is missing. The release records it.")
  var allowUnsigned = false

  @Option(help: "Folder for fetched and unpacked sources.", completion: .directory)
  var cache: String?

  func request() throws -> CutRequest {
    var places: [String: String] = [:]
    for source in sources {
      let halves = source.split(separator: "=", maxSplits: 1).map(String.init)
      guard halves.count == 2 else {
        throw ReleaseError(
          .input, doing: "reading --source", reason: "'\(source)' is not NAME=PATH_OR_URL")
      }
      places[halves[0]] = halves[1]
    }
    guard (0...99).contains(respin) else {
      throw ReleaseError(.input, doing: "reading --respin", reason: "'\(respin)' is not between 0 and 99")
    }
    let home = environmentVariable("XDG_CACHE_HOME") ?? environmentVariable("HOME").map { "\($0)/.cache" } ?? "/var/tmp"
    return CutRequest(
      kernel: kernel, places: places, extras: extras.reduce(into: []) { if !$0.contains($1) { $0.append($1) } },
      respin: respin, allowsUnsigned: allowUnsigned, cache: Files.absolute(FilePath(cache ?? "\(home)/lrelease")))
  }

  /// Opens the manifest, or the plan where one is given.
  func open(plan: String?, _ progress: Progress) async throws -> OpenedPlan {
    switch (manifest, plan) {
    case (let manifest?, nil):
      return try await Planner.plan(manifest: FilePath(manifest), try request(), progress: progress)
    case (nil, let plan?):
      return try await Planner.open(try Plan(reading: FilePath(plan)), try request(), progress: progress)
    default:
      throw ValidationError("Give a manifest, or --plan FILE.")
    }
  }
}
