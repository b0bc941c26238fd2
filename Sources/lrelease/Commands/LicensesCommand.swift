// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Operations
import SystemPackage

struct LicensesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "licenses", abstract: "Show the licences of a release's packages, and check them with licensecheck.",
    discussion: """
      Lists the licence expression of the tarball, of each package, and of the packages that a build of the tarball \
      makes, as it follows from the rules of the manifest and the SPDX tags of files. Then licensecheck, which must \
      be installed, reads every file. If it finds a licence that lrelease does not name for that file, the file is \
      listed, and the exit status is 6. A rule of [[licenses]] in the manifest with 'why' settles the question. What \
      licensecheck finds never changes a release.

        lrelease licenses releases/ceph-6.12.117
      """)

  @Argument(help: "A release folder, or a tarball.", completion: .file(extensions: ["xz", "zst", "gz"]))
  var release: String

  @OptionGroup var console: ConsoleOptions

  func run() async throws {
    var isComplete = false
    try await Console.run(console) { console in
      let report = try await LicenceReport.read(FilePath(release), progress: console.progress)
      isComplete = report.unnamed.isEmpty
      try console.output(report) {
        for package in report.packages { console.print("\(package.name)  \(package.expression)".singleLine) }
        for file in report.unnamed {
          console.print(
            "\(file.path): licensecheck says \(file.found.joined(separator: ", ")), the release \(file.named)"
              .singleLine)
        }
      }
    }
    if !isComplete { throw ExitCode(ReleaseError.Code.different.rawValue) }
  }
}
