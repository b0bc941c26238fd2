// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Distributions

/// The kernels that an archive serves.
@Suite struct ArchivedKernelTests {
  private static let records = """
    Package: linux-headers-6.1.0-56-amd64
    Version: 6.1.192-2
    Architecture: amd64
    Depends: linux-headers-6.1.0-56-common (= 6.1.192-2), linux-kbuild-6.1 (>= 6.1.192-2), linux-compiler-gcc-12-x86
    Description: header files
     for Architecture: none

    Package: linux-image-6.1.0-56-amd64
    Version: 6.1.192-2
    Architecture: amd64
    Depends: kmod, linux-base (>= 4.3~)

    Package: linux-headers-6.1.0-56-common
    Version: 6.1.192-2
    Architecture: all

    Package: linux-headers-6.12-amd64
    Version: 6.12.117-1
    Architecture: amd64
    Depends: linux-headers-6.12.117+deb12-amd64 (= 6.12.117-1)

    Package: linux-headers-6.8.0-9
    Version: 6.8.0-9.9
    Architecture: all

    Package: linux-headers-6.8.0-9-generic
    Version: 6.8.0-9.9
    Architecture: amd64
    Depends: linux-headers-6.8.0-9, libc6 (>= 2.38)

    Package: linux-image-6.8.0-35-generic
    Version: 6.8.0-35.35
    Architecture: amd64
    Depends: linux-modules-6.8.0-35-generic

    Package: linux-image-6.1.0-56-amd64-dbg
    Version: 6.1.192-2
    Architecture: amd64

    Package: linux-image-6.12-amd64-signed-template
    Version: 6.12.117-1
    Architecture: amd64

    Package: linux-headers-amd64
    Version: 6.1.192-2
    Architecture: amd64
    Depends: linux-headers-6.1.0-56-amd64 (= 6.1.192-2)
    """

  @Test func kernelsAreReadFromRecords() {
    #expect(
      AptListing.kernels(Self.records) == [
        .init(release: "6.1.0-56-amd64", version: "6.1.192-2", hasHeaders: true, hasImage: true),
        .init(release: "6.8.0-9-generic", version: "6.8.0-9.9", hasHeaders: true, hasImage: false),
        .init(release: "6.8.0-35-generic", version: "6.8.0-35.35", hasHeaders: false, hasImage: true),
      ])
    #expect(AptListing.kernels("") == [])
  }

  @Test(arguments: [
    ("Sat, 28 Nov 2026 08:12:33 UTC", "2026-11-28T08:12:33Z"),
    ("Sun,  1 Nov 2026 00:00:00 +0000", "2026-11-01T00:00:00Z"),
    ("yesterday", nil), ("Sat, 31 Feb 2026 00:00:00 UTC", nil), ("", nil),
  ])
  func datesOfMetadata(text: String, date: String?) { #expect(AptListing.date(text)?.iso8601 == date) }

  private func debian12() throws -> Target {
    try #require(try Target.named(["debian-12"], in: Workshop.root.appending("targets")).first)
  }

  /// The archive that this machine's apt uses.
  @Test func theArchiveOfDebianIsListed() async throws {
    try await withScratch { cache in
      let target = try debian12()
      let first = try await ArchivedKernels(of: target, cache: cache)
      let plain = first.kernels.filter { $0.release.hasPrefix("6.1.0-") && $0.release.hasSuffix("-amd64") }
      #expect(plain.count > 3 && first.kernels.contains { $0.release.contains("-rt-amd64") && $0.hasHeaders })
      #expect(first.kernels.allSatisfy { !$0.isNew && $0.hasHeaders || $0.hasImage } && first.date > 1_780_000_000)

      // One that was not there the last time.
      let file = cache.appending("debian-12.json")
      let text = String(decoding: try Files.read(file), as: UTF8.self)
      let newest = try #require(plain.last?.release)
      let line = try #require(text.split(separator: "\n").first { $0.contains("\"\(newest)\"") })
      try Files.replace(file, with: Array(text.replacing("\(line)\n", with: "").utf8))
      let second = try await ArchivedKernels(of: target, cache: cache)
      #expect(second.kernels.filter(\.isNew).map(\.release) == [newest])
      #expect(second.kernels.map(\.release) == first.kernels.map(\.release))

      // A mirror that has gone back.
      let later = text.replacing(/"bookworm" : [0-9]+/, with: "\"bookworm\" : 4000000000")
      #expect(later != text)
      try Files.replace(file, with: Array(later.utf8))
      let error = await #expect(throws: ReleaseError.self) { try await ArchivedKernels(of: target, cache: cache) }
      #expect(error?.code == .unverified)
      #expect(error?.reason.contains("the metadata of bookworm is of ") == true, "\(String(describing: error))")
    }
  }

  @Test func anArchiveThatIsNotThere() async throws {
    try await withScratch { folder in
      try await Workshop.use { workshop in
        try workshop.write(
          "empty.toml",
          """
          distribution = "Debian"
          release = "12"
          architecture = "amd64"
          format = "deb"
          codec = "xz"
          kernels = ["linux-headers-amd64"]
          root = { suites = ["bookworm"], mirror = "file:\(folder)" }
          """)
        let outcome = try await workshop.run([
          "kernels", "--target", "empty.toml", "--targets", Workshop.root.appending("targets").string, "--cache",
          "cache",
        ])
        #expect(
          outcome.status == .exited(1) && outcome.errors.contains("error: listing the kernels of empty: E: "),
          "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        // Archives for dnf are no other.
        let rocky = String(decoding: try Files.read(Workshop.root.appending("targets/rocky-9.toml")), as: UTF8.self)
        try workshop.write("none.toml", rocky.replacing(/"https:[^"]*"/, with: "\"file://\(folder)/none\""))
        let other = try await workshop.run(["kernels", "--target", "none", "--targets", ".", "--cache", "cache"])
        #expect(other.status == .exited(1), "\(other.errors)")
        #expect(other.errors.hasPrefix("error: listing the kernels of none: dnf: "), "\(other.errors)")
        #expect(other.errors.contains("'baseos'") && other.errors.split(separator: "\n").count == 1)
      }
    }
  }
}
