// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// Public keys in a file, by which signatures of releases are checked.
package struct Keyring: Sendable {
  package let path: FilePath
  /// Binary, as gpgv reads it.
  private let bytes: [UInt8]
  private let keys: [GnuPG.Key]

  /// Reads a keyring: public keys as `gpg --export` writes them, armoured or not, or a pubring.kbx.
  package init(reading path: FilePath) async throws {
    let doing = "reading the keyring \(path)"
    self.path = path
    let file = try Files.read(path, limit: 64 << 20, doing: doing)
    let start = String(decoding: file.prefix(4 << 10), as: UTF8.self)
    guard !start.contains("BEGIN PGP PRIVATE KEY") else {
      throw ReleaseError(
        .input, doing: doing, reason: "it holds a secret key",
        advice: "give the public one, which gpg --export writes")
    }
    (bytes, keys) = try await withScratch { home in
      let keyring = home.appending("keyring")
      try Files.write(file, to: keyring, mode: 0o600)
      var bytes = file
      var place = ["--no-default-keyring", "--keyring", keyring.string]
      if start.contains("-----BEGIN PGP") {
        _ = try await GnuPG.alone(home, ["--import", "--", keyring.string]).run(doing: doing)
        bytes = try await GnuPG.alone(home, ["--export"]).check(doing: doing).output
        place = []
      }
      let listed = try await GnuPG.alone(home, place + ["--with-colons", "--list-keys"]).run(doing: doing)
      return (bytes, GnuPG.keys(in: listed.text))
    }
    guard !keys.isEmpty else {
      throw ReleaseError(
        .input, doing: doing, reason: "it holds no public keys", advice: "make it with gpg --export FINGERPRINT")
    }
  }

  /// Whose signatures count.
  ///
  /// - Parameter signers: fingerprints of keys in the keyring; none for all of them.
  /// - Throws: `ReleaseError` with code `input` for what is no fingerprint, or of a key that the keyring does not hold.
  package func trust(_ signers: [String]) throws -> Trust {
    let named = try signers.map { signer in
      let doing = "reading the signer '\(signer)'"
      let bare = signer.filter { !$0.isWhitespace }
      let digits = (bare.lowercased().hasPrefix("0x") ? String(bare.dropFirst(2)) : bare).uppercased()
      guard digits.utf8.count == 40 || digits.utf8.count == 64, digits.allSatisfy(\.isHexDigit) else {
        throw ReleaseError(
          .input, doing: doing, reason: "it is not a fingerprint of 40 hexadecimal digits",
          advice: "gpg --show-keys \(path) prints those of its keys; shorter key IDs can be forged")
      }
      guard keys.contains(where: { $0.parts.contains { $0.fingerprint == digits } }) else {
        throw ReleaseError(
          .input, doing: doing, reason: "\(path) does not hold that key",
          advice: "it holds \(keys.map(\.description).shortened)")
      }
      return digits
    }
    var trust = Trust(
      keyring: path, signers: named.isEmpty ? keys.map(\.primary.fingerprint) : named, bytes: bytes)
    trust.naming = .user
    return trust
  }

  /// The key with a fingerprint, with the name of its owner: for people.
  package func description(of fingerprint: String) -> String {
    keys.first { $0.parts.contains { $0.fingerprint == fingerprint } }?.description ?? fingerprint
  }
}
