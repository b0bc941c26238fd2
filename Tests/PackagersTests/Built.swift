// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Groundwork
import SystemPackage

@testable import Packagers

/// What was built, for the tests that use it as a person would.
enum Built {
  static let repository = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
  static let lrelease = repository.appending(".build/debug/lrelease").string

  /// Cuts a release with a manifest of this repository, and demands that it succeeds.
  static func cut(_ manifest: String, into folder: FilePath, _ arguments: [String]) async throws {
    _ = try await Command(
      lrelease, ["cut", repository.appending("manifests/\(manifest)").string, "--output", folder.string] + arguments
    ).check(doing: "cutting \(manifest)")
  }
}

/// A root with dkms, rpm and the headers of the two kernels of Debian 12, and with nothing else that a package could need.
///
/// It is kept below `LRELEASE_TEST_CACHE`, else below /var/tmp.
enum TestRoot {
  static func bookworm() async throws -> Root {
    let cache = environmentVariable("LRELEASE_TEST_CACHE") ?? "/var/tmp/lrelease-tests"
    return try await Root(
      RootRecipe(
        suites: ["bookworm", "bookworm-updates", "bookworm-security"],
        packages: ["dkms", "rpm", "linux-headers-amd64", "linux-headers-6.12-amd64"]),
      cache: FilePath(cache), progress: .silent)
  }

  static func kernels(_ session: RootSession) async throws -> [String] {
    let outcome = try await session.run(["ls", "/lib/modules"], doing: "listing kernels")
    return outcome.text.split(separator: "\n").map(String.init)
  }

  /// Runs a script in the root, which sees `folder` as /mnt.
  static func sh(_ session: RootSession, _ script: String, _ folder: FilePath) async throws -> Command.Outcome {
    try await session.run(["sh", "-ec", script], folders: ["/mnt": folder], doing: "working in the root")
  }
}
