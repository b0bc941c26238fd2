// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Model
import SystemPackage

/// A quilt series: a list of patches that are applied in order. Source: quilt(1), dpkg-source(1).
package struct PatchSeries: Sendable {
  package struct Patch: Sendable {
    /// The name in the series.
    package var name: String
    /// The content of the file, compressed or not.
    package var bytes: [UInt8]
    /// The number of stripped leading parts: `-p1` unless the series says otherwise.
    package var strip: Int
    /// Whether it is applied in reverse: `-R`.
    package var isReversed: Bool
    /// Its changes, as the programs get them.
    let steps: [PatchStep]
    /// The files that it may change, create or remove.
    package var paths: [String]
  }

  package var file: String
  /// The series file itself.
  package let bytes: [UInt8]
  package var patches: [Patch]

  /// The largest size of an uncompressed patch, in bytes.
  private static let limit = 64 << 20

  /// Reads a `series` file and the patches beside it.
  ///
  /// - Parameter read: returns the bytes of a file named relative to the manifest.
  package init(file: String, read: (String) throws -> [UInt8]) throws {
    self.file = file
    patches = []
    let folder = FilePath(file).removingLastComponent()
    bytes = try read(file)
    for entry in try SeriesEntry.list(bytes, file: file) {
      let place = folder.appending(entry.name).string
      let packed = try read(place)
      let text = try CompressedFile.unpacked(
        packed, limit: PatchSeries.limit, doing: "reading the patch \(entry.name)")
      var reader = PatchReader(text, file: place, name: entry.name, strip: entry.strip)
      var steps = try reader.steps()
      if entry.isReversed { steps = try steps.reversed().map { try $0.reversed(patch: entry.name) } }
      var known = PathSet()
      patches.append(
        Patch(
          name: entry.name, bytes: packed, strip: entry.strip, isReversed: entry.isReversed, steps: steps,
          paths: steps.flatMap(\.parts).flatMap(\.paths).filter { known.insert($0) }))
    }
  }

  package var paths: PathSet { PathSet(patches.flatMap(\.paths)) }

  /// The paths of a tree that must be read before the series is applied: the files that it names, and whatever is where
  /// it needs a folder.
  package var needed: PathSet {
    var needed = paths
    for path in needed { for folder in RelativePath.folders(of: path) { needed.insert(folder) } }
    return needed
  }

  package var pins: [SourcePin.PatchPin] {
    patches.map { SourcePin.PatchPin(name: $0.name, sha256: SHA256Digest(of: $0.bytes)) }
  }

  /// The patches of a series, not parsed.
  package static func pins(of file: String, read: (String) throws -> [UInt8]) throws -> [SourcePin.PatchPin] {
    let folder = FilePath(file).removingLastComponent()
    return try SeriesEntry.list(try read(file), file: file).map { entry in
      SourcePin.PatchPin(name: entry.name, sha256: SHA256Digest(of: try read(folder.appending(entry.name).string)))
    }
  }
}

/// A line of a series file.
struct SeriesEntry: Equatable {
  var name: String
  var strip = 1
  var isReversed = false

  /// Reads a series as quilt and dpkg do: a `#` begins a comment at the start of a line or after white space.
  static func list(_ bytes: [UInt8], file: String) throws -> [SeriesEntry] {
    var entries: [SeriesEntry] = []
    var lineOf = ByPath<Int>()
    for (number, line) in try PatchText.decoded(bytes, doing: "reading the series \(file)").lines.enumerated() {
      let place = SourceLocation(file: file, line: number + 1, column: 1)
      func refused(_ reason: String, _ advice: String? = nil) -> ReleaseError {
        ReleaseError(.input, at: place, doing: "reading the series", reason: reason, advice: advice)
      }
      let bytes = line.split(whereSeparator: { $0 == 0x20 || (0x09...0x0d).contains($0) })
      var words = bytes.prefix { $0.first != UInt8(ascii: "#") }.map { String(decoding: $0, as: UTF8.self) }[...]
      guard let name = words.popFirst() else { continue }
      guard bytes.first.map({ String(validating: $0, as: UTF8.self) == name }) == true else {
        throw refused("the name '\(name)' is not UTF-8")
      }
      guard isCleanPath(name) else { throw refused("'\(name)' is not a plain path") }
      if let first = lineOf[name] {
        throw refused("'\(name)' is already named in line \(first)", "a patch can be applied once")
      }
      lineOf[name] = number + 1
      var entry = SeriesEntry(name: name)
      while let option = words.popFirst() {
        if option == "-R" || option == "--reverse" {
          entry.isReversed = true
          continue
        }
        let isLong = option.hasPrefix("--strip=")
        var count = option.dropFirst(isLong ? 8 : 2)
        if option == "-p" { count = words.popFirst()?[...] ?? "" }
        // In quilt, -p ab means folders a and b: strip one.
        guard isLong || option.hasPrefix("-p"), let strip = count == "ab" ? 1 : Int(count), (0...9).contains(strip)
        else {
          throw refused("unknown option '\(option)'", "-pN and -R can follow a patch")
        }
        entry.strip = strip
      }
      entries.append(entry)
    }
    return entries
  }
}

/// The text of a series or a patch.
enum PatchText {
  /// Without a byte order mark.
  static func decoded(_ bytes: [UInt8], doing: String) throws -> ArraySlice<UInt8> {
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      throw ReleaseError(
        .input, doing: doing, reason: "it is UTF-16 text, as Windows PowerShell writes it",
        advice: "save it as UTF-8, without changing its line ends")
    }
    return bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...]
  }
}

extension RelativePath {
  /// The folders above a path, the outermost first.
  static func folders(of path: String) -> [String] {
    path.utf8.indices.filter { path.utf8[$0] == 0x2f }.map { String(path[..<$0]) }
  }
}
