// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Diagnostics
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

  @OptionGroup var places: PlaceOptions

  func request() throws -> CutRequest {
    let respin = respin ?? 0
    guard (0...99).contains(respin) else {
      throw ReleaseError(.input, doing: "reading --respin", reason: "'\(respin)' is not between 0 and 99")
    }
    var request = try places.request()
    request.kernel = kernel
    request.respin = respin
    return request
  }

  /// A plan says which kernel, respin and extras the release is of: nothing else can be asked for beside it.
  private func demandNothingThatPlansSay() throws {
    let given = [("--kernel", kernel != nil), ("--respin", respin != nil), ("--with", !places.extras.isEmpty)]
    guard let option = given.first(where: \.1)?.0 else { return }
    throw ReleaseError(
      .input, doing: "carrying out the plan", reason: "\(option) was given, and the plan says that already",
      advice: "leave it out, or make another plan with it")
  }

  /// The folder that was asked for, else lrelease's own in the user's cache. What lies in it is trusted, so that it must
  /// be the user's.
  static func cacheFolder(_ asked: String?) throws -> FilePath {
    let home = environmentVariable("XDG_CACHE_HOME") ?? environmentVariable("HOME").map { "\($0)/.cache" } ?? "/var/tmp"
    let folder = Files.absolute(FilePath(asked ?? "\(home)/lrelease"))
    try Files.demandOwn(folder, doing: "opening the cache")
    return folder
  }

  /// Opens the manifest, or the plan where one is given.
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
