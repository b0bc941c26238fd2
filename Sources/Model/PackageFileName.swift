// SPDX-License-Identifier: GPL-2.0-only

import Files

/// How the files of a release are named, in each format as its tools name them.
package enum PackageFileName {
  /// - Parameter release: the name of the release: `sample-7.4`.
  package static func tarball(_ release: String, _ codec: Codec) -> String { "\(release).tar.\(codec.suffix)" }

  /// The text of the patches that a release was made with.
  package static func patches(_ release: String) -> String { "\(release).patches.tar.xz" }

  /// A binary package of Debian. An epoch is left out, as everywhere in Debian.
  package static func deb(_ name: String, version: String, architecture: String = "all") -> String {
    let plain = version.firstIndex(of: ":").map { version[version.index(after: $0)...] } ?? version[...]
    return "\(name)_\(plain)_\(architecture).deb"
  }

  package static func deb(_ name: String, _ version: ReleaseVersion) -> String { deb(name, version: version.debian) }

  /// A binary package of RPM, for every architecture.
  package static func rpm(_ name: String, _ version: ReleaseVersion) -> String {
    "\(name)-\(version.rpmVersion)-\(version.rpmRelease).noarch.rpm"
  }

  /// The source package of RPM.
  package static func srpm(_ name: String, _ version: ReleaseVersion) -> String {
    "\(name)-\(version.rpmVersion)-\(version.rpmRelease).src.rpm"
  }

  // MARK: the source package of Debian, in the format 3.0 (quilt)

  package static func dsc(_ source: String, _ version: ReleaseVersion) -> String { "\(source)_\(version.debian).dsc" }

  /// The released tarball, as a .dsc names it.
  package static func orig(_ source: String, _ version: ReleaseVersion) -> String {
    tarball("\(source)_\(version.debianUpstream).orig", .xz)
  }

  /// The tarball with `debian/`.
  package static func debianTarball(_ source: String, _ version: ReleaseVersion) -> String {
    tarball("\(source)_\(version.debian).debian", .xz)
  }
}
