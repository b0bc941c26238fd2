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

/// Fetches from a server on this machine that misbehaves in several ways.
@Suite struct FetchTests {
  /// Serves `folder`. A file whose name begins with "half-" is broken off in the middle the first time; one that begins
  /// with "plain-" is sent without byte ranges, one with "bare-" without a tag, of one with "careless-" the rest is sent
  /// whatever the tag was; "trouble" is answered with 500, "moved"
  /// leads to a file of this machine, "round" to itself, "plain" to http, "endless" does not end. What was asked is
  /// printed. With a certificate it speaks TLS.
  private static let server = """
    import http.server, os, sys, pathlib, hashlib, ssl
    seen = set()
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.lstrip("/"); path = pathlib.Path(sys.argv[1]) / name
            span = self.headers.get("Range")
            print(name, span or "-", file=open(sys.argv[2], "a"))
            if name.startswith("trouble") or (pathlib.Path(sys.argv[1]) / "down").exists(): return self.send_error(500)
            if name.startswith("secret"): return self.send_error(403)
            place = {"moved": "file:///etc/passwd", "round": "/round", "plain": "http://127.0.0.1:9/file"}.get(name)
            if place:
                self.send_response(302); self.send_header("Location", place)
                return self.end_headers()
            if name == "endless":
                self.send_response(200); self.end_headers()
                while True: self.wfile.write(bytes(65536))
            if not path.is_file(): return self.send_error(404)
            data = path.read_bytes(); start = 0; tag = '"%s"' % hashlib.md5(data).hexdigest()
            if self.headers.get("If-None-Match") == tag:
                self.send_response(304); return self.end_headers()
            if span and not name.startswith("plain-") and ("careless-" in name or self.headers.get("If-Range", tag) == tag):
                start = int(span.split("=")[1].split("-")[0])
                if start >= len(data): return self.send_error(416)
                self.send_response(206)
                self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
            else: self.send_response(200)
            if "bare-" not in name: self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(data) - start)); self.end_headers()
            rest = data[start:]
            if (name.startswith("half-") or name.startswith("plain-")) and name not in seen:
                seen.add(name); rest = rest[:len(rest) // 2]
            self.wfile.write(rest)
        def log_message(self, *a): pass
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if len(sys.argv) > 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[4])
        s.socket = context.wrap_socket(s.socket, server_side=True)
    open(sys.argv[3] + ".new", "w").write(str(s.server_port)); os.rename(sys.argv[3] + ".new", sys.argv[3])
    s.serve_forever()
    """

  private struct Site {
    var folder: FilePath
    var files: FilePath
    var url: String
    var fetcher: Fetcher
    var requests: [String] {
      get throws {
        String(decoding: try Files.read(folder.appending("log")), as: UTF8.self).split(separator: "\n").map(String.init)
      }
    }
    /// Everything in the cache but locks, by the name of the file.
    func cached() throws -> [String] {
      func names(_ folder: FilePath) throws -> [String] {
        try Files.names(in: folder).flatMap { raw -> [String] in
          let path = folder.appending(bytes: raw)
          return Files.isFolder(path) ? try names(path) : [String(decoding: raw, as: UTF8.self)]
        }
      }
      return Files.exists(fetcher.cache) ? try names(fetcher.cache).sorted().filter { !$0.hasSuffix(".lock") } : []
    }
  }

  private func withServer(tls: Bool = false, _ body: @Sendable @escaping (Site) async throws -> Void) async throws {
    try await withScratch { folder in
      let files = folder.appending("files")
      try Files.makeFolder(files)
      let port = folder.appending("port")
      var arguments = ["-c", Self.server, files.string, folder.appending("log").string, port.string]
      if tls {
        let certificate = folder.appending("certificate.pem").string
        arguments.append(certificate)
        _ = try await Command(
          "openssl",
          [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", certificate, "-out", certificate,
          ]
        ).check(doing: "making a certificate")
      }
      let serverArguments = arguments
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await Command("python3", serverArguments).run(doing: "serving") }
        while !Files.exists(port) { try await Task.sleep(for: .milliseconds(20)) }
        let url = "http\(tls ? "s" : "")://127.0.0.1:\(String(decoding: try Files.read(port), as: UTF8.self))"
        var fetcher = Fetcher(cache: folder.appending("cache"))
        fetcher.retryDelay = .milliseconds(20)
        let site = Site(folder: folder, files: files, url: url, fetcher: fetcher)
        group.addTask { try await body(site) }
        // The server never ends by itself: whatever comes first is the test.
        do { _ = try await group.next() } catch {
          group.cancelAll()
          throw error
        }
        group.cancelAll()
        while let result = await group.nextResult() {
          if case .failure(let error) = result, !(error is CancellationError) { throw error }
        }
      }
    }
  }

  private static let data = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }

  @Test func anInterruptedFetchIsTakenUpAgain() async throws {
    try await withServer { site in
      let url = "\(site.url)/half-file"
      try Files.write(Self.data, to: site.files.appending("half-file"))
      await Fixture.refusal("fetching \(url)", code: .source, remedy: .tryFetchAgain) {
        _ = try await site.fetcher.file(url, progress: .silent)
      }
      #expect(try site.cached() == ["half-file.part", "half-file.part.head"])
      let path = try #require(try await site.fetcher.file(url, progress: .silent))
      #expect(try Files.read(path) == Self.data)
      #expect(try site.requests == ["half-file -", "half-file bytes=150000-"])
      #expect(try site.cached() == ["half-file", "half-file.head"])
      // Now from the cache: the server is asked whether it is still the same.
      _ = try await site.fetcher.file(url, progress: .silent)
      #expect(try site.requests.count == 3)
      for freshness in [Freshness.any, .pinned(SHA256Digest(of: Self.data))] {
        #expect(try await site.fetcher.file(url, freshness, progress: .silent) == path)
      }
      #expect(try site.requests.count == 3)
      #expect(try site.cached() == ["half-file", "half-file.head"])
    }
  }

  @Test func aServerWithoutRangesIsAskedForTheWhole() async throws {
    try await withServer { site in
      let url = "\(site.url)/plain-file"
      try Files.write(Self.data, to: site.files.appending("plain-file"))
      await Fixture.refusal("fetching \(url)", code: .source) {
        _ = try await site.fetcher.file(url, progress: .silent)
      }
      let path = try #require(try await site.fetcher.file(url, progress: .silent))
      #expect(try Files.read(path) == Self.data)
      #expect(try site.cached() == ["plain-file", "plain-file.head"])
    }
  }

  @Test func whatTheServerDoesNotHave() async throws {
    try await withServer { site in
      await Fixture.refusal("fetching \(site.url)/none", "404", code: .source) {
        _ = try await site.fetcher.file("\(site.url)/none", progress: .silent)
      }
      #expect(try await site.fetcher.file("\(site.url)/none.sign", isOptional: true, progress: .silent) == nil)
      #expect(try site.cached() == [])
      // A server in trouble may have a signature all the same.
      await Fixture.refusal("500", code: .source) {
        _ = try await site.fetcher.file("\(site.url)/trouble.sign", isOptional: true, progress: .silent)
      }
      try Files.write([], to: site.files.appending("empty"))
      let empty = try #require(try await site.fetcher.file("\(site.url)/empty", progress: .silent))
      #expect(try Files.read(empty) == [])
    }
    let fetcher = Fetcher(cache: "/dev/null/cache")
    await Fixture.refusal("making the folder") { _ = try await fetcher.file("ftp://127.0.0.1:1/x", progress: .silent) }
  }

  /// What was begun of one file is not gone on with in another, whether or not the server tells.
  @Test(arguments: ["half-file", "half-bare-file", "half-careless-file", "plain-file"])
  func twoFilesAreNotGlued(name: String) async throws {
    try await withServer { site in
      let url = "\(site.url)/\(name)"
      try Files.write(Self.data, to: site.files.appending(name))
      await Fixture.refusal("fetching", remedy: .tryFetchAgain) {
        _ = try await site.fetcher.file(url, progress: .silent)
      }
      let other = Self.data.map { ~$0 } + [1, 2, 3]
      try Files.replace(site.files.appending(name), with: other)
      let path = try #require(try await site.fetcher.file(url, progress: .silent))
      #expect(try Files.read(path) == other)
    }
  }

  /// Killed before the rename, or replaced by a shorter one meanwhile.
  @Test(arguments: [0, -100, 100])
  func aPartThatIsWholeOrLonger(more: Int) async throws {
    try await withServer { site in
      let url = "\(site.url)/file"
      try Files.write(Self.data, to: site.files.appending("file"))
      let path = try #require(try await site.fetcher.file(url, progress: .silent))
      let part = FilePath("\(path).part")
      try Files.move(path, to: part)
      try Files.move(FilePath("\(path).head"), to: FilePath("\(part).head"))
      try Files.replace(
        part, with: more < 0 ? Array(Self.data.dropLast(-more)) : Self.data + [UInt8](repeating: 1, count: more))
      #expect(try await site.fetcher.file(url, progress: .silent) == path)
      #expect(try Files.read(path) == Self.data)
      #expect(try site.cached() == ["file", "file.head"])
    }
  }

  @Test func aFileThatHasChangedIsFetchedAgain() async throws {
    try await withServer { site in
      for name in ["file", "bare-file"] {
        let served = site.files.appending(name)
        func fetch(_ freshness: Freshness = .current) async throws -> [UInt8] {
          try Files.read(try #require(try await site.fetcher.file("\(site.url)/\(name)", freshness, progress: .silent)))
        }
        try Files.write([1], to: served)
        #expect(try await fetch() == [1])
        try Files.replace(served, with: [2])
        #expect(try await fetch(.any) == [1])
        #expect(try await fetch(.pinned(SHA256Digest(of: [1]))) == [1])
        #expect(try await fetch() == [2])
        try Files.replace(served, with: [3])
        #expect(try await fetch(.pinned(SHA256Digest(of: [3]))) == [3])
        // Withdrawn: neither the server nor the cache has it.
        try Files.remove(served)
        await Fixture.refusal("the server does not have it (404)", remedy: .checkAddress) { _ = try await fetch() }
      }
      #expect(try site.cached() == [])
    }
  }

  @Test func whereTheServerCannotBeReachedTheCopyIsUsed() async throws {
    try await withServer { site in
      let warnings = Mutex<[String]>([])
      let progress = Progress { event in
        if case .told(let told) = event { warnings.withLock { $0.append(told.reason) } }
      }
      let url = "\(site.url)/file"
      try Files.write([1], to: site.files.appending("file"))
      let path = try #require(try await site.fetcher.file(url, progress: progress))
      #expect(warnings.withLock { $0 } == [])
      try Files.write([], to: site.files.appending("down"))
      #expect(try await site.fetcher.file(url, progress: progress) == path)
      let told = warnings.withLock { $0 }
      #expect(told.count == 1 && told[0].contains(url) && told[0].contains("500") && told[0].contains("fetched before"))
      #expect(try Files.read(path) == [1])
      #expect(try site.cached() == ["file", "file.head"])
    }
  }

  @Test func twoAtOnceFetchOnce() async throws {
    try await withServer { site in
      let url = "\(site.url)/bare-file"
      try Files.write(Self.data, to: site.files.appending("bare-file"))
      try await withThrowingTaskGroup(of: [UInt8].self) { group in
        for _ in 0..<4 {
          group.addTask { try Files.read(try await site.fetcher.file(url, progress: .silent) ?? "/none") }
        }
        for try await bytes in group { #expect(bytes == Self.data) }
      }
      #expect(try site.cached() == ["bare-file", "bare-file.head"])
    }
  }

  /// A server that is reached by https does not lead to one that anybody can play.
  @Test func httpsDoesNotLeadToHTTP() async throws {
    try await withServer(tls: true) { site in
      try Files.write(Self.data, to: site.files.appending("linux-7.2.1.tar"))
      var environment = Command.plainEnvironment
      environment["HOME"] = site.folder.string
      environment["CURL_CA_BUNDLE"] = site.folder.appending("certificate.pem").string
      func cut(_ file: String) async throws -> Command.Outcome {
        try await Command(
          Workshop.lrelease,
          [
            "cut", Workshop.root.appending("manifests/sample.toml").string, "--quiet", "--source",
            "linux=\(site.url)/\(file)", "--allow-unsigned", "--output", site.folder.appending("out").string,
          ], environment: environment
        ).run(doing: "cutting")
      }
      let refused = try await cut("plain")
      #expect(refused.status == .exited(3) && refused.errors.contains("http\" not supported"), "\(refused.errors)")
      // The certificate is good, and what is not sent elsewhere is fetched.
      let fetched = try await cut("linux-7.2.1.tar")
      #expect(!fetched.succeeded && !fetched.errors.contains("certificate"), "\(fetched.errors)")
      #expect(try site.requests.prefix(2) == ["plain -", "linux-7.2.1.tar -"], "\(fetched.errors)")
    }
  }

  @Test func serversThatMeanNoGood() async throws {
    try await withServer { site in
      await Fixture.refusal("fetching", "file", remedy: .checkAddress) {
        _ = try await site.fetcher.file("\(site.url)/moved", progress: .silent)
      }
      await Fixture.refusal("redirects", remedy: .checkAddress) {
        _ = try await site.fetcher.file("\(site.url)/round", progress: .silent)
      }
      await Fixture.refusal("refuses access (403)", remedy: .checkAddress) {
        _ = try await site.fetcher.file("\(site.url)/secret", progress: .silent)
      }
      var small = site.fetcher
      small.limit = 1 << 20
      let limited = small
      await Fixture.refusal("sends more than 1048576 bytes", remedy: .checkAddress) {
        _ = try await limited.file("\(site.url)/endless", progress: .silent)
      }
      let left = try site.cached()
      #expect(left == [])
    }
  }

  @Test func aPasswordInAnAddressIsNotShown() async throws {
    #expect(SourceAddress.shown("https://me:secret@host/a@b.tar") == "https://host/a@b.tar")
    #expect(SourceAddress.shown("https://host/a@b.tar") == "https://host/a@b.tar")
    try await withServer { site in
      let url = site.url.replacing("://", with: "://me:secret@")
      do {
        _ = try await site.fetcher.file("\(url)/none", progress: .silent)
        Issue.record("it was fetched")
      } catch {
        #expect(!"\(error)".contains("secret") && "\(error)".contains("://127.0.0.1"), "\(error)")
      }
    }
  }

  @Test func aServerThatIsNotThere() async throws {
    try await withScratch { folder in
      await Fixture.refusal("fetching http://127.0.0.1:1/x", "curl", "connect", code: .source) {
        _ = try await Fetcher(cache: folder).file("http://127.0.0.1:1/x", progress: .silent)
      }
    }
  }

  /// A fetched tarball with a wrong hash, or damaged, is not kept: the next run gets it again.
  @Test func aWrongTarballIsFetchedAgain() async throws {
    try await withServer { site in
      let tar = try await Fixture.archive(
        "add(\"top/Makefile\", b\"VERSION = 7\\nPATCHLEVEL = 4\\n\"); add(\"top/fs/a.c\", b\"int a;\")", in: site.folder
      )
      let good = try Files.read(try await Fixture.compressed(tar, with: "xz", suffix: ".xz"))
      let served = site.files.appending("linux-7.4.tar.xz")
      func plan(sha256: SHA256Digest? = nil) async throws {
        let manifest = site.folder.appending("demo.toml")
        let pin = sha256.map { "sha256 = \"\($0)\"" } ?? ""
        try Files.replace(manifest, with: Array(Fixture.manifest(source: pin).utf8))
        let request = CutRequest(places: ["linux": "\(site.url)/linux-7.4.tar.xz"], cache: site.fetcher.cache)
        _ = try await Planner.plan(manifest: manifest, request, progress: .silent)
      }
      for (bytes, pin, words) in [
        (Array("other".utf8), SHA256Digest(of: good), "not \(SHA256Digest(of: good)) as pinned"),
        (Array(good.dropLast(20)), nil, "Unexpected end of input"), (Array("<html>".utf8), nil, "it is not a tarball"),
      ] {
        try Files.replace(served, with: bytes)
        await Fixture.refusal(words, code: pin == nil ? .source : .unverified) { try await plan(sha256: pin) }
        #expect(try site.cached() == [])
      }
      try Files.replace(served, with: good)
      try await plan(sha256: SHA256Digest(of: good))
      #expect(try site.requests.count == 4)
    }
  }

  /// A new tarball does not meet the old signature, nor the other way round.
  @Test func aSignatureGoesWithItsTarball() async throws {
    try await withServer { site in
      let url = "\(site.url)/up.tar.xz"
      func serve(_ byte: UInt8) throws {
        try Files.replace(site.files.appending("up.tar.xz"), with: [byte])
        try Files.replace(site.files.appending("up.tar.sign"), with: [byte])
      }
      func fetch(_ pin: SHA256Digest? = nil) async throws -> [[UInt8]] {
        let found = try #require(try await site.fetcher.tarball(url, pin: pin, signature: true, progress: .silent))
        return [try Files.read(found.path), try Files.read(try #require(found.signature))]
      }
      try serve(1)
      #expect(try await fetch() == [[1], [1]])
      try serve(2)
      #expect(try await fetch(SHA256Digest(of: [1])) == [[1], [1]])
      #expect(try site.requests.count == 2)
      #expect(try await fetch() == [[2], [2]])
      try serve(3)
      #expect(try await fetch(SHA256Digest(of: [3])) == [[3], [3]])
    }
  }

  /// kernel.org has no release candidates among the releases; a server of one's own may have what git makes.
  @Test func aReleaseCandidateIsLookedForAsGitMakesIt() async throws {
    try await withServer { site in
      func plan() async throws -> Plan {
        let manifest = site.folder.appending("demo.toml")
        let text = Fixture.manifest().replacing(#""upstream""#, with: "\"\(site.url)\"")
        try Files.replace(manifest, with: Array(text.utf8))
        let request = CutRequest(kernel: "7.4-rc3", cache: site.fetcher.cache)
        return try await Planner.plan(manifest: manifest, request, progress: .silent).plan
      }
      await Fixture.refusal("release candidates", remedy: .giveCandidate(name: "linux", release: "7.4-rc3")) {
        _ = try await plan()
      }
      #expect(try site.requests == ["v7.x/linux-7.4-rc3.tar.xz -", "v7.x/linux-7.4-rc3.tar.gz -"])
      let tar = try await Fixture.archive(
        #"add("top/Makefile", b"VERSION = 7\nPATCHLEVEL = 4\nEXTRAVERSION = -rc3\n"); add("top/fs/a.c", b"int a;")"#,
        in: site.folder)
      try Files.makeFolder(site.files.appending("v7.x"))
      try Files.move(
        try await Fixture.compressed(tar, with: "gzip", suffix: ".gz"),
        to: site.files.appending("v7.x/linux-7.4-rc3.tar.gz"))
      #expect(try await plan().places?["linux"] == "\(site.url)/v7.x/linux-7.4-rc3.tar.gz")
    }
  }
}
