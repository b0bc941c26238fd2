// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Model
import Operations
import SystemPackage

struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show what is in a release or a package, and where each file came from.",
    discussion: """
      Lists mode, size, path and origin of each file in the tarball of a release, or in a package. For a release, \
      the sources and artifacts come first; for a package, its name, version and relations. A release that was \
      changed is refused, with exit status 6.

        lrelease show releases/ceph-6.12.117
        lrelease show releases/ceph-6.12.117 fs/ceph/inode.c net/ceph
        lrelease show --json ceph-client-dkms_6.12.117-1_all.deb

      With --kernel, says instead whether the packages of a release support a kernel, in the words that they would use \
      on a machine that has it, and how that is known: proven, stated by somebody, or untried.

        lrelease show releases/ceph-6.12.117 --kernel 6.12.117+deb12-amd64
      """)

  @Argument(
    help: "A release folder, a tarball, a .deb or an .rpm.",
    completion: .file(extensions: ["xz", "zst", "gz", "deb", "rpm"]))
  var file: String

  @Argument(help: "Show only these files, and what is in these folders. (default: all)")
  var paths: [String] = []

  @Option(
    name: .customLong("kernel"),
    help: ArgumentHelp("Say whether this kernel is supported. May be repeated.", valueName: "release"))
  var kernels: [String] = []

  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if !kernels.isEmpty, !paths.isEmpty { throw ValidationError("Give either paths or --kernel.") }
    if let bad = kernels.first(where: { KernelFamily.mainline.numbers(of: $0) == nil }) {
      throw ValidationError("'\(bad)' is not a kernel release, as 'uname -r' prints it.")
    }
  }

  func run() async throws {
    try await Console.run(console) { console in
      guard kernels.isEmpty else {
        let answers = try await KernelAnswer.all(of: FilePath(file), on: kernels, progress: console.progress)
        return try console.output(answers) { for answer in answers { console.print(answer.line) } }
      }
      let contents = try await PackageContents.read(FilePath(file), progress: console.progress).only(paths, of: file)
      try console.output(contents) {
        for line in contents.header { console.print(line) }
        for entry in contents.files {
          let padding = String(repeating: " ", count: max(1, 10 - size(entry.bytes).count))
          let origin = entry.origin.map { "  ← \($0.summary)" } ?? ""
          let link = entry.link.map { " → \($0)" } ?? ""
          console.print("\(entry.mode)\(padding)\(size(entry.bytes))  \(entry.path)\(link)\(origin)")
        }
      }
    }
  }
}
