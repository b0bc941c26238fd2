// SPDX-License-Identifier: GPL-2.0-only

import Distributions
import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// The sample on an archive in the manner of Debian's with a key that no machine trusts: `make test-sites`. Its packages
/// are Debian's; its metadata is signed by the test.
@Suite(.serialized, .enabled(if: environmentVariable("LRELEASE_TEST_SITES") != nil, "see make test-sites"))
struct OwnArchiveTests {
  private static let server = """
    import http.server, os, sys
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_): pass
        def do_GET(self):
            if not self.path.startswith("/pool/"): return super().do_GET()
            self.send_response(302); self.send_header("Location", sys.argv[1] + self.path); self.end_headers()
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    open("port.new", "w").write(str(s.server_port)); os.rename("port.new", "port")
    s.serve_forever()
    """

  private static let archive = """
    export GNUPGHOME=$PWD/gnupg
    mkdir -m 700 gnupg
    for name in own other; do
      gpg --batch --quiet --passphrase '' --quick-generate-key "$name <$name@example.org>" rsa3072 sign never
      gpg --batch --export "$name@example.org" >$name.gpg
      gpg --batch --armor --export "$name@example.org" >$name.asc
    done
    mkdir -p dists/own/main/binary-amd64
    cp Packages.xz dists/own/main/binary-amd64
    xz --decompress --keep dists/own/main/binary-amd64/Packages.xz
    apt-ftparchive -o APT::FTPArchive::Release::Codename=own -o APT::FTPArchive::Release::Components=main \\
      -o APT::FTPArchive::Release::Architectures=amd64 release dists/own >Release
    mv Release dists/own
    gpg --batch --local-user own@example.org --clearsign --output dists/own/InRelease dists/own/Release
    gpgconf --kill all
    """

  private func target(_ workshop: Workshop, _ keyring: String) throws -> String {
    let port = String(decoding: try Files.read(workshop.folder.appending("port")), as: UTF8.self)
    try workshop.write(
      "own.toml",
      """
      distribution = "Debian"
      release      = "12"
      architecture = "amd64"
      format       = "deb"
      codec        = "xz"
      kernels      = ["linux-headers-amd64"]
      [root]
      suites = ["own"]
      mirror = "http://127.0.0.1:\(port)"
      \(keyring)

      """)
    return workshop.folder.appending("own.toml").string
  }

  private func build(_ workshop: Workshop, _ keyring: String) async throws -> Command.Outcome {
    try await workshop.run(
      [
        "build", workshop.output.appending("sample-7.2.1").string, "--target", try target(workshop, keyring), "--cache",
        workshop.cache.string, "--targets", workshop.folder.string, "--output", workshop.output.string, "--quiet",
      ], seconds: 900)
  }

  @Test func anArchiveIsTrustedByItsOwnKeyAlone() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let mirror = try await DebianArchive().main
      try #require(
        mirror.hasPrefix("http"), "apt of this machine uses \(mirror), which the test cannot ask for an index")
      try await workshop.shell(
        "curl --silent --fail --location --output Packages.xz \(mirror)/dists/bookworm/main/binary-amd64/Packages.xz")
      try await workshop.shell(Self.archive)
      try workshop.write("server.py", Self.server)
      let server = try Child(workshop, ["server.py", mirror], program: "python3")
      #expect(try await server.wait { Files.exists(workshop.folder.appending("port")) })

      for (keyring, words) in [
        ("", "NO_PUBKEY"), ("keyring = \"other.gpg\"", "NO_PUBKEY"), ("keyring = \"other.asc\"", "NO_PUBKEY"),
        ("keyring = \"/nowhere/own.gpg\"", "/nowhere/own.gpg, the file of keys that the target"),
      ] {
        let outcome = try await build(workshop, keyring)
        let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
        #expect(outcome.status == .exited(1) && errors.count == 1, "\(outcome.errors)")
        #expect(errors.first?.contains(words) == true && errors.first?.contains("own.toml") == true, "\(errors)")
      }
      let kernels = try await workshop.run(
        [
          "kernels", "--target", try target(workshop, "keyring = \"own.asc\""), "--cache", workshop.cache.string,
          "--targets", workshop.folder.string,
        ])
      #expect(kernels.succeeded && kernels.text.contains("6.1.0-"), "\(kernels.errors)")

      let outcome = try await build(workshop, "keyring = \"own.gpg\"")
      #expect(outcome.succeeded, "\(outcome.errors)")
      let made = workshop.output.appending("sample-7.2.1.own/sample-utils_7.2.1-1_amd64.deb")
      #expect(Files.exists(made))
      // apt of the chroot has the key, too.
      let cache = ChrootCache(workshop.cache.appending("roots"))
      let kept = try await cache.all()
      let root = try #require(kept.first)
      let path = cache.folder.appending(root.name)
      let sources = String(decoding: try Files.read(path.appending("etc/apt/sources.list")), as: UTF8.self)
      #expect(sources.hasPrefix("deb [signed-by=/etc/apt/keyrings/lrelease.gpg] http://127.0.0.1:"), "\(sources)")
      let update = try await Command("chroot", [path.string, "apt-get", "update", "--error-on=any"])
        .run(doing: "updating")
      #expect(update.succeeded, "\(update.errors)")
      #expect(server.isRunning)
    }
  }
}
