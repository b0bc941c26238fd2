// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Processes
import SystemPackage

/// A secret key of the user's gpg that signs releases.
///
/// No key and no passphrase passes through lrelease: the agent has them, or asks for them where there is a terminal.
package struct SigningKey: Sendable {
  /// Of the primary key, in capitals.
  package let fingerprint: String
  /// What tells gpg which key to take: a primary key, of which gpg takes the subkey for signing, or a subkey with `!`.
  package let localUser: String
  /// The fingerprints of the key and its subkeys.
  private let fingerprints: [String]

  /// Finds the key that signs.
  ///
  /// - Parameter id: what gpg finds a key by: a fingerprint, a key ID or an address; `!` after it is for a subkey.
  /// - Throws: `ReleaseError` with code `input` for what names no key, several, or one that cannot sign.
  package init(_ id: String) async throws {
    let doing = "opening the signing key '\(id)'"
    let isExact = id.hasSuffix("!")
    let name = isExact ? String(id.dropLast()) : id
    func refused(_ reason: String, _ advice: String) -> ReleaseError {
      ReleaseError(.input, doing: doing, reason: reason, advice: advice)
    }
    guard !name.trimmed.isEmpty else { throw refused("it has no name", "give its fingerprint") }
    let listed = try await GnuPG.ofUser(["--with-colons", "--list-secret-keys", "--", name]).run(doing: doing)
    let keys = GnuPG.keys(in: listed.text)
    let usable = keys.filter { Self.problem($0) == nil }
    guard let key = usable.first ?? keys.first else {
      let complaint = GnuPG.complaint(in: listed.errors).flatMap { $0.hasSuffix("No secret key") ? nil : " (\($0))" }
      throw refused(
        "gpg has no such secret key in \(GnuPG.home)\(complaint ?? "")",
        "gpg --list-secret-keys lists those that it has")
    }
    guard usable.count <= 1, keys.count == 1 || !usable.isEmpty else {
      let all = (usable.isEmpty ? keys : usable).map(\.description).shortened
      throw refused("it names several: \(all)", "give the fingerprint of one")
    }
    if let problem = Self.problem(key) { throw refused("\(key.description) \(problem)", "give another key") }
    fingerprint = key.primary.fingerprint
    fingerprints = key.parts.map(\.fingerprint)
    guard isExact else {
      localUser = fingerprint
      return
    }
    let digits = (name.lowercased().hasPrefix("0x") ? String(name.dropFirst(2)) : name).uppercased()
    guard let part = key.parts.first(where: { $0.fingerprint.hasSuffix(digits) }) else {
      throw refused("! follows the key ID or the fingerprint of a subkey", "give one, or leave out the !")
    }
    guard part.isSigning, !"erdi".contains(part.validity) else {
      throw refused(
        "the subkey \(part.fingerprint) " + (part.isSigning ? "has expired or was revoked" : "is not for signing"),
        "give another subkey")
    }
    localUser = "\(part.fingerprint)!"
  }

  /// Why a key cannot sign.
  private static func problem(_ key: GnuPG.Key) -> String? {
    switch key.primary.validity {
    case "e": "has expired"
    case "r": "was revoked"
    case "i": "is not valid"
    case _ where key.primary.capabilities.contains("D"): "is disabled"
    // In capitals: the key, or a subkey of it that has not expired.
    default: key.primary.capabilities.contains("S") ? nil : "has no key for signing that has not expired"
    }
  }

  // MARK: signing

  /// Makes an armoured detached signature of what `body` writes to the descriptor that it is given.
  ///
  /// - Returns: what `body` returned, and the signature; that is empty when `body`'s result is a failure.
  /// - Throws: `ReleaseError` with gpg's message.
  package func sign<R: Sendable>(
    what: String, body: (FileDescriptor) async throws -> Result<R, any Error>
  ) async throws -> (Result<R, any Error>, [UInt8]) {
    let doing = "signing \(what)"
    let gpg = GnuPG.ofUser([
      "--armor", "--no-textmode", "--digest-algo", "SHA512", "--local-user", localUser, "--status-fd", "2",
      "--output", "-", "--detach-sign",
    ])
    let (result, outcome) = try await gpg.feed(doing: doing, body: body)
    guard case .success = result else { return (result, []) }
    let signers = GnuPG.status(in: outcome.errors).filter { $0.first == "SIG_CREATED" }.compactMap(\.last)
    guard outcome.succeeded, signers.contains(where: { fingerprints.contains($0.uppercased()) }) else {
      throw failure(outcome, doing: doing)
    }
    return (result, outcome.output)
  }

  /// Signs bytes in memory.
  package func sign(_ bytes: [UInt8], what: String) async throws -> [UInt8] {
    let (result, signature) = try await sign(what: what) { sink in
      Result { try bytes.withUnsafeBytes { try sink.writeToReader($0) } }
    }
    try result.get()
    return signature
  }

  /// Signs the tar in a tarball, as kernel.org has it: the signature is good however the tar is compressed.
  ///
  /// - Parameter sha256: of the tarball as it lies there, which was checked before.
  package func sign(tarball path: FilePath, sha256: SHA256Digest, progress: Progress) async throws -> [UInt8] {
    let what = "the tar in \(path)"
    let archive = try await ArchiveFile.unchanged(path, sha256, doing: "signing \(what)")
    let read = try await archive.read(wants: ArchiveFile.noFile, progress: progress) { scan in
      let (result, signature) = try await sign(what: what) { sink in Result { try scan { try sink.writeToReader($0) } }
      }
      return result.map { ($0, signature) }
    }
    return read.other
  }

  /// Signs a few bytes, so that gpg asks for the passphrase, and problems with the key show, before long work.
  package func unlock() async throws { _ = try await sign(Array("lrelease\n".utf8), what: "a test") }

  /// Counts the signatures of this key, and no others.
  package func trust() async throws -> Trust {
    let exported = try await GnuPG.ofUser(["--no-armor", "--export", "--", fingerprint])
      .check(doing: "exporting the key \(fingerprint)")
    var trust = Trust(
      keyring: FilePath("the keyring of the key \(fingerprint)"), signers: [fingerprint], bytes: exported.output)
    trust.naming = .user
    return trust
  }

  /// What gpg, or a program that calls it, says of a signature that it did not make.
  package func failure(_ outcome: Command.Outcome, doing: String) -> ReleaseError {
    let complaint = GnuPG.complaint(in: outcome.errors) ?? outcome.complaint
    let needsTerminal = ["ioctl", "No pinentry", "/dev/tty", "Timeout"].contains { complaint.contains($0) }
    let advice =
      if needsTerminal {
        "its passphrase cannot be asked for here: sign in a terminal, or let the agent know it before"
      } else if complaint.contains("agent") {
        "gpg signs by its agent: install gpg-agent and see that it runs"
      } else {
        "see that gpg signs with it: gpg --local-user \(localUser) --detach-sign FILE"
      }
    return ReleaseError(.failed, doing: doing, reason: "gpg: \(complaint)", advice: advice)
  }

  /// The environment of a program that calls gpg itself.
  package static var environment: [String: String] { GnuPG.userEnvironment }
}
