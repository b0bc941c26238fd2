// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Releases
import SystemPackage

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check that a release folder or a tarball holds what was released.",
    discussion: """
      Every file of a tarball is compared with the list of origins in it. Of a folder, every file is compared with \
      SHA256SUMS first, and plan.json with the plan in the tarball; signatures such as SHA256SUMS.asc may lie beside it. \
      Exit status 6 when a file was changed, is missing, or is not in a list. The lists lie in what is checked: that \
      SHA256SUMS is the one that was released, its signature tells, or that you got it in a way that you trust.

        lrelease verify releases/ceph-6.12.117
        lrelease verify ceph-6.12.117.tar.xz
      """)

  @Argument(help: "A release folder, or a tarball.", completion: .file())
  var release: String

  @OptionGroup var console: ConsoleOptions

  func run() async throws {
    try await Console.run(console) { console in
      var files = 0
      let opened = try await Release(opening: FilePath(release), progress: console.progress) { result in
        files = result.files
        if result.isGood { return }
        try console.output(result) {}
        throw Diagnostics(
          result.findings.map { ReleaseError(.different, doing: "verifying \(release)", reason: $0) })
      }
      let artifacts = opened.folder == nil ? nil : opened.artifacts.count
      try console.output(Tarball.Verification(files: files, artifacts: artifacts)) {
        if let artifacts {
          console.print("\(release): \(artifacts) artifacts, and \(files) files in the tarball, all as released")
        } else {
          console.print("\(release): \(files) files, all as released")
        }
      }
    }
  }
}
