// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// Tars that are made to do harm, given to the real command: each is refused in one line, and leaves nothing.
@Suite struct HostileArchiveTests {
  private static let manifest = """
    name = "demo"
    version = "1.0"
    summary = "demo"
    license = "GPL-2.0-only"
    homepage = "https://example.org/"
    maintainer = "A <a@example.org>"
    [sources.up]
    archive = "none.tar"
    [[tree]]
    from = "up:fs"
    """

  /// Of each tar that Tests/Fixtures/hostile/tars.py writes, what is said; nil where GNU tar and lrelease read the same.
  private static let words: [String: String?] = [
    "path-dotdot": "leaves the tree", "path-abs": "is absolute", "path-nul": nil, "path-nl": "a control character",
    "path-badutf8": "is not UTF-8", "path-4000": "a path has 4008 bytes", "path-40000": "a path has 40007 bytes",
    "path-empty": nil, "size-neg": "is negative", "size-huge": "overflow", "size-over": "overflow", "size-small": nil,
    "size-large": "Damaged tar archive", "size-text": nil, "size-hex": "Damaged tar archive",
    "link-abs": "the link fs/a.c",
    "link-dotdot": "the link fs/a.c", "hard-abs": "fs/a.c is of an unknown kind", "link-nul": "the link fs/a.c",
    "rec-len-bad": "Rejecting pax", "rec-len-neg": "malformed pax", "rec-nolen": "malformed pax",
    "rec-0": "malformed pax", "rec-nonl": "malformed pax", "gnu-sparse-neg": "has a size of -1 bytes",
    "gnu-sparse-huge": "hold more than 2147483648 bytes", "gnu-sparse-name-dotdot": "leaves the tree",
    "gnu-sparse-count": "Line too long", "global-path": nil, "mtime-huge": "not a possible time of a release",
    "mtime-neg": nil,
    "hdrcharset": "is not UTF-8", "long-dotdot": "leaves the tree", "long-huge": "a path has 100008 bytes",
    "long-empty": "has no name of its own", "base256-neg": "negative size", "base256-huge": "overflow",
    "octal-8G": "hold more than 2147483648 bytes",
  ]

  @Test func eachIsRefusedInOneLine() async throws {
    try await Workshop.use { workshop in
      let manifest = workshop.folder.appending("demo.toml")
      try Files.write(Array(Self.manifest.utf8), to: manifest)
      let tars = workshop.folder.appending("tars")
      try Files.makeFolder(tars)
      _ = try await Command(
        "python3", [Workshop.root.appending("Tests/Fixtures/hostile/tars.py").string], directory: tars
      ).check(doing: "making the tars")
      let names = try Files.names(in: tars).map { String(decoding: $0, as: UTF8.self) }
      #expect(Set(names) == Set(Self.words.keys.map { $0 + ".tar" }))
      for (name, words) in Self.words.sorted(by: { $0.key < $1.key }) {
        let source = "up=\(tars.appending(name + ".tar"))"
        let outcome = try await workshop.run(
          workshop.cutArguments(manifest.string, ["--source", source]), seconds: 60)
        if let words {
          workshop.expectRefusal(outcome, 3, words)
        } else {
          #expect(outcome.succeeded, "\(name): \(outcome.errors)")
          try Files.remove(workshop.output)
        }
      }
    }
  }
}
