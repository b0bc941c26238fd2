// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

extension Plan {
  /// What `@NAME@` stands for in the templates of a release.
  package func values(_ manifest: Manifest) throws -> [String: String] {
    let version = try ReleaseVersion(version)
    // For build systems that know versions of three numbers only.
    let triple = try ReleaseVersion(
      components: version.components + [Int](repeating: 0, count: max(0, 3 - version.components.count)),
      prerelease: version.prerelease, respin: version.respin)
    // The version that a source has of its own, which its code may compare with: @LUSTRE_RELEASE_VERSION@.
    var own: [String: String] = [:]
    for (name, source) in manifest.sources {
      own["\(name.uppercased().replacing("-", with: "_"))_VERSION"] = source.version
    }
    return [
      "NAME": manifest.name, "VERSION": version.tarball, "VERSION_TRIPLE": triple.tarball,
      "DKMS_VERSION": version.dkms, "KERNEL": kernel ?? "", "SUMMARY": manifest.summary,
      "LICENSE": manifest.license, "HOMEPAGE": manifest.homepage, "MAINTAINER": manifest.maintainer,
      "EXTRAS": extras.joined(separator: " "),
    ].merging(own) { known, _ in known }
  }
}

extension Plan {
  /// The description of the release, with what it was made with.
  package func description(_ manifest: Manifest, of package: Manifest.Package? = nil) -> String {
    let candidates = [package?.description ?? "", manifest.description, package?.summary ?? manifest.summary]
    let carried = extras.isEmpty ? "" : "\n\nThis release was made with: \(extras.joined(separator: ", "))."
    return (candidates.first { !$0.isEmpty } ?? "").trimmed + carried
  }

  /// What `@NAME@` stands for in packaging: the values of the release, and those that packages spell their own way.
  package func packagingValues(_ manifest: Manifest) throws -> [String: String] {
    let version = try ReleaseVersion(version)
    let date = Timestamp(seconds: sourceDate)
    let own = extras.compactMap { manifest.extras[$0]?.license }
    let licenses = ([manifest.license] + own).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return try values(manifest).merging([
      "EXTRAS_CONFIGURE": extras.flatMap { manifest.extras[$0]?.configure ?? [] }.joined(separator: " "),
      "LICENSE": licenses.count == 1 ? manifest.license : licenses.map { "(\($0))" }.joined(separator: " AND "),
      "DATE": date.iso8601, "YEAR": String(date.fields.year), "CHANGELOG_DATE": date.rfc5322,
      "RPM_DATE": date.rpmChangelogDate, "DEB_VERSION": version.debian, "RPM_VERSION": version.rpmVersion,
      "RPM_RELEASE": version.rpmRelease, "DESCRIPTION": description(manifest),
      "REBUILT": try rebuilds?.last.map { ", rebuilt by \($0.vendor) from \(try ReleaseVersion($0.basedOn.version))" }
        ?? "",
    ]) { $1 }
  }
}
