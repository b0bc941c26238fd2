// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Packagers
import Processes
import Releases
import SystemPackage

/// The licences that a release states, and what licensecheck finds beyond them.
package struct LicenceReport: Sendable, Encodable {
  package struct Package: Sendable, Encodable {
    package var name: String
    package var expression: String
  }

  /// A file in which licensecheck finds a licence that the release does not state for it.
  package struct File: Sendable, Encodable {
    package var path: String
    package var named: String
    package var found: [String]
  }

  /// The tarball first.
  package var packages: [Package]
  package var unnamed: [File]

  package static func read(_ path: FilePath, progress: Progress) async throws -> LicenceReport {
    let released = try await Release(opening: path, progress: progress)
    let context = try PackagingContext(released.plan, released.manifest)
    let code = try PackagingTree.code(of: released.tree, in: context)
    var stated: FileLicences?
    var whole: PackageLicences?
    let packages = try Cut.complete(code, in: context) { (stated, whole) = ($0, $1) }.packages
    let names = packages.map { package in
      let relations = [package.dkms.package.deb, package.dkms.package.rpm].compactMap { $0?.name }
      return Package(
        name: relations.first ?? package.dkms.package.variant, expression: package.licences.expression.text)
    }
    let built = try (context.manifest.packaging?.packages ?? []).map { made in
      Package(name: made.names, expression: try stated?.built(made, with: packages).expression.text ?? "")
    }
    return LicenceReport(
      packages: [Package(name: released.name, expression: whole?.expression.text ?? "")] + names + built,
      unnamed: try await unnamed(code, stated, progress))
  }

  private static func unnamed(
    _ code: ReleaseTree, _ stated: FileLicences?, _ progress: Progress
  ) async throws -> [File] {
    let licensecheck = Command(
      "licensecheck", ["--machine", "--recursive", "--shortname-scheme=spdx", "."],
      environment: Command.plainEnvironment)
    try licensecheck.demandInstalled(doing: "judging the licences")
    return try await withScratch { scratch in
      try code.write(to: scratch)
      let outcome = try await progress.step("reading \(code.count) files with licensecheck") {
        var command = licensecheck
        command.directory = scratch
        return try await command.check(doing: "judging the licences")
      }
      return outcome.text.split(separator: "\n").compactMap { line in
        let columns = line.split(separator: "\t").map(String.init)
        guard columns.count > 1, columns[0].hasPrefix("./") else { return nil }
        let path = String(columns[0].dropFirst(2))
        guard let stated, let named = stated.expression(of: path), !stated.isExplained(path) else { return nil }
        let found = LicensecheckNames.found(in: columns[1], beyond: named)
        return found.isEmpty ? nil : File(path: path, named: named.text, found: found)
      }.sortedByBytes(\.path)
    }
  }
}

/// The names that licensecheck writes, which are those of SPDX in part only.
package enum LicensecheckNames {
  /// The licences that licensecheck found and an expression does not name. Versions of named licences do not count,
  /// because licensecheck confuses some of them.
  package static func found(in finding: String, beyond expression: SPDXExpression) -> [String] {
    let named = Set(expression.names.map(plain))
    let words = finding.replacing("(", with: "").replacing(")", with: "").replacing(" and/or ", with: "\n")
      .split(separator: "\n").map { $0.split(separator: " ").first.map(String.init) ?? "" }
    return words.filter { word in
      // licensecheck prints these if it finds no licence.
      if ["UNKNOWN", "*No", "GENERATED", "public-domain", ""].contains(word) { return false }
      let name = plain(word)
      if ["GPL", "LGPL", "AGPL", "BSD"].contains(name) { return !named.contains { $0.hasPrefix("\(name)-") } }
      return !named.contains(name)
    }
  }

  private static func plain(_ name: String) -> String {
    let others = ["Expat": "MIT", "GPL-2": "GPL-2.0", "GPL-3": "GPL-3.0", "LGPL-2": "LGPL-2.0", "LGPL-3": "LGPL-3.0"]
    let plain =
      ["-only", "-or-later", "+"].first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) } ?? name
    return others[plain] ?? plain
  }
}
