// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import Testing

/// gpg with keys of its own, in a folder that goes away, as a user has them in their home.
package struct GPGHome: Sendable {
  package let home: FilePath

  /// Makes the keyring in `workshop`, where lrelease finds it, and ends its agent afterwards.
  package static func use<R>(in workshop: Workshop, _ body: (GPGHome) async throws -> R) async throws -> R {
    let keys = GPGHome(home: workshop.folder.appending("gnupg"))
    try Files.makeFolder(keys.home, mode: 0o700)
    let result: R
    do {
      result = try await body(keys)
    } catch {
      try? await end(keys.home)
      throw error
    }
    try await end(keys.home)
    return result
  }

  /// Ends the agent, with all that it knows.
  package static func end(_ home: FilePath) async throws {
    var gpgconf = Command("gpgconf", ["--kill", "all"])
    gpgconf.environment["GNUPGHOME"] = home.string
    _ = try await gpgconf.run(doing: "ending the agent")
  }

  /// Runs gpg without asking for anything.
  ///
  /// - Parameter time: the time that it takes it to be, such as `20200101T000000`.
  @discardableResult
  package func gpg(
    _ arguments: [String], passphrase: String = "", at time: String? = nil
  ) async throws -> Command.Outcome {
    var command = Command(
      "gpg", ["--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase])
    if let time { command.arguments += ["--faked-system-time", time + "!"] }
    command.arguments += arguments
    command.environment["GNUPGHOME"] = home.string
    return try await command.check(doing: "running gpg \(arguments.joined(separator: " "))")
  }

  /// Makes a key for `NAME@example.org`.
  ///
  /// - Returns: its fingerprint.
  package func make(
    _ name: String, kind: String = "ed25519", usage: String = "sign", passphrase: String = "",
    expires: String = "never", at time: String? = nil
  ) async throws -> String {
    try await gpg(
      ["--quick-generate-key", "\(name) <\(name)@example.org>", kind, usage, expires], passphrase: passphrase, at: time)
    return try await fingerprints("\(name)@example.org").first ?? ""
  }

  /// The fingerprints of a key and its subkeys.
  package func fingerprints(_ key: String) async throws -> [String] {
    try await gpg(["--with-colons", "--list-keys", key]).text.split(separator: "\n").filter { $0.hasPrefix("fpr:") }
      .map { String($0.split(separator: ":").last ?? "") }
  }

  package func export(_ keys: [String], to path: FilePath, armoured: Bool = false) async throws {
    try Files.replace(path, with: try await gpg((armoured ? ["--armor"] : []) + ["--export"] + keys).output)
  }
}
