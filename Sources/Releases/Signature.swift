// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// Whose signatures count.
package struct Trust: Sendable {
  /// Binary OpenPGP keyring; its name in messages, where `bytes` holds it.
  package var keyring: FilePath
  /// Fingerprints of primary keys, in capitals; one of them must have signed.
  package var signers: [String]
  /// The keyring itself, where it comes out of a plan.
  package var bytes: [UInt8]?
  /// Who has named the signers, and what to do about another one.
  package var namedBy = "the manifest pins"
  package var remedy: any Remedy = Advice("add the fingerprint to 'signers' if you trust it")

  package init(keyring: FilePath, signers: [String], bytes: [UInt8]? = nil) {
    self.keyring = keyring
    self.signers = signers
    self.bytes = bytes
  }

  /// The keyring as gpgv needs it.
  package func keyringBytes() throws -> [UInt8] { try bytes ?? Files.read(keyring, limit: 64 << 20) }
}

/// Where the signature of a tarball lies, as a path or URL: kernel.org signs the uncompressed tar, so that
/// linux-7.4.tar.xz goes with linux-7.4.tar.sign.
package func signatureName(of tarball: String) -> String {
  var base = tarball
  for ending in [".xz", ".gz", ".zst", ".bz2"] where base.hasSuffix(ending) { base.removeLast(ending.count) }
  return base + ".sign"
}

/// A detached OpenPGP signature, checked with gpgv.
///
/// gpgv calls a signature by an expired key valid and ends with 0; so its exit status is not enough: GOODSIG must be
/// there, the fingerprint must be pinned, and no word of expiry or revocation. Source: GnuPG's doc/DETAILS.
package struct SignatureCheck: Sendable {
  /// Why a file is refused that was changed after it was signed.
  package static let mismatch = "the signature does not match the content"

  package var trust: Trust
  package var signature: [UInt8]

  package init(trust: Trust, signature: [UInt8]) {
    self.trust = trust
    self.signature = signature
  }

  /// Checks what `body` writes to the descriptor it is given.
  ///
  /// - Returns: what `body` returned, and the fingerprint of the signer; nil when `body`'s result is a failure.
  package func verify<R: Sendable>(
    what: String, body: (FileDescriptor) async throws -> Result<R, any Error>
  ) async throws -> (Result<R, any Error>, String?) {
    let doing = "checking the signature of \(what)"
    let keyring = try trust.keyringBytes()
    if keyring.starts(with: Array("-----BEGIN".utf8)) {
      throw ReleaseError(
        .input, doing: doing, reason: "the keyring \(trust.keyring) is armoured, gpgv needs a binary one",
        advice: "convert it with gpg --dearmor")
    }
    return try await withScratch { scratch in
      let detached = scratch.appending("signature")
      try Files.write(signature, to: detached)
      let keys = scratch.appending("keyring")
      try Files.write(keyring, to: keys)
      var gpgv = Command("gpgv", ["--status-fd", "1", "--keyring", keys.string, detached.string, "-"])
      gpgv.environment["GNUPGHOME"] = scratch.string
      let (result, outcome) = try await gpgv.feed(doing: doing, body: body)
      guard case .success = result else { return (result, nil) }
      return (result, try judge(outcome, doing: doing))
    }
  }

  /// Checks bytes in memory, such as the text of a signed tag.
  package func verify(_ bytes: [UInt8], what: String) async throws -> String? {
    let (result, fingerprint) = try await verify(what: what) { sink in
      Result { try bytes.withUnsafeBytes { try sink.writeToReader($0) } }
    }
    try result.get()
    return fingerprint
  }

  private func judge(_ outcome: Command.Outcome, doing: String) throws -> String {
    func refused(_ reason: String, _ advice: String) -> ReleaseError {
      ReleaseError(.unverified, doing: doing, reason: reason, advice: advice)
    }
    let lines = outcome.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
      .filter { $0.first == "[GNUPG:]" && $0.count > 1 }
    func line(_ keyword: String) -> [String]? { lines.first { $0[1] == keyword } }
    if line("BADSIG") != nil {
      throw refused(SignatureCheck.mismatch, "the file was changed: get it again")
    }
    if let missing = line("NO_PUBKEY") {
      throw refused(
        "it was signed by the unknown key \(missing.dropFirst(2).first ?? "")",
        "add the key to \(trust.keyring) if you trust it")
    }
    if line("EXPKEYSIG") != nil || line("KEYEXPIRED") != nil && line("GOODSIG") == nil {
      throw refused("the key that signed it has expired", "get the signer's renewed key")
    }
    if line("EXPSIG") != nil { throw refused("the signature has expired", "get a new signature") }
    if line("REVKEYSIG") != nil { throw refused("the key that signed it was revoked", "do not use this file") }
    guard line("GOODSIG") != nil, let valid = line("VALIDSIG"), valid.count > 2, outcome.succeeded else {
      throw refused("the signature cannot be read: \(outcome.lastErrorLine)", "get the signature again")
    }
    // VALIDSIG gives the key that signed and, last, the primary key that it belongs to.
    let fingerprints = [valid[2], valid.last ?? valid[2]]
    guard let pinned = fingerprints.first(where: { trust.signers.contains($0.uppercased()) }) else {
      throw ReleaseError(
        .unverified, doing: doing,
        reason: "it was signed by \(fingerprints[1]), which is not among the signers that \(trust.namedBy)",
        remedy: trust.remedy)
    }
    return pinned
  }
}
