// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import FoundationEssentials
import SystemPackage

/// The parts of an .rpm file that matter for signing: a lead and a signature header, then the signed header and the
/// payload. Signing only changes what precedes the second header. Source: rpm's docs/manual/format.md.
struct RPMFile {
  /// The concatenated OpenPGP signatures of the header; empty for an unsigned package.
  let signatures: [UInt8]
  /// The signed header, which contains the digest of the payload.
  let header: [UInt8]
  /// The digest of the header and everything after it: equal for packages that only differ in signatures.
  let signedPart: SHA256Digest

  /// - Throws: `ReleaseError` with code `source` if it is not an .rpm, or damaged.
  init(reading path: FilePath) throws {
    let file = try ContentStore(reading: path).whole()
    let damaged = ReleaseError(
      .source, doing: "reading \(path)", reason: "it is not an .rpm, or it is damaged", advice: "get it again")
    func read(_ start: Int, _ count: Int) throws -> [UInt8] {
      guard count <= 256 << 20, start <= file.count, count <= file.count - start else { throw damaged }
      return try file.withPiece(from: start, count: count) { Array($0) }
    }
    /// The number of index entries of the header at `start`, and its total size.
    func layout(_ start: Int) throws -> (entries: Int, size: Int) {
      let intro = try read(start, 16)
      let (entries, data) = (Self.number(intro, 8), Self.number(intro, 12))
      // The same limit as in rpm.
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

  /// The OpenPGP packets in a signature header; nil if it claims implausible sizes.
  private static func signatures(in header: [UInt8], entries: Int) -> [UInt8]? {
    // RPMSIGTAG_DSA, which EdDSA and ECDSA use too, and RPMSIGTAG_RSA; RPMSIGTAG_OPENPGP of rpm 6 holds base64.
    let (dsa, rsa, openPGP) = (267, 268, 278)
    var (plain, encoded): ([UInt8], [UInt8]) = ([], [])
    var seen: Set<Int> = []
    for entry in 0..<entries {
      let place = 16 + 16 * entry
      let tag = number(header, place)
      // Each once: otherwise a small file could refer to the same data many times.
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
    // rpm 6 stores the same signature in both tags.
    return encoded.isEmpty ? plain : encoded
  }

  /// A big-endian number of four bytes.
  private static func number(_ bytes: [UInt8], _ place: Int) -> Int {
    bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
  }
}
