// SPDX-License-Identifier: GPL-2.0-only

import Files

extension Manifest.Packaging {
  init?(_ table: inout TableReader) {
    let debian = table.required(
      "debian", .located(.beside), "folder that becomes debian/ of the tarball; its files are templates")
    let spec = table.required("spec", .located(.beside), "spec that becomes <name>.spec of the tarball; a template")
    let packages = table.optional(
      "packages", .array(.table { Manifest.BuiltPackage(&$0) }), default: [],
      "of which files of the release the packages are made that a build makes, for their licences")
    for (number, package) in packages.enumerated() {
      let earlier = packages[..<number]
      for name in [package.rpm, package.deb].compactMap({ $0 })
      where earlier.contains(where: { $0.rpm.map { $0 == name } ?? false || $0.deb.map { $0 == name } ?? false }) {
        table.report("'packages' has '\(name)' twice", at: package.location)
      }
    }
    guard let debian, let spec else { return nil }
    self.init(
      debian: debian.value, spec: spec.value, packages: packages, location: table.location,
      debianLocation: debian.location, specLocation: spec.location)
  }
}

extension Manifest.BuiltPackage {
  fileprivate init?(_ table: inout TableReader) {
    rpm = table.optional("rpm", .packageName, "name of the package in RPM")
    deb = table.optional("deb", .packageName, "name of the package in Debian")
    variant = table.optional(
      "variant", .packageName, "variant whose DKMS package has all that its modules are built of")
    files = table.optional("files", .globs, default: [], "patterns of the release: what it is made of")
    exclude = table.optional("exclude", .globs, default: [], "patterns: what it is not made of")
    location = table.location
    table.constrain(.anyOf(["rpm", "deb"]))
    table.constrain(.filledOr("files", "variant"))
    if rpm == nil && deb == nil { table.report("a package must have 'rpm', 'deb' or both") }
    if files.isEmpty && variant == nil { table.report("a package must have 'files', 'variant' or both") }
  }
}
