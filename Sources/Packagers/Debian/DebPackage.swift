// SPDX-License-Identifier: GPL-2.0-only

import Archives
import CDpkg
import Diagnostics
import Files
import Model
import SystemPackage

/// A binary package for Debian, written without dpkg-deb. The same value gives the same bytes.
package struct DebPackage: Sendable {
  package var name: String
  /// The whole Debian version: `7.4~rc2-1`.
  package var version: String
  package var architecture = "all"
  /// Further fields of the control file in their order. A value may have several lines; an empty one is written ` .`.
  /// Package, Version, Architecture and Installed-Size are added here.
  package var fields: [(name: String, value: String)] = []
  /// The configuration files among `files`, which the site may change.
  package var conffiles: [String] = []
  /// Control files by name: `postinst`, `prerm`, `triggers`, …
  package var maintainerScripts: [String: [UInt8]] = [:]
  package var files: [PackageFile] = []
  package var codec = Codec.xz
  package var blocks: BlockLayout
  /// The time of everything in the package, in seconds since 1970.
  package var sourceDate: Int64

  package init(
    name: String, version: String, architecture: String = "all", fields: [(name: String, value: String)],
    conffiles: [String] = [], maintainerScripts: [String: [UInt8]] = [:], files: [PackageFile],
    codec: Codec = .xz, blocks: BlockLayout = .folders, sourceDate: Int64
  ) {
    self.name = name
    self.version = version
    self.architecture = architecture
    self.fields = fields
    self.conffiles = conffiles
    self.maintainerScripts = maintainerScripts
    self.files = files
    self.codec = codec
    self.blocks = blocks
    self.sourceDate = sourceDate
  }

  package var fileName: String { PackageFileName.deb(name, version: version, architecture: architecture) }

  /// Writes the package atomically.
  ///
  /// - Parameter report: is called with the finished and the total number of uncompressed bytes.
  /// - Throws: `ReleaseError` with code `input` and dpkg's own message for anything that dpkg would refuse.
  @discardableResult
  package func write(
    to path: FilePath, report: (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
  ) async throws -> FileBytes {
    let doing = "making the package \(name)"
    try complain(doing: "\(doing), version \(version)") { lr_dpkg_version_check(version, $0, $1) }
    let layout = try PackageLayout(files, doing: doing)
    let control = try controlFile(layout, doing: doing)
    try complain(doing: doing) { lr_dpkg_control_check(control, control.utf8.count, $0, $1) }

    // In an ar archive, the size of a member precedes its bytes.
    let (_, members) = try ContentStore.temporary()
    let tar = CompressedTar(codec, blocks: blocks, time: sourceDate, doing: doing)
    let controlMember = try await tar.write(controlEntries(layout, control: control, doing: doing), to: members)
    let dataMember = try await tar.write(dataEntries(layout), to: members, report: report)
    try members.flush()
    return try await Files.replace(path) { output in
      let writer = try ArchiveWriter(.ar, time: sourceDate, to: output, doing: doing)
      try writer.addFile("debian-binary", Array("2.0\n".utf8))
      try writer.addFile("control.tar.\(codec.suffix)", controlMember)
      try writer.addFile("data.tar.\(codec.suffix)", dataMember)
      try writer.close()
      return output.finishContent()
    }
  }

  private func controlFile(_ layout: PackageLayout, doing: String) throws -> String {
    // Like dpkg-gencontrol: whole KiB for files and links, one for each folder, including the root and DEBIAN, and the
    // files that DEBIAN then holds.
    func kibibytes(_ bytes: Int) -> Int { (bytes + 1023) / 1024 }
    let scripts = maintainerScripts.values.reduce(0) { $0 + kibibytes($1.count) }
    let size = layout.entries.reduce(2 + scripts + (conffiles.isEmpty ? 0 : 1)) { sum, entry in
      switch entry {
      case .folder: sum + 1
      case .file(let file): sum + kibibytes(file.content.count)
      }
    }
    var lines = [("Package", name)]
    lines += fields.filter { $0.name == "Source" }
    lines += [("Version", version), ("Architecture", architecture)]
    lines += fields.filter { $0.name == "Maintainer" }
    lines.append(("Installed-Size", String(size)))
    lines += fields.filter { $0.name != "Source" && $0.name != "Maintainer" }
    var text = ""
    for (name, value) in lines {
      guard let first = name.utf8.first, first != 0x2d, first != 0x23,
        name.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x3a })
      else {
        throw ReleaseError(.input, doing: doing, reason: "'\(name)' cannot be the name of a field")
      }
      let parts = value.split(separator: "\n", omittingEmptySubsequences: false)
      text += "\(name): \(parts[0].trimmed)\n"
      for part in parts.dropFirst() {
        if part.allSatisfy(\.isWhitespace) {
          text += " .\n"
        } else {
          text += part.first == " " ? "\(part)\n" : " \(part)\n"
        }
      }
    }
    return text
  }

  private func controlEntries(
    _ layout: PackageLayout, control: String, doing: String
  ) throws -> [CompressedTar.Entry] {
    var members: [String: [UInt8]] = ["control": Array(control.utf8)]
    var sums = ""
    var regular: PathSet = []
    for case .file(let file) in layout.entries {
      guard case .regular(let bytes) = file.content else { continue }
      regular.insert(file.path)
      if !conffiles.contains(file.path) { sums += "\(try md5Hex(of: bytes))  \(file.path)\n" }
    }
    if let missing = conffiles.first(where: { !regular.contains($0) }) {
      throw ReleaseError(.input, doing: doing, reason: "the conffile '\(missing)' is not a file of the package")
    }
    members["md5sums"] = Array(sums.utf8)
    if !conffiles.isEmpty { members["conffiles"] = Array(conffiles.map { "/\($0)\n" }.joined().utf8) }
    let scripts: Set = ["preinst", "postinst", "prerm", "postrm", "config"]
    let plain: Set = ["templates", "triggers", "shlibs", "symbols"]
    for (name, bytes) in maintainerScripts {
      guard scripts.contains(name) || plain.contains(name) else {
        throw ReleaseError(.input, doing: doing, reason: "'\(name)' is not a control file that dpkg knows")
      }
      members[name] = bytes
    }
    return [.folder("./")]
      + members.sorted { $0.key < $1.key }.map { name, bytes in
        .file("./\(name)", .file(bytes), mode: scripts.contains(name) ? 0o755 : 0o644)
      }
  }

  private func dataEntries(_ layout: PackageLayout) -> [CompressedTar.Entry] {
    [.folder("./")]
      + layout.entries.map { entry in
        switch entry {
        case .folder(let path): .folder("./\(path)/")
        case .file(let file): .file("./\(file.path)", file.content, mode: file.mode, isRecord: file.isRecord)
        }
      }
  }
}
