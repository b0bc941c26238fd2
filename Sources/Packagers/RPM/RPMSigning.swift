// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import Releases
import SystemPackage

/// Signatures of .rpm files, made by rpmsign and checked by gpgv.
package enum RPMSigning {
  /// Checks that the tools for signing exist, before the packages are made.
  package static func demandTools(doing: String) throws {
    for program in ["rpmsign", "gpg", "gpgv"] { try Command(program, []).demandInstalled(doing: doing) }
  }

  /// Signs packages in place, and checks their signatures afterwards.
  ///
  /// - Throws: `ReleaseError` with the message of gpg or rpm.
  package static func sign(_ packages: [FilePath], with key: SigningKey) async throws {
    guard !packages.isEmpty else { return }
    let doing = "signing \(packages.map(\.name).shortened)"
    try demandTools(doing: doing)
    // rpm 4 and rpm 6 take the key from different macros. The user's own macros are overridden.
    let macros = [
      ("_gpg_name", key.localUser), ("_openpgp_sign_id", key.localUser), ("_openpgp_sign", "gpg"),
      ("_gpg_path", "%{nil}"), ("_gpg_digest_algo", "sha512"), ("_gpg_sign_cmd_extra_args", "--batch"),
      ("__gpg", Command.find("gpg")?.string.replacing("%", with: "%%") ?? "gpg"),
    ]
    var arguments = macros.flatMap { ["--define", "\($0.0) \($0.1)"] } + ["--addsign"]
    // By default, rpm 6 makes signatures that rpm 4 cannot read.
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

  /// The signer of a package.
  ///
  /// - Returns: the fingerprint; nil for an unsigned package.
  /// - Throws: `ReleaseError` with code `unverified` for an invalid or untrusted signature.
  package static func signer(of package: FilePath, _ trust: Trust) async throws -> String? {
    let file = try RPMFile(reading: package)
    guard !file.signatures.isEmpty else { return nil }
    let check = SignatureCheck(trust: trust, signature: file.signatures)
    return try await check.verify(file.header, what: package.string)
  }

  package static func isSigned(_ package: FilePath) throws -> Bool {
    try !RPMFile(reading: package).signatures.isEmpty
  }

  /// Checks the payload against the digests in the header, so that the signature covers the whole package.
  ///
  /// - Throws: `ReleaseError` with code `unverified`; with `missingTool` if rpm is not installed.
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

  /// Whether two packages only differ in their signatures.
  package static func isSame(_ one: FilePath, _ other: FilePath) throws -> Bool {
    try RPMFile(reading: one).signedPart == RPMFile(reading: other).signedPart
  }
}
