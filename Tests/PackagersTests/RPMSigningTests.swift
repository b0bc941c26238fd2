// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import Releases
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// A cut that signs what it makes, its .rpm files too.
@Suite struct RPMSigningTests {
  private static let name = "sample-7.2.1"
  private static let rpms = ["sample-7.2.1-1.src.rpm", "sample-dkms-7.2.1-1.noarch.rpm"]

  /// A release of the sample in `out`, signed by `maker@example.org`, whose public key is in keys.gpg and keys.asc.
  private func use(
    kind: String = "ed25519", _ body: (Workshop, GPGHome, String) async throws -> Void
  ) async throws {
    try await Workshop.use { workshop in
      try await GPGHome.use(in: workshop) { keys in
        let key = try await keys.make("maker", kind: kind)
        try await keys.export([key], to: workshop.folder.appending("keys.gpg"))
        try await keys.export([key], to: workshop.folder.appending("keys.asc"), armoured: true)
        // What a user has set up for other packages does not count.
        try workshop.write(".rpmmacros", "%_gpg_name nobody\n%_gpg_path /nowhere\n")
        let outcome = try await workshop.cutSample(["--sign", "maker@example.org"])
        try #require(outcome.succeeded && outcome.errors.isEmpty, "\(outcome.errors)")
        workshop.expectNothing([Self.name])
        try await body(workshop, keys, key)
      }
    }
  }

  private func verify(_ workshop: Workshop, _ release: String) async throws -> Command.Outcome {
    try await workshop.run(["verify", release, "--keyring", "keys.gpg"])
  }

  @Test(arguments: ["ed25519", "rsa2048"]) func aCutSignsAllOfIt(kind: String) async throws {
    try await use(kind: kind) { workshop, _, key in
      let verified = try await verify(workshop, "out/\(Self.name)")
      let all = ["SHA256SUMS", "\(Self.name).tar"] + Self.rpms
      #expect(
        verified.text.contains("signed by \(key) (maker <maker@example.org>): \(all.joined(separator: ", "))\n"),
        "\(verified.errors)\(verified.text)")
      #expect(!verified.text.contains("not signed"), "\(verified.text)")
      // The words of docs/signing.md, which need no lrelease.
      let guide = String(decoding: try Files.read(Workshop.root.appending("docs/signing.md")), as: UTF8.self)
      let section = try #require(guide.split(separator: "\n## ").first { $0.hasPrefix("By hand\n") })
      let lines = section.split(separator: "\n").filter { $0.hasPrefix("    ") }.map { String($0.dropFirst(4)) }
      #expect(lines.count == 5)
      try await workshop.shell("cp keys.gpg out/example.gpg; cp keys.asc out/example.asc")
      for line in lines { try await workshop.shell("cd out/\(Self.name); \(line)") }
      // rpm says so of a package whose key it knows only where a signature is demanded.
      let strict = "rpmkeys --define '_pkgverify_level all' --checksig"
      for rpm in Self.rpms { try await workshop.shell("cd out/\(Self.name); \(strict) \(rpm)") }
      try await workshop.shell("rm out/example.*")

      let again = try await workshop.cutSample(["--sign", key])
      #expect(again.succeeded, "\(again.errors)")
    }
  }

  @Test func theSameReleaseIsSignedByOneKeyOnly() async throws {
    try await use { workshop, keys, _ in
      let other = try await keys.make("other")
      let cut = try await workshop.cutSample(["--sign", other])
      workshop.expectRefusal(cut, 5, "it exists, and \(other) has not signed it", leaves: [Self.name])
      try await workshop.shell("rm out/\(Self.name)/*.asc")
      let unsigned = try await workshop.cutSample(["--sign", other])
      workshop.expectRefusal(
        unsigned, 5, "it exists, and is not signed; sign it with 'lrelease sign'", leaves: [Self.name])
      #expect(try await workshop.cutSample().succeeded)
    }
  }

  /// All but the signatures is made again, and compared.
  @Test func aSignedReleaseIsMadeAgain() async throws {
    try await use { workshop, keys, _ in
      let other = try await keys.make("other", kind: "rsa2048")
      let place = workshop.folder.appending("out/\(Self.name)")
      let words = "identical but for the signatures of \(Self.rpms.joined(separator: ", ")): everything else is as"
      for (output, more) in [("plain", []), ("other", ["--sign", other])] {
        let rebuilt = try await workshop.run(["rebuild", "out/\(Self.name)", "--output", output, "--quiet"] + more)
        #expect(rebuilt.succeeded, "\(rebuilt.errors)")
        let json = try await workshop.run(
          ["rebuild", "out/\(Self.name)", "--output", "\(output)-2", "--quiet", "--json"] + more)
        #expect(json.text.contains("\"signaturesDiffer\""), "\(json.errors)\(json.text)")
        let text = try await workshop.run(["rebuild", "out/\(Self.name)", "--output", "\(output)-3"] + more)
        #expect(text.text.contains(words), "\(text.errors)\(text.text)")
        for name in try ReleaseFolder(place).listed().map(\.name) {
          let (one, two) = (place.appending(name), workshop.folder.appending("\(output)/\(Self.name)/\(name)"))
          if Self.rpms.contains(name) {
            #expect(try Files.read(one) != Files.read(two) && RPMSigning.isSame(one, two), "\(name)")
            #expect(try RPMSigning.isSigned(two) == !more.isEmpty)
          } else {
            #expect(try Files.read(one) == Files.read(two), "\(name)")
          }
        }
        let diff = try await workshop.run(["diff", "out/\(Self.name)", "\(output)/\(Self.name)", "--quiet"])
        #expect(diff.succeeded, "\(diff.errors)\(diff.text)")
      }
      // A tarball in its release, and one that has only the list beside it.
      let inFolder = try await workshop.run(["rebuild", "out/\(Self.name)/\(Self.name).tar.xz", "--output", "new"])
      #expect(inFolder.text.contains(words), "\(inFolder.errors)")
      try await workshop.shell("mkdir few; cp out/\(Self.name)/SHA256SUMS out/\(Self.name)/*.tar.xz few/")
      let alone = try await workshop.run(["rebuild", "few/\(Self.name).tar.xz", "--output", "newer", "--quiet"])
      workshop.expectRefusal(alone, 6, "not the bytes that were released", Self.rpms[0], leaves: [Self.name])
      // A vendor's release of it has a name of its own, and is signed like any other.
      let vendor = try await workshop.run(
        ["rebuild", "out/\(Self.name)", "--output", "out", "--vendor", "acme", "--sign", other, "--quiet"])
      #expect(vendor.succeeded, "\(vendor.errors)")
      let rpm = workshop.output.appending("\(Self.name)+by.acme.1/sample-dkms-7.2.1+by.acme.1-1.noarch.rpm")
      #expect(try RPMSigning.isSigned(rpm))
    }
  }

  /// What was done to a signed package, in Python on its bytes `d`, with the list made anew and not signed.
  static let tamperings = [
    ("its payload", "d[-100] ^= 1", "does not match the digests in its header"),
    (
      "its header", "d[d.index(b'SPDX') if b'SPDX' in d else d.index(b'sample-dkms', 200) + 3] ^= 1",
      "the signature does not match"
    ),
    ("its size", "d += b'x'", "does not match the digests in its header"),
    ("the length of a header", "d[104:108] = b'\\xff' * 4", "it is not an .rpm, or it is damaged"),
    ("all but its start", "del d[50:]", "it is not an .rpm, or it is damaged"),
  ]

  @Test func aPackageThatWasTamperedWithIsRefused() async throws {
    try await use { workshop, keys, key in
      let rpm = Self.rpms[1]
      func verifyTampered(_ script: String) async throws -> String {
        try await workshop.shell(
          """
          rm -rf changed; cp -r out/\(Self.name) changed; cd changed; rm SHA256SUMS.asc
          \(script)
          sums=$(cut -c67- SHA256SUMS); sha256sum $sums >SHA256SUMS
          """)
        let outcome = try await verify(workshop, "changed")
        #expect(!outcome.succeeded, "\(script): \(outcome.text)")
        return outcome.errors
      }
      for (what, change, words) in Self.tamperings {
        try workshop.write(
          "change.py", "d = bytearray(open('\(rpm)', 'rb').read())\n\(change)\nopen('\(rpm)', 'wb').write(d)\n")
        let errors = try await verifyTampered("python3 ../change.py")
        #expect(errors.contains(words) && errors.contains(rpm), "\(what): \(errors)")
      }
      // Signed by a stranger, or by nobody.
      _ = try await keys.make("stranger")
      let sign =
        "rpmsign --define '_gpg_name stranger' --define '_gpg_path %{nil}' --define '__gpg /usr/bin/gpg' --addsign"
      let stranger = try await verifyTampered("GNUPGHOME=\(keys.home) \(sign) \(rpm) >/dev/null 2>&1")
      #expect(stranger.contains("\(rpm): it was signed by the unknown key"), "\(stranger)")
      let nobody = try await verifyTampered("rpmsign --delsign \(rpm) >/dev/null")
      #expect(nobody.contains("no other signature covers \(rpm), sample-dkms_"), "\(nobody)")

      // Where the list is signed, that covers a package without a signature, and it is said.
      try await workshop.shell(
        """
        rm -rf changed; cp -r out/\(Self.name) changed; cd changed; rpmsign --delsign \(rpm) >/dev/null
        sums=$(cut -c67- SHA256SUMS); sha256sum $sums >SHA256SUMS
        """)
      let signed = try await workshop.run(["sign", "changed", "--key", key, "--replace", "--quiet"])
      #expect(signed.succeeded, "\(signed.errors)")
      let covered = try await verify(workshop, "changed")
      #expect(covered.succeeded && covered.text.contains("\nnot signed: \(rpm)\n"), "\(covered.errors)\(covered.text)")
    }
  }

  /// Whatever stands in the headers of a package, it is read or refused.
  @Test func damagedHeadersAreReadOrRefused() async throws {
    try await use { workshop, _, _ in
      let bytes = try Files.read(workshop.output.appending("\(Self.name)/\(Self.rpms[1])"))
      let path = workshop.folder.appending("damaged.rpm")
      var random = SplitMix64(state: 14)
      var (read, refused) = (0, 0)
      for _ in 0..<3000 {
        var damaged = bytes
        for _ in 0...Int.random(in: 0...3, using: &random) {
          let place = Int.random(in: 96..<2000, using: &random)
          damaged[place] =
            [0, 0xff, 1, 0x7f, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
        }
        if Int.random(in: 0..<8, using: &random) == 0 {
          damaged.removeLast(Int.random(in: 0..<bytes.count, using: &random))
        }
        try Files.replace(path, with: damaged)
        do {
          let file = try RPMFile(reading: path)
          #expect(file.signatures.count <= 2 << 20)
          read += 1
        } catch let error as ReleaseError {
          #expect(error.code == .source)
          refused += 1
        }
      }
      #expect(read > 100 && refused > 100)
    }
  }

  /// rpm 6 holds each signature as base64 in RPMSIGTAG_OPENPGP, beside or instead of the others.
  @Test func signaturesOfRPM6AreRead() async throws {
    try await use { workshop, _, key in
      let rpm = workshop.output.appending("\(Self.name)/\(Self.rpms[1])")
      let plain = try RPMFile(reading: rpm)
      try workshop.write(
        "six.py",
        """
        import base64, struct, sys
        d = open(sys.argv[1], 'rb').read()
        n, size = struct.unpack('>II', d[104:112])
        index, data = d[112:112 + 16 * n], d[112 + 16 * n:112 + 16 * n + size]
        rest = d[(112 + 16 * n + size + 7) // 8 * 8:]
        entries = [struct.unpack('>IIII', index[16 * i:16 * i + 16]) for i in range(n)]
        own = [e for e in entries if e[0] in (267, 268)][0]
        text = base64.b64encode(data[own[2]:own[2] + own[3]]) + b'\\0'
        other = base64.b64encode(b'other') + b'\\0'
        kept = [e for e in entries if e[0] not in (267, 268)] if sys.argv[3] == 'alone' else entries
        kept.append((278, 8, size, 2))
        data += text + other
        head = d[96:104] + struct.pack('>II', len(kept), len(data)) + b''.join(struct.pack('>IIII', *e) for e in kept)
        head += data
        open(sys.argv[2], 'wb').write(d[:96] + head + b'\\0' * (-len(head) % 8) + rest)
        """)
      for kind in ["alone", "both"] {
        try await workshop.shell("python3 six.py \(rpm) \(kind).rpm \(kind)")
        let six = try RPMFile(reading: workshop.folder.appending("\(kind).rpm"))
        #expect(six.signatures == plain.signatures + Array("other".utf8), "\(kind)")
        #expect(six.header == plain.header && six.signedPart == plain.signedPart)
      }
    }
  }

  /// rpmsign is asked for before the work begins, and its failures are told in the words of gpg.
  @Test func whatIsMissingIsNamed() async throws {
    try await Workshop.use { workshop in
      try await GPGHome.use(in: workshop) { keys in
        _ = try await keys.make("maker")
        try await workshop.shell(
          """
          mkdir bin; for program in $(ls /usr/bin); do
            case $program in rpmsign) ;; *) ln -s "/usr/bin/$program" bin/ ;; esac
          done
          """)
        let linux = "linux=\(Workshop.root.appending("Examples/sample/linux"))"
        let arguments = workshop.cutArguments(
          Workshop.root.appending("manifests/sample.toml").string, ["--source", linux, "--sign", "maker"])
        var environment = workshop.environment
        environment["PATH"] = workshop.folder.appending("bin").string
        let cut = try await Command(
          Workshop.lrelease, arguments, environment: environment, directory: workshop.folder
        ).run(doing: "cutting")
        workshop.expectRefusal(cut, 7, "the program rpmsign is not installed", "apt-get install rpm")
      }
    }
  }
}
