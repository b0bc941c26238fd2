// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// gpg, and what it prints.
enum GnuPG {
  /// gpg as the user has set it up: with their keys, their agent, and the terminal that the agent asks on.
  static func ofUser(_ arguments: [String]) -> Command {
    Command("gpg", ["--batch", "--quiet"] + arguments, environment: userEnvironment)
  }

  /// gpg with nothing but the keys in a folder of ours.
  static func alone(_ home: FilePath, _ arguments: [String]) -> Command {
    var command = Command("gpg", ["--batch", "--quiet", "--no-options", "--no-autostart"] + arguments)
    command.environment["GNUPGHOME"] = home.string
    return command
  }

  /// What gpg and its agent take from the environment: where the keys are, and where to ask for a passphrase.
  static var userEnvironment: [String: String] {
    var variables = Command.plainEnvironment
    for name in [
      "HOME", "GNUPGHOME", "GPG_TTY", "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR",
      "DBUS_SESSION_BUS_ADDRESS", "PINENTRY_USER_DATA", "TMPDIR",
    ] {
      if let value = environmentVariable(name) { variables[name] = value }
    }
    if variables["GPG_TTY"] == nil, let terminal = [0, 2, 1].lazy.compactMap({ ttyname($0) }).first {
      variables["GPG_TTY"] = String(cString: terminal)
    }
    return variables
  }

  /// The folder with the user's keys, for messages.
  static var home: String {
    environmentVariable("GNUPGHOME") ?? environmentVariable("HOME").map { "\($0)/.gnupg" } ?? "its keyring"
  }

  /// A key that gpg has listed.
  struct Key: Sendable {
    /// A primary key, or one of its subkeys.
    struct Part: Sendable {
      /// In capitals.
      var fingerprint = ""
      /// The letter that gpg has for it: `e` for expired, `r` for revoked.
      var validity: String
      /// The letters for what it can do: `s` for signing; in capitals, what it and its subkeys can do together.
      var capabilities: String

      var isSigning: Bool { capabilities.contains("s") }
    }

    var primary: Part
    var subkeys: [Part] = []
    /// The first name and address.
    var userID = ""

    var parts: [Part] { [primary] + subkeys }
    /// For messages: `0123…CDEF (A Name <a@example.org>)`.
    var description: String { userID.isEmpty ? primary.fingerprint : "\(primary.fingerprint) (\(userID))" }
  }

  /// The keys in the output of `--with-colons`. Source: GnuPG's doc/DETAILS.
  static func keys(in text: String) -> [Key] {
    var keys: [Key] = []
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard fields.count > 9 else { continue }
      let part = Key.Part(validity: fields[1], capabilities: fields.count > 11 ? fields[11] : "")
      switch fields[0] {
      case "pub", "sec": keys.append(Key(primary: part))
      case "sub", "ssb": if !keys.isEmpty { keys[keys.count - 1].subkeys.append(part) }
      case "fpr":
        guard var key = keys.popLast() else { continue }
        if let last = key.subkeys.indices.last {
          key.subkeys[last].fingerprint = fields[9].uppercased()
        } else {
          key.primary.fingerprint = fields[9].uppercased()
        }
        keys.append(key)
      case "uid":
        guard var key = keys.popLast() else { continue }
        if key.userID.isEmpty { key.userID = fields[9].replacing("\\x3a", with: ":").singleLine }
        keys.append(key)
      default: continue
      }
    }
    return keys
  }

  /// What gpg reports for programs, each line as its words: `["SIG_CREATED", "D", …]`.
  static func status(in text: String) -> [[String]] {
    text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
      .filter { $0.first == "[GNUPG:]" }.map { Array($0.dropFirst()) }
  }

  /// The last thing that gpg said for people, be it called by us or by rpmsign.
  static func complaint(in text: String) -> String? {
    text.split(separator: "\n").last { $0.hasPrefix("gpg: ") }.map { String($0.dropFirst(5)).trimmed }
  }
}
