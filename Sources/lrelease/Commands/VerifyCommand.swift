// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Releases
import SystemPackage

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check every file of a release tarball against its list of origins.",
    discussion: """
      Exit status 6 when a file was changed, is missing, or is not in the list. The list is in the tarball itself: that \
      it is the one that was released, its SHA-256 in SHA256SUMS tells, got in a way that you trust.

        lrelease verify releases/ceph-6.12.117/ceph-6.12.117.tar.xz
        cd releases/ceph-6.12.117 && sha256sum -c SHA256SUMS
      """)

  @Argument(help: "The tarball.", completion: .file(extensions: ["xz", "zst", "gz"]))
  var tarball: String

  @OptionGroup var console: ConsoleOptions

  func run() async throws {
    try await Console.run(console) { console in
      let result = try await Tarball.verify(FilePath(tarball), progress: console.progress)
      try console.output(result) {
        if result.isGood { console.print("\(tarball): \(result.files) files, all as released") }
      }
      guard result.isGood else {
        throw Diagnostics(
          result.findings.map { ReleaseError(.different, doing: "verifying \(tarball)", reason: $0) })
      }
    }
  }
}
