// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Files
import Glibc
import SystemPackage

/// Where the targets are described.
struct TargetOptions: ParsableArguments {
  @Option(
    name: .customLong("targets"),
    help: ArgumentHelp(
      "Folder of the target files. (default: ./targets, else those installed with lrelease)", valueName: "folder"),
    completion: .directory)
  var folder: String?

  func place() throws -> FilePath {
    if let folder { return FilePath(folder) }
    var candidates: [FilePath] = ["targets"]
    if let program = realpath("/proc/self/exe", nil) {
      defer { free(program) }
      candidates.append(
        FilePath(platformString: program).removingLastComponent().removingLastComponent()
          .appending("share/lrelease/targets"))
    }
    guard let found = candidates.first(where: { Files.isFolder($0) }) else {
      throw ReleaseError(
        .input, doing: "finding the targets", reason: "there is no folder \(candidates[0])",
        advice: "give --targets FOLDER")
    }
    return found
  }
}
