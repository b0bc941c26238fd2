// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import Releases
import SystemPackage

/// Signatures in .rpm files: made by rpmsign, checked by gpgv.
package enum RPMSigning {
  /// Demands what signing needs, before what is to be signed is made.
  package static func demandTools(doing: String) throws {
    for program in ["rpmsign", "gpg", "gpgv"] { try Command(program, []).demandInstalled(doing: doing) }
  }

  /// Signs packages in place, and checks that they are signed by that key then.
  ///
  /// - Throws: `ReleaseError` in the words of gpg or rpm.
  package static func sign(_ packages: [FilePath], with key: SigningKey) async throws {
    guard !packages.isEmpty else { return }
    let doing = "signing \(packages.map(\.name).shortened)"
    try demandTools(doing: doing)
    // rpm 4 and rpm 6 take the key from different macros. What the user's own macros say of it does not count.
    let macros = [
      ("_gpg_name", key.localUser), ("_openpgp_sign_id", key.localUser), ("_openpgp_sign", "gpg"),
      ("_gpg_path", "%{nil}"), ("_gpg_digest_algo", "sha512"), ("_gpg_sign_cmd_extra_args", "--batch"),
      ("__gpg", Command.find("gpg")?.string.replacing("%", with: "%%") ?? "gpg"),
    ]
    var arguments = macros.flatMap { ["--define", "\($0.0) \($0.1)"] } + ["--addsign"]
    // rpm 6 makes signatures that rpm 4 cannot read, unless it is told not to.
    let help = try await Command("rpmsign", ["--help"]).run(doing: doing)
    if help.text.contains("--rpmv4") { arguments.append("--rpmv4") }
    let rpmsign = Command(
      "rpmsign", arguments + packages.map { Files.absolute($0).string }, environment: SigningKey.environment)
    let outcome = try await rpmsign.run(doing: doing)
    guard outcome.succeeded else { throw failure(outcome, key, doing: doing) }

    let trust = try await key.trust()
    for package in packages {
      guard try await signer(of: package, trust) != nil else {
        throw ReleaseError(
          .failed, doing: doing, reason: "rpmsign succeeded, but \(package.name) is not signed",
          advice: "check the signing macros of rpm on this machine")
      }
    }
  }

  private static func failure(_ outcome: Command.Outcome, _ key: SigningKey, doing: String) -> ReleaseError {
    if outcome.errors.contains("gpg: ") { return key.failure(outcome, doing: doing) }
    let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }.map { $0.dropFirst(7) }
    return ReleaseError(
      .failed, doing: doing, reason: "rpmsign: \(errors.first.map(String.init) ?? outcome.complaint)")
  }

  /// Who signed a package.
  ///
  /// - Returns: the fingerprint; nil for a package without a signature.
  /// - Throws: `ReleaseError` with code `unverified` for a signature that does not count.
  package static func signer(of package: FilePath, _ trust: Trust) async throws -> String? {
    let file = try RPMFile(reading: package)
    guard !file.signatures.isEmpty else { return nil }
    let check = SignatureCheck(trust: trust, signature: file.signatures)
    return try await check.verify(file.header, what: package.string)
  }

  package static func isSigned(_ package: FilePath) throws -> Bool {
    try !RPMFile(reading: package).signatures.isEmpty
  }

  /// Checks the digests that the header has of the payload, so that its signature is one of the whole package.
  ///
  /// - Throws: `ReleaseError` with code `unverified`; with `missingTool` where rpm is not installed.
  package static func checkDigests(of package: FilePath) async throws {
    let doing = "checking the signature of \(package)"
    let outcome = try await withScratch { scratch in
      try await Command(
        "rpmkeys",
        [
          "--dbpath", scratch.string, "--define", "_pkgverify_level digest", "--nosignature", "--checksig",
          Files.absolute(package).string,
        ]
      ).run(doing: doing)
    }
    guard outcome.succeeded else {
      throw ReleaseError(
        .unverified, doing: doing, reason: "its content does not match the digests in its header",
        advice: "the file was changed: get it again")
    }
  }

  /// Whether two packages are the same but for their signatures.
  package static func isSame(_ one: FilePath, _ other: FilePath) throws -> Bool {
    try RPMFile(reading: one).signedPart == RPMFile(reading: other).signedPart
  }
}
