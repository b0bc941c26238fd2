// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Diagnostics
import Files
import Operations
import Releases
import SystemPackage

struct RebuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild", abstract: "Make a release again from its tarball alone, with or without changes.",
    discussion: """
      The tarball is checked against its own list of origins first, and of a release folder every file against \
      SHA256SUMS. The plan in it holds all else that is needed: no source, no network, no git and none of the tools that \
      prepared the tree.

      Without changes every file must come out as it was released, byte for byte; otherwise the exit status is 6 and \
      nothing is left. Of a folder all files are compared, and where the SHA256SUMS beside a tarball lists it; else the \
      tarball alone:

        lrelease rebuild releases/sample-7.2.1 --output again
        lrelease rebuild sample-7.2.1.tar.xz --output again

      With changes it is another release, sample-7.2.1+by.acme.1, whose packages sort after the original and before \
      the next respin or release. The patches apply to the tree as it is in the tarball, -p1 unless the series says \
      otherwise:

        lrelease rebuild sample-7.2.1.tar.xz --vendor acme --patches acme/series --output releases

      Rebuilt once more, from the outcome or from the original, it gets the number 2:

        lrelease rebuild sample-7.2.1.tar.xz --vendor acme --number 2 --patches acme/series --output releases

      An extra of the manifest is added with the source that it takes files from:

        lrelease rebuild sample-7.2.1.tar.xz --vendor acme --with trace --source trace=Examples/sample/extra-trace

      A candidate becomes the release: its packages support the kernels that 'lrelease qualify' found them to work on, \
      and bring what their probes have found there.

        lrelease rebuild candidates/sample-7.2.1 --output releases --qualified candidates/sample-7.2.1.qualification

      With --sign, what is made is signed as by 'lrelease cut --sign'. A signature cannot be made again: of .rpm files \
      that are signed, all else is compared, and that is said.

      Sources that the release was made of stay as they are: --source is for extras only. Prepare steps of the \
      manifest are run again, with the tools of this machine, when an extra is added or a generated file has the \
      version in it. For patches alone they are not: one to configure.ac needs one to configure as well.
      """)

  @Argument(help: "A release folder, or its tarball.", completion: .file())
  var release: String

  @Option(
    help: ArgumentHelp("Who changes the release: lower-case letters and digits, a letter first.", valueName: "name"))
  var vendor: String?

  @Option(
    help: ArgumentHelp(
      "Number of the vendor's rebuild. (default: 1, or the next one of a rebuild)", valueName: "number"))
  var number: Int?

  @Option(
    name: .customLong("patches"),
    help: ArgumentHelp("The vendor's patches: a quilt series, a patch, or a folder of them.", valueName: "series"),
    completion: .file())
  var series: String?

  @OptionGroup var qualified: QualifiedOptions
  @OptionGroup var signing: SigningOptions
  @OptionGroup var places: PlaceOptions
  @OptionGroup var sandbox: SandboxOptions
  @OptionGroup var console: ConsoleOptions

  @Option(
    help: ArgumentHelp("Folder in which the release folder is made.", valueName: "folder"), completion: .directory)
  var output = "."

  func run() async throws {
    try await Console.run(console) { console in try await sandbox.apply(console) { try await run(console) } }
  }

  private func run(_ console: Console) async throws {
    let series = try series.map { try PatchSeries(at: FilePath($0)) }
    let request = RebuildRequest(vendor: vendor, number: number, series: series, added: try places.request())
    let rebuild = Rebuild(output: FilePath(output), signer: try await signing.key(), progress: console.progress)
    let report =
      if qualified.isEmpty {
        try await rebuild.run(FilePath(release), request)
      } else if request.changesNothing {
        try await rebuild.run(FilePath(release), proving: { try qualified.add(to: $0, console.progress) })
      } else {
        throw ReleaseError(
          .input, doing: "reading --qualified and --claim", reason: "what was qualified is not what is changed here",
          advice: "rebuild first, qualify that, and rebuild it with --qualified alone")
      }
    try console.output(report) { console.print(report) }
  }
}

extension Console {
  fileprivate func print(_ report: Rebuild.Report) {
    print(report.made)
    if let place = report.comparedWith, let signed = report.signaturesDiffer {
      print("identical but for the signatures of \(signed.joined(separator: ", ")): all else is as \(place) lists it")
    } else if let place = report.comparedWith {
      print(
        place.hasSuffix("/\(ReleaseFolder.checksums)")
          ? "identical: every file is as \(place) lists it"
          : "identical: the tarball has the bytes of \(place); no SHA256SUMS lies beside it to compare the packages with"
      )
    } else if report.isUnchanged {
      print("nothing was made; give another --output to make it again and compare")
    }
  }
}
