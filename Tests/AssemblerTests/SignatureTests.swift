// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import Releases
import SystemPackage
import Testing

@testable import Assembler

/// Signatures by real keys, made by gpg and checked by gpgv. As at kernel.org, the uncompressed tar is signed.
@Suite struct SignatureTests {
  /// A keyring of its own, in a folder that goes away.
  struct Keys {
    let home: FilePath

    func gpg(_ arguments: [String], at time: String? = nil) async throws -> Command.Outcome {
      var command = Command("gpg", ["--batch", "--quiet", "--no-autostart", "--passphrase", ""])
      command.arguments = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
      if let time { command.arguments += ["--faked-system-time", time + "!"] }
      command.arguments += arguments
      command.environment["GNUPGHOME"] = home.string
      return try await command.check(doing: "running gpg \(arguments.joined(separator: " "))")
    }

    func make(_ name: String, expires: String = "never", at time: String? = nil) async throws -> String {
      _ = try await gpg(
        ["--quick-generate-key", "\(name) <\(name)@example.org>", "ed25519", "sign", expires], at: time)
      let listed = try await gpg(["--with-colons", "--list-keys", "\(name)@example.org"], at: time)
      let line = listed.text.split(separator: "\n").first { $0.hasPrefix("fpr:") }
      return String(try #require(line).split(separator: ":").last ?? "")
    }

    func sign(_ file: FilePath, by key: String, to signature: FilePath, _ more: [String] = [], at time: String? = nil)
      async throws
    {
      _ = try await gpg(
        more + ["--yes", "--local-user", key, "--output", signature.string, "--detach-sign", file.string], at: time)
    }

    func export(_ keys: [String], to keyring: FilePath) async throws {
      try Files.replace(keyring, with: try await gpg(["--export"] + keys).output)
    }
  }

  /// A tar, the same compressed, and keys.
  private func withKeys(_ body: (Keys, FilePath, FilePath) async throws -> Void) async throws {
    try await withScratch { folder in
      let home = folder.appending("gnupg")
      try Files.makeFolder(home, mode: 0o700)
      let tar = try await Fixture.archive(#"add("top/fs/a.c", b"int a;\n" * 100)"#, in: folder)
      _ = try await Fixture.compressed(tar, with: "xz", suffix: ".xz")
      var end = Command("gpgconf", ["--kill", "gpg-agent"])
      end.environment["GNUPGHOME"] = home.string
      do {
        try await body(Keys(home: home), folder, tar)
      } catch {
        _ = try? await end.run(doing: "ending the agent")
        throw error
      }
      _ = try await end.run(doing: "ending the agent")
    }
  }

  private func source(_ folder: FilePath, signers: [String], allowsUnsigned: Bool = false) -> ArchiveSource {
    let signature = folder.appending("linux-7.4.tar.sign")
    return ArchiveSource(
      path: folder.appending("linux-7.4.tar.xz"), signature: Files.exists(signature) ? signature : nil,
      trust: Trust(keyring: folder.appending("keys.gpg"), signers: signers), allowsUnsigned: allowsUnsigned)
  }

  @Test func goodWrongUnknownAndMissingSignatures() async throws {
    try await withKeys { keys, folder, tar in
      let signature = folder.appending("linux-7.4.tar.sign")
      let good = try await keys.make("good")
      let other = try await keys.make("other")
      try await keys.export([good], to: folder.appending("keys.gpg"))

      await Fixture.refusal(
        "there is no signature beside it (linux-7.4.tar.sign)", code: .unverified, remedy: .giveSignatureOrHash
      ) {
        _ = try await Fixture.read(source(folder, signers: [good]))
      }
      let unsigned = try await Fixture.read(source(folder, signers: [good], allowsUnsigned: true))
      #expect(unsigned.pin.isUnsigned == true && unsigned.pin.signedBy == nil)

      try await keys.sign(tar, by: good, to: signature)
      let read = try await Fixture.read(source(folder, signers: [good]))
      #expect(read.pin.signedBy == good && read.pin.isUnsigned == nil)
      #expect(read.files.keys.sorted() == ["fs/a.c"])

      // By a key that the keyring holds and the manifest does not name.
      await Fixture.refusal("it was signed by \(good), which is not among the signers", code: .unverified) {
        _ = try await Fixture.read(source(folder, signers: [other]))
      }
      try await keys.sign(tar, by: other, to: signature)
      await Fixture.refusal("the unknown key \(other.suffix(16))", "keys.gpg", code: .unverified) {
        _ = try await Fixture.read(source(folder, signers: [good]))
      }
      // --allow-unsigned is for a signature that is missing, not for one that is wrong.
      await Fixture.refusal("the unknown key", code: .unverified) {
        _ = try await Fixture.read(source(folder, signers: [good], allowsUnsigned: true))
      }

      let changed = try await Fixture.archive(#"add("top/fs/a.c", b"int b;\n" * 100)"#, in: folder, name: "changed.tar")
      try await keys.sign(changed, by: good, to: signature)
      await Fixture.refusal("checking the signature of", "does not match the content", code: .unverified) {
        _ = try await Fixture.read(source(folder, signers: [good]))
      }
      // Of the compressed file, which is not what kernel.org signs.
      try await keys.sign(folder.appending("linux-7.4.tar.xz"), by: good, to: signature)
      await Fixture.refusal("does not match the content", code: .unverified) {
        _ = try await Fixture.read(source(folder, signers: [good]))
      }
      for garbage in [[], Array("no signature".utf8), [UInt8](repeating: 0x88, count: 100)] as [[UInt8]] {
        try Files.replace(signature, with: garbage)
        await Fixture.refusal("the signature cannot be read", code: .unverified) {
          _ = try await Fixture.read(source(folder, signers: [good]))
        }
      }
    }
  }

  /// Of several signatures in one file, one by a pinned signer is enough, whatever stands before it.
  @Test func severalSignaturesInOneFile() async throws {
    try await withKeys { keys, folder, tar in
      let signature = folder.appending("linux-7.4.tar.sign")
      let good = try await keys.make("good")
      let other = try await keys.make("other")
      let changed = try await Fixture.archive(#"add("top/fs/a.c", b"int b;")"#, in: folder, name: "changed.tar")
      func signed(_ file: FilePath, by key: String, _ more: [String] = []) async throws -> [UInt8] {
        let path = folder.appending("one.sign")
        try await keys.sign(file, by: key, to: path, more)
        return try Files.read(path)
      }
      let byGood = try await signed(tar, by: good)
      let byOther = try await signed(tar, by: other)
      let armoured = try await signed(tar, by: good, ["--armor"])
      let otherArmoured = try await signed(tar, by: other, ["--armor"])
      let wrong = try await signed(changed, by: good)
      try await keys.export([good], to: folder.appending("keys.gpg"))
      for parts in [byOther + byGood, byGood + byOther, armoured, otherArmoured + armoured, armoured + otherArmoured] {
        try Files.replace(signature, with: parts)
        #expect(try await Fixture.read(source(folder, signers: [good])).pin.signedBy == good)
      }
      // With both keys in the keyring, the one that is pinned counts.
      try await keys.export([good, other], to: folder.appending("keys.gpg"))
      for parts in [byOther + byGood, byGood + byOther] {
        try Files.replace(signature, with: parts)
        #expect(try await Fixture.read(source(folder, signers: [good])).pin.signedBy == good)
        #expect(try await Fixture.read(source(folder, signers: [other])).pin.signedBy == other)
      }
      // A bad one spoils them all.
      for parts in [byGood + wrong, wrong + byGood, byOther + wrong] {
        try Files.replace(signature, with: parts)
        await Fixture.refusal("does not match the content", code: .unverified) {
          _ = try await Fixture.read(source(folder, signers: [good]))
        }
      }
    }
  }

  /// Where a project signs the compressed file, its name says so.
  @Test(arguments: ["sign", "asc", "sig"])
  func aSignatureOfTheFileAsItLies(ending: String) async throws {
    try await withKeys { keys, folder, tar in
      let packed = FilePath("\(tar).xz")
      let signature = FilePath("\(packed).\(ending)")
      let good = try await keys.make("good")
      try await keys.export([good], to: folder.appending("keys.gpg"))
      var source = source(folder, signers: [good])
      #expect(signatureNames(of: packed.string).map { FilePath($0) }.contains(signature))
      source.signature = signature
      source.cache = folder.appending("cache")
      try await keys.sign(packed, by: good, to: signature, ending == "asc" ? ["--armor"] : [])
      for _ in 0..<2 { #expect(try await Fixture.read(source).pin.signedBy == good) }
      // Of the tar in it, under the wrong name.
      try await keys.sign(tar, by: good, to: signature)
      await Fixture.refusal("does not match the content", code: .unverified) { [source] in
        _ = try await Fixture.read(source)
      }
    }
  }

  @Test func aDigestThatCanBeForgedDoesNotCount() async throws {
    try await withKeys { keys, folder, tar in
      let signature = folder.appending("linux-7.4.tar.sign")
      let good = try await keys.make("good")
      try await keys.export([good], to: folder.appending("keys.gpg"))
      try await keys.sign(tar, by: good, to: signature, ["--digest-algo", "SHA1"])
      var old = source(folder, signers: [good])
      await Fixture.refusal("\(good) signed the SHA-1 of it", "allow-sha1 = true", code: .unverified) { [old] in
        _ = try await Fixture.read(old)
      }
      old.trust?.allowsSHA1 = true
      #expect(try await Fixture.read(old).pin.signedBy == good)
      try await keys.sign(tar, by: good, to: signature, ["--digest-algo", "RIPEMD160"])
      await Fixture.refusal("RIPEMD-160", code: .unverified) { [old] in _ = try await Fixture.read(old) }
    }
  }

  /// What is no detached signature is refused before anything of it is believed.
  @Test func aSignatureOfAnotherKindIsNamed() async throws {
    try await withKeys { keys, folder, tar in
      let signature = folder.appending("linux-7.4.tar.sign")
      let good = try await keys.make("good")
      try await keys.export([good], to: folder.appending("keys.gpg"))
      for (options, words) in [
        (["--sign"], "does not begin with a signature"), (["--sign", "--armor"], "it is a message"),
        (["--clear-sign"], "it is a signed text"), (["--export", "--armor"], "it is a key"),
      ] {
        _ = try await keys.gpg(
          ["--yes", "--output", signature.string] + options + (options[0] == "--export" ? [] : [tar.string]))
        await Fixture.refusal("the signature cannot be read", words, code: .unverified) {
          _ = try await Fixture.read(source(folder, signers: [good]))
        }
      }
      for (text, words) in [
        ("-----BEGIN SSH SIGNATURE-----\n", "ssh-keygen"), ("untrusted comment: x\n", "minisign"),
        ("<!DOCTYPE html>", "a page"),
      ] {
        try Files.replace(signature, with: Array(text.utf8))
        await Fixture.refusal("the signature cannot be read", words, code: .unverified) {
          _ = try await Fixture.read(source(folder, signers: [good]))
        }
      }
    }
  }

  @Test func expiredAndRevokedKeysAreRefused() async throws {
    try await withKeys { keys, folder, tar in
      let signature = folder.appending("linux-7.4.tar.sign")
      let keyring = folder.appending("keys.gpg")
      let expired = try await keys.make("expired", expires: "2d", at: "20200101T000000")
      try await keys.export([expired], to: keyring)
      try await keys.sign(tar, by: expired, to: signature, at: "20200101T120000")
      await Fixture.refusal("the key that signed it has expired", code: .unverified) {
        _ = try await Fixture.read(source(folder, signers: [expired]))
      }

      let key = try await keys.make("revoked", at: "20200101T000000")
      try await keys.sign(tar, by: key, to: signature, ["--default-sig-expire", "1d"], at: "20200101T120000")
      try await keys.export([key], to: keyring)
      await Fixture.refusal("the signature has expired", code: .unverified) {
        _ = try await Fixture.read(source(folder, signers: [key]))
      }

      try await keys.sign(tar, by: key, to: signature)
      #expect(try await Fixture.read(source(folder, signers: [key])).pin.signedBy == key)
      // gpg makes the certificate with the key, with a colon in front so that nobody imports it by accident.
      let certificate = try Files.read(keys.home.appending("openpgp-revocs.d").appending("\(key).rev"))
      let armoured = folder.appending("revoke")
      try Files.write(
        Array(String(decoding: certificate, as: UTF8.self).replacing(":-----BEGIN", with: "-----BEGIN").utf8),
        to: armoured)
      _ = try await keys.gpg(["--import", armoured.string])
      try await keys.export([key], to: keyring)
      await Fixture.refusal("the key that signed it was revoked", "do not use", code: .unverified) {
        _ = try await Fixture.read(source(folder, signers: [key]))
      }
    }
  }

  /// Kernel developers sign with a subkey; the manifest names the primary key.
  @Test func aSubkeySignsForItsPrimaryKey() async throws {
    try await withKeys { keys, folder, tar in
      let key = try await keys.make("maintainer")
      _ = try await keys.gpg(["--quick-add-key", key, "ed25519", "sign"])
      let listed = try await keys.gpg(["--with-colons", "--list-keys", key])
      let subkey = String(
        try #require(listed.text.split(separator: "\n").last { $0.hasPrefix("fpr:") }).split(separator: ":").last ?? "")
      #expect(subkey != key)
      try await keys.export([key], to: folder.appending("keys.gpg"))
      try await keys.sign(tar, by: subkey + "!", to: folder.appending("linux-7.4.tar.sign"))
      #expect(try await Fixture.read(source(folder, signers: [key])).pin.signedBy == key)
    }
  }

  @Test func anArmouredOrMissingKeyringIsNamed() async throws {
    try await withKeys { keys, folder, tar in
      let key = try await keys.make("good")
      try await keys.sign(tar, by: key, to: folder.appending("linux-7.4.tar.sign"))
      await Fixture.refusal("keys.gpg", "No such file") { _ = try await Fixture.read(source(folder, signers: [key])) }
      try Files.write(try await keys.gpg(["--armor", "--export", key]).output, to: folder.appending("keys.gpg"))
      await Fixture.refusal("armoured", "gpg --dearmor", code: .input) {
        _ = try await Fixture.read(source(folder, signers: [key]))
      }
    }
  }

  /// A truncated file is called that, also where its signature would not match.
  @Test func aTruncatedSignedTarballIsTruncated() async throws {
    try await withKeys { keys, folder, tar in
      let key = try await keys.make("good")
      try await keys.export([key], to: folder.appending("keys.gpg"))
      try await keys.sign(tar, by: key, to: folder.appending("linux-7.4.tar.sign"))
      let packed = folder.appending("linux-7.4.tar.xz")
      let bytes = try Files.read(packed)
      try Files.replace(packed, with: Array(bytes.dropLast(30)))
      await Fixture.refusal("Unexpected end of input", code: .source) {
        _ = try await Fixture.read(source(folder, signers: [key]))
      }
    }
  }

  @Test func signedAndUnsignedTags() async throws {
    try await withKeys { keys, folder, _ in
      let key = try await keys.make("good")
      let repository = folder.appending("repository")
      try Files.makeFolder(repository)
      let script = """
        export GNUPGHOME=\(keys.home)
        git init -q . && mkdir fs && echo one > fs/a && git add .
        git config user.name A && git config user.email good@example.org && git config user.signingKey \(key)
        git commit -q -m one && git tag light && git tag -a -m plain plain && git tag -s -m signed signed
        git cat-file tag signed | sed s/^tag.signed/tag\\ forged/ | git hash-object -w -t tag --stdin > forged
        git update-ref refs/tags/forged $(cat forged)
        """
      try await Fixture.shell(script, in: repository)
      try await keys.export([key], to: folder.appending("keys.gpg"))
      let trust = Trust(keyring: folder.appending("keys.gpg"), signers: [key])
      func read(_ ref: String, allowsUnsigned: Bool = false) async throws -> SourceContent {
        try await GitSource(repository: repository, ref: ref, trust: trust, allowsUnsigned: allowsUnsigned)
          .read(Selection(rules: [Fixture.rule()]), progress: .silent)
      }
      #expect(try await read("signed").pin.signedBy == key)
      for ref in ["light", "plain"] {
        await Fixture.refusal("the tag \(ref)", "it is not a signed tag", code: .unverified) { _ = try await read(ref) }
        #expect(try await read(ref, allowsUnsigned: true).pin.isUnsigned == true)
      }
      await Fixture.refusal("the tag forged", "does not match the content", code: .unverified) {
        _ = try await read("forged", allowsUnsigned: true)
      }
    }
  }

  /// What is signed is a name with a commit: under another name, and with more around it, it is worth nothing.
  @Test func aSignedTagCountsUnderItsOwnName() async throws {
    try await withKeys { keys, folder, _ in
      let key = try await keys.make("good")
      let repository = folder.appending("repository")
      try Files.makeFolder(repository)
      let script = """
        export GNUPGHOME=\(keys.home)
        git init -q . && mkdir fs && echo one > fs/a && git add .
        git config user.name A && git config user.email good@example.org && git config user.signingKey \(key)
        git commit -q -m one && git tag -s -m v1 v1 && git tag -s -m v2 v2 v1
        make() { git update-ref refs/tags/$1 $(git hash-object -w -t tag --stdin); }
        git update-ref refs/tags/v3 v1; git update-ref refs/tags/sub/v1 v1; git update-ref refs/other/v1 v1
        { git cat-file tag v1; echo 'and this'; } | make behind
        { git cat-file tag v1; git cat-file tag v1 | sed -n '/BEGIN PGP/,$p'; } | make twice
        git cat-file tag v1 | sed '/END PGP/d' | make open
        git cat-file tag v1 | sed 's/^tagger.*/&\\ngpgsig-sha256 -----BEGIN PGP SIGNATURE-----\\n x/' | make header
        git update-ref refs/tags/v1h header
        git tag -a -m around v4 v1
        ssh-keygen -q -t ed25519 -N '' -f ssh && git -c gpg.format=ssh -c user.signingKey=$PWD/ssh tag -s -m v5 v5
        git cat-file tag v5 | sed 's/SSH SIGNATURE/SIGNED MESSAGE/' | make v6
        """
      try await Fixture.shell(script, in: repository)
      try await keys.export([key], to: folder.appending("keys.gpg"))
      let trust = Trust(keyring: folder.appending("keys.gpg"), signers: [key])
      func read(_ ref: String, allowsUnsigned: Bool = false) async throws -> SourceContent {
        try await GitSource(repository: repository, ref: ref, trust: trust, allowsUnsigned: allowsUnsigned)
          .read(Selection(rules: [Fixture.rule()]), progress: .silent)
      }
      // A tag of a signed tag leads to what the outer signature says; its name is in the inner one no more.
      for ref in ["v1", "refs/tags/v1", "v2", "refs/other/v1"] {
        #expect(try await read(ref).pin.signedBy == key, "\(ref)")
      }
      for (ref, words) in [
        ("v3", "the signature is for the tag 'v1'"), ("sub/v1", "the signature is for the tag 'v1'"),
        ("behind", "text follows its signature"), ("twice", "it holds 2 signatures"),
        ("open", "its signature has no end"),
      ] {
        // Not even when a missing signature is allowed.
        await Fixture.refusal("the tag \(ref)", words, code: .unverified) {
          _ = try await read(ref, allowsUnsigned: true)
        }
      }
      for (ref, words) in [
        ("v4", "it is not a signed tag"), ("v5", "it is signed by an SSH key"), ("v6", "an X.509 certificate"),
        ("HEAD", "it is not a signed tag"),
      ] {
        await Fixture.refusal(words, code: .unverified, remedy: .giveSignedTag) { _ = try await read(ref) }
        #expect(try await read(ref, allowsUnsigned: true).pin.isUnsigned == true)
      }
      // git leaves a signature in a header out of what the other one signs.
      let header = try await Command("git", ["-C", repository.string, "cat-file", "tag", "header"]).check(
        doing: "reading")
      let tag = try #require(GitTag(header.output))
      let plain = try await Command("git", ["-C", repository.string, "cat-file", "tag", "v1"]).check(doing: "reading")
      #expect(header.output != plain.output && tag.payload == GitTag(plain.output)?.payload && tag.name == "v1")
    }
  }
}
