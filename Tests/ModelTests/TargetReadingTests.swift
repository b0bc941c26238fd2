// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage
import TestSupport
import Testing

@testable import Model

/// What stands in `targets/`, and what could.
@Suite struct TargetReadingTests {
  private func read(_ text: String) async throws -> Target {
    try await withScratch { folder in
      let path = folder.appending("t.toml")
      try Files.write(Array(text.utf8), to: path)
      return try Target(reading: path)
    }
  }

  @Test func theShippedTargetsAreGood() throws {
    let folder = Workshop.root.appending("targets")
    let files = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
    #expect(files.count >= 15)
    for file in files { #expect(try "\(Target(reading: folder.appending(file)).name).toml" == file) }
  }

  @Test func whatIsLeftOutHasItsDefault() async throws {
    let target = try await read(
      """
      distribution = "Debian"
      release = "13"
      architecture = "amd64"
      format = "deb"
      codec = "xz"
      kernels = ["linux-headers-amd64"]
      root = { suites = ["trixie"] }
      """)
    #expect(target.name == "t" && target.format == .deb && target.codec == "xz")
    #expect(target.images.isEmpty && target.later.isEmpty && target.rpm == nil)
    #expect(target.root.components == ["main"] && target.root.mirror == nil && target.root.repositories.isEmpty)
    #expect(target.root.packages == ["linux-headers-amd64"])
  }

  @Test func aTargetMayCompileForAnotherArchitecture() async throws {
    let target = try Target(reading: Workshop.root.appending("targets/debian-12-arm64.toml"))
    let cross = try #require(target.cross)
    #expect(target.architecture == "arm64" && cross.machine == "aarch64" && cross.triplet == "aarch64-linux-gnu")
    #expect(Target.table([target]).contains("| arm64, compiled only |"))
    let error = await #expect(throws: Diagnostics.self) {
      try await read(
        """
        distribution = "Rocky Linux"
        release = "9"
        architecture = "aarch64"
        format = "rpm"
        codec = "zstd"
        [rpm]
        format = "4"
        signature = "RSA/SHA256"
        digest = "sha256"
        [cross]
        triplet = "aarch64-linux-gnu; reboot"
        machine = "aarch64"
        arch = "arm64"
        packages = ["gcc"]
        [[root.repositories]]
        name = "baseos"
        url = "https://example.org"
        """)
    }
    #expect(error?.description.contains("'cross.triplet'") == true, "\(String(describing: error))")
  }

  @Test func everyMistakeIsReportedAtItsPlace() async throws {
    let error = await #expect(throws: Diagnostics.self) {
      try await read(
        """
        distribution = ""
        architecture = "z80"
        format = "rpm"
        codec = "xz"
        [rpm]
        format = 4
        signature = "RSA/SHA256"
        [[root.repositories]]
        nam = "fedora"
        """)
    }
    let words = (error?.description ?? "").split(separator: "\n").map { line in
      line.split(separator: "/").last.map { String($0) } ?? ""
    }
    #expect(
      words == [
        "t.toml:1:1: error: 'distribution' must be text that is not empty, not ''",
        "t.toml:1:1: error: 'release' is missing (release of the distribution)",
        "t.toml:2:1: error: 'architecture' must be one of amd64, arm64, x86_64, aarch64, not 'z80'",
        "t.toml:5:1: error: 'rpm.digest' is missing (digest of files)",
        "t.toml:6:1: error: 'rpm.format' must be a string, not an integer",
        "t.toml:8:1: error: 'root.repositories[0].name' is missing (name of the repository)",
        "t.toml:8:1: error: 'root.repositories[0].url' is missing (its baseurl, with $basearch)",
        "t.toml:9:1: error: unknown key 'root.repositories[0].nam'; did you mean 'name'?",
      ])
  }

  @Test func whatDoesNotGoTogetherIsReportedInOneRun() async throws {
    let error = await #expect(throws: Diagnostics.self) {
      try await read(
        """
        distribution = "Debian"
        release = "11"
        architecture = "amd64"
        format = "deb"
        codec = "zstd"
        [root]
        """)
    }
    #expect(error?.description.contains("t.toml:5:1: error: dpkg of Debian 11 cannot read zstd") == true)
    #expect(error?.description.contains("t.toml:6:1: error: a target for .deb needs root.suites") == true)
  }
}
