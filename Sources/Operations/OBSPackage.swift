// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Packagers
import Releases
import SystemPackage

/// A release as a package of the Open Build Service: the unchanged files of the release that OBS builds from, and a
/// .changes.
///
/// OBS builds RPM packages from the spec and the tarball that it names, and Debian packages from the .dsc and its files; a
/// .changes beside the spec becomes %changelog. Source: the OBS user guide, and obs-build, which runs the builds.
package struct OBSPackage: Sendable {
  /// By name.
  package let files: [(name: String, bytes: [UInt8])]

  /// - Parameters:
  ///   - path: a release folder.
  ///   - earlier: the present .changes in OBS, to be continued.
  /// - Throws: `ReleaseError`, with code `different` for a release that was changed.
  package init(of path: FilePath, earlier: FilePath? = nil, progress: Progress) async throws {
    let doing = "making an OBS package of \(path)"
    guard Files.exists(path.appending(ReleaseFolder.checksums)) else {
      throw ReleaseError(
        .source, doing: doing, reason: "it holds no \(ReleaseFolder.checksums)",
        remedy: ReleasesRemedy.nameReleaseFolder)
    }
    let released = try await Release(opening: path, progress: progress)
    let plan = released.plan
    let tarball = PackageFileName.tarball(released.name, .xz)
    let specName = "\(plan.name).spec"
    guard let dscName = released.artifact(.dsc)?.name, released.artifact(named: tarball) != nil,
      let spec = try released.tree[specName]?.read()
    else {
      throw ReleaseError(
        .input, doing: doing, reason: "it holds no source packages",
        advice: "they come with [packaging] in the manifest, and a tarball that is an .xz")
    }

    let dsc = try Files.read(path.appending(dscName), limit: 1 << 20)
    var files = [specName: spec, dscName: dsc]
    for name in try Self.files(ofDsc: dsc, dscName) + [tarball] {
      guard released.artifact(named: name) != nil else {
        throw ReleaseError(
          .source, doing: doing, reason: "it holds no \(name), which belongs to \(dscName)",
          advice: "get the complete release")
      }
      files[name] = try Files.read(path.appending(name), limit: 8 << 30)
    }
    let entry = try Self.changes(plan, released.manifest)
    files["\(plan.name).changes"] = Array((try Self.joined(entry, earlier)).utf8)
    let flavours = Self.flavours(ofSpec: String(decoding: spec, as: UTF8.self))
    if !flavours.isEmpty {
      let list = flavours.map { "  <flavor>\($0)</flavor>\n" }.joined()
      files["_multibuild"] = Array("<multibuild>\n\(list)</multibuild>\n".utf8)
    }
    self.files = files.map { ($0.key, $0.value) }.sortedByBytes { $0.0 }
  }

  /// Writes the package to a new folder.
  ///
  /// - Returns: whether the same package already existed.
  /// - Throws: `ReleaseError` with code `conflict` for a folder that holds anything else.
  package func write(to path: FilePath) async throws -> Bool {
    let path = Files.absolute(path)
    let folder = ReleaseFolder(path, kind: "OBS package", remedy: Advice("write to a new folder and copy from there"))
    let isWritten = try await folder.createIfMissing { part in
      // Copies, not links: people may edit the files of an OBS package.
      for (name, bytes) in files { try Files.write(bytes, to: part.appending(name)) }
    }
    if isWritten { return false }
    guard Files.isFolder(path), try Files.names(in: path) == files.map({ Array($0.name.utf8) }),
      try files.allSatisfy({ try Files.read(path.appending($0.name), limit: 8 << 30) == $0.bytes })
    else { throw folder.conflict }
    return true
  }

  /// The names that a .dsc lists.
  private static func files(ofDsc bytes: [UInt8], _ name: String) throws -> [String] {
    let stanzas = try DebianControl(parsing: String(decoding: bytes, as: UTF8.self), file: name).stanzas
    let lines = stanzas.first?["Checksums-Sha256"]?.split(separator: "\n") ?? []
    return lines.compactMap { $0.split(separator: " ").last.map(String.init) }
  }

  // MARK: .changes and flavours

  private static let line = String(repeating: "-", count: 67)

  /// The entry of this release, in the form that SUSE's tools require.
  private static func changes(_ plan: Plan, _ manifest: Manifest) throws -> String {
    let rebuilt = try PackagingContext(plan, manifest).values["REBUILT"] ?? ""
    return """
      \(line)
      \(Timestamp(seconds: plan.sourceDate).changesDate) - \(manifest.maintainer)

      - Release \(plan.version.value)\(rebuilt)


      """
  }

  /// Puts the entry before the earlier ones, unless it is already the first.
  private static func joined(_ entry: String, _ earlier: FilePath?) throws -> String {
    guard let earlier else { return entry }
    let doing = "reading the changes \(earlier)"
    let bytes = try Files.read(earlier, limit: 64 << 20, doing: doing)
    if let number = bytes.firstLineInCRLF {
      throw ReleaseError(
        .input, at: SourceLocation(file: earlier.string, line: number, column: 1), doing: doing,
        reason: "the line ends with CR and LF", advice: "save the file with LF alone as line ends")
    }
    guard let text = String(validating: bytes, as: UTF8.self),
      text.isEmpty || text.hasPrefix(line + "\n")
    else {
      throw ReleaseError(
        .input, doing: doing, reason: "it does not begin with a line of 67 dashes",
        advice: "give the .changes of the package in OBS")
    }
    return text.hasPrefix(entry) ? text : entry + text
  }

  /// The flavours of a spec: the values with which it compares `@BUILD_FLAVOR@`, which OBS replaces.
  static func flavours(ofSpec spec: String) -> [String] {
    var names: Set = ["@BUILD_FLAVOR@"]
    for match in spec.matches(of: /(?m)^%(?:define|global)\s+(\w+)\s+@BUILD_FLAVOR@(?:%\{nil\})?\s*$/) {
      names.formUnion(["%{\(match.1)}", "%\(match.1)"])
    }
    let compared = spec.matches(of: /(?m)^%(?:if|elif)\b.*$/).flatMap { condition in
      condition.0.matches(of: /"([^"]*)"\s*[=!]=\s*"([A-Za-z0-9][A-Za-z0-9_.+-]*)"/).map {
        (name: String($0.1), value: String($0.2))
      }
    }
    return Set(compared.filter { names.contains($0.name) }.map(\.value)).sorted()
  }
}
