// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import Releases
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

@Suite struct TargetTests {
  private let folder = Workshop.root.appending("targets")

  @Test func theTableInTheDocumentationIsThatOfTheFiles() throws {
    let targets = try Target.all(in: folder)
    #expect(targets.count >= 15)
    let page = String(decoding: try Files.read(Workshop.root.appending("docs/targets.md")), as: UTF8.self)
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

/// The release as a distribution builds it, with modules, in a root of Debian 12, without network.
@Suite(.serialized) struct BuildTests {
  private func arguments(_ release: FilePath, output: FilePath, _ more: [String]) -> [String] {
    let cache = environmentVariable("LRELEASE_TEST_CACHE") ?? "/var/tmp/lrelease-tests"
    return [
      "build", release.string, "--targets", Workshop.root.appending("targets").string, "--cache", cache, "--output",
      output.string,
    ] + more
  }

  private func build(_ folder: FilePath, _ name: String, _ more: [String]) async throws -> Command.Outcome {
    try await Command(Workshop.lrelease, arguments(folder.appending(name), output: folder, more))
      .run(doing: "building the sample")
  }

  @Test func theTargetBuildsThePackagesThatTheCutMadeAndOnesThatInstall() async throws {
    let name = "sample-7.2.1+and.mark"
    try await withScratch { folder in
      try await Built.cut(
        "sample.toml", into: folder,
        ["--source", "linux=\(Workshop.root.appending("Examples/sample/linux"))", "--with", "mark"])
      // A distribution that cannot be had does not stop the one that can.
      let unreachable = folder.appending("nowhere.toml")
      let text = String(
        decoding: try Files.read(Workshop.root.appending("targets/debian-12.toml")), as: UTF8.self)
      try Files.write(Array((text + "mirror = \"http://127.0.0.1:9/debian\"\n").utf8), to: unreachable)
      let both = ["--modules", "--target", "debian-12", "--target", unreachable.string]
      let outcome = try await build(folder, name, both)
      #expect(outcome.status == .exited(1), "\(outcome.errors)")
      #expect(outcome.text.contains("debian-12 built in"), "\(outcome.errors)")
      #expect(outcome.text.contains("nowhere failed after"))
      #expect(outcome.errors.contains("error: nowhere: making a chroot of bookworm: "), "\(outcome.errors)")
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

      let again = try await build(folder, name, ["--modules", "--target", "debian-12"])
      #expect(again.text.contains("debian-12 already exists; all files verified"), "\(again.errors)")
      let other = try await build(folder, name, ["--target", "debian-12"])
      #expect(other.errors.contains("was built from something else"), "\(other.errors)")
      let choice = try await build(folder, name, ["--target", "debian-12", "--with", "servers"])
      #expect(
        choice.errors.contains("its packaging for .deb does not offer '--with servers'; it offers: none"),
        "\(choice.errors)")

      try await TestRoot.bookworm().use { session in
        let installed = try await TestRoot.sh(
          session,
          """
          apt-get install -y /mnt/\(name).debian-12/sample-utils_*.deb && samplectl version
          dpkg -i /mnt/\(name).debian-12/sample-modules-6.1.*.deb
          kernel=$(cd /lib/modules && echo 6.1.*)
          depmod $kernel; modinfo -k $kernel -F vermagic samplefs samplenet; modinfo -k $kernel -F version samplefs
          """, folder)
        #expect(installed.text.contains("samplectl 7.2.1"), "\(installed.errors)")
        let kernel = try #require(try await TestRoot.kernels(session).first { $0.hasPrefix("6.1.") })
        let lines = installed.text.split(separator: "\n").suffix(3)
        #expect(lines.count == 3 && lines.last?.hasPrefix("7.2.1") == true, "\(installed.text) \(installed.errors)")
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix("\(kernel) ") }, "\(installed.text)")
      }

      // On a machine that differs in whatever a root could let through, the packages are the same.
      let varied = folder.appending("a folder/with a long name")
      try Files.makeFolder(varied.appending("tmp"))
      var environment = Command.plainEnvironment
      environment.merge([
        "TMPDIR": varied.appending("tmp").string, "HOME": varied.string, "USER": "somebody", "LC_ALL": "tr_TR",
        "TZ": "Pacific/Kiritimati", "SOURCE_DATE_EPOCH": "1", "KBUILD_BUILD_TIMESTAMP": "now", "CFLAGS": "-O0",
        "MAKEFLAGS": "-k", "DEB_BUILD_OPTIONS": "nostrip", "DEB_VENDOR": "Ubuntu", "DPKG_DEB_COMPRESSOR_LEVEL": "1",
      ]) { $1 }
      let script = "hostname elsewhere; umask 077; exec taskset -c 0 \"$@\""
      _ = try await Command(
        "unshare",
        ["--uts", "sh", "-c", script, "sh", Workshop.lrelease]
          + arguments(folder.appending(name), output: varied.appending("out"), ["--jobs", "2"] + both),
        environment: environment
      ).run(doing: "building the sample elsewhere")
      func debs(_ path: FilePath) throws -> [String: SHA256Digest] {
        let listed = try ReleaseFolder(path).listed().filter { $0.name.hasSuffix(".deb") }
        return Dictionary(uniqueKeysWithValues: listed.map { ($0.name, $0.sha256) })
      }
      let built = try debs(made)
      #expect(built.keys.contains { $0.hasPrefix("sample-modules-6.1.") } && built.count == 6, "\(built.keys)")
      #expect(try debs(varied.appending("out/\(name).debian-12")) == built)
    }
  }

  @Test func aBuildThatFailsShowsTheEndOfItsLogAndLeavesNothing() async throws {
    try await withScratch { folder in
      // A release whose tool does not compile: by a change in the companion.
      let companion = folder.appending("companion")
      _ = try await Command(
        "cp", ["-r", Workshop.root.appending("Examples/sample/companion").string, companion.string]
      ).check(doing: "copying")
      try Files.replace(companion.appending("utils/samplectl.c"), with: Array("#error broken on purpose\n".utf8))
      try await Built.cut(
        "sample.toml", into: folder,
        [
          "--source", "linux=\(Workshop.root.appending("Examples/sample/linux"))", "--source",
          "companion=\(companion)",
        ])
      let outcome = try await build(folder, "sample-7.2.1", ["--modules", "--target", "debian-12"])
      #expect(outcome.status == .exited(1))
      let lines = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
      // The first error and the end of the log: what is between says as little as the end alone.
      let words = "debian-12: building: samplectl.c:1:2: error: #error broken on purpose … dpkg-buildpackage: error: "
      #expect(lines.count == 1 && lines[0].hasPrefix("error: " + words), "\(outcome.errors)")
      let log = folder.appending("sample-7.2.1.debian-12.log")
      #expect(lines.first?.contains("see \(log)") == true)
      #expect(String(decoding: try Files.read(log), as: UTF8.self).contains("broken on purpose"))
      let names = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.sorted()
      #expect(names == ["companion", "sample-7.2.1", "sample-7.2.1.debian-12.log"])
    }
  }
}
