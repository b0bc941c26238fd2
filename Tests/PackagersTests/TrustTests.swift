// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

/// What verifies a source: cuts of a small kernel release, signed with keys that gpg makes here.
@Suite(.serialized) struct TrustTests {
  /// A kernel release with its signature, a keyring, and a manifest that pins the signer.
  private struct Site {
    var folder: FilePath
    var signer = ""

    var tarball: FilePath { folder.appending("linux-7.4.2.tar.xz") }
    var signature: FilePath { folder.appending("linux-7.4.2.tar.sign") }
    var manifest: FilePath { folder.appending("demo.toml") }

    func run(_ program: String, _ arguments: [String]) async throws -> Command.Outcome {
      let variables = ["GNUPGHOME": "\(folder)/gpg", "HOME": folder.string]
      return try await Command(
        program, arguments, environment: Command.plainEnvironment.merging(variables) { $1 }
      ).run(doing: "running \(program)")
    }

    func gpg(_ arguments: [String]) async throws -> String {
      let outcome = try await run("gpg", ["--batch", "--quiet", "--yes", "--passphrase", ""] + arguments)
      try #require(outcome.succeeded, "\(outcome.errors)")
      return outcome.text
    }

    /// A new key, by its fingerprint.
    func makeKey(_ name: String) async throws -> String {
      _ = try await gpg(["--quick-gen-key", "\(name) <\(name)@example.org>", "ed25519", "sign", "never"])
      let listed = try await gpg(["--with-colons", "--list-keys", "\(name)@example.org"])
      let line = listed.split(separator: "\n").first { $0.hasPrefix("fpr:") }
      return String(try #require(line).split(separator: ":").last ?? "")
    }

    func sign(with key: String) async throws {
      let tar = folder.appending("linux-7.4.2.tar").string
      _ = try await gpg(["--local-user", key, "--output", signature.string, "--detach-sign", tar])
    }

    func lrelease(_ arguments: [String]) async throws -> Command.Outcome {
      try await run(Workshop.lrelease, arguments)
    }

    func cut(_ into: String, _ more: [String] = []) async throws -> Command.Outcome {
      try await lrelease(["cut", manifest.string, "--kernel", "7.4.2", "--output", "\(folder)/\(into)"] + more)
    }

    func plan(of release: String) throws -> Plan {
      try Plan(reading: folder.appending("\(release)/demo-7.4.2/plan.json"))
    }

    func sums(_ release: String) throws -> [UInt8] {
      try Files.read(folder.appending("\(release)/demo-7.4.2/SHA256SUMS"))
    }

    func sha256() throws -> String { SHA256Digest(of: try Files.read(tarball)).hex }
  }

  private func site(_ body: (Site) async throws -> Void) async throws {
    try await withScratch { folder in
      var site = Site(folder: folder)
      try Files.makeFolder(folder.appending("gpg"), mode: 0o700)
      site.signer = try await site.makeKey("signer")
      _ = try await site.gpg(["--output", "\(folder)/keys.gpg", "--export"])
      try Files.makeFolder(folder.appending("linux-7.4.2/fs/demo"))
      try Files.write(
        Array("VERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 2\nEXTRAVERSION =\n".utf8),
        to: folder.appending("linux-7.4.2/Makefile"))
      try Files.write(Array("int a;\n".utf8), to: folder.appending("linux-7.4.2/fs/demo/a.c"))
      let tar = folder.appending("linux-7.4.2.tar").string
      #expect(try await site.run("tar", ["-C", folder.string, "-cf", tar, "linux-7.4.2"]).succeeded)
      #expect(try await site.run("xz", ["--keep", tar]).succeeded)
      try await site.sign(with: site.signer)
      try Files.write(
        Array(
          """
          name = "demo"
          version = "{kernel}"
          summary = "demo"
          license = "GPL-2.0-only"
          homepage = "https://example.org/"
          maintainer = "A <a@example.org>"
          [sources.linux]
          kernel = "."
          keyring = "keys.gpg"
          signers = ["\(site.signer)"]
          [[tree]]
          from = "linux:fs/demo"
          [[generate]]
          path = "VERSION"
          template = "version"
          """.utf8), to: site.manifest)
      try Files.write(Array("@VERSION@\n".utf8), to: folder.appending("version"))
      try await body(site)
      _ = try await site.run("gpgconf", ["--kill", "gpg-agent"])
    }
  }

  @Test func theSignerIsRecorded() async throws {
    try await site { site in
      let outcome = try await site.cut("out")
      #expect(outcome.succeeded, "\(outcome.errors)")
      #expect(!outcome.errors.contains("warning"))
      let pin = try #require(try site.plan(of: "out").sources["linux"])
      #expect(pin.signedBy == site.signer && pin.isUnsigned == nil && pin.isPinned == nil)
    }
  }

  @Test func aMissingSignatureStopsTheCutUnlessAllowed() async throws {
    try await site { site in
      try Files.remove(site.signature)
      let refused = try await site.cut("out")
      #expect(refused.status == .exited(4))
      #expect(refused.errors.contains("there is no signature beside it (linux-7.4.2.tar.sign)"))
      #expect(refused.errors.contains("--sha256") && refused.errors.contains("--allow-unsigned"))
      #expect(!Files.exists(site.folder.appending("out")))

      let allowed = try await site.cut("out", ["--allow-unsigned", "--quiet"])
      #expect(allowed.succeeded)
      #expect(allowed.errors.contains("warning: the source 'linux' is not signed"))
      #expect(try site.plan(of: "out").sources["linux"]?.isUnsigned == true)
      let shown = try await site.lrelease(["show", "\(site.folder)/out/demo-7.4.2/demo-7.4.2.tar.xz"]).text
      #expect(shown.contains(", NOT SIGNED\n"))
      #expect(shown.contains("a.c  ← linux:fs/demo/a.c, unsigned\n"))
      #expect(shown.contains("VERSION  ← generated (template version)\n"))
    }
  }

  @Test func aHashStandsInForASignature() async throws {
    try await site { site in
      try Files.remove(site.signature)
      let digest = try site.sha256()
      let pinned = try await site.cut("out", ["--sha256", "linux=\(digest)"])
      #expect(pinned.succeeded, "\(pinned.errors)")
      #expect(!pinned.errors.contains("warning"))
      #expect(try site.plan(of: "out").sources["linux"]?.isPinned == true)
      let again = try await site.lrelease(
        ["cut", "--plan", "\(site.folder)/out/demo-7.4.2/plan.json", "--source", "linux=\(site.tarball)", "--output"]
          + ["\(site.folder)/again"])
      #expect(again.succeeded, "\(again.errors)")
      #expect(try site.sums("out") == site.sums("again"))

      let zeros = String(repeating: "0", count: 64)
      let folder = site.folder.appending("linux-7.4.2")
      let wrong: [([String], Int32, String)] = [
        (["--sha256", "linux=\(zeros)"], 4, "its SHA-256 is \(digest), not \(zeros) as pinned"),
        (["--sha256", "linux=12"], 2, "'12' is not 64 hexadecimal digits"),
        (["--sha256", digest], 2, "is not NAME=DIGEST"),
        (["--sha256", "linus=\(digest)"], 2, "did you mean 'linux'?"),
        (["--sha256", "linux=\(digest)", "--source", "linux=\(folder)"], 2, "the hash of a tarball"),
        (["--source", "linux=\(folder)"], 4, "the manifest asks for a signature, and a folder has none"),
      ]
      for (arguments, status, words) in wrong {
        let outcome = try await site.cut("wrong", arguments)
        #expect(outcome.status == .exited(status), "\(arguments)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
      }
      #expect(!Files.exists(site.folder.appending("wrong")))
      #expect(try await site.cut("folder", ["--source", "linux=\(folder)", "--allow-unsigned"]).succeeded)
      #expect(try site.plan(of: "folder").sources["linux"]?.isUnsigned == true)
    }
  }

  @Test func anotherSignerOrAChangedTarballIsRefused() async throws {
    try await site { site in
      let other = try await site.makeKey("other")
      try await site.sign(with: other)
      let unknown = try await site.cut("out", ["--allow-unsigned"])
      #expect(unknown.status == .exited(4) && unknown.errors.contains("signed by the unknown key"))
      _ = try await site.gpg(["--output", "\(site.folder)/keys.gpg", "--export"])
      let unpinned = try await site.cut("out", ["--allow-unsigned"])
      #expect(unpinned.status == .exited(4) && unpinned.errors.contains("signed by \(other), which is not among"))
      try await site.sign(with: site.signer)
      try await change(site)
      let changed = try await site.cut("out", ["--allow-unsigned"])
      #expect(changed.status == .exited(4) && changed.errors.contains("does not match the content"))
      // A hash does not excuse a wrong signature.
      let pinned = try await site.cut("out", ["--sha256", "linux=\(try site.sha256())"])
      #expect(pinned.status == .exited(4) && pinned.errors.contains("does not match the content"))
    }
  }

  private func change(_ site: Site) async throws {
    let file = site.folder.appending("linux-7.4.2/fs/demo/a.c")
    try Files.replace(file, with: Array("int b;\n".utf8))
    #expect(try await site.run("tar", ["-C", "\(site.folder)", "-cJf", "\(site.tarball)", "linux-7.4.2"]).succeeded)
  }

  @Test func aPlanChecksASignatureThatIsAtHandAndSaysWhenNoneIs() async throws {
    try await site { site in
      #expect(try await site.cut("out").succeeded)
      let plan = site.folder.appending("plan.json")
      #expect(
        try await site.lrelease(["plan", site.manifest.string, "--kernel", "7.4.2", "--save", plan.string]).succeeded)
      func carryOut(_ into: String, _ more: [String] = []) async throws -> Command.Outcome {
        try await site.lrelease(["cut", "--plan", plan.string, "--output", "\(site.folder)/\(into)"] + more)
      }
      // The plan holds the keyring: what lies beside the manifest is not asked.
      try Files.remove(site.folder.appending("keys.gpg"))
      let signed = try await carryOut("signed")
      #expect(signed.succeeded && !signed.errors.contains("warning"), "\(signed.errors)")
      let kept = try Files.read(site.signature)
      try Files.replace(site.signature, with: Array(kept.reversed()))
      #expect(try await carryOut("damaged").status == .exited(4))
      try Files.remove(site.signature)
      let vouched = try await carryOut("vouched")
      #expect(vouched.succeeded, "\(vouched.errors)")
      #expect(vouched.errors.contains("warning: the signature of the source 'linux' is not available"))
      #expect(vouched.errors.contains("the hash in the plan is used instead (signed by \(site.signer)"))
      for release in ["signed", "vouched"] { #expect(try site.sums("out") == site.sums(release)) }

      // A plan is text that anybody can change.
      let good = try Plan(reading: plan)
      #expect(good.sources["linux"]?.signedBy == site.signer)
      let forgeries: [(String, (inout SourcePin) -> Void)] = [
        ("not one of the signers of the manifest", { $0.signedBy = String(repeating: "A", count: 40) }),
        ("says neither who signed it nor that it is not signed", { $0.signedBy = nil }),
        ("its content differs from the one that the plan pins", { $0.sha256 = SHA256Digest(of: [1]) }),
      ]
      for (words, forge) in forgeries {
        var forged = good
        var pin = try #require(forged.sources["linux"])
        forge(&pin)
        forged.sources["linux"] = pin
        try Files.replace(plan, with: try JSON.encode(forged))
        let outcome = try await carryOut("forged")
        #expect(outcome.status == .exited(4) && outcome.errors.contains(words), "\(outcome.errors)")
      }
      try Files.replace(plan, with: try JSON.encode(good))
      try await change(site)
      let changed = try await carryOut("changed")
      #expect(
        changed.status == .exited(4) && changed.errors.contains("its content differs from the one that the plan pins"))
      // With the signature back, its own complaint comes first.
      try Files.write(kept, to: site.signature)
      #expect(try await carryOut("changed").errors.contains("does not match the content"))
    }
  }

  @Test func aSignedTagIsCheckedAndItsCommitVouchesWhenTheTagIsGone() async throws {
    try await site { site in
      let repository = site.folder.appending("linux-7.4.2").string
      func git(_ arguments: [String]) async throws {
        let user = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        let outcome = try await site.run("git", ["-C", repository] + user + arguments)
        #expect(outcome.succeeded, "\(outcome.errors)")
      }
      try await git(["init", "--quiet"])
      try await git(["add", "."])
      try await git(["commit", "--quiet", "-m", "first"])
      try await git(["tag", "v7.4.2"])
      let unsigned = try await site.cut("out", ["--source", "linux=\(repository)"])
      #expect(unsigned.status == .exited(4) && unsigned.errors.contains("it is not a signed tag"))
      try await git(["tag", "--force", "--sign", "--local-user", site.signer, "-m", "Linux 7.4.2", "v7.4.2"])
      let signed = try await site.cut("out", ["--source", "linux=\(repository)"])
      #expect(signed.succeeded, "\(signed.errors)")
      #expect(try site.plan(of: "out").sources["linux"]?.signedBy == site.signer)

      let plan = "\(site.folder)/out/demo-7.4.2/plan.json"
      func carryOut(_ into: String) async throws -> Command.Outcome {
        try await site.lrelease(
          ["cut", "--plan", plan, "--source", "linux=\(repository)", "--output", "\(site.folder)/\(into)"])
      }
      let again = try await carryOut("again")
      #expect(again.succeeded && !again.errors.contains("warning"), "\(again.errors)")
      try await git(["tag", "--delete", "v7.4.2"])
      let gone = try await carryOut("gone")
      #expect(gone.succeeded && gone.errors.contains("the hash in the plan is used"), "\(gone.errors)")
      for release in ["again", "gone"] { #expect(try site.sums("out") == site.sums(release)) }
    }
  }

  /// Every signer of a shipped manifest has a key in the keyring that it names, and the keyring has no other.
  @Test func theShippedKeyringsHoldTheSigners() async throws {
    let folder = Workshop.root.appending("manifests")
    var checked = 0
    for name in try Files.names(in: folder).map({ String(decoding: $0, as: UTF8.self) }) where name.hasSuffix(".toml") {
      let manifest = try Manifest(parsing: Files.read(folder.appending(name)), file: name) {
        try Files.read(folder.appending($0))
      }
      for source in manifest.sources.values where source.keyring != nil {
        let keyring = folder.appending(source.keyring ?? "")
        try await withScratch { home in
          let shown = try await Command(
            "gpg", ["--homedir", home.string, "--batch", "--with-colons", "--show-keys", keyring.string]
          ).check(doing: "reading \(keyring)")
          let lines = shown.text.split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false)
          }
          let primary = zip(lines, lines.dropFirst()).filter { $0.0.first == "pub" && $0.1.first == "fpr" }
            .map { String($0.1[9]) }
          #expect(primary.sorted() == source.signers.sorted(), "\(name)")
        }
        checked += 1
      }
    }
    #expect(checked > 0)
  }
}
