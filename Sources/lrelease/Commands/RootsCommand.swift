// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Glibc

struct RootsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roots", abstract: "List the chroots in the cache, or remove some.",
    discussion: """
      A chroot is a folder with the files of a distribution. 'build' and 'qualify' keep each chroot that they make \
      in the cache; their --refresh recreates it. The most recently used chroots are at the end of the list.

        lrelease roots
        lrelease roots --unused 30
        lrelease roots --remove bookworm-0a1b2c3d4e5f6071
      """)

  @Option(
    name: .customLong("remove"), help: ArgumentHelp("Remove this chroot. May be repeated.", valueName: "root"))
  var names: [String] = []

  @Option(help: ArgumentHelp("Remove the chroots that were not used for this many days.", valueName: "days"))
  var unused: Int?

  @OptionGroup var place: ChrootCacheOptions
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if let unused, unused < 0 { throw ValidationError("--unused takes 0 or more days.") }
  }

  func run() async throws {
    try await Console.run(console) { console in
      let roots = try place.roots()
      for name in names { try await roots.remove(name) }
      for left in await roots.sweep() {
        console.progress.note("removed \(left), which was not finished: the process that made it is gone")
      }
      let now = Int64(time(nil))
      var kept = try await roots.all()
      if let unused {
        for root in kept where (now - root.used) / 86400 >= Int64(unused) {
          // A layer goes with the chroot below.
          guard kept.contains(where: { $0.name == root.name }) else { continue }
          do {
            let removed = try await roots.remove(root.name)
            kept.removeAll { removed.contains($0.name) }
          } catch let error as ReleaseError where error.code == .conflict {
            var warning = error.diagnostic
            warning.severity = .warning
            console.progress.tell(warning)
          }
        }
      }
      try console.output(kept) {
        guard !kept.isEmpty else { return console.print("no chroots in \(roots.folder)") }
        console.printTable(
          kept.map { root in
            [
              root.name, size(root.bytes), root.base.map { "on \($0)" } ?? "", "made \(age(root.made, now))",
              "used \(age(root.used, now))",
              root.kernels.joined(separator: " "),
            ]
          })
        console.print("\(size(kept.reduce(0) { $0 + $1.bytes })) in \(roots.folder)")
      }
    }
  }

  private func age(_ moment: Int64, _ now: Int64) -> String {
    let hours = max(0, now - moment) / 3600
    if hours == 0 { return "within the hour" }
    return hours < 48 ? "\(hours) h ago" : "\(hours / 24) days ago"
  }
}
