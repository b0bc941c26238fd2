// SPDX-License-Identifier: GPL-2.0-only

extension Plan {
  /// What `@NAME@` stands for in the templates of a release.
  package func values(_ manifest: Manifest) throws -> [String: String] {
    let version = version.value
    // For build systems that know versions of three numbers only.
    let triple = try ReleaseVersion(
      components: version.components + [Int](repeating: 0, count: max(0, 3 - version.components.count)),
      prerelease: version.prerelease, respin: version.respin)
    // The version that a source has of its own, which its code may compare with: @LUSTRE_RELEASE_VERSION@.
    var own: [String: String] = [:]
    for (name, source) in manifest.sources {
      own["\(name.uppercased().replacing("-", with: "_"))_VERSION"] = sources[name]?.version ?? source.version
    }
    return [
      "NAME": manifest.name, "VERSION": version.tarball, "VERSION_TRIPLE": triple.tarball,
      "DKMS_VERSION": versionInDKMS, "KERNEL": kernel ?? "", "SUMMARY": manifest.summary,
      "LICENSE": manifest.license, "HOMEPAGE": manifest.homepage, "MAINTAINER": manifest.maintainer,
      "EXTRAS": extras.joined(separator: " "),
    ].merging(own) { known, _ in known }
  }
}
