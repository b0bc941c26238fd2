// SPDX-License-Identifier: GPL-2.0-only

/// Files that people take for tarballs.
enum ForeignFile {
  private static let repack = "unpack it, and give the folder or a .tar.xz of it"

  /// What begins so, by its magic numbers: file(1) has them all.
  private static let kinds: [(magic: [UInt8], name: String)] = [
    (Array("PK\u{3}\u{4}".utf8), "a zip file"), (Array("PK\u{5}\u{6}".utf8), "an empty zip file"),
    ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z file"), (Array("Rar!".utf8), "a rar file"),
    (Array("LZIP".utf8), "compressed by lzip"), ([0x1f, 0x9d], "compressed by compress (.Z)"),
    ([0x5d, 0, 0], "compressed as .lzma"), ([0x04, 0x22, 0x4d, 0x18], "compressed by lz4"),
    ([0x89, 0x4c, 0x5a, 0x4f], "compressed by lzop"), (Array("!<arch>".utf8), "an ar archive, as a .deb is"),
    ([0xed, 0xab, 0xee, 0xdb], "an RPM package"), (Array("07070".utf8), "a cpio archive"),
    (Array("# v2 git bundle".utf8), "a git bundle"), (Array("# v3 git bundle".utf8), "a git bundle"),
    (Array("version https://git-lfs".utf8), "a pointer of Git LFS, not the file itself"),
  ]

  /// Why a file that begins with `start` is not a tarball that lrelease reads, and what to do; nil if that is unknown.
  static func describe(_ start: [UInt8]) -> (reason: String, advice: String?)? {
    if start.isEmpty { return ("it is not a tarball: it is empty", nil) }
    if start.count == 512, start.allSatisfy({ $0 == 0 }) { return ("it is not a tarball, or one that is empty", nil) }
    if isPage(start) {
      return ("it is not a tarball: it is an HTML page", "look at the page in a browser: it may ask for a login")
    }
    return kinds.first { start.starts(with: $0.magic) }.map {
      ("it is not a tarball that is read: it is \($0.name)", repack)
    }
  }

  private static func isPage(_ start: [UInt8]) -> Bool {
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    let text = (start.starts(with: mark) ? start.dropFirst(3) : start[...]).drop {
      [0x20, 0x09, 0x0a, 0x0d].contains($0)
    }
    let lower = String(decoding: text.prefix(14), as: UTF8.self).lowercased()
    return lower.hasPrefix("<!doctype html") || lower.hasPrefix("<html") || lower.hasPrefix("<head")
  }
}
