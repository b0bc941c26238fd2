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
    commandName: "rebuild", abstract: "Make a release again from its tarball, with or without changes.",
    discussion: """
      First the tarball is checked against its own list of origins; in a release folder, every file is checked \
      against SHA256SUMS. The plan in the tarball holds everything else: no source, no network, no git and none of \
      the tools that prepared the tree are needed.

      Without changes, every file must come out byte for byte as it was released. Otherwise the exit status is 6 and \
      nothing is left. Given a folder, all its files are compared; given a tarball, the files that a SHA256SUMS \
      beside it lists, or else the tarball alone:

        lrelease rebuild releases/sample-7.2.1 --output again
        lrelease rebuild sample-7.2.1.tar.xz --output again

      With changes, it is another release, sample-7.2.1+by.acme.1, whose packages sort after the original and before \
      the next respin or release. The patches apply to the tree as the tarball holds it, with -p1 unless the \
      series says otherwise:

        lrelease rebuild sample-7.2.1.tar.xz --vendor acme \\
            --patches acme/series --output releases

      The next rebuild, from this one or from the original, gets the number 2:

        lrelease rebuild sample-7.2.1.tar.xz --vendor acme --number 2 \\
            --patches acme/series --output releases

      Add an extra of the manifest, with the source of its files:

        lrelease rebuild sample-7.2.1.tar.xz --vendor acme --with trace \\
            --source trace=Examples/sample/extra-trace

      Turn a candidate into the release: its packages then support the kernels on which 'lrelease qualify' found \
      that they work, and carry what their probes found there.

        lrelease rebuild candidates/sample-7.2.1 --output releases \\
            --qualified candidates/sample-7.2.1.qualification

      --sign signs the result as 'lrelease cut --sign' does. A signature cannot be made again: if .rpm files are \
      signed, everything else is compared, and the output says so.

      The sources of the release itself cannot be replaced: --source is for extras only. If an extra is added, or a \
      generated file contains the version, the prepare steps of the manifest run again, with the tools of this \
      machine. If only patches are added, they do not: a patch to configure.ac then needs one to configure as well.
      """)

  @Argument(help: "A release folder, or its tarball.", completion: .file())
  var release: String

  @Option(
    help: ArgumentHelp("Whose rebuild it is: lower-case letters and digits, a letter first.", valueName: "name"))
  var vendor: String?

  @Option(
    help: ArgumentHelp(
      "Number of the vendor's rebuild. (default: 1, or the next number after a rebuild)", valueName: "number"))
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
    help: ArgumentHelp("Where to make the release folder.", valueName: "folder"), completion: .directory)
  var output = "."

  func run() async throws {
    try await Console.run(console) { console in try await sandbox.apply(console) { try await run(console) } }
  }

  private func run(_ console: Console) async throws {
    let series = try series.map { try PatchSeries(at: FilePath($0)) }
    let request = RebuildRequest(vendor: vendor, number: number, series: series, added: try places.request())
    let rebuild = Rebuild(
      output: try OutputPlace.folder(output), signer: try await signing.key(), cache: request.added.cache,
      progress: console.progress)
    let report =
      if qualified.isEmpty {
        try await rebuild.run(FilePath(release), request)
      } else if request.changesNothing {
        try await rebuild.run(FilePath(release), proving: { try qualified.add(to: $0, console.progress) })
      } else {
        throw ReleaseError(
          .input, doing: "reading --qualified and --claim", reason: "a changed release has no verdicts yet",
          advice: "rebuild it first, qualify the result, then rebuild that with --qualified alone")
      }
    try console.output(report) { console.print(report) }
  }
}

extension Console {
  fileprivate func print(_ report: Rebuild.Report) {
    print(report.made)
    if let place = report.comparedWith, let signed = report.signaturesDiffer {
      print(
        "identical but for the signatures of \(signed.joined(separator: ", ")): everything else is as \(place) lists it"
      )
    } else if let place = report.comparedWith {
      print(
        place.hasSuffix("/\(ReleaseFolder.checksums)")
          ? "identical: every file is as \(place) lists it"
          : "identical: the tarball has the bytes of \(place); there is no SHA256SUMS beside it to compare the packages with"
      )
    } else if report.isUnchanged {
      print("nothing was written; to make it again and compare, give another --output")
    }
  }
}
