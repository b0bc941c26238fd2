// SPDX-License-Identifier: GPL-2.0-only

import Files

/// What a chroot, the root file system of a distribution, is made of. One definition makes one chroot, which is kept.
///
/// Chroots may share a base: then each is a thin layer on it.
package struct ChrootDefinition: Sendable, Hashable, Codable {
  /// Where packages of an RPM distribution come from: one of `url`, `mirrorlist` and `metalink`.
  package struct Repository: Sendable, Hashable, Codable {
    package var name: String
    package var url: String?
    package var mirrorlist: String?
    package var metalink: String?
    /// The keys that its packages are signed with.
    package var keys: [Key]?
    /// Whether its metadata is signed too, and must be.
    package var signsMetadata: Bool?

    package init(
      name: String, url: String? = nil, mirrorlist: String? = nil, metalink: String? = nil, keys: [Key]? = nil,
      signsMetadata: Bool? = nil
    ) {
      self.name = name
      self.url = url
      self.mirrorlist = mirrorlist
      self.metalink = metalink
      self.keys = keys
      self.signsMetadata = signsMetadata
    }
  }

  /// A file of public keys. Its contents are a part of what the chroot is made of; where it lies on this machine is not.
  package struct Key: Sendable, Hashable, Codable {
    /// As the target names it: a path beside the target, a path of this machine, or a URL.
    package var name: String
    /// What the file holds; nil for a URL, and for a file of this machine that is not there.
    package var bytes: [UInt8]?

    package var isURL: Bool { name.contains("://") }
    /// Whether it is text, as rpm wants it.
    package var isArmoured: Bool { bytes.map { $0.starts(with: Array("-----BEGIN PGP PUBLIC KEY".utf8)) } ?? false }

    private enum CodingKeys: String, CodingKey {
      case name
      case bytes = "sha256"
    }

    package init(name: String, bytes: [UInt8]? = nil) {
      self.name = name
      self.bytes = bytes
    }

    /// Of the contents, the digest alone is kept.
    package init(from decoder: any Decoder) throws {
      name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
    }

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encodeIfPresent(bytes.map { SHA256Digest(of: $0).hex }, forKey: .bytes)
    }
  }

  /// Suites of Debian's archive, the base first: `["bookworm", "bookworm-security"]`.
  package var suites: [String]
  package var components: [String]
  /// The archive; nil for the one that this machine's apt uses.
  package var mirror: String?
  /// The keys of the archive; nil for those that this machine trusts.
  package var keyring: Key?
  /// Of an RPM distribution.
  package var repositories: [Repository]
  package var releasever: String?
  package var packages: [String]
  /// A control file of Debian whose build dependencies are installed too.
  package var buildDependencies: String?
  /// Packages that are added to the chroot of the others, one layer after the other; nil for none.
  package var layers: [[String]]?
  /// The other architecture of which it has packages.
  package var foreign: Foreign?
  /// Packages kept in `/later` with their dependencies, to be installed when the chroot is used.
  package var later: [String]?
  /// The file of the target, for messages. No part of what the chroot is made of.
  package var file: String?

  private enum CodingKeys: String, CodingKey {
    case suites, components, mirror, keyring, repositories, releasever, packages, buildDependencies
    case layers, foreign, later
  }

  /// An architecture besides that of the chroot.
  package struct Foreign: Sendable, Hashable, Codable {
    package var architecture: String
    /// Packages of it that others ask for, and that are not installed.
    package var standsFor: [String]

    package init(architecture: String, standsFor: [String]) {
      self.architecture = architecture
      self.standsFor = standsFor
    }
  }

  package init(
    suites: [String] = [], components: [String] = ["main"], mirror: String? = nil, repositories: [Repository] = [],
    releasever: String? = nil, packages: [String], buildDependencies: String? = nil
  ) {
    self.suites = suites
    self.components = components
    self.mirror = mirror
    self.repositories = repositories
    self.releasever = releasever
    self.packages = packages.sorted()
    self.buildDependencies = buildDependencies
  }

  /// The definition of the chroot below the last layer; nil if there are no layers.
  package var base: ChrootDefinition? {
    guard let layers, !layers.isEmpty else { return nil }
    var base = self
    base.layers = layers.count == 1 ? nil : Array(layers.dropLast())
    base.later = nil
    return base
  }

  /// The same packages without layers.
  package var whole: ChrootDefinition {
    var whole = self
    whole.packages = Set(packages + (layers ?? []).joined()).sorted()
    whole.layers = nil
    return whole
  }

  /// What people call it.
  package var title: String { suites.first ?? repositories.first?.name ?? "nothing" }

  /// Names the chroot in the cache.
  package var key: String {
    get throws { "\(title)-\(SHA256Digest(of: Array(try JSON.encode(self))).hex.prefix(16))" }
  }
}
