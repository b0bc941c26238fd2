// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import Processes
import SystemPackage

/// apt and dpkg, of Debian and what derives from it.
package struct Apt: PackageManager {
  package init() {}

  package var format: Target.Format { .deb }

  package func install(_ files: [String]) -> [String] {
    ["apt-get", "install", "--yes", "--allow-downgrades"] + files
  }

  package func reinstall(_ files: [String]) -> [String] { ["apt-get", "install", "--yes", "--reinstall"] + files }

  package func remove(_ names: [String]) -> [String] { ["apt-get", "purge", "--yes"] + names }

  package var audit: [String] { ["dpkg", "--audit"] }

  package var verification: [String] { ["sh", "-c", Script(PackageResources.verify_deb_sh).text] }

  package var list: [String] {
    ["dpkg-query", "--show", "--showformat", "${Package} ${Version} ${Architecture}\\n"]
  }

  package func owners(of paths: [String]) -> [String] { ["dpkg-query", "--search"] + paths }

  package func owners(in output: String) -> [String] {
    // "a, b: /path". A message about a path, or a line about a diversion, has words in place of names.
    let names = output.split(separator: "\n").flatMap { line -> [String] in
      guard let mark = line.firstRange(of: ": /") else { return [] }
      let names = line[..<mark.lowerBound].split(separator: ",").map { $0.trimmed }
      return names.contains { $0.contains(" ") } ? [] : names
    }
    return Set(names).sorted()
  }

  package func relations(of file: FilePath, doing: String) async throws -> PackageRelations {
    let fields = try await Command(
      "dpkg-deb", ["--field", file.string, "Package", "Provides", "Pre-Depends", "Depends"]
    ).check(doing: doing)
    return Apt.relations(inFields: fields.text)
  }

  /// The relations in fields of a control file. Of alternatives, the first counts.
  static func relations(inFields text: String) -> PackageRelations {
    var relations = PackageRelations(required: [], provided: [])
    for line in text.split(separator: "\n") {
      let halves = line.split(separator: ":", maxSplits: 1).map { $0.trimmed }
      guard halves.count == 2 else { continue }
      let names = halves[1].split(separator: ",").compactMap { item in
        item.split(separator: "|").first?.split { $0 == "(" || $0 == ":" || $0 == " " }.first.map(String.init)
      }
      if halves[0].hasSuffix("Depends") {
        relations.required.formUnion(names)
      } else {
        relations.provided.formUnion(names)
      }
    }
    return relations
  }

  package func fileName(of package: String, _ version: ReleaseVersion) -> String {
    PackageFileName.deb(package, version)
  }

  package func addBuildDependencies(_ packaging: ReleasePackaging, to definition: inout ChrootDefinition) {
    definition.packages += ["build-essential", "debhelper"]
    definition.buildDependencies = packaging.debianControl
  }

  package func choices(in packaging: ReleasePackaging) -> [PackagingChoice] {
    let mark = "pkg.\(packaging.name)."
    let profiles = packaging.debianRules.ranges(of: mark).map {
      packaging.debianRules[$0.upperBound...].prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
    return Set(profiles.filter { !$0.isEmpty }.map(Apt.choice)).sorted()
  }

  private static func choice(profile: Substring) -> PackagingChoice {
    profile.hasPrefix("no") && profile.count > 2
      ? PackagingChoice(String(profile.dropFirst(2)), isWanted: false)
      : PackagingChoice(String(profile), isWanted: true)
  }

  package func build(
    tarball: String, of packaging: ReleasePackaging, release: String, withModules: Bool, choices: [PackagingChoice],
    for target: Target
  ) -> [String] {
    let profiles = choices.map { "pkg.\(packaging.name).\($0.isWanted ? "" : "no")\($0.name)" }
    return [
      "sh", "-c", Script(PackageResources.build_deb_sh).text, "build", tarball, release, withModules ? "modules" : "",
      profiles.joined(separator: ","),
    ]
  }

  package func buildEnvironment(for target: Target, cores: Int) -> [String: String] {
    ["DEB_BUILD_OPTIONS": "parallel=\(cores)", "DPKG_DEB_COMPRESSOR_TYPE": target.codec]
  }
}
