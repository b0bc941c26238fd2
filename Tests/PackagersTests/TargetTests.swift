// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Groundwork
import SystemPackage
import Testing

@testable import Packagers

@Suite struct TargetTests {
  private let folder = Built.repository.appending("targets")

  @Test func theTableInTheDocumentationIsThatOfTheFiles() throws {
    let targets = try Target.all(in: folder)
    #expect(targets.count >= 15)
    let page = String(decoding: try Files.read(Built.repository.appending("docs/targets.md")), as: UTF8.self)
    #expect(page.contains(Target.table(targets)), "docs/targets.md: put in what 'lrelease targets' prints")
  }

  @Test func aTargetThatDoesNotExistIsNamed() {
    let error = #expect(throws: ReleaseError.self) { try Target.named(["debain-12"], in: folder) }
    #expect(error?.description.contains("did you mean 'debian-12'?") == true)
  }

  @Test(arguments: [
    ("codec        = \"xz\"", "codec        = \"zstd\"", "11.toml:7:1: error: dpkg of Debian 11 cannot read zstd"),
    ("suites", "suits", "unknown key 'root.suits'; did you mean 'suites'?"),
    ("format       = \"deb\"", "format       = \"rpm\"", "a target for .rpm needs root.repositories and [rpm]"),
  ])
  func mistakesAreReported(old: String, new: String, words: String) async throws {
    try await withScratch { scratch in
      let text = String(decoding: try Files.read(folder.appending("debian-11.toml")), as: UTF8.self)
      let path = scratch.appending("11.toml")
      try Files.write(Array(text.replacing(old, with: new).utf8), to: path)
      let error = #expect(throws: (any Error).self) { try Target(reading: path) }
      #expect(error.map { "\($0)" }?.contains(words) == true, "\(String(describing: error))")
    }
  }
}

/// The release as a distribution builds it, in a root of Debian 12, without network.
@Suite(.serialized) struct BuildTests {
  private func build(_ folder: FilePath, _ name: String, _ arguments: [String]) async throws -> Command.Outcome {
    let cache = environmentVariable("LRELEASE_TEST_CACHE") ?? "/var/tmp/lrelease-tests"
    return try await Command(
      Built.lrelease,
      ["build", folder.appending(name).string, "--targets", Built.repository.appending("targets").string]
        + ["--cache", cache, "--output", folder.string] + arguments
    ).run(doing: "building the sample")
  }

  @Test func theTargetBuildsThePackagesThatTheCutMadeAndOnesThatInstall() async throws {
    let name = "sample-7.2.1+and.mark"
    try await withScratch { folder in
      try await Built.cut(
        "sample.toml", into: folder,
        ["--source", "linux=\(Built.repository.appending("Examples/sample/linux"))", "--with", "mark"])
      // A distribution that cannot be had does not stop the one that can.
      let unreachable = folder.appending("nowhere.toml")
      let text = String(
        decoding: try Files.read(Built.repository.appending("targets/debian-12.toml")), as: UTF8.self)
      try Files.write(Array((text + "mirror = \"http://127.0.0.1:9/debian\"\n").utf8), to: unreachable)
      let outcome = try await build(folder, name, ["--target", "debian-12", "--target", unreachable.string])
      #expect(outcome.status == .exited(1), "\(outcome.errors)")
      #expect(outcome.text.contains("debian-12 built in"), "\(outcome.errors)")
      #expect(outcome.text.contains("nowhere failed after"))
      #expect(outcome.errors.contains("error: nowhere: making a root of bookworm: "), "\(outcome.errors)")
      let made = folder.appending("\(name).debian-12")

      // The DKMS packages that dpkg-buildpackage makes of the tarball are those that were cut, that of an extra too.
      for deb in ["sample-dkms", "samplemark-dkms"] {
        for (side, path) in [("cut", folder.appending(name)), ("built", made)] {
          let unpacked = folder.appending("unpacked-\(side)").appending(deb)
          try Files.makeFolder(unpacked.removingLastComponent())
          _ = try await Command(
            "dpkg-deb", ["-R", path.appending("\(deb)_7.2.1+and.mark-1_all.deb").string, unpacked.string]
          ).check(doing: "unpacking")
        }
      }
      let difference = try await Command(
        "diff", ["-r", folder.appending("unpacked-cut").string, folder.appending("unpacked-built").string]
      ).run(doing: "comparing")
      #expect(difference.succeeded, "\(difference.text)")

      let again = try await build(folder, name, ["--target", "debian-12"])
      #expect(again.text.contains("debian-12 is there already, and whole"), "\(again.errors)")

      try await TestRoot.bookworm().use { session in
        let installed = try await TestRoot.sh(
          session, "apt-get install -y /mnt/\(name).debian-12/sample-utils_*.deb && samplectl version", folder)
        #expect(installed.text.contains("samplectl 7.2.1"), "\(installed.errors)")
      }
    }
  }

  @Test func aBuildThatFailsShowsTheEndOfItsLogAndLeavesNothing() async throws {
    try await withScratch { folder in
      // A release whose tool does not compile: by a change in the companion.
      let companion = folder.appending("companion")
      _ = try await Command(
        "cp", ["-r", Built.repository.appending("Examples/sample/companion").string, companion.string]
      ).check(doing: "copying")
      try Files.replace(companion.appending("utils/samplectl.c"), with: Array("#error broken on purpose\n".utf8))
      try await Built.cut(
        "sample.toml", into: folder,
        [
          "--source", "linux=\(Built.repository.appending("Examples/sample/linux"))", "--source",
          "companion=\(companion)",
        ])
      let outcome = try await build(folder, "sample-7.2.1", ["--target", "debian-12"])
      #expect(outcome.status == .exited(1))
      let lines = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
      #expect(lines.count == 1 && lines[0].contains("building for debian-12"), "\(outcome.errors)")
      let log = folder.appending("sample-7.2.1.debian-12.log")
      #expect(lines.first?.contains("see \(log)") == true)
      #expect(String(decoding: try Files.read(log), as: UTF8.self).contains("broken on purpose"))
      let names = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.sorted()
      #expect(names == ["companion", "sample-7.2.1", "sample-7.2.1.debian-12.log"])
    }
  }
}
