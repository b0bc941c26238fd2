// SPDX-License-Identifier: GPL-2.0-only

import Model
import Processes
import SystemPackage

/// dnf and rpm, of Fedora, Enterprise Linux and openSUSE.
package struct Dnf: PackageManager {
  package init() {}

  package var format: Target.Format { .rpm }

  package func install(_ files: [String]) -> [String] {
    ["dnf", "install", "--assumeyes", "--disablerepo=*"] + files
  }

  package func reinstall(_ files: [String]) -> [String] {
    ["dnf", "reinstall", "--assumeyes", "--disablerepo=*"] + files
  }

  package func remove(_ names: [String]) -> [String] { ["dnf", "remove", "--assumeyes", "--noautoremove"] + names }

  package var audit: [String] { ["rpm", "--verify", "--all", "--nofiles", "--nodigest"] }

  package var verification: [String] { ["sh", "-c", Script(PackageResources.verify_rpm_sh).text] }

  package var list: [String] {
    ["rpm", "--query", "--all", "--queryformat", "%{NAME} %{EPOCH}:%{VERSION}-%{RELEASE} %{ARCH}\\n"]
  }

  package func owners(of paths: [String]) -> [String] { ["rpm", "--query", "--file"] + paths }

  package func owners(in output: String) -> [String] {
    // A line with spaces is a message about a path that no package owns.
    Set(output.split(separator: "\n").filter { !$0.contains(" ") }.map(String.init)).sorted()
  }

  package func relations(of file: FilePath, doing: String) async throws -> PackageRelations {
    func query(_ what: String) async throws -> String {
      try await Command("rpm", ["-qp", "--nosignature", what, file.string]).check(doing: doing).text
    }
    return Dnf.relations(required: try await query("--requires"), provided: try await query("--provides"))
  }

  /// The relations in what rpm prints: a name a line, perhaps with a version.
  static func relations(required: String, provided: String) -> PackageRelations {
    func names(_ text: String) -> [String] {
      text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
    }
    return PackageRelations(
      required: Set(names(required).filter { !$0.hasPrefix("rpmlib(") && !$0.hasPrefix("config(") }),
      provided: Set(names(provided)))
  }

  package func fileName(of package: String, _ version: ReleaseVersion) -> String {
    PackageFileName.rpm(package, version)
  }

  package func addBuildDependencies(_ packaging: ReleasePackaging, to definition: inout ChrootDefinition) {
    definition.packages += ["rpm-build", "gcc", "make"] + packaging.specRequires
  }

  package func choices(in packaging: ReleasePackaging) -> [PackagingChoice] {
    let names = packaging.spec.lines.compactMap { line -> String? in
      let words = line.split { $0 == " " || $0 == "\t" }
      return words.count > 1 && ["%bcond", "%bcond_with", "%bcond_without"].contains(words[0]) ? String(words[1]) : nil
    }
    // Modules are chosen by 'withModules', with the kernels to build them for.
    return Set(names).subtracting(["modules"]).sorted()
      .flatMap { [PackagingChoice($0, isWanted: false), PackagingChoice($0, isWanted: true)] }
  }

  package func build(
    tarball: String, of packaging: ReleasePackaging, release: String, withModules: Bool, choices: [PackagingChoice],
    for target: Target
  ) -> [String] {
    [
      "sh", "-c", Script(PackageResources.build_rpm_sh).text, "build", tarball, release, withModules ? "modules" : "",
      target.payload, target.rpm?.digest == "sha512" ? "10" : "8", target.rpm?.format ?? "",
    ] + choices.flatMap { [$0.option, $0.name] }
  }

  package func buildEnvironment(for target: Target, cores: Int) -> [String: String] { ["RPM_BUILD_NCPUS": "\(cores)"] }
}
