// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Assembler

/// Repositories that git fetches from. Where nothing depends on the way, the way is git's own for `file://`.
@Suite struct GitFetchTests {
  private struct Site {
    var folder: FilePath
    var remote: GitRemote
    var commits: [String]

    func fetch(_ ref: String, pinned: String? = nil) async throws -> SourceContent {
      let fetched = try await remote.fetch(ref, pinned: pinned, progress: .silent)
      var source = GitSource(repository: fetched.folder, ref: ref)
      source.fetched = fetched
      source.commit = pinned
      return try await source.read(Selection(rules: [Fixture.rule(from: "")]), progress: .silent)
    }

    func text(_ ref: String, pinned: String? = nil) async throws -> String {
      String(decoding: try await fetch(ref, pinned: pinned).files["a.c"]?.readFile() ?? [], as: UTF8.self).trimmed
    }

    func shell(_ script: String) async throws { try await Fixture.shell("cd up; \(script)", in: folder) }

    /// With nothing in the cache.
    var fresh: Site {
      var site = self
      site.remote = GitRemote(remote.address, cache: folder.appending("fresh"))
      return site
    }
  }

  private func withSite(format: String = "sha1", _ body: (Site) async throws -> Void) async throws {
    try await withScratch { folder in
      try await Fixture.shell(
        "git init -q -b trunk --object-format=\(format) up; cd up\n\(GitFixture.identity)\n\(GitFixture.twoTags)",
        in: folder)
      let ids = try await Command(
        "git", ["-C", folder.appending("up").string, "rev-parse", "v1^{commit}", "v2^{commit}"]
      )
      .check(doing: "asking").text.split(separator: "\n").map(String.init)
      let remote = GitRemote("file://\(folder)/up", cache: folder.appending("cache"))
      try await body(Site(folder: folder, remote: remote, commits: ids))
    }
  }

  @Test(arguments: ["sha1", "sha256"]) func everyWayToNameARef(format: String) async throws {
    try await withSite(format: format) { site in
      try await site.shell("git update-ref refs/changes/34/1234/5 v1; git branch side v1")
      for (ref, number, tag) in [
        ("v1", 0, "v1"), ("refs/tags/v1", 0, "v1"), ("tags/v1", 0, "v1"), ("trunk", 1, nil),
        ("refs/heads/trunk", 1, nil),
        ("heads/side", 0, nil), ("refs/changes/34/1234/5", 0, nil), ("HEAD", 1, nil), (site.commits[0], 0, nil),
      ] as [(String, Int, String?)] {
        let content = try await site.fetch(ref)
        #expect(content.pin.commit == site.commits[number] && content.pin.ref == ref && content.tag == tag, "\(ref)")
        #expect(try content.files["a.c"]?.readFile() == Array((number == 0 ? "one\n" : "two\n").utf8), "\(ref)")
      }
    }
  }

  @Test func whatMovedIsReadAnewAndWhatIsPinnedStays() async throws {
    try await withSite { site in
      #expect(try await [site.text("v1"), site.text("trunk")] == ["one", "two"])
      try await site.shell("echo moved > a.c; git commit -qam moved; git tag -f -a -m v1 v1 >/dev/null")
      #expect(try await [site.text("v1"), site.text("trunk")] == ["moved", "moved"])
      // From the cache, and by its id.
      #expect(try await site.text("v1", pinned: site.commits[0]) == "one")
      #expect(try await site.fresh.text("v1", pinned: site.commits[0]) == "one")
      // The server is gone: what a plan pins is here.
      try await Fixture.shell("mv up gone", in: site.folder)
      #expect(try await site.text("v2", pinned: site.commits[1]) == "two")
      await Fixture.refusal("fetching v1", code: .source, remedy: .giveOwnRepository) { _ = try await site.text("v1") }
    }
  }

  @Test func whatCannotBeFetchedIsNamed() async throws {
    try await withSite { site in
      try await site.shell("git tag tree 'v1^{tree}'")
      let short = String(site.commits[0].prefix(9))
      for (ref, words) in [
        ("v9", "did you mean 'v"), ("nothing-like-it", "there is no such tag, branch or commit"),
        ("trunk~1", "'trunk~1' is an expression"), (short, "did you mean \(site.commits[0])?"),
        ("refs/heads/none", "there is no such"), ("refs/changes/1/1/1", "the server has no refs/changes/1/1/1"),
        ("changes/1/1/1", "did you mean 'refs/changes/1/1/1'?"), ("tree", "'tree' names a tree, not a commit"),
        (String(repeating: "0", count: 39) + "1", "there is no such commit"), ("--upload-pack=x", "is an expression"),
      ] {
        await Fixture.refusal("fetching \(ref) of file://", words, code: .source) { _ = try await site.text(ref) }
      }
      try await Fixture.shell("git init -q empty", in: site.folder)
      await Fixture.refusal("the repository has no tag and no branch", code: .source) {
        _ = try await GitRemote("file://\(site.folder)/empty", cache: site.remote.cache).fetch("v1", progress: .silent)
      }
      await Fixture.refusal("transport 'ext' not allowed", code: .source) {
        _ = try await GitRemote("ext::sh -c id", cache: site.remote.cache).fetch("v1", progress: .silent)
      }
    }
  }

  @Test func whatAKilledGitHasLeftIsRemoved() async throws {
    try await withSite { site in
      _ = try await site.text("v1")
      let folder = GitCache(site.remote, isSHA256: false).folder
      for name in ["shallow.lock", "refs/lrelease/x.lock", "objects/pack/tmp_pack_x", "config.lock"] {
        try Files.write([], to: folder.pushing(FilePath(name)))
      }
      #expect(try await site.text("v2") == "two")
      let found = try await Command("find", [folder.string, "-name", "*.lock", "-o", "-name", "tmp_*"]).check(
        doing: "looking")
      #expect(found.text == "")
      // Half made by an older lrelease, of another format, and damaged.
      for damage in [
        "rm -rf */refs */HEAD", "git init -q --bare --object-format=sha256 x; rm -rf $D; mv x $D",
        "chmod -R u+w .; find . -name '*.pack' -exec truncate -s 40 {} +; find */objects -type f -name '[0-9a-f]*' -delete",
      ] {
        try await Fixture.shell(damage.replacing("$D", with: folder.name), in: folder.removingLastComponent())
        #expect(try await site.text("v1") == "one", "\(damage)")
      }
    }
  }

  @Test func twoAtOnceWaitForEachOther() async throws {
    try await withSite { site in
      let texts = try await withThrowingTaskGroup(of: String.self) { group in
        for ref in ["v1", "v2", "trunk", "v1"] { group.addTask { try await site.text(ref) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(texts.sorted() == ["one", "one", "two", "two"])
    }
  }

  @Test func aBundleIsARepository() async throws {
    try await withSite { site in
      try await site.shell("git bundle create -q ../up.bundle --all")
      let bundle = GitRemote("\(site.folder)/up.bundle", cache: site.remote.cache)
      for (ref, number) in [("v1", 0), ("trunk", 1), (site.commits[0], 0)] {
        #expect(try await bundle.fetch(ref, progress: .silent).commit == site.commits[number], "\(ref)")
      }
      let pinned = try await GitRemote("\(site.folder)/up.bundle", cache: site.folder.appending("fresh"))
        .fetch("v2", pinned: site.commits[0], progress: .silent)
      #expect(pinned.commit == site.commits[0] && pinned.revision == nil)
    }
  }

  // MARK: with a server, and with an environment

  private final class Server: Sendable { let hasEnded = Mutex(false) }

  /// Runs a server until `body` ends. Another process may take the port before the server does: then it gets another.
  private func withServer(
    _ program: String, _ arguments: (_ port: Int) -> [String], _ body: (_ port: Int) async throws -> Void
  ) async throws {
    for _ in 0..<5 {
      let port = Self.freePort()
      let words = arguments(port)
      let server = Server()
      let isServed: Bool = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          defer { server.hasEnded.withLock { $0 = true } }
          // It ends with the test, or because it cannot have the port.
          _ = try? await Command(program, words).run(doing: "serving")
        }
        defer { group.cancelAll() }
        for _ in 0..<1200 {
          if Self.answers(port) || server.hasEnded.withLock({ $0 }) { break }
          try await Task.sleep(for: .milliseconds(25))
        }
        try await Task.sleep(for: .milliseconds(100))
        guard !server.hasEnded.withLock({ $0 }) else { return false }
        try await body(port)
        return true
      }
      if isServed { return }
    }
    Issue.record("\(program) could have no port")
  }

  private static func address(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func use<R>(_ port: Int, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(raw) }
    var address = address(port)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  private static func answers(_ port: Int) -> Bool { use(port) { connect($0, $1, $2) } == 0 }

  private static func freePort() -> Int {
    use(0) { raw, address, length in
      _ = bind(raw, address, length)
      var bound = sockaddr_in()
      var size = length
      _ = withUnsafeMutablePointer(to: &bound) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(raw, $0, &size) }
      }
      return Int(in_port_t(bigEndian: bound.sin_port))
    }
  }

  /// A web server that gives files, as the bare repository was put there with `git update-server-info`.
  @Test func dumbHTTP() async throws {
    try await withSite { site in
      try await Fixture.shell("git clone -q --bare up b.git; git -C b.git update-server-info", in: site.folder)
      let arguments = { (port: Int) in
        ["-m", "http.server", String(port), "--bind", "127.0.0.1", "--directory", site.folder.string]
      }
      try await withServer("python3", arguments) { port in
        let remote = GitRemote("http://127.0.0.1:\(port)/b.git", cache: site.remote.cache)
        for (ref, number) in [("v1", 0), ("trunk", 1), (site.commits[0], 0)] {
          let fetched = try await remote.fetch(ref, progress: .silent)
          #expect(fetched.commit == site.commits[number], "\(ref)")
        }
      }
    }
  }

  /// The whole command with git's daemon: by the manifest's URL, which the user's configuration leads elsewhere; by a
  /// server that gives no commit by its id; from the plan without the server.
  @Test func theCommandAndADaemon() async throws {
    try await Workshop.use { workshop in
      try await workshop.shell(
        "git init -q -b trunk up; cd up; \(GitFixture.identity); echo V=1.0 > GEN; git add GEN; \(GitFixture.twoTags)")
      let source =
        "git = \"https://example.org/up\"\nref = \"v1\"\nversion-from = { file = \"GEN\", line = \"V={version}\" }"
      try workshop.write("m.toml", GitFixture.manifest(source, version: "{up}"))
      func lrelease(_ arguments: [String], v0: Bool = false) async throws -> Command.Outcome {
        var environment = workshop.environment
        if v0 {
          environment.merge([
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.version", "GIT_CONFIG_VALUE_0": "0",
          ]) { $1 }
        }
        return try await Command(
          Workshop.lrelease, arguments + ["--cache", workshop.cache.string], environment: environment,
          directory: workshop.folder
        ).run(doing: "running lrelease")
      }
      let arguments = { (port: Int) in
        [
          "daemon", "--reuseaddr", "--listen=127.0.0.1", "--port=\(port)", "--base-path=\(workshop.folder)",
          "--export-all", workshop.folder.string,
        ]
      }
      try await withServer("git", arguments) { port in
        try workshop.write(".gitconfig", "[url \"git://127.0.0.1:\(port)/\"]\ninsteadOf = https://example.org/\n")
        let made = try await lrelease(["plan", "m.toml", "--save", "plan.json"])
        #expect(made.succeeded, "\(made.errors)")
        for (ref, succeeds) in [("trunk", true), ("v2", true), ("none", false)] {
          let outcome = try await lrelease(["plan", "m.toml", "--ref", "up=\(ref)", "--save", "\(ref).json"])
          #expect(outcome.succeeded == succeeds, "\(outcome.errors)")
        }
        try Files.remove(workshop.cache)
        try await workshop.shell("cd up; git commit -q --allow-empty -m x; git tag -f -a -m v1 v1 >/dev/null")
        let old = try await lrelease(["cut", "--quiet", "--plan", "plan.json", "--output", "a"], v0: true)
        #expect(old.succeeded, "\(old.errors)")
      }
      let offline = try await lrelease(["cut", "--quiet", "--plan", "plan.json", "--output", "b"])
      #expect(offline.succeeded, "\(offline.errors)")
      try await workshop.shell("cmp a/demo-1.0/demo-1.0.tar.xz b/demo-1.0/demo-1.0.tar.xz")
    }
  }

  /// What ssh needs goes to it, and it asks nobody.
  @Test func overSSH() async throws {
    try await Workshop.use { workshop in
      try await workshop.shell("git init -q -b trunk up; cd up; \(GitFixture.identity); \(GitFixture.twoTags)")
      try workshop.write(
        "bin/ssh",
        """
        #!/bin/sh
        [ -n "$SSH_AUTH_SOCK" ] || { echo "git@localhost: Permission denied (publickey)." >&2; exit 255; }
        case "$*" in *BatchMode=yes*) ;; *) echo "it may ask" >&2; exit 255;; esac
        for last; do :; done
        exec sh -c "$last"
        """)
      try await workshop.shell("chmod +x bin/ssh")
      var environment = workshop.environment
      environment["PATH"] = "\(workshop.folder)/bin:\(environment["PATH", default: ""])"
      for (number, place) in ["ssh://git@localhost\(workshop.folder)/up", "git@localhost:\(workshop.folder)/up"]
        .enumerated()
      {
        try workshop.write("m.toml", GitFixture.manifest("git = \"\(place)\"\nref = \"v1\""))
        for agent in [nil, "/nowhere"] {
          environment["SSH_AUTH_SOCK"] = agent
          let outcome = try await Command(
            Workshop.lrelease, ["plan", "m.toml", "--cache", "cache", "--save", "\(number).json"],
            environment: environment,
            directory: workshop.folder
          ).run(doing: "running lrelease")
          #expect(outcome.succeeded == (agent != nil), "\(outcome.errors)")
          if agent == nil {
            #expect(outcome.errors.contains("Permission denied (publickey).; set up"), "\(outcome.errors)")
          }
        }
      }
    }
  }
}
