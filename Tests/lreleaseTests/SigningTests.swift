// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import Releases
import SystemPackage
import TestSupport
import Testing

/// Releases signed by real keys, and what is said of those that were tampered with.
@Suite struct SigningTests {
  private static let name = "sample-7.2.1"
  private static let signatures = ["SHA256SUMS.asc", "\(name).tar.sign"]

  /// A release of the sample in `out`, with keys.
  private func use(_ body: (Workshop, GPGHome, FilePath) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      try await GPGHome.use(in: workshop) { keys in
        let outcome = try await workshop.cutSample()
        try #require(outcome.succeeded, "\(outcome.errors)")
        try await body(workshop, keys, workshop.output.appending(Self.name))
      }
    }
  }

  private func names(in folder: FilePath) throws -> Set<String> {
    Set(try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) })
  }

  // MARK: signing

  @Test func aReleaseIsSignedBesideItsFiles() async throws {
    try await use { workshop, keys, release in
      let key = try await keys.make("maker")
      let before = try names(in: release)
      let sums = try Files.read(release.appending("SHA256SUMS"))
      let signed = try await workshop.run([
        "sign", "out/\(Self.name)", "--key", "maker@example.org", "--quiet", "--json",
      ])
      #expect(signed.succeeded && signed.errors.isEmpty, "\(signed.errors)")
      #expect(
        signed.text.contains("\"signedBy\" : \"\(key)\"") && signed.text.contains("sample-dkms-7.2.1-1.noarch.rpm"))
      #expect(try names(in: release) == before.union(Self.signatures))
      #expect(try Files.read(release.appending("SHA256SUMS")) == sums)
      for name in Self.signatures {
        let text = String(decoding: try Files.read(release.appending(name)), as: UTF8.self)
        #expect(text.hasPrefix("-----BEGIN PGP SIGNATURE-----\n"), "\(text)")
      }

      try await keys.export([key], to: workshop.folder.appending("keys.gpg"))
      try await keys.export([key], to: workshop.folder.appending("keys.asc"), armoured: true)
      for keyring in ["keys.gpg", "keys.asc", "gnupg/pubring.kbx"] {
        let verified = try await workshop.run(["verify", "out/\(Self.name)", "--keyring", keyring])
        let line = "\(Self.name) signed by \(key) (maker <maker@example.org>): SHA256SUMS, \(Self.name).tar\n"
        #expect(verified.succeeded && verified.text.contains(line), "\(keyring): \(verified.errors)\(verified.text)")
        #expect(verified.text.contains("not signed: sample-7.2.1-1.src.rpm, sample-dkms-7.2.1-1.noarch.rpm\n"))
      }
      let unasked = try await workshop.run(["verify", "out/\(Self.name)", "--quiet"])
      #expect(unasked.succeeded && unasked.errors.contains("warning: not checked"), "\(unasked.errors)")
      #expect(unasked.errors.contains("SHA256SUMS.asc and \(Self.name).tar.sign"), "\(unasked.errors)")

      let again = try await workshop.run(["sign", "out/\(Self.name)", "--key", key, "--quiet"])
      workshop.expectRefusal(again, 5, "already signed: there is SHA256SUMS.asc and", "--replace", leaves: [Self.name])
      // A name that is killed on the way is one that a release may hold, and goes.
      try workshop.write("out/\(Self.name)/SHA256SUMS.new", "half")
      #expect(try await workshop.run(["verify", "out/\(Self.name)", "--quiet"]).succeeded)
      let replaced = try await workshop.run(["sign", "out/\(Self.name)", "--key", key, "--quiet", "--replace"])
      #expect(replaced.succeeded, "\(replaced.errors)")
      #expect(try names(in: release) == before.union(Self.signatures))
      // Whoever opens a release finds it whole.
      for command in [["show"], ["rebuild", "--output", "new"], ["diff", "out/\(Self.name)"]] {
        let outcome = try await workshop.run(command + ["out/\(Self.name)", "--quiet"])
        #expect(outcome.succeeded, "\(command): \(outcome.errors)")
      }
    }
  }

  @Test func aTarballAloneIsSigned() async throws {
    try await use { workshop, keys, _ in
      let key = try await keys.make("maker")
      try await keys.export([key], to: workshop.folder.appending("keys.gpg"))
      let tarball = "\(Self.name).tar.xz"
      try await workshop.shell("mkdir alone; cp out/\(Self.name)/\(tarball) alone/")
      let none = try await workshop.run(["verify", "alone/\(tarball)", "--keyring", "keys.gpg", "--quiet"])
      workshop.expectRefusal(none, 4, "not signed: there is no \(Self.name).tar.sign;", leaves: [Self.name])
      let signed = try await workshop.run(["sign", "alone/\(tarball)", "--key", key, "--quiet"])
      #expect(signed.succeeded, "\(signed.errors)")
      #expect(try names(in: workshop.folder.appending("alone")) == [tarball, "\(Self.name).tar.sign"])
      let verified = try await workshop.run(["verify", "alone/\(tarball)", "--keyring", "keys.gpg"])
      #expect(verified.succeeded && verified.text.contains("signed by \(key)"), "\(verified.errors)")
      // The signature is of the tar: another compression of it is as good.
      try await workshop.shell("cd alone; xz -d \(tarball); zstd -q --rm \(Self.name).tar")
      let other = try await workshop.run(["verify", "alone/\(Self.name).tar.zst", "--keyring", "keys.gpg", "--quiet"])
      #expect(other.succeeded, "\(other.errors)")
      // What is damaged is not signed.
      try await workshop.shell("rm alone/*.sign; echo >>out/\(Self.name)/plan.json")
      let damaged = try await workshop.run(["sign", "out/\(Self.name)", "--key", key, "--quiet"])
      workshop.expectRefusal(damaged, 6, "plan.json is not what was released", leaves: [Self.name])
    }
  }

  @Test func keysThatCannotSignAreNamed() async throws {
    try await use { workshop, keys, release in
      let maker = try await keys.make("maker")
      let other = try await keys.make("remaker")
      _ = try await keys.make("expired", expires: "2d", at: "20200101T000000")
      _ = try await keys.make("certifier", usage: "cert")
      let revoked = try await keys.make("revoked")
      let certificate = try Files.read(keys.home.appending("openpgp-revocs.d").appending("\(revoked).rev"))
      try workshop.write(
        "revoke", String(decoding: certificate, as: UTF8.self).replacing(":-----BEGIN", with: "-----BEGIN"))
      try await keys.gpg(["--import", workshop.folder.appending("revoke").string])
      let before = try names(in: release)
      for (id, words) in [
        ("nobody@example.org", ["no such secret key in \(keys.home)", "gpg --list-secret-keys"]),
        ("--output=x", ["no such secret key"]), ("maker", ["names several: ", maker, other]),
        ("expired", ["expired@example.org", "has expired"]), ("revoked", [revoked, "was revoked"]),
        ("certifier", ["no key for signing"]), ("0123456789ABCDEF!", ["no such secret key"]),
        ("<maker@example.org>!", ["! follows the key ID"]), (" ", ["it has no name"]),
      ] {
        for command in [
          ["sign", "out/\(Self.name)", "--quiet", "--key=\(id)"],
          ["rebuild", "out/\(Self.name)", "--quiet", "--output", "new", "--sign=\(id)"],
        ] {
          let outcome = try await workshop.run(command)
          workshop.expectRefusal(outcome, 2, "opening the signing key '\(id)'", leaves: [Self.name])
          for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
        }
      }
      #expect(try names(in: release) == before)

      // A subkey is the one that is asked for, or the newest.
      try await keys.gpg(["--quick-add-key", maker, "ed25519", "sign"])
      try await keys.gpg(["--quick-add-key", maker, "cv25519", "encr"])
      let subkeys = try await keys.fingerprints(maker)
      try await keys.export([maker], to: workshop.folder.appending("keys.gpg"))
      for (id, signer) in [("\(maker)!", maker), ("0x\(subkeys[1].suffix(16))!", subkeys[1]), (maker, subkeys[1])] {
        let signed = try await workshop.run(["sign", "out/\(Self.name)", "--quiet", "--replace", "--key", id])
        #expect(signed.succeeded, "\(signed.errors)")
        let packets = try await keys.gpg(["--list-packets", release.appending("SHA256SUMS.asc").string]).text
        #expect(packets.contains("(issuer fpr v4 \(signer))"), "\(id): \(packets)")
        let verified = try await workshop.run(
          ["verify", "out/\(Self.name)", "--keyring", "keys.gpg", "--signer", maker.lowercased()])
        #expect(verified.succeeded && verified.text.contains("signed by \(maker)"), "\(id): \(verified.errors)")
      }
      let encryption = try await workshop.run(["sign", "out/\(Self.name)", "--quiet", "--key", "\(subkeys[2])!"])
      workshop.expectRefusal(encryption, 2, "is not for signing", leaves: [Self.name])
    }
  }

  /// Nobody can be asked here; once the agent knows the passphrase, nobody needs to be.
  @Test func theAgentHasThePassphrase() async throws {
    try await use { workshop, keys, release in
      let key = try await keys.make("maker", passphrase: "secret words")
      try await keys.export([key], to: workshop.folder.appending("keys.gpg"))
      try await GPGHome.end(keys.home)
      let before = try names(in: release)
      let locked = try await workshop.run(["sign", "out/\(Self.name)", "--key", key, "--quiet"])
      workshop.expectRefusal(
        locked, 1, "signing ", "SHA256SUMS: gpg: signing failed", "its passphrase cannot be asked for here",
        leaves: [Self.name])
      #expect(try names(in: release) == before)
      // Asked for before the work, and nothing is left.
      let cut = try await workshop.run([
        "rebuild", "out/\(Self.name)", "--output", "new", "--quiet", "--sign", key,
      ])
      workshop.expectRefusal(cut, 1, "signing a test: gpg: signing failed", leaves: [Self.name])
      #expect(!Files.exists(workshop.folder.appending("new")))

      try workshop.write("text", "text")
      try await keys.gpg(
        ["--local-user", key, "--detach-sign", workshop.folder.appending("text").string], passphrase: "secret words")
      let signed = try await workshop.run(["sign", "out/\(Self.name)", "--key", key, "--quiet"])
      #expect(signed.succeeded, "\(signed.errors)")
      let verified = try await workshop.run(["verify", "out/\(Self.name)", "--keyring", "keys.gpg", "--quiet"])
      #expect(verified.succeeded, "\(verified.errors)")
    }
  }

  /// However it ends while the passphrase is asked for, nothing is half signed.
  @Test func stoppedWhileThePassphraseIsAskedFor() async throws {
    try await use { workshop, keys, release in
      let key = try await keys.make("maker", passphrase: "secret words")
      try await GPGHome.end(keys.home)
      // It ends with the agent that has started it.
      try workshop.write("pinentry", "#!/bin/sh\n: >\(workshop.folder)/asked\nwhile read -r line; do :; done\n")
      try workshop.write("gnupg/gpg-agent.conf", "pinentry-program \(workshop.folder)/pinentry\n")
      try await workshop.shell("chmod +x pinentry")
      let before = try names(in: release)
      let asked = workshop.folder.appending("asked")
      let sample = Workshop.root.appending("manifests/sample.toml").string
      let linux = "linux=\(Workshop.root.appending("Examples/sample/linux"))"
      for (arguments, signal, status) in [
        (["sign", "out/\(Self.name)", "--key", key, "--quiet"], SIGINT, 130),
        (["sign", "out/\(Self.name)", "--key", key, "--quiet"], SIGKILL, 128 + SIGKILL),
        (["cut", sample, "--source", linux, "--output", "new", "--sign", key, "--quiet"], SIGTERM, 130),
      ] {
        try Files.remove(asked)
        let child = try Child(workshop, arguments)
        #expect(try await child.wait { Files.exists(asked) }, "\(child.errorText)")
        kill(child.pid, signal)
        _ = try await child.wait { false }
        #expect(child.exitStatus == status, "\(child.errorText)")
        if status == 130 { #expect(child.errorText == "error: interrupted; nothing half-written was left\n") }
        #expect(try names(in: release) == before && !Files.exists(workshop.folder.appending("new")))
        #expect(try names(in: workshop.temporary).isEmpty)
        try await GPGHome.end(keys.home)
      }
      #expect(try await workshop.run(["verify", "out/\(Self.name)", "--quiet"]).succeeded)
    }
  }

  // MARK: verifying

  /// What was done to a signed release, as a script in its folder, and what is said of it.
  struct Tampering: Sendable, CustomTestStringConvertible {
    var what: String
    var script: String
    var status: Int32 = 4
    var words: [String]
    var testDescription: String { what }
  }

  private static let summed = "sums=$(cut -c67- SHA256SUMS); sha256sum $sums >SHA256SUMS"
  /// The maker signs again what was changed, all but one thing.
  private static func signed(_ file: String, by key: String = "maker", _ more: String = "") -> String {
    "gpg --batch --yes --quiet -u \(key)@example.org \(more) --armor --output \(file).asc --detach-sign \(file)"
  }

  static let tamperings = [
    Tampering(what: "nothing", script: "", status: 0, words: []),
    Tampering(
      what: "a changed package", script: "echo >>sample-dkms_7.2.1-1_all.deb; \(summed)",
      words: ["SHA256SUMS: the signature does not match the content"]),
    Tampering(
      what: "a changed package, and no signature of the list",
      script: "echo >>sample-dkms_7.2.1-1_all.deb; \(summed); rm SHA256SUMS.asc",
      words: ["there is no SHA256SUMS.asc, and no other signature covers", "sample-dkms_7.2.1-1_all.deb"]),
    Tampering(
      what: "a tarball that is compressed otherwise",
      script: "xz -d \(name).tar.xz; xz -0 \(name).tar; \(summed)", words: ["SHA256SUMS: the signature does not match"]),
    Tampering(
      what: "another tar, with a list that is signed anew",
      script: """
        mkdir w; tar -C w -xf \(name).tar.xz; tar -C w --sort=name --mtime=@1 -cJf \(name).tar.xz \(name); rm -r w
        \(summed); \(signed("SHA256SUMS"))
        """, words: ["the tar in ", "the signature does not match the content"]),
    Tampering(
      what: "signatures by another", script: signed("SHA256SUMS", by: "stranger"),
      words: ["SHA256SUMS: it was signed by the unknown key"]),
    Tampering(
      what: "a signature by a key that was not named", script: signed("SHA256SUMS", by: "colleague"),
      words: ["which is not among the signers that you named", "--signer"]),
    Tampering(
      what: "a key that has expired",
      script: signed("SHA256SUMS", by: "expired", "--faked-system-time 20200101T120000!"),
      words: ["has expired"]),
    Tampering(
      what: "a signature that has expired",
      script: signed("SHA256SUMS", by: "old", "--faked-system-time 20200101T120000! --default-sig-expire 1d"),
      words: ["the signature has expired"]),
    Tampering(
      what: "no signature", script: "rm *.asc *.sign",
      words: ["it is not signed: there is no SHA256SUMS.asc and no \(name).tar.sign"]),
    Tampering(
      what: "no signature of the tar", script: "rm *.sign", status: 0, words: ["not signed: \(name).tar, "]),
    Tampering(
      what: "the signature of the list for that of the tar", script: "cp SHA256SUMS.asc \(name).tar.sign",
      words: ["the tar in ", "does not match"]),
    Tampering(what: "rubbish", script: "echo rubbish >SHA256SUMS.asc", words: ["the signature cannot be read"]),
    Tampering(what: "an empty signature", script: ": >\(name).tar.sign", words: ["the signature cannot be read"]),
    Tampering(
      what: "a changed file", script: "echo >>sample-dkms_7.2.1-1_all.deb", status: 6,
      words: ["is not what was released"]),
  ]

  /// A release that the maker has signed, and what is done to it: all of it once, as keys take long to make.
  @Test func whatWasTamperedWithIsRefused() async throws {
    try await use { workshop, keys, _ in
      var trusted: [String] = []
      for name in ["maker", "colleague"] { trusted.append(try await keys.make(name)) }
      trusted.append(try await keys.make("expired", expires: "2d", at: "20200101T000000"))
      trusted.append(try await keys.make("old", at: "20200101T000000"))
      _ = try await keys.make("stranger")
      try await keys.export(trusted, to: workshop.folder.appending("keys.gpg"))
      let signed = try await workshop.run(["sign", "out/\(Self.name)", "--key", "maker@example.org", "--quiet"])
      try #require(signed.succeeded, "\(signed.errors)")
      let signers = trusted.enumerated().filter { $0.offset != 1 }.flatMap { ["--signer", $0.element] }
      for tampering in Self.tamperings {
        try await workshop.shell("rm -rf changed; cp -r out/\(Self.name) changed; cd changed\n\(tampering.script)")
        let outcome = try await workshop.run(["verify", "changed", "--keyring", "keys.gpg"] + signers)
        let text = outcome.errors + outcome.text
        #expect(outcome.status == .exited(tampering.status), "\(tampering.what): \(text)")
        for word in tampering.words { #expect(text.contains(word), "\(tampering.what): \(text)") }
        #expect(tampering.status == 0 || !text.contains("signed by \(trusted[0])"), "\(tampering.what): \(text)")
      }
      // A release that was renamed shows its own name.
      try await workshop.shell("rm -rf changed; cp -r out/\(Self.name) sample-9.9")
      let renamed = try await workshop.run(["verify", "sample-9.9", "--keyring", "keys.gpg"])
      #expect(renamed.text.contains("\n\(Self.name) signed by \(trusted[0])"), "\(renamed.text)")
      // The list of a folder covers the tarball in it, and none of another folder does.
      try await workshop.shell("rm sample-9.9/*.sign")
      let inFolder = ["verify", "sample-9.9/\(Self.name).tar.xz", "--keyring", "keys.gpg"]
      #expect(try await workshop.run(inFolder).succeeded)
      try await workshop.shell("rm sample-9.9/*.asc")
      #expect(try await workshop.run(inFolder).status == .exited(4))
    }
  }

  @Test func keyringsAndSignersAreReadStrictly() async throws {
    try await use { workshop, keys, _ in
      let key = try await keys.make("maker")
      try await keys.export([key], to: workshop.folder.appending("keys.gpg"))
      try workshop.write("secret.asc", try await keys.gpg(["--armor", "--export-secret-keys", key]).output)
      try workshop.write("rubbish", "rubbish")
      try workshop.write("empty", "")
      for (arguments, words) in [
        (["--keyring", "none"], "No such file"), (["--keyring", "rubbish"], "holds no public keys"),
        (["--keyring", "empty"], "holds no public keys"), (["--keyring", "secret.asc"], "it holds a secret key"),
        (["--keyring", "out"], "not a regular file"),
        (["--keyring", "keys.gpg", "--signer", String(key.suffix(16))], "not a fingerprint of 40 hexadecimal digits"),
        (["--keyring", "keys.gpg", "--signer", String(repeating: "0", count: 40)], "does not hold that key"),
      ] {
        let outcome = try await workshop.run(["verify", "out/\(Self.name)", "--quiet"] + arguments)
        workshop.expectRefusal(outcome, 2, words, leaves: [Self.name])
      }
      let alone = try await workshop.run(["verify", "out/\(Self.name)", "--quiet", "--signer", key])
      #expect(alone.status == .exited(64) && alone.errors.contains("--signer needs --keyring"))
    }
  }
}
