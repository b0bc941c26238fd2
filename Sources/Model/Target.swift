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
  /// How its roots compile for its architecture, if they are of another one: then modules are compiled, and no more.
  package let cross: CrossCompiling?
  /// Version of the RPM package format, and what it signs and digests with.
  package let rpm: RPM?
  package let kernelNames: KernelNames
  /// Whether its archive was ever reached by those who wrote the target, as far as it says.
  package let isReached: Bool
  package let root: ChrootDefinition
  package let digest: SHA256Digest

  package struct RPM: Sendable {
    package let format: String
    package let signature: String
    package let digest: String
  }

  /// Reads a target. All that is wrong with it is reported in one run.
  package init(reading path: FilePath) throws {
    let bytes = try Files.read(path, limit: 1 << 20, doing: "reading the target \(path)")
    let shape = Target.shape(of: path, digest: SHA256Digest(of: bytes))
    self = try shape.read(TOMLDocument.parse(bytes, file: path.string))
  }

  private static func shape(of path: FilePath, digest: SHA256Digest) -> Shape<Target> {
    .table { Target(&$0, path, digest: digest) }
  }

  /// The keys of a target, for the test of the reference.
  static var shape: Shape<Target> { shape(of: "target.toml", digest: SHA256Digest(of: [])) }

  private init?(_ table: inout TableReader, _ path: FilePath, digest: SHA256Digest) {
    let distribution = table.required("distribution", .text, "name of the distribution")
    let release = table.required("release", .text, "release of the distribution")
    let architecture = table.required(
      "architecture", .oneOf(["amd64", "arm64", "x86_64", "aarch64"]), "as the distribution says it")
    let format = table.required("format", .oneOf(Format.self), "format of packages")
    let codec = table.required("codec", .located(.oneOf(["xz", "zstd", "gzip"])), "compression of packages")
    let kernels = table.optional(
      "kernels", .texts, default: [], "packages that bring the headers of kernels to build modules for")
    images = table.optional("images", .texts, default: [], "packages that bring the images of these kernels")
    later = table.optional(
      "later", .texts, default: [], "packages that bring the headers of a kernel that arrives later")
    cross = table.optional(
      "cross", .table { CrossCompiling(&$0) }, "how modules are compiled for another architecture than the root's")
    rpm = table.optional("rpm", .table { RPM(&$0) }, "for format rpm")
    isReached = table.optional(
      "reached", .boolean, default: true, "false where those who wrote this never reached its archive")
    let names = table.optional(
      "kernel", .table { KernelNames.Given(&$0) }, "names of the packages of one kernel, where they are not the usual")
    let root = table.required(
      "root", .located(.table { ChrootDefinition(&$0, path, kernels: kernels) }), "how a root of it is made")
    guard let distribution, let release, let architecture, let format, let codec, let root else { return nil }
    name = path.stem ?? path.string
    kernelNames = KernelNames(format, names)
    self.distribution = distribution
    self.release = release
    self.architecture = architecture
    self.format = format
    self.codec = codec.value
    self.kernels = kernels
    self.root = root.value
    self.digest = digest
    if format == .rpm, cross != nil {
      table.report("a target for .rpm cannot cross-compile", at: root.location)
    }
    if format == .deb && self.root.suites.isEmpty {
      table.report("a target for .deb needs root.suites", at: root.location)
    }
    if format == .rpm && (self.root.repositories.isEmpty || rpm == nil) {
      table.report("a target for .rpm needs root.repositories and [rpm]", at: root.location)
    }
    if format == .rpm && self.root.keyring != nil {
      table.report(
        "keyring is for an archive of Debian's kind", at: root.location, advice: "give gpgkey to repositories")
    }
    if self.root.keyring != nil && self.root.mirror == nil {
      table.report(
        "keyring needs mirror: the archive of this machine has the keys that its apt knows", at: root.location)
    }
    // dpkg reads zstd since 1.21.18, and Ubuntu's since 1.18.4ubuntu1.7. Source: dpkg's changelog.
    if distribution == "Debian", codec.value == "zstd", let number = Int(release), number <= 11 {
      table.report("dpkg of Debian \(number) cannot read zstd", at: codec.location)
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
          remedy: name.nearest(in: known).map { Advice("did you mean '\($0)'?") } ?? ModelRemedy.listTargets)
      }
      return try Target(reading: path)
    }
  }

  /// What a list of targets says of one.
  package struct Summary: Sendable, Encodable {
    package var name: String
    package var distribution: String
    package var release: String
    package var architecture: String
    package var format: Format
    package var kernels: [String]
    /// Whether its archive was ever reached by those who wrote the target, as far as it says.
    package var reached: Bool
  }

  package var summary: Summary {
    Summary(
      name: name, distribution: distribution, release: release, architecture: architecture, format: format,
      kernels: kernels, reached: isReached)
  }

  /// The targets as a table in Markdown, for the documentation.
  package static func table(_ targets: [Target]) -> String {
    let rows = targets.map { target in
      let kernels = target.kernels.isEmpty ? "" : target.kernels.map { "`\($0)`" }.joined(separator: ", ")
      let architecture = target.architecture + (target.cross == nil ? "" : ", compiled only")
      return "| `\(target.name)` | \(target.distribution) \(target.release) | \(architecture) | "
        + ".\(target.format.rawValue), \(target.codec) | \(kernels) | \(target.isReached ? "" : "never reached") |"
    }
    return
      (["| target | distribution | architecture | packages | kernels | note |", "|---|---|---|---|---|---|"] + rows)
      .map { $0 + "\n" }.joined()
  }
}

extension Target.RPM {
  fileprivate init?(_ table: inout TableReader) {
    let format = table.required("format", .oneOf(["4", "6"]), "version of the package format")
    let signature = table.required(
      "signature", .text, "signature algorithm that the distribution verifies, for whoever signs")
    let digest = table.required("digest", .oneOf(["sha256", "sha512"]), "digest of files")
    guard let format, let signature, let digest else { return nil }
    self.init(format: format, signature: signature, digest: digest)
  }
}
