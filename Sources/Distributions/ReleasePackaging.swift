// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What a release says in `debian/` and in its spec about how it is built.
package struct ReleasePackaging: Sendable {
  /// The name of the source package.
  package var name: String
  /// The first paragraph of `debian/control`.
  package var debianControl: String
  /// `debian/rules`.
  package var debianRules: String
  package var spec: String

  package init(name: String, debianControl: String, debianRules: String, spec: String) {
    self.name = name
    self.debianControl = debianControl
    self.debianRules = debianRules
    self.spec = spec
  }

  /// `BuildRequires` of the spec. Those that vary by distribution or option are in the target's list of packages.
  package var specRequires: [String] {
    var conditions = 0
    var requires: [String] = []
    for line in spec.lines {
      if line.hasPrefix("%if") { conditions += 1 }
      if line.hasPrefix("%endif") { conditions -= 1 }
      if conditions == 0, line.hasPrefix("BuildRequires:") { requires.append(line.dropFirst(14).trimmed) }
    }
    return requires
  }
}

/// A choice that the packaging of a release offers, such as which modules to build: `--with servers`, `--without o2ib`.
///
/// In a spec it is a `%bcond`, in `debian/` a build profile: `pkg.NAME.servers`, `pkg.NAME.noo2ib`.
package struct PackagingChoice: Sendable, Hashable, Comparable, CustomStringConvertible {
  package var name: String
  package var isWanted: Bool

  package init(_ name: String, isWanted: Bool) {
    self.name = name
    self.isWanted = isWanted
  }

  /// The option of lrelease and of rpmbuild that makes it.
  var option: String { isWanted ? "--with" : "--without" }

  /// As on a command line.
  package var description: String { "\(option) \(name)" }

  package static func < (one: PackagingChoice, other: PackagingChoice) -> Bool {
    (one.name, one.isWanted ? 1 : 0) < (other.name, other.isWanted ? 1 : 0)
  }
}
