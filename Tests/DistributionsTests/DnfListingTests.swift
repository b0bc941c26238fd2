// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import TestSupport
import Testing

@testable import Distributions

/// The kernels that a repository of dnf serves, by the names that targets give. Those of real distributions are as their
/// packages were published; no archive of theirs was asked.
@Suite struct DnfListingTests {
  /// As dnf prints it: a package, then what it provides.
  private static func output(_ packages: [(String, String, String, [String])]) -> String {
    packages.map { (["=\($0)\t\($1)\t\($2)"] + $3).map { "\($0)\n" }.joined() }.joined()
  }

  private func names(_ target: String) throws -> KernelNames {
    try Target(reading: Workshop.root.appending("targets/\(target).toml")).kernelNames
  }

  private func kernels(_ target: String, _ packages: [(String, String, String, [String])]) throws -> [ListedKernel] {
    try DnfListing.kernels(DnfListing.packages(Self.output(packages)), names(target), doing: "testing")
  }

  @Test func enterpriseLinux() throws {
    func package(_ name: String, _ version: String) -> (String, String, String, [String]) {
      (name, version, "x86_64", ["installonlypkg(kernel)", "\(name) = \(version)", "\(name)(x86-64) = \(version)"])
    }
    let (old, new) = ("5.14.0-611.5.1.el9_7", "5.14.0-687.1.1.el9_8")
    let kernels = try kernels(
      "rocky-9",
      [
        package("kernel-core", new), package("kernel-modules", new), package("kernel-devel", new),
        package("kernel-core", old), package("kernel-devel", old), package("kernel-devel-matched", old),
        // Other flavours, which the target does not name, and what is not of one kernel.
        package("kernel-rt-core", old), package("kernel-debug-core", old), package("kernel-core-extra", "1-1"),
        package("kernel-headers", old), package("kernel-modules", "5.14.0-1.el9"),
      ])
    #expect(
      kernels == [
        .init(release: "\(old).x86_64", version: old, hasHeaders: true, hasImage: false),
        .init(release: "\(new).x86_64", version: new, hasHeaders: true, hasImage: true),
      ])
  }

  /// The release of a package has a number of its build, which `uname -r` has not.
  @Test func suse() throws {
    let kernels = try kernels(
      "sles-15",
      [
        (
          "kernel-default", "6.4.0-150600.23.7.3", "x86_64",
          ["kernel-default = 6.4.0-150600.23.7.3", "kernel-default = 6.4.0-150600.23.7", "multiversion(kernel)"]
        ),
        (
          "kernel-default-devel", "6.4.0-150600.23.7.3", "x86_64",
          ["kernel-default-devel = 6.4.0-150600.23.7.3", "kernel-default-devel = 6.4.0-150600.23.7"]
        ),
        ("kernel-default-base", "6.4.0-150600.23.7.3.150600.12.2.7", "x86_64", ["kernel-default-base = 1"]),
      ])
    #expect(
      kernels == [
        .init(
          release: "6.4.0-150600.23.7-default", version: "6.4.0-150600.23.7.3", hasHeaders: true, hasImage: true)
      ])
  }

  @Test(arguments: [("openeuler-24.03", "6.6.0-98.0.0.103.oe2403sp2"), ("amazon-2023", "6.1.156-177.286.amzn2023")])
  func oneImage(target: String, version: String) throws {
    let kernels = try kernels(
      target,
      [
        ("kernel", version, "x86_64", ["kernel = \(version)"]), ("kernel-devel", version, "x86_64", []),
        ("kernel-tools", version, "x86_64", []),
      ])
    #expect(
      kernels == [.init(release: "\(version).x86_64", version: version, hasHeaders: true, hasImage: true)])
  }

  @Test func aTargetMustSayWhichReleaseAVersionHas() throws {
    var names = try names("sles-15")
    names.release = nil
    let packages = DnfListing.packages("=kernel-default\t6.4.0-1.1\tx86_64\nkernel-default = 6.4.0-1\n")
    let error = #expect(throws: ReleaseError.self) { try DnfListing.kernels(packages, names, doing: "testing") }
    #expect(error?.code == .input && error?.reason.contains("of the version 6.4.0-1 has") == true)
  }

  @Test(
    arguments: [
      ("<revision>7</revision><timestamp>1795841588</timestamp><timestamp>1795841590</timestamp>", 1_795_841_590),
      ("<timestamp>\n 1795841588.5 </timestamp>", 1_795_841_588), ("<timestamp>soon</timestamp>", nil), ("", nil),
    ] as [(String, Int64?)])
  func datesOfMetadata(repomd: String, date: Int64?) { #expect(DnfListing.date(repomd) == date) }
}
