// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// A path of a release or a package, as people name it: a file, or a folder with all that is in it.
struct NamedPath: Sendable {
  private let path: String

  init(_ text: String) {
    var bytes = text.utf8[...]
    while bytes.starts(with: "./".utf8) { bytes = bytes.dropFirst(2) }
    // Packages hold paths from the root of a system, and list them without it.
    while bytes.first == UInt8(ascii: "/") { bytes = bytes.dropFirst() }
    while bytes.last == UInt8(ascii: "/") { bytes = bytes.dropLast() }
    path = String(Substring(bytes))
  }

  func matches(_ file: String) -> Bool { file.isSameInBytes(path) || file.startsInBytes(with: path + "/") }

  /// The error for a path that is not there.
  func isMissing(in name: String, _ paths: [String]) -> ReleaseError {
    // People often name the file and not its folder.
    let own = path.pathParts.last.map(String.init) ?? path
    let sameName = paths.filter { $0.pathParts.last?.elementsEqual(own) == true }
    func error(_ advice: String?, _ remedy: OperationsRemedy? = nil) -> ReleaseError {
      ReleaseError(
        .input, doing: "reading \(name)", reason: "it has no file '\(path)'", advice: advice, remedy: remedy)
    }
    if let near = path.nearest(in: paths) ?? (sameName.count == 1 ? sameName[0] : nil) {
      return error("did you mean '\(near)'?")
    }
    return sameName.isEmpty ? error(nil, .listFiles(of: name)) : error("it has \(sameName.shortened)")
  }
}
