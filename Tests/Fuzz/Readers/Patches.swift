// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

@testable import Assembler

// What comes with sources, or leads to them.

extension FuzzReader {
  private static let plainPatch = Array("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n".utf8)

  /// A series, whose patches are all the same.
  static let series = FuzzReader("series") { bytes in
    let series = try PatchSeries(file: "patches/series") { $0 == "patches/series" ? bytes : plainPatch }
    for patch in series.patches {
      try demand(isPlain(patch.name) && isCleanPath(patch.name), "the series names \(patch.name)")
      try demand((0...9).contains(patch.strip), "-p\(patch.strip)")
    }
    try demand(
      ByPath(series.patches.map { ($0.name, 1) }).count == series.patches.count, "a patch is in the series twice")
  }

  /// A patch, applied as it is and taken back. The first byte says with which -p.
  static let patch = FuzzReader("patch") { bytes in
    for (options, strip) in [("", 1), ("-p0", 0), ("-R", 1)] {
      let series = try? PatchSeries(file: "series") {
        $0 == "series" ? Array("x.patch \(options)\n".utf8) : bytes
      }
      guard let patch = series?.patches.first else { continue }
      try demand(!patch.steps.isEmpty, "a patch without a change was accepted")
      for path in patch.paths { try demand(isPlain(path) && isCleanPath(path), "the patch changes \(path)") }
      for part in patch.steps.flatMap(\.parts) {
        try demand(!part.paths.isEmpty, "a part in line \(part.line) names no file")
        try demand(part.added >= 0 && part.removed >= 0 && !part.text.isEmpty, "a part in line \(part.line) is empty")
        if part.isGit { continue }
        // What is given to GNU patch must be read as the same again.
        var reader = PatchReader(part.text, file: "x", name: "x", strip: strip)
        let again = try reader.steps().flatMap(\.parts)
        let paths = again.flatMap(\.paths)
        try demand(
          again.count == 1 && again[0].added + again[0].removed == part.added + part.removed
            && part.paths.allSatisfy(PathSet(paths).contains),
          "the part in line \(part.line) is written as another: \(String(decoding: part.text, as: UTF8.self))")
      }
      var tree = PatchedTree([:], series: "series")
      for step in patch.steps { try? tree.apply(step, of: patch) }
    }
  }

  /// The address of a source.
  static let address = FuzzReader("address") { bytes in
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    for kind in Manifest.Source.Kind.allCases {
      guard let address = try? SourceAddress(text, kind: kind, doing: "reading", isHere: { _ in false }) else {
        continue
      }
      if case .repository(let text) = address {
        try demand(text.utf8.first != 0x2d, "git would take \(text) for an option")
      }
    }
    if let address = try? SourceAddress(text, kind: .archive, doing: "reading", isHere: { _ in false }),
      case .path(let path) = address, text.hasPrefix("file://"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    {
      // What is no escape stays.
      let signs = text.utf8.count { $0 == UInt8(ascii: "+") }
      try demand(path.string.utf8.count { $0 == UInt8(ascii: "+") } >= signs, "\(text) leads to \(path)")
    }
    let shown = SourceAddress.shown(text)
    try demand(!SourceAddress.hasPassword(shown), "\(shown) shows a password")
    _ = SourceAddress.shown("curl: \(text)", of: text)
    _ = SourceAddress.isRemote(text)
  }

  /// A tag object of git.
  static let tag = FuzzReader("tag") { bytes in
    guard let tag = GitTag(bytes) else { return }
    try demand(tag.payload.count <= bytes.count + 1, "more was signed than there is")
    if case .openPGP(let signature)? = tag.signature {
      try demand(!signature.isEmpty, "an empty signature")
      try demand(signature.starts(with: "-----BEGIN PGP".utf8), "a signature that begins otherwise")
    }
  }
}
