// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// A plan with its manifest, and what packaging derives from both. It is made once for all packages of a release.
package struct PackagingContext: Sendable {
  package let plan: Plan
  package let manifest: Manifest
  package let version: ReleaseVersion
  /// What `@NAME@` stands for in packaging: the values of the release, and those that packages spell their own way.
  package let values: [String: String]

  package init(_ plan: Plan, _ manifest: Manifest) throws {
    self.plan = plan
    self.manifest = manifest
    version = plan.version.value
    values = try Self.values(plan, manifest, version)
  }

  /// The packages of the release, those of its extras among them.
  package var packages: [Manifest.Package] { manifest.packages(with: plan.extras) }

  /// Whether a package of the release is an .rpm; a source package comes with the packaging of its own.
  package var makesRPM: Bool { manifest.packaging != nil || packages.contains { $0.rpm != nil } }

  /// The description of the release or of a package, with the extras that it has.
  package func description(of package: Manifest.Package? = nil) -> String {
    Self.description(plan, manifest, of: package)
  }

  /// Fills in a template of the recipe.
  ///
  /// - Parameter more: values that take precedence over those of the context.
  package func render(_ file: String, at location: SourceLocation, _ more: [String: String] = [:]) throws -> String {
    var recipe = Recipe(plan: plan)
    let template = try Template(file: file, bytes: recipe.read(file, at: location))
    return try template.render(values.merging(more) { $1 })
  }

  private static func description(_ plan: Plan, _ manifest: Manifest, of package: Manifest.Package? = nil) -> String {
    let candidates = [package?.description ?? "", manifest.description, package?.summary ?? manifest.summary]
    let carried = plan.extras.isEmpty ? "" : "\n\nThis release was made with: \(plan.extras.joined(separator: ", "))."
    // Control files and specs have LF as line end, whatever the manifest has.
    return (candidates.first { !$0.isEmpty } ?? "").replacing("\r\n", with: "\n").trimmed + carried
  }

  private static func values(
    _ plan: Plan, _ manifest: Manifest, _ version: ReleaseVersion
  ) throws -> [String: String] {
    let date = Timestamp(seconds: plan.sourceDate)
    return try plan.values(manifest).merging([
      "EXTRAS_CONFIGURE": plan.extras.flatMap { manifest.extras[$0]?.configure ?? [] }.joined(separator: " "),
      "DATE": date.iso8601, "YEAR": String(date.fields.year), "CHANGELOG_DATE": date.rfc5322,
      "RPM_DATE": date.rpmChangelogDate, "DEB_VERSION": version.debian, "RPM_VERSION": version.rpmVersion,
      "RPM_RELEASE": version.rpmRelease, "DESCRIPTION": PackagingContext.description(plan, manifest),
      "REBUILT": plan.rebuilds?.last.map {
        ", rebuilt by \($0.vendor) from \($0.basedOn.version.value)"
      }
        ?? "",
    ]) { $1 }
  }
}
