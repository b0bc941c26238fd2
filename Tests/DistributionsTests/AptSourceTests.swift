// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import Testing

@testable import Distributions

/// Which keys a repository is signed with, as the sources of apt say.
@Suite struct AptSourceTests {
  private static let stanzas = """
    # The mirror of a site.
    Enabled: no
    Types: deb
    URIs: http://y/debian
    Suites: bookworm
    Signed-By: /disabled.gpg

    # A comment alone.

    types: deb deb-src
    URIs:
     http://y/debian
    # between
      http://z/debian/
    Suites: bookworm
     bookworm-updates
    Components: main
    Signed-By: /etc/apt/keyrings/a.asc
     /b.gpg

    Types: deb-src
    URIs: http://y/debian-security
    Suites: bookworm-security
    Signed-By: /sources.gpg

    Types: deb
    URIs: http://y/debian-security
    Suites: bookworm-security
    Signed-By:
     -----BEGIN PGP PUBLIC KEY BLOCK-----
     .
     mQINBF
     -----END PGP PUBLIC KEY BLOCK-----

    Types: deb
    URIs: http://y/unsigned
    Suites: sid
    """
  private static let lines = """
    # deb [signed-by=/comment.gpg] http://w/debian sid main
    deb-src [signed-by=/sources.gpg] http://w/debian sid main
    deb [arch=amd64 signed-by=/k.gpg,/l.gpg] http://w/debian/ sid main # [signed-by=/no.gpg]
    deb http://w/debian trixie main
    """
  private static func text(_ path: FilePath) -> String? {
    switch path {
    case "/x.sources": stanzas
    case "/crlf.sources": stanzas.replacing("\n", with: "\r\n")
    case "/y.list": lines
    case "/m.list": "# mirrors\n\nhttp://one/debian/\tpriority:1\nhttp://two/debian\n"
    default: nil
    }
  }

  private static let block = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF\n-----END PGP PUBLIC KEY BLOCK-----"

  @Test(
    arguments: [
      ("/x.sources:2", "http://y/debian/", "bookworm", "/etc/apt/keyrings/a.asc\n/b.gpg"),
      ("/x.sources:2", "http://z/debian", "bookworm-updates", "/etc/apt/keyrings/a.asc\n/b.gpg"),
      ("/crlf.sources:2", "http://z/debian", "bookworm-updates", "/etc/apt/keyrings/a.asc\n/b.gpg"),
      ("/x.sources:4", "http://y/debian-security/", "bookworm-security", block),
      ("/x.sources:5", "http://y/unsigned", "sid", nil), ("/y.list:3", "http://w/debian/", "sid", "/k.gpg,/l.gpg"),
      ("/y.list:4", "http://w/debian/", "trixie", nil), ("/gone.list:1", "http://w/debian/", "sid", nil),
    ] as [(String, String, String, String?)])
  func keys(entry: String, uri: String, suite: String, signedBy: String?) {
    #expect(AptSource(uri: uri, suite: suite, entry: entry, text: Self.text).signedBy == signedBy)
  }

  @Test func whatAptIsTold() throws {
    let files = AptSource(uri: "http://y/debian/", suite: "bookworm", entry: "/x.sources:2", text: Self.text)
    #expect(
      files.line("trixie", ["main", "contrib"])
        == "deb [signed-by=/etc/apt/keyrings/a.asc,/b.gpg] http://y/debian trixie main contrib")
    #expect(files.keyFiles == ["/etc/apt/keyrings/a.asc", "/b.gpg"] && !files.hasEmbeddedKey)
    let embedded = AptSource(
      uri: "http://y/debian-security", suite: "bookworm-security", entry: "/x.sources:4", text: Self.text)
    #expect(embedded.hasEmbeddedKey && embedded.keyFiles.isEmpty)
    let stanza = embedded.stanza("bookworm-security", ["main"])
    #expect(
      stanza == """
        Types: deb
        URIs: http://y/debian-security
        Suites: bookworm-security
        Components: main
        Signed-By:
         -----BEGIN PGP PUBLIC KEY BLOCK-----
         .
         mQINBF
         -----END PGP PUBLIC KEY BLOCK-----

        """)
    let again = AptSource(uri: embedded.uri, suite: "bookworm-security", entry: "/a.sources:1") { _ in stanza }
    #expect(again == embedded)
    let plain = AptSource(uri: "http://w/debian", suite: "trixie", entry: "/y.list:4", text: Self.text)
    #expect(plain.line("sid", ["main"]) == "deb http://w/debian sid main")
  }

  /// A list of mirrors is the archive of its mirrors, and goes on being a list.
  @Test func listsOfMirrors() {
    for uri in ["mirror+file:/m.list/", "mirror+file:///m.list"] {
      let source = AptSource(uri: uri, suite: "sid", entry: "", text: Self.text)
      #expect(source.mirrorList == "/m.list" && source.name(text: Self.text) == "debian")
    }
    let plain = AptSource(uri: "http://y/debian-security/", suite: "sid", entry: "", text: Self.text)
    #expect(plain.mirrorList == nil && plain.name(text: Self.text) == "debian-security")
  }

  /// Keys are where apt of the chroot looks for them, or its sources name another place.
  @Test func keysReachTheChroot() async throws {
    try await withScratch { scratch in
      let folder = scratch.appending("my root")
      try Files.makeFolder(folder.appending("etc/apt/sources.list.d"))
      let list = folder.appending("etc/apt/sources.list")
      let keys = [scratch.appending("site.gpg"), scratch.appending("other.asc")]
      for key in keys { try Files.write(Array(key.name.utf8), to: key) }
      try Files.write(Array("deb [signed-by=\(keys[0]),\(keys[1])] http://y sid main\n".utf8), to: list)
      _ = try await Command(
        "sh", ["-c", Script(PackageResources.keys_sh).text, "keys", folder.string] + keys.map(\.string)
      ).check(doing: "copying keys")
      // TMPDIR of the tests decides which of the two holds.
      let text = String(decoding: try Files.read(list), as: UTF8.self)
      let named = try #require(text.split(separator: "=").last?.split(separator: "]").first).split(separator: ",")
      for (key, place) in zip(keys, named) {
        #expect(try Files.read(folder.pushing(FilePath(String(place.dropFirst())))) == Array(key.name.utf8))
      }
      if scratch.string.hasPrefix("/tmp/") {
        #expect(named == ["/etc/apt/keyrings/lrelease-1.gpg", "/etc/apt/keyrings/lrelease-2.asc"])
      }
    }
  }
}
