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
  /// Signatures over SHA-1 count too, although two contents with one SHA-1 can be made.
  package var allowsSHA1: Bool
  /// Who named the signers.
  package var naming = Naming.manifest

  package enum Naming: Sendable { case manifest, user }

  package init(keyring: FilePath, signers: [String], bytes: [UInt8]? = nil, allowsSHA1: Bool = false) {
    self.keyring = keyring
    self.signers = signers
    self.bytes = bytes
    self.allowsSHA1 = allowsSHA1
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

/// Other places: some projects sign the compressed file.
package func signatureNames(of tarball: String) -> [String] {
  var names = [signatureName(of: tarball)]
  for ending in [".sign", ".asc", ".sig"] where !names.contains(tarball + ending) { names.append(tarball + ending) }
  return names
}

/// A detached OpenPGP signature, checked with gpgv.
///
/// If a file holds several signatures, one must be good: made by a pinned signer, with a digest that cannot be forged,
/// and neither expired nor revoked. None may be bad. gpgv's exit status does not tell this: see `GPGStatus`.
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
    if let fault = DetachedSignature.fault(of: signature) {
      throw ReleaseError(
        .unverified, doing: doing, reason: "the signature cannot be read: \(fault)",
        advice: "give a detached OpenPGP signature, binary or armoured")
    }
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
    let verdicts = GPGStatus(outcome.text).signatures.map { $0.verdict(trust) }
    if verdicts.contains(.bad) { throw refused(SignatureCheck.mismatch, "the file was changed: get it again") }
    // gpgv ends with 2 when it cannot check all of them.
    if case .good(let signer)? = verdicts.first(where: \.isGood),
      outcome.succeeded || outcome.status == .exited(2) && !verdicts.allSatisfy(\.isGood)
    {
      return signer
    }
    // What comes first says most.
    switch verdicts.max(by: { $0.weight < $1.weight }) {
    case .weak(let signer, let digest):
      throw refused(
        "\(signer) signed the \(digest) of it, which can be forged",
        digest == "SHA-1" && trust.naming == .manifest
          ? "get a new signature, or say allow-sha1 = true in the manifest where there is none" : "get a new signature")
    case .revokedKey: throw refused("the key that signed it was revoked", "do not use this file")
    case .expiredKey: throw refused("the key that signed it has expired", "get the signer's renewed key")
    case .expired: throw refused("the signature has expired", "get a new signature")
    case .other(let signer):
      let isPinned = trust.naming == .manifest
      throw ReleaseError(
        .unverified, doing: doing,
        reason: "it was signed by \(signer), which is not among the signers that "
          + (isPinned ? "the manifest pins" : "you named"),
        remedy: isPinned ? Advice("add the fingerprint to 'signers' if you trust it") : ReleasesRemedy.nameSigner)
    case .unknownKey(let key):
      throw refused("it was signed by the unknown key \(key)", "add the key to \(trust.keyring) if you trust it")
    case nil, .unreadable, .good, .bad:
      throw refused("the signature cannot be read: \(outcome.complaint)", "get the signature again")
    }
  }
}
