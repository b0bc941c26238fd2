// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model

/// A file of a release folder, or of a folder of packages.
package struct Artifact: Sendable, Equatable, Encodable {
  package enum Kind: Sendable {
    case tarball
    case deb, rpm
    /// The source packages: the .src.rpm, and the .dsc with its two tarballs.
    case srpm, dsc
    case origTarball, debianTarball
    case plan
    /// The text of the patches that the plan names by digest.
    case patches
    /// What the tools of a distribution leave beside packages, such as .changes, .buildinfo and logs.
    case other

    /// The kind of a file in a release folder.
    package init(fileName name: String) {
      let tarballs = Codec.allCases.map { ".tar.\($0.suffix)" }
      self =
        if name.hasSuffix(".deb") {
          .deb
        } else if name.hasSuffix(".src.rpm") {
          .srpm
        } else if name.hasSuffix(".rpm") {
          .rpm
        } else if name.hasSuffix(".dsc") {
          .dsc
        } else if tarballs.contains(where: { name.hasSuffix(".orig\($0)") }) {
          .origTarball
        } else if tarballs.contains(where: { name.hasSuffix(".debian\($0)") }) {
          .debianTarball
        } else if name.hasSuffix(PackageFileName.patches("")) {
          .patches
        } else if tarballs.contains(where: name.hasSuffix) {
          .tarball
        } else {
          name == ReleaseFolder.plan ? .plan : .other
        }
    }
  }

  /// In JSON, as `cut --json` has always written it.
  private enum CodingKeys: String, CodingKey { case name, bytes }

  package var kind: Kind
  package var name: String
  package var bytes: Int64
  package var sha256: SHA256Digest

  package init(name: String, bytes: Int64, sha256: SHA256Digest) {
    kind = Kind(fileName: name)
    self.name = name
    self.bytes = bytes
    self.sha256 = sha256
  }

  /// The package that it is, or the source package that it belongs to: what every format writes before the version.
  package var packageName: String? {
    switch kind {
    case .deb, .dsc, .origTarball, .debianTarball: String(name.prefix { $0 != "_" })
    case .rpm, .srpm: name.split(separator: "-", omittingEmptySubsequences: false).dropLast(2).joined(separator: "-")
    case .tarball, .plan, .patches, .other: nil
    }
  }

  /// Whether a package manager installs it.
  package var isBinaryPackage: Bool { kind == .deb || kind == .rpm }
}
