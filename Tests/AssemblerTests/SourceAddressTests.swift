// SPDX-License-Identifier: GPL-2.0-only

import Model
import SystemPackage
import Testing

@testable import Assembler

@Suite struct SourceAddressTests {
  private func address(_ text: String, _ kind: Manifest.Source.Kind, here: String? = nil) throws -> SourceAddress {
    try SourceAddress(text, kind: kind, doing: "looking") { $0.string == here }
  }

  @Test(arguments: [
    "git://h/x", "ssh://git@h/x", "git+ssh://h/x", "git@h:x/y", "h:x", "[::1]:x", "https://h/x", "http://h/x.git",
    "https://h/x.git/",
  ]) func aRepository(text: String) throws {
    #expect(try address(text, .git) == .repository(text))
  }

  @Test func whatTheManifestTakesItForDecides() throws {
    #expect(try address("https://h/x.tar.xz?raw=1", .git) == .file("https://h/x.tar.xz?raw=1"))
    #expect(try address("https://h/x.bundle", .git) == .file("https://h/x.bundle"))
    for kind in [Manifest.Source.Kind.kernel, .archive, .folder] {
      #expect(try address("https://h/x.git", kind) == .repository("https://h/x.git"))
      #expect(try address("git://h/x", kind) == .repository("git://h/x"))
      #expect(try address("https://h/x", kind) == .file("https://h/x"))
    }
    #expect(try address("git@h:linux", .kernel) == .repository("git@h:linux"))
    // A file of that name goes before ssh; so does everything with a slash before the colon.
    #expect(try address("h:x", .git, here: "h:x") == .path("h:x"))
    #expect(try address("./h:x", .git) == .path("./h:x"))
    #expect(try address("h:x.tar.gz", .archive) == .path("h:x.tar.gz"))
    #expect(try address("file:///a%20b/c", .git) == .path("/a b/c"))
    #expect(try address("file://localhost/a", .archive) == .path("/a"))
  }

  @Test func noHelperOfGitIsRun() async {
    for text in ["ext::sh -c id", "fd::17", "foo::https://h/x"] {
      await Fixture.refusal("names a helper program of git", code: .input) { _ = try address(text, .git) }
    }
  }

  @Test(arguments: [
    ("https://me:secret@h/x", "https://h/x"), ("https://token@h/x?a@b", "https://h/x?a@b"),
    ("ssh://git@h/x", "ssh://git@h/x"),
    ("ssh://git:secret@h/x", "ssh://git@h/x"), ("git@h:x", "git@h:x"), ("https://h/a@b", "https://h/a@b"),
    ("/a/b", "/a/b"),
  ]) func nothingSecretIsShown(text: String, shown: String) {
    #expect(SourceAddress.shown(text) == shown)
    #expect(SourceAddress.shown("fatal: '\(text)': no", of: text) == "fatal: '\(shown)': no")
  }
}
