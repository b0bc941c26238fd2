// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Diagnostics
import Distributions
import Files
import Model
import SystemPackage

/// What `cut` and `plan` have in common: the manifest or plan, and where its sources come from.
struct SourceOptions: ParsableArguments {
  @Argument(help: "The manifest, such as manifests/lustre.toml.", completion: .file(extensions: ["toml"]))
  var manifest: String?

  @Option(
    help: ArgumentHelp("The kernel release: 7.4, 7.4.2, 7.4-rc3.", valueName: "release"))
  var kernel: String?

  @Option(
    help: ArgumentHelp("Number of this respin; 0 for the first release. (default: 0)", valueName: "number"))
  var respin: Int?

  @Option(
    name: .customLong("patches"),
    help: ArgumentHelp(
      "Apply these patches too: a quilt series, a patch, or a folder of them. To the assembled tree, or to a source. "
        + "May be repeated.", valueName: "[name=]series"),
    completion: .file())
  var patches: [String] = []

  @OptionGroup var places: PlaceOptions

  func request() throws -> CutRequest {
    let respin = respin ?? 0
    guard (0...99).contains(respin) else {
      throw ReleaseError(.input, doing: "reading --respin", reason: "'\(respin)' is not between 0 and 99")
    }
    var request = try places.request()
    request.kernel = kernel
    request.respin = respin
    request.patches = try patches.map { try series($0) }
    return request
  }

  /// The source that a series changes, and the series.
  private func series(_ text: String) throws -> (source: String?, series: PatchSeries) {
    let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    // A path can have a '=' in it; the name of a source has no '/'.
    guard halves.count == 2, !halves[0].contains("/"), !Files.exists(FilePath(text)) else {
      return (nil, try PatchSeries(at: FilePath(text)))
    }
    guard !halves[0].isEmpty, !halves[1].isEmpty else {
      throw ReleaseError(.input, doing: "reading --patches", reason: "'\(text)' is neither SERIES nor NAME=SERIES")
    }
    return (halves[0], try PatchSeries(at: FilePath(halves[1])))
  }

  /// A plan fixes kernel, respin, extras and patches, so options for these are refused.
  private func demandNothingThatPlansSay() throws {
    let given = [
      ("--kernel", kernel != nil), ("--respin", respin != nil), ("--with", !places.extras.isEmpty),
      ("--patches", !patches.isEmpty),
    ]
    guard let option = given.first(where: \.1)?.0 else { return }
    throw ReleaseError(
      .input, doing: "carrying out the plan", reason: "\(option) was given, and the plan says that already",
      advice: "leave it out, or make another plan with it")
  }

  /// The requested folder, else lrelease's own in the user's cache. It is trusted, so it must belong to the user.
  ///
  /// - Parameter runsPrograms: chroots are in it, whose programs are run.
  static func cacheFolder(_ asked: String?, runsPrograms: Bool = false) throws -> FilePath {
    let home = environmentVariable("XDG_CACHE_HOME") ?? environmentVariable("HOME").map { "\($0)/.cache" } ?? "/var/tmp"
    let folder = Files.absolute(FilePath(asked ?? "\(home)/lrelease"))
    if runsPrograms, Files.obstacleToPrograms(in: folder) == "noexec" {
      throw ReleaseError(
        .failed, doing: "opening the cache", reason: "\(folder) is on a file system that is mounted noexec",
        remedy: DistributionsRemedy.chooseOtherCache)
    }
    try Files.demandOwn(folder, doing: "opening the cache")
    return folder
  }

  /// Opens the manifest, or the plan if one is given.
  func open(plan: String?, _ progress: Progress) async throws -> OpenedPlan {
    switch (manifest, plan) {
    case (let manifest?, nil):
      return try await Planner.plan(manifest: FilePath(manifest), try request(), progress: progress)
    case (nil, let plan?):
      try demandNothingThatPlansSay()
      return try await Planner.open(planAt: FilePath(plan), try request(), progress: progress)
    default:
      throw ValidationError("Give a manifest, or --plan FILE.")
    }
  }
}
