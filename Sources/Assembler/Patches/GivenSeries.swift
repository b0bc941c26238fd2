// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import SystemPackage

extension PatchSeries {
  /// Reads what the user named: a series with its patches beside it, a single patch, or a folder with either.
  ///
  /// In a folder without a `series`, as `git format-patch -o` writes it, patches apply in the order of their names.
  package init(at path: FilePath) throws {
    func read(_ place: FilePath) throws -> [UInt8] { try Files.read(place, limit: 64 << 20, doing: "reading \(place)") }
    if Files.isFolder(path) {
      if Files.exists(path.appending("series")) {
        try self.init(file: path.appending("series").string) { try read(FilePath($0)) }
        return
      }
      let names = try Files.names(in: path).map { String(decoding: $0, as: UTF8.self) }
      let patches = names.filter { Self.isPatchName($0) }.sortedByBytes()
      guard !patches.isEmpty else {
        throw ReleaseError(
          .input, doing: "reading the patches in \(path)", reason: "it holds no file series and no patches",
          advice: "give a series, a patch, or a folder that 'git format-patch -o' has written")
      }
      try self.init(of: patches.map { (path.appending($0), $0) }, read)
      return
    }
    let bytes = try read(path)
    guard Self.isPatch(bytes) else {
      try self.init(file: path.string) { try read(FilePath($0)) }
      return
    }
    try self.init(of: [(path, path.lastComponent?.string ?? "patch")], read)
  }

  /// A series of patches without a series file. Not every file name is possible in a series.
  private init(of patches: [(place: FilePath, name: String)], _ read: (FilePath) throws -> [UInt8]) throws {
    var places: [String: FilePath] = [:]
    var list = ""
    for patch in patches {
      let name = String(patch.name.map { $0.isWhitespace || $0 == "#" ? "-" : $0 })
      guard places.updateValue(patch.place, forKey: name) == nil else {
        throw ReleaseError(
          .input, doing: "reading the patches",
          reason: "the name of \(patch.place) becomes \(name), as another one does",
          advice: "rename one of them")
      }
      list += "\(name)\n"
    }
    let text = list
    try self.init(file: "series") { file in
      if let place = places[file] { return try read(place) }
      return Array(text.utf8)
    }
  }

  private static func isPatchName(_ name: String) -> Bool {
    let packed = [".gz", ".xz", ".zst", ".bz2", ".lz"].first(where: name.hasSuffix) ?? ""
    let plain = name.dropLast(packed.count)
    return plain.hasSuffix(".patch") || plain.hasSuffix(".diff")
  }

  /// Lines that never occur in a series.
  private static func isPatch(_ bytes: [UInt8]) -> Bool {
    guard let text = try? CompressedFile.unpacked(bytes, limit: 64 << 20, doing: "reading") else { return false }
    return ["--- ", "diff --git ", "Index: "].contains { mark in
      text.starts(with: mark.utf8) || text.firstRange(of: Array("\n\(mark)".utf8)) != nil
    }
  }
}
