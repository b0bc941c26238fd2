// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Model
import SystemPackage
import Verdicts

/// Where the proven kernels of packages come from.
struct QualifiedOptions: ParsableArguments {
  @Option(
    name: .customLong("qualified"),
    help: ArgumentHelp(
      "Support what passed in this RELEASE.qualification, and not what failed. May be repeated.", valueName: "folder"),
    completion: .directory)
  var folders: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Make a candidate whose packages claim these kernels, to see on which they fail: 5.10-7.3, or of families \
      el9=5.14.0-611..5.14.0-687; several with commas.
      """,
      valueName: "kernels"))
  var claim: String?

  func validate() throws {
    if claim != nil && !folders.isEmpty { throw ValidationError("--claim and --qualified cannot be combined.") }
  }

  var isEmpty: Bool { folders.isEmpty && claim == nil }

  func add(to plan: Plan, _ progress: Progress) throws -> Plan {
    if let claim {
      return try QualifiedRange.claim(
        claim.split(separator: ",", omittingEmptySubsequences: false).map(String.init), in: plan)
    }
    return folders.isEmpty ? plan : try QualifiedRange.add(folders.map { FilePath($0) }, to: plan, progress: progress)
  }
}
