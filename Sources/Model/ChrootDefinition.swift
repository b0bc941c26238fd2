// SPDX-License-Identifier: GPL-2.0-only

import Files

/// What a chroot, the root file system of a distribution, is made of. One definition makes one chroot, which is kept.
///
/// Chroots may share a base: then each is a thin layer on it.
package struct ChrootDefinition: Sendable, Hashable, Codable {
  package struct Repository: Sendable, Hashable, Codable {
    package var name: String
    package var url: String

    package init(name: String, url: String) {
      self.name = name
      self.url = url
    }
  }

  /// Suites of Debian's archive, the base first: `["bookworm", "bookworm-security"]`.
  package var suites: [String]
  package var components: [String]
  /// The archive; nil for the one that this machine's apt uses.
  package var mirror: String?
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
