// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import Processes
import TestSupport
import Testing

@testable import Packagers

@Suite struct ReleaseVersionTests {
  @Test(arguments: [
    ("7.4", "7.4", "v7.4", "7.4"),
    ("7.4.2", "7.4.2", "v7.4.2", "7.4.2"),
    ("7.4-rc2", "7.4~rc2", "v7.4-rc2", "7.3.999.2"),
    ("7.0~rc1", "7.0~rc1", "v7.0-rc1", "6.999.999.1"),
    ("2.18.0-RC1", "2.18.0~rc1", "v2.18.0-rc1", "2.17.999.999.1"),
    ("7.4+r1", "7.4+r1", "v7.4+r1", "7.4.0.1"),
    ("7.4.2+r3", "7.4.2+r3", "v7.4.2+r3", "7.4.2.3"),
    ("2.15.0.1+r2", "2.15.0.1+r2", "v2.15.0.1+r2", "2.15.0.999.0.1.2"),
    ("7.2.1.1", "7.2.1.1", "v7.2.1.1", "7.2.1.999.0.1"), ("7.2.1+r1", "7.2.1+r1", "v7.2.1+r1", "7.2.1.1"),
    ("7.2.1.1-rc2", "7.2.1.1~rc2", "v7.2.1.1-rc2", "7.2.1.999.0.0.999.2"),
    ("6.13-rc1", "6.13~rc1", "v6.13-rc1", "6.12.999.1"),
    ("7.4-rc2+r1", "7.4~rc2+r1", "v7.4-rc2+r1", "7.3.999.2.1"),
    ("7.4+and.gds", "7.4+and.gds", "v7.4+and.gds", "7.4-and.gds"),
    ("7.4+by.acme.1", "7.4+by.acme.1", "v7.4+by.acme.1", "7.4.0.0.1"),
    (
      "7.4.2+r1+and.efa.gds+by.acme.12", "7.4.2+r1+and.efa.gds+by.acme.12", "v7.4.2+r1+and.efa.gds+by.acme.12",
      "7.4.2.1.0.12-and.efa.gds"
    ),
  ])
  func spellings(text: String, tarball: String, tag: String, dkms: String) throws {
    let version = try ReleaseVersion(text)
    #expect(version.tarball == tarball)
    #expect(version.rpmVersion == tarball)
    #expect(version.debian == tarball + "-1")
    #expect(version.gitTag == tag)
    #expect(version.dkms == dkms)
    #expect(try ReleaseVersion(version.tarball) == version)
    #expect(try ReleaseVersion(version.description) == version)
  }

  @Test(arguments: [
    ("", "'' is not a number"), ("7.", "'' is not a number"), ("7.x", "'x' is not a number"),
    ("7.4-", "'' is not a release candidate"), ("7.4-beta1", "'beta1' is not a release candidate"),
    ("7.4-rc", "'' is not the number of a release candidate"), ("7.4-rc0", "release candidates count from 1"),
    ("7.4+r0", "respins count from 1"), ("7.4+1", "'+1' is not a respin"), ("7.04", "04 begins with 0"),
    ("7.999", "999 is more than 998"), ("1.2.3.4.5", "it has 5 numbers"), ("7.4+r1000", "respin 1000 is more than 998"),
    ("7.4-rc1000", "release candidate 1000 is more than 998"), ("0.0-rc1", "nothing before 0.0-rc1"),
    ("7.4\u{661}", "'4\u{661}' is not a number"), ("99999999999999999999", "99999999999999999999 is too large"),
    ("2.15.0_5_gabc", "'0_5_gabc' is not a number"),
  ])
  func refusals(text: String, reason: String) {
    let error = #expect(throws: ReleaseError.self) { try ReleaseVersion(text) }
    #expect(error?.code == .input)
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  /// Releases in the order in which they come out: two lines of numbers, with random gaps.
  private static func history(seed: UInt64, points: Int) throws -> [ReleaseVersion] {
    var generator = SplitMix64(state: seed)
    func several(_ most: Int) -> [Int] {
      Set((0..<Int.random(in: 0...most, using: &generator)).map { _ in Int.random(in: 1...12, using: &generator) })
        .sorted()
    }
    func large(_ numbers: [Int]) -> [Int] {
      Bool.random(using: &generator) ? numbers + [Int.random(in: 13...998, using: &generator)] : numbers
    }
    var releases: [ReleaseVersion] = []
    let extras = [[], ["gds"], ["zeta", "efa-rdma"]].randomElement(using: &generator) ?? []
    let vendor = ["acme", "zebra7"].randomElement(using: &generator) ?? ""
    func cut(_ components: [Int], _ candidate: Int? = nil, respin: Int = 0) throws {
      for number in [0] + several(2) {
        let vendor = try number == 0 ? nil : ReleaseVersion.Vendor(name: vendor, number: number)
        releases.append(
          try ReleaseVersion(
            components: components, prerelease: candidate, respin: respin, extras: extras, vendor: vendor))
      }
    }
    func release(_ components: [Int]) throws {
      for candidate in large(several(3)) {
        try cut(components, candidate)
        for respin in several(2) { try cut(components, candidate, respin: respin) }
      }
      try cut(components)
      for respin in large(several(2)) { try cut(components, respin: respin) }
    }
    for major in [0, 2, 9, 10, 11, 998] {
      for minor in [0] + large(several(4)) {
        let components = major == 0 && minor == 0 ? [0, 1] : [major, minor]
        if components.last == 1 && major == 0 && releases.contains(where: { $0.components.prefix(2) == [0, 1] }) {
          continue
        }
        // Kernels go 7.4, 7.4.1; Lustre goes 2.18.0, 2.18.1.
        try release(points == 2 ? components : components + [0])
        for patch in large(several(4)) {
          try release(components + [patch])
          // A fourth number is a release of its own, and no respin of the three.
          for fourth in points == 3 ? large(several(2)) : [] { try release(components + [patch, fourth]) }
        }
      }
    }
    return releases
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>, [2, 3])
  func orderAgreesEverywhere(seed: UInt64, points: Int) async throws {
    let releases = try Self.history(seed: seed, points: points)
    #expect(releases.count > 30)
    #expect(releases.reversed().sorted() == releases)
    for (a, b) in zip(releases, releases.dropFirst()) {
      for (judge, spell) in [
        (VersionComparator.dpkg, \ReleaseVersion.debian), (.dpkg, \.dkms), (.rpm, \.rpmVersion), (.rpm, \.dkms),
      ] {
        #expect(try judge.compare(a[keyPath: spell], b[keyPath: spell]) == -1, "\(judge): \(a) \(b)")
      }
    }

    for spell in [\ReleaseVersion.tarball, \.dkms] {
      var environment = Command.plainEnvironment
      environment["LC_ALL"] = "C"
      let lines = releases.map { $0[keyPath: spell] + "\n" }
      let sorted = try await Command("sort", ["-V"], environment: environment)
        .check(input: Array(lines.reversed().joined().utf8), doing: "sorting")
      #expect(sorted.text == lines.joined())
    }

    // DKMS compares what its own VER() prints as text.
    let script = """
      eval "$(sed -n '/^VER()/,/^}/p' /usr/sbin/dkms)"
      while read -r version; do VER "$version"; done
      """
    let padded = try await Command("bash", ["-c", script])
      .check(input: Array(releases.map { $0.dkms + "\n" }.joined().utf8), doing: "running VER() of dkms")
    let keys = padded.text.split(separator: "\n").map { Array($0.utf8) }
    #expect(keys.count == releases.count)
    for (index, pair) in zip(keys, keys.dropFirst()).enumerated() {
      #expect(pair.0.lexicographicallyPrecedes(pair.1), "\(releases[index]) \(releases[index + 1])")
    }
  }

  @Test func judgesRefuseClearly() {
    #expect(throws: ReleaseError.self) { try VersionComparator.dpkg.check("2.15.0_5_gabc") }
    #expect(throws: ReleaseError.self) { try VersionComparator.dpkg.check("") }
    #expect(throws: ReleaseError.self) { try VersionComparator.rpm.check("7.4 2") }
    #expect(throws: Never.self) { try VersionComparator.rpm.check("2.15.0_5_gabc") }
    #expect(throws: ReleaseError.self) { try VersionComparator.rpm.compare("", "1") }
  }
}
