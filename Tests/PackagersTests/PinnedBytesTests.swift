// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// What a cut of the sample is, byte for byte: Tests/Fixtures/pinned/sample.sha256.
///
/// Other versions of the libraries may compress otherwise, and a .rpm states the version of RPM and the machine. That is
/// why the digests hold only for those that the file names, and the test is skipped elsewhere.
@Suite struct PinnedBytesTests {
  /// The lines that say what the digests hold for, and the digests as SHA256SUMS has them.
  struct Pinned: Sendable {
    var surroundings: [String]
    var sums: [String]

    static let file = "Tests/Fixtures/pinned/sample.sha256"

    init() throws {
      let lines = String(decoding: try Files.read(Workshop.root.pushing(FilePath(Self.file))), as: UTF8.self)
        .split(separator: "\n").map(String.init)
      surroundings = lines.filter { $0.hasPrefix("# for ") }.map { String($0.dropFirst(6)) }
      sums = lines.filter { !$0.hasPrefix("#") }
    }
  }

  /// The same lines for this machine. pkg-config tells the versions of what lrelease was linked with.
  private static func surroundings() async throws -> [String] {
    let libraries = ["liblzma", "libzstd", "rpm", "libdpkg"]
    let versions = try await Command("pkg-config", ["--modversion"] + libraries).check(doing: "asking for versions")
      .text.split(separator: "\n")
    let machine = try await Command("uname", ["-m"]).check(doing: "asking for the machine").text.trimmed
    return zip(libraries, versions).map { "\($0) \($1)" } + ["machine \(machine)"]
  }

  private static func holdsHere() async throws -> Bool {
    let pinned = try Pinned().surroundings
    let here = try await surroundings()
    if pinned == here { return true }
    print("skipped: pinned for \(pinned.joined(separator: ", ")); here is \(here.joined(separator: ", "))")
    return false
  }

  @Test(.enabled("the pinned digests are for other versions of the libraries", { try await holdsHere() }))
  func theSampleIsWhatItWas() async throws {
    let pinned = try Pinned()
    try await Workshop.use { workshop in
      let outcome = try await workshop.cutSample()
      #expect(outcome.succeeded, "\(outcome.errors)")
      let sums = try Files.read(workshop.output.appending("sample-7.2.1/SHA256SUMS"))
      let made = String(decoding: sums, as: UTF8.self).split(separator: "\n").map(String.init)
      let gone = pinned.sums.filter { !made.contains($0) }
      let new = made.filter { !pinned.sums.contains($0) }
      #expect(
        gone.isEmpty && new.isEmpty,
        """
        the sample has other bytes: \(new.joined(separator: "; ")); pinned was \(gone.joined(separator: "; ")). \
        If they are to change, put the SHA256SUMS that 'make example' writes into \(Pinned.file)
        """)
    }
  }
}
