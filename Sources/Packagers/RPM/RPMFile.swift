// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import FoundationEssentials
import SystemPackage

/// An .rpm file as signing sees it: a lead and a header of signatures, and then the header that they sign, and the
/// payload. Signing changes what is before the second header, and nothing after. Source: rpm's docs/manual/format.md.
struct RPMFile {
  /// The OpenPGP signatures of the header, one after the other; empty for a package that is not signed.
  let signatures: [UInt8]
  /// The header that is signed. The digest of the payload is in it.
  let header: [UInt8]
  /// Of the header and all that follows it: the same for packages that differ in nothing but signatures.
  let signedPart: SHA256Digest

  /// - Throws: `ReleaseError` with code `source` for what is no .rpm, or a damaged one.
  init(reading path: FilePath) throws {
    let file = try ContentStore(reading: path).whole()
    let damaged = ReleaseError(
      .source, doing: "reading \(path)", reason: "it is not an .rpm, or it is damaged", advice: "get it again")
    func read(_ start: Int, _ count: Int) throws -> [UInt8] {
      guard count <= 256 << 20, start <= file.count, count <= file.count - start else { throw damaged }
      return try file.withPiece(from: start, count: count) { Array($0) }
    }
    /// The number of entries in the index of the header at `start`, and its whole size.
    func layout(_ start: Int) throws -> (entries: Int, size: Int) {
      let intro = try read(start, 16)
      let (entries, data) = (Self.number(intro, 8), Self.number(intro, 12))
      // As many as rpm reads.
      guard intro.starts(with: [0x8e, 0xad, 0xe8, 0x01]), entries <= 0xffff else { throw damaged }
      return (entries, 16 + 16 * entries + data)
    }
    let leadSize = 96
    let first = try layout(leadSize)
    guard let signatures = try Self.signatures(in: read(leadSize, first.size), entries: first.entries) else {
      throw damaged
    }
    self.signatures = signatures
    let start = (leadSize + first.size + 7) / 8 * 8
    header = try read(start, layout(start).size)
    var hasher = SHA256Digest.Hasher()
    for place in stride(from: start, to: file.count, by: 1 << 20) {
      try file.withPiece(from: place, count: min(1 << 20, file.count - place)) { hasher.update($0) }
    }
    signedPart = hasher.finalize()
  }

  /// The OpenPGP packets in a header of signatures; nil where it says that there is more than any package has.
  private static func signatures(in header: [UInt8], entries: Int) -> [UInt8]? {
    // RPMSIGTAG_DSA, which EdDSA and ECDSA use too, and RPMSIGTAG_RSA; RPMSIGTAG_OPENPGP of rpm 6 holds base64.
    let (dsa, rsa, openPGP) = (267, 268, 278)
    var (plain, encoded): ([UInt8], [UInt8]) = ([], [])
    var seen: Set<Int> = []
    for entry in 0..<entries {
      let place = 16 + 16 * entry
      let tag = number(header, place)
      // Each once, or a small file could name the same data without end.
      if [dsa, rsa, openPGP].contains(tag), !seen.insert(tag).inserted { return nil }
      let offset = 16 + 16 * entries + number(header, place + 8)
      let count = number(header, place + 12)
      guard offset <= header.count, plain.count + encoded.count < 1 << 20 else { return nil }
      if tag == dsa || tag == rsa, count <= header.count - offset {
        plain += header[offset..<offset + count]
      } else if tag == openPGP {
        let data = header[offset...].prefix(1 << 20)
        let strings = data.split(separator: 0, maxSplits: count, omittingEmptySubsequences: false)
        for string in strings.prefix(count) {
          encoded += Data(base64Encoded: Data(string)).map { Array($0) } ?? []
        }
      }
    }
    // rpm 6 gives the same signature in both ways.
    return encoded.isEmpty ? plain : encoded
  }

  /// A number of four bytes, the highest first.
  private static func number(_ bytes: [UInt8], _ place: Int) -> Int {
    bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
  }
}
