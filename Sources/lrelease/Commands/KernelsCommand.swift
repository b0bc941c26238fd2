// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Distributions
import Files
import Model
import SystemPackage

struct KernelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels", abstract: "List the kernels that the archive of a distribution serves.",
    discussion: """
      Reads the metadata of the target's archive with the target's keys, and remembers in the cache when a kernel was \
      first seen. A kernel that was not there the last time is marked as new. Metadata that is older than what was seen is refused.

      Qualify a release on one of them:

        lrelease qualify releases/sample-7.2.1 --target debian-12 --kernel 6.1.0-56-rt-amd64

      Requires apt for a target of .deb packages, and dnf for one of .rpm.
      """)

  @Option(
    name: .customLong("target"),
    help: ArgumentHelp("The distribution, such as debian-12. May be repeated.", valueName: "name"),
    completion: Completions.targets)
  var names: [String] = []

  @OptionGroup var targets: TargetOptions
  @OptionGroup var place: ChrootCacheOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if names.isEmpty { throw ValidationError("Name a --target; 'lrelease targets' lists them.") }
  }

  func run() async throws {
    try await Console.run(console) { console in
      let cache = try Self.cache(place.cache)
      var all: [ArchivedKernels] = []
      for target in try Target.named(names, in: targets.place()) {
        all.append(try await ArchivedKernels(of: target, cache: cache))
      }
      try console.output(all) {
        for archive in all {
          console.print("\(console.bold(archive.target)): \(archive.kernels.count) kernels, \(Self.day(archive.date))")
          console.printTable(
            archive.kernels.map { kernel in
              let lacks = kernel.hasHeaders ? kernel.hasImage ? "" : "no image" : "no headers"
              return [
                "  \(kernel.release)", kernel.version, "seen \(Self.day(kernel.firstSeen))",
                kernel.isNew ? "new" : lacks,
              ]
            })
        }
      }
    }
  }

  /// The folder that remembers what was seen.
  static func cache(_ asked: String?) throws -> FilePath {
    try SourceOptions.cacheFolder(asked).appending("kernels")
  }

  private static func day(_ seconds: Int64) -> String { String(Timestamp(seconds: seconds).iso8601.prefix(10)) }
}
