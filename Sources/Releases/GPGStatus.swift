// SPDX-License-Identifier: GPL-2.0-only

/// What gpgv says of the signatures in a file, on its status descriptor.
///
/// It calls a signature by an expired key valid and ends with 0: so GOODSIG must be there, and VALIDSIG with a fingerprint
/// that is pinned. Source: GnuPG's doc/DETAILS.
struct GPGStatus {
  /// The lines of one signature.
  struct Signature {
    fileprivate var lines: [[String]] = []
  }

  enum Verdict: Equatable {
    /// With the fingerprint that is pinned.
    case good(String)
    /// It does not belong to this content.
    case bad
    /// A pinned signer made it, over a digest that can be forged.
    case weak(signer: String, digest: String)
    case revokedKey, expiredKey, expired
    /// It is good, and nobody pinned who made it.
    case other(String)
    case unknownKey(String)
    case unreadable

    var isGood: Bool { if case .good = self { true } else { false } }

    /// How much it says of why a file is refused.
    var weight: Int {
      switch self {
      case .good, .bad, .weak: 6
      case .revokedKey: 5
      case .expiredKey: 4
      case .expired: 3
      case .other: 2
      case .unknownKey: 1
      case .unreadable: 0
      }
    }
  }

  private(set) var signatures: [Signature] = []

  init(_ text: String) {
    for line in text.utf8.split(separator: 0x0a) {
      let words = line.split(separator: 0x20).map { String(Substring($0)) }
      guard words.count > 1, words[0] == "[GNUPG:]" else { continue }
      if words[1] == "NEWSIG" || signatures.isEmpty { signatures.append(Signature()) }
      signatures[signatures.count - 1].lines.append(words)
    }
  }
}

extension GPGStatus.Signature {
  /// VALIDSIG gives digests by number, as RFC 4880 does in 9.4.
  private static let weakDigests = ["1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"]

  private func line(_ keyword: String) -> [String]? { lines.first { $0[1] == keyword } }

  func verdict(_ trust: Trust) -> GPGStatus.Verdict {
    if line("BADSIG") != nil { return .bad }
    if let missing = line("NO_PUBKEY") { return .unknownKey(missing.dropFirst(2).first ?? "") }
    if line("REVKEYSIG") != nil { return .revokedKey }
    if line("EXPKEYSIG") != nil || line("KEYEXPIRED") != nil && line("GOODSIG") == nil { return .expiredKey }
    if line("EXPSIG") != nil { return .expired }
    guard line("GOODSIG") != nil, let valid = line("VALIDSIG"), valid.count > 11 else { return .unreadable }
    // The key that signed, and the primary key that it belongs to.
    let fingerprints = [valid[2], valid[11]]
    guard let pinned = fingerprints.first(where: { trust.signers.contains($0.uppercased()) }) else {
      return .other(fingerprints[1])
    }
    if let weak = Self.weakDigests[valid[9]], !(trust.allowsSHA1 && weak == "SHA-1") {
      return .weak(signer: pinned, digest: weak)
    }
    return .good(pinned)
  }
}

/// What stands in a signature file.
enum DetachedSignature {
  /// Why it is no detached signature that gpgv reads; nil where it may be one.
  static func fault(of bytes: [UInt8]) -> String? {
    guard let first = bytes.first else { return "it is empty" }
    func starts(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
    if starts("-----BEGIN PGP SIGNED MESSAGE-----") { return "it is a signed text, and the signature is in the text" }
    if starts("-----BEGIN PGP MESSAGE-----") { return "it is a message with its signature, not a signature alone" }
    if starts("-----BEGIN PGP PUBLIC KEY BLOCK-----") { return "it is a key" }
    if starts("-----BEGIN SSH SIGNATURE-----") { return "it is a signature by ssh-keygen" }
    if starts("untrusted comment:") { return "it is a signature by minisign or signify" }
    if starts("<") { return "it is a page or another text" }
    // The tag of the first packet, in the old form or the new: 2 is a signature. Source: RFC 4880, 4.2.
    if first & 0x80 != 0, (first & 0x40 != 0 ? first & 0x3f : first >> 2 & 0x0f) != 2 {
      return "it does not begin with a signature"
    }
    return nil
  }
}
