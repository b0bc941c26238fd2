// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import SystemPackage

@testable import Packagers

extension FuzzReader {
  /// An uncompressed tar.
  static let archive = FuzzReader("archive", mend: mendChecksums) { bytes in
    var plain: PathSet?
    for strips in [false, true] {
      let file = try withFile(bytes, named: "a.tar") { try FileDescriptor.open($0, .readOnly) }
      defer { try? file.close() }
      var limits = ArchiveLimits()
      limits.uncompressed = 16 << 20
      limits.kept = 4 << 20
      limits.entries = 10_000
      let reader = ArchiveReader(name: "a.tar", limits: limits, stripsTopFolder: strips, wants: { !$0.hasSuffix(".o") })
      let result: ArchiveReader.Result
      do { result = try reader.read(file) } catch is ReleaseError { continue }
      if !strips { plain = PathSet(result.files.keys) }
      if strips, let plain {
        let whole = result.files.keys.map { "\(result.topFolder ?? "")/\($0)" }
        try demand(whole.allSatisfy(plain.contains), "without its top folder it has other paths")
      }
      try demand(result.files.values.reduce(0) { $0 + $1.content.count } <= 4 << 20, "it keeps more than it may")
      for (path, file) in result.files {
        try demand(isPlain(path) && isCleanPath(path), "it holds the path \(path)")
        if case .link(let target) = file.content {
          try demand(linkStaysInside(path, target: target), "the link \(path) leads to \(target)")
        }
        try demand(try SHA256Digest(of: file.content.read()) == file.content.sha256, "\(path) has another digest")
        for folder in 1..<max(1, path.pathParts.count) {
          let above = path.pathParts.prefix(folder).joined(separator: "/")
          try demand(result.files[above] == nil, "\(above) is a file, and the folder of \(path)")
        }
      }
    }
  }

  /// A changed header is worth more with a checksum that is right: a wrong one ends the reading at once.
  @Sendable private static func mendChecksums(_ bytes: inout [UInt8]) {
    guard bytes.count >= 512 else { return }
    for start in stride(from: 0, through: bytes.count - 512, by: 512) {
      // What looks like a header: a sum in octal digits, or the mark of ustar.
      let sum = bytes[start + 148..<start + 154]
      guard sum.allSatisfy({ (0x30...0x37).contains($0) || $0 == 0x20 }) || bytes[start + 257] == 0x75 else { continue }
      for index in 148..<156 { bytes[start + index] = 0x20 }
      let digits = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
      let field = Array((String(repeating: "0", count: max(0, 6 - digits.count)) + digits).utf8) + [0, 0x20]
      bytes.replaceSubrange(start + 148..<start + 156, with: field.prefix(8))
    }
  }

  /// An .rpm, as far as signing reads it.
  static let rpm = FuzzReader("rpm") { bytes in
    let file = try withFile(bytes, named: "a.rpm") { try RPMFile(reading: $0) }
    try demand(file.signatures.count + file.header.count <= 2 * bytes.count, "it holds more than the file")
    try demand(bytes.firstRange(of: file.header) != nil, "its header is not in the file")
  }

  /// A control file of Debian.
  static let control = FuzzReader("control") { bytes in
    let control = try DebianControl(parsing: String(decoding: bytes, as: UTF8.self), file: "control")
    let again = try DebianControl(parsing: control.text, file: "control")
    try demand(again.text.utf8.elementsEqual(control.text.utf8), "'\(control.text)' is read as '\(again.text)'")
    try demand(again.stanzas.count == control.stanzas.count, "\(control.stanzas.count) stanzas become another number")
  }
}
