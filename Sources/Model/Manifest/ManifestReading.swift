// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

extension Manifest {
  /// Reads a manifest. All mistakes are reported in one run.
  ///
  /// - Parameters:
  ///   - bytes: the TOML text.
  ///   - file: the name under which messages speak of it.
  ///   - isStored: it stands in a plan: its licence expressions are taken as they are.
  ///   - reader: gives the text of the manifest that this one extends, by its path relative to this one.
  /// - Throws: `ReleaseError` for a syntax error, `Diagnostics` for anything else.
  package init(
    parsing bytes: [UInt8], file: String, isStored: Bool = false, base reader: ((String) throws -> [UInt8])? = nil
  ) throws {
    var root = try TOMLDocument.parse(bytes, file: file)
    if let extended = root[Manifest.extends], let name = extended.string, let reader {
      let path = FilePath(file).removingLastComponent().pushing(FilePath(name)).string
      let base: TOMLNode
      do {
        base = try TOMLDocument.parse(
          reader(name), file: path, folder: FilePath(name).removingLastComponent().string)
      } catch let error as ReleaseError where error.location == nil {
        throw ReleaseError(
          .input, at: extended.location, doing: error.doing, reason: error.reason, remedy: error.remedy,
          cause: error)
      }
      if let again = base[Manifest.extends] {
        throw ReleaseError(
          .input, at: again.location, doing: "", reason: "a manifest that is extended cannot extend another",
          advice: "extend \(again.string ?? "that one") itself")
      }
      root = try root.extending(base)
    } else if let change = root[Manifest.change], root[Manifest.extends] == nil {
      throw ReleaseError(
        .input, at: change.location, doing: "", reason: "'change' is for a manifest that extends another",
        advice: "name that one in 'extends'")
    }
    self = try Manifest.shape.read(root, isStored: isStored)
  }

  /// A module may stand twice, if a site has one or the other.
  private func checkConditions(of package: Package, _ report: (SourceLocation, String) -> Void) {
    var known: [String: Set<String?>] = [:]
    for module in package.modules {
      let others = known[module.name] ?? []
      if others.contains(module.condition) || others.contains(nil) || !others.isEmpty && module.condition == nil {
        report(
          package.location,
          "the package '\(package.variant)' builds the module '\(module.name)' twice: each needs a 'when' of its own")
      }
      known[module.name, default: []].insert(module.condition)
      if let condition = module.condition, package.conditions == nil {
        report(
          package.location,
          "the module '\(module.name)' of the package '\(package.variant)' is for sites with '\(condition)', "
            + "and no 'conditions' say which these are")
      }
    }
  }

  /// Reports mistakes that involve several keys, such as a duplicate variant or a package without a format.
  func check(_ table: inout TableReader) {
    func report(_ location: SourceLocation, _ reason: String) { table.report(reason, at: location) }
    for (name, source) in sources {
      if (source.keyring == nil) != source.signers.isEmpty {
        report(
          source.location,
          "source '\(name)' has \(source.keyring == nil ? "signers but no keyring" : "a keyring but no signers")"
            + ": its signature would not be checked")
      }
      if source.version != nil, source.versionFrom != nil {
        report(source.location, "source '\(name)' has both version and version-from: leave one of them out")
      }
      if source.sha256 != nil, source.kind == .git || source.kind == .folder {
        report(source.location, "source '\(name)' is not a tarball: 'sha256' applies only to tarballs")
      }
    }
    for (name, extra) in extras {
      for other in extra.needs + extra.conflicts where extras[other] == nil || other == name {
        let hint = other.nearest(in: extras.keys.filter { $0 != name }).map { "; did you mean '\($0)'?" } ?? ""
        report(extra.location, "extra '\(name)' names '\(other)', which is no other extra\(hint)")
      }
      if !extra.packages.isEmpty && !extra.modules.isEmpty {
        report(
          extra.location,
          "extra '\(name)' has packages of its own, which alone hold its files, so it cannot add modules to the others: "
            + "make it two extras, one of which needs the other")
      }
    }
    var names: [String: SourceLocation] = [:]
    var variants: [String: SourceLocation] = [:]
    let all = packages(with: extras.keys.sorted())
    for package in all {
      if let other = variants[package.variant] {
        report(
          package.location, "the variant '\(package.variant)' is named a second time (first at line \(other.line))")
      }
      variants[package.variant] = package.location
      if package.deb == nil && package.rpm == nil {
        report(package.location, "the package '\(package.variant)' has neither [packages.deb] nor [packages.rpm]")
      }
      if package.modules.isEmpty { report(package.location, "the package '\(package.variant)' names no modules") }
      checkConditions(of: package, report)
      for relations in [package.deb, package.rpm].compactMap({ $0 }) {
        let key = "\(relations.recipe) \(relations.name)"
        if let other = names[key] {
          report(relations.location, "'\(relations.name)' is named a second time (first at line \(other.line))")
        }
        names[key] = relations.location
      }
    }
    checkKernels(all.map(\.kernels) + extras.sorted { $0.key < $1.key }.compactMap(\.value.kernels), &table)
  }
}
