// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage

/// A distribution to build packages for: one file in `targets/`.
package struct Target: Sendable {
  package enum Format: String, Sendable, Codable, CaseIterable { case deb, rpm }

  /// The name of its file, such as `debian-12`.
  package let name: String
  package let distribution: String
  package let release: String
  package let architecture: String
  package let format: Format
  /// How packages are compressed.
  package let codec: String
  /// Packages that bring kernels to build modules for; empty where none are built.
  package let kernels: [String]
  /// Packages that bring the images of these kernels, to boot them.
  package let images: [String]
  /// Packages that bring the headers of another kernel, which arrives later in the life of a site.
  package let later: [String]
  /// Version of the RPM package format, and what it signs and digests with.
  package let rpm: RPM?
  package let root: ChrootDefinition
  package let digest: SHA256Digest

  package struct RPM: Sendable {
    package let format: String
    package let signature: String
    package let digest: String
  }

  private static let repository = Shape.table([
    Field("name", .text, required: true, "name of the repository"),
    Field("url", .text, required: true, "its baseurl, with $basearch"),
  ])

  private static let shape = Shape.table([
    Field("distribution", .text, required: true, "name of the distribution"),
    Field("release", .text, required: true, "release of the distribution"),
    Field(
      "architecture", .oneOf(["amd64", "arm64", "x86_64", "aarch64"]), required: true, "as the distribution says it"),
    Field("format", .oneOf(Format.allCases.map(\.rawValue)), required: true, "format of packages"),
    Field("codec", .oneOf(["xz", "zstd", "gzip"]), required: true, "compression of packages"),
    Field("kernels", .texts, "packages that bring the headers of kernels to build modules for"),
    Field("images", .texts, "packages that bring the images of these kernels"),
    Field("later", .texts, "packages that bring the headers of a kernel that arrives later"),
    Field(
      "rpm",
      .table([
        Field("format", .oneOf(["4", "6"]), required: true, "version of the package format"),
        Field(
          "signature", .text, required: true, "signature algorithm that the distribution verifies, for whoever signs"),
        Field("digest", .oneOf(["sha256", "sha512"]), required: true, "digest of files"),
      ]), "for format rpm"),
    Field(
      "root",
      .table([
        Field("suites", .array(.text, atLeast: 1), "suites of a Debian archive, the base first"),
        Field("components", .texts, "components of the archive; main where none are named"),
        Field("mirror", .text, "archive; for Debian, the one that this machine uses"),
        Field("repositories", .array(repository, atLeast: 1), "repositories of an RPM distribution"),
        Field("releasever", .text, "what dnf puts for $releasever"),
        Field("packages", .texts, "what is in the root besides what the release asks for"),
      ]), required: true, "how a root of it is made"),
  ])

  /// Reads a target. All that is wrong with it is reported in one run.
  package init(reading path: FilePath) throws {
    let bytes = try Files.read(path, limit: 1 << 20, doing: "reading the target \(path)")
    let node = try TOMLDocument.parse(bytes, file: path.string)
    let findings = Target.shape.findings(in: node, at: "")
    guard findings.isEmpty else { throw Diagnostics(findings) }
    func text(_ key: String) -> String { node[key]?.string ?? "" }
    name = path.stem ?? path.string
    distribution = text("distribution")
    release = text("release")
    architecture = text("architecture")
    format = Format(rawValue: text("format")) ?? .deb
    codec = text("codec")
    kernels = node["kernels"]?.strings ?? []
    images = node["images"]?.strings ?? []
    later = node["later"]?.strings ?? []
    rpm = node["rpm"].map {
      RPM(
        format: $0["format"]?.string ?? "", signature: $0["signature"]?.string ?? "", digest: $0["digest"]?.string ?? ""
      )
    }
    let root = node["root"]
    self.root = ChrootDefinition(
      suites: root?["suites"]?.strings ?? [], components: root?["components"]?.strings ?? ["main"],
      mirror: root?["mirror"]?.string,
      repositories: (root?["repositories"]?.array ?? []).map {
        ChrootDefinition.Repository(name: $0["name"]?.string ?? "", url: $0["url"]?.string ?? "")
      },
      releasever: root?["releasever"]?.string, packages: (root?["packages"]?.strings ?? []) + kernels)
    digest = SHA256Digest(of: bytes)
    func report(_ reason: String, at place: TOMLNode?) -> ReleaseError {
      ReleaseError(.input, at: (place ?? node).location, doing: "", reason: "error: \(reason)")
    }
    if format == .deb && self.root.suites.isEmpty { throw report("a target for .deb needs root.suites", at: root) }
    if format == .rpm && (self.root.repositories.isEmpty || rpm == nil) {
      throw report("a target for .rpm needs root.repositories and [rpm]", at: root)
    }
    // dpkg reads zstd since 1.21.18, and Ubuntu's since 1.18.4ubuntu1.7. Source: dpkg's changelog.
    if distribution == "Debian", codec == "zstd", let number = Int(release), number <= 11 {
      throw report("dpkg of Debian \(number) cannot read zstd", at: node["codec"])
    }
  }

  /// Level and kind of an RPM payload, as rpm's macro says them.
  package var payload: String {
    switch codec {
    case "zstd": "w19.zstdio"
    case "gzip": "w9.gzdio"
    default: "w6.xzdio"
    }
  }

  /// The targets in a folder, sorted by name.
  package static func all(in folder: FilePath) throws -> [Target] {
    try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasSuffix(".toml") }
      .map { try Target(reading: folder.appending($0)) }
  }

  /// The targets of these names, or paths of files.
  package static func named(_ names: [String], in folder: FilePath) throws -> [Target] {
    try names.map { name in
      if name.hasSuffix(".toml") { return try Target(reading: FilePath(name)) }
      let path = folder.appending("\(name).toml")
      guard Files.exists(path) else {
        let known = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
          .filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }
        throw ReleaseError(
          .input, doing: "choosing targets", reason: "there is no target '\(name)' in \(folder)",
          advice: name.nearest(in: known).map { "did you mean '\($0)'?" } ?? "'lrelease targets' lists them")
      }
      return try Target(reading: path)
    }
  }

  /// The targets as a table in Markdown, for the documentation.
  package static func table(_ targets: [Target]) -> String {
    let rows = targets.map { target in
      let kernels = target.kernels.isEmpty ? "" : target.kernels.map { "`\($0)`" }.joined(separator: ", ")
      return "| `\(target.name)` | \(target.distribution) \(target.release) | \(target.architecture) | "
        + ".\(target.format.rawValue), \(target.codec) | \(kernels) |"
    }
    return (["| target | distribution | architecture | packages | kernels |", "|---|---|---|---|---|"] + rows)
      .map { $0 + "\n" }.joined()
  }
}
