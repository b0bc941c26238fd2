// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// One line of the origins list: a file of the release and where it came from.
package struct OriginRecord: Sendable, Equatable, Codable {
  package var path: String
  /// In octal: 0644, 0755; 0777 for a link.
  package var mode: String
  /// Of the content; of the target, for a link.
  package var sha256: SHA256Digest
  package var link: String?
  package var origin: Origin

  package init(path: String, entry: TreeEntry) {
    self.path = path
    mode = "0" + String(entry.mode, radix: 8)
    sha256 = entry.content.sha256
    if case .link(let target) = entry.content { link = target }
    origin = entry.origin
  }

  /// The list as JSON lines, in the order of the paths.
  package static func list(_ tree: ReleaseTree) throws -> [UInt8] {
    var out: [UInt8] = []
    for path in tree.paths {
      guard let entry = tree[path] else { continue }
      out += try JSON.encode(OriginRecord(path: path, entry: entry), pretty: false)
    }
    return out
  }

  package static func parse(_ bytes: [UInt8], file: String) throws -> [OriginRecord] {
    try bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated().compactMap { number, line in
      if line.isEmpty { return nil }
      do {
        return try JSON.decode(OriginRecord.self, from: Array(line))
      } catch let error as DecodingError {
        throw ReleaseError(
          .source, at: SourceLocation(file: file, line: number + 1, column: 1), doing: "reading the origins",
          reason: "the line is not a record of lrelease: \(error.reason)", cause: error)
      }
    }
  }
}
