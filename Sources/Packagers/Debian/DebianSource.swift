// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Model
import Releases
import SystemPackage

/// A source package of Debian in the format 3.0 (quilt): the unchanged released tarball, a tarball with the `debian/`
/// of the release, and the .dsc that names both. Source: dsc(5), dpkg-source(1).
package struct DebianSource: Sendable {
  /// One of its files, as a .dsc lists it.
  package struct File: Sendable {
    package var name: String
    package var size: Int64
    package var md5: String
    package var sha1: String
    package var sha256: SHA256Digest
  }

  private let version: ReleaseVersion
  private let control: DebianControl
  private let tree: ReleaseTree
  private let sourceDate: Int64
  private let blocks: BlockLayout
  package let name: String

  /// - Parameter release: the release with its packaging.
  package init(_ release: ReleaseTree, plan: Plan) throws {
    version = plan.version.value
    sourceDate = plan.sourceDate
    blocks = plan.blockLayout
    tree = release.filter { $0.startsInBytes(with: "debian/") }
    let text = String(decoding: try release["debian/control"]?.read() ?? [], as: UTF8.self)
    control = try DebianControl(parsing: text, file: "debian/control")
    guard let name = control.stanzas.first?["Source"], control.stanzas.count > 1 else {
      throw ReleaseError(
        .input, doing: "making the Debian source package", reason: "debian/control has no source stanza with packages")
    }
    self.name = name
  }

  package var origName: String { PackageFileName.orig(name, version) }
  package var debianName: String { PackageFileName.debianTarball(name, version) }
  package var dscName: String { PackageFileName.dsc(name, version) }

  /// Writes the tarball with `debian/`.
  package func writeDebianTarball(to output: ContentStore.Writer) async throws {
    let tar = CompressedTar(.xz, blocks: blocks, time: sourceDate, doing: "writing \(debianName)")
    _ = try await tar.write(
      tree.folders.map { .folder("\($0)/") }
        + tree.paths.compactMap { path in tree[path].map { .file(path, $0.content, mode: $0.mode) } }, to: output)
  }

  /// The .dsc, with its fields in the order of dpkg-source.
  package func dsc(files: [File]) throws -> String {
    let source = control.stanzas[0]
    let binaries = control.stanzas.dropFirst().filter { $0["Package"] != nil }
    let architectures = Set(binaries.compactMap { $0["Architecture"] }.flatMap { $0.split(separator: " ") })
    var stanza = DebianControl.Stanza()
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { stanza.fields.append((name, value)) }
    }
    add("Format", "3.0 (quilt)")
    add("Source", name)
    add("Binary", binaries.compactMap { $0["Package"] }.joined(separator: ", "))
    // 'any' includes every architecture but 'all', which comes last.
    let wide = architectures.filter { $0.hasSuffix("any") }
    let named = wide.isEmpty ? architectures.filter { $0 != "all" } : wide
    add("Architecture", (named.sorted() + (architectures.contains("all") ? ["all"] : [])).joined(separator: " "))
    add("Version", version.debian)
    for name in ["Maintainer", "Uploaders", "Homepage", "Standards-Version", "Vcs-Browser", "Vcs-Git"] {
      add(name, source[name])
    }
    if let tests = tree["debian/tests/control"] {
      add("Testsuite", "autopkgtest")
      let text = String(decoding: try tests.read(), as: UTF8.self)
      let depends =
        (try? DebianControl(parsing: text, file: "debian/tests/control"))?.stanzas
        .flatMap { ($0["Depends"] ?? "").split { $0 == "," || $0 == "|" || $0 == "\n" } }
        .compactMap { $0.split(separator: " ").first.map(String.init) } ?? []
      let own = Set(binaries.compactMap { $0["Package"] })
      add(
        "Testsuite-Triggers",
        Set(depends.filter { !$0.hasPrefix("@") && !own.contains($0) }).sorted().joined(separator: ", "))
    }
    for name in ["Build-Depends", "Build-Depends-Indep", "Build-Depends-Arch"] {
      add(
        name,
        source[name]?.split(separator: ",").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
          .filter { !$0.isEmpty }.joined(separator: ", "))
    }
    let packages = binaries.compactMap { binary -> String? in
      guard let name = binary["Package"] else { return nil }
      let section = binary["Section"] ?? source["Section"] ?? "unknown"
      let priority = binary["Priority"] ?? source["Priority"] ?? "optional"
      let architectures = (binary["Architecture"] ?? "any").split(separator: " ").joined(separator: ",")
      return "\n \(name) deb \(section) \(priority) arch=\(architectures)"
    }
    add("Package-List", packages.sorted().joined())
    add("Checksums-Sha1", files.map { "\n \($0.sha1) \($0.size) \($0.name)" }.joined())
    add("Checksums-Sha256", files.map { "\n \($0.sha256) \($0.size) \($0.name)" }.joined())
    add("Files", files.map { "\n \($0.md5) \($0.size) \($0.name)" }.joined())
    return stanza.text
  }

  /// The entry of a file in a .dsc.
  package static func describe(_ path: FilePath, as name: String) throws -> File {
    let bytes = try ContentStore(reading: path).whole()
    let legacy = try LegacyDigests(of: bytes)
    return File(name: name, size: Int64(bytes.count), md5: legacy.md5, sha1: legacy.sha1, sha256: bytes.sha256)
  }
}

/// Writes a Debian source package beside the released tarball, which is its .orig.tar.xz byte for byte.
package struct DebianSourceWriter: PackageWriter {
  package let source: DebianSource
  package let tarball: FilePath

  package init(_ source: DebianSource, tarball: FilePath) {
    self.source = source
    self.tarball = tarball
  }

  package var title: String { source.dscName }

  package func write(
    in folder: FilePath, report: @Sendable (_ done: Int64, _ total: Int64) -> Void
  ) async throws -> [Artifact] {
    try Files.copy(tarball, to: folder.appending(source.origName))
    try await Files.replace(folder.appending(source.debianName)) { try await source.writeDebianTarball(to: $0) }
    let files = try [source.origName, source.debianName].map {
      try DebianSource.describe(folder.appending($0), as: $0)
    }
    let dsc = FileBytes(Array(try source.dsc(files: files).utf8))
    try Files.write(dsc, to: folder.appending(source.dscName))
    return files.map { Artifact(name: $0.name, bytes: $0.size, sha256: $0.sha256) }
      + [Artifact(name: source.dscName, bytes: Int64(dsc.count), sha256: dsc.sha256)]
  }
}
