// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import Synchronization
import SystemPackage
import Testing

@testable import Assembler

/// Fetches from a server on this machine that misbehaves in several ways.
@Suite struct FetchTests {
  /// Serves `folder`. A file whose name begins with "half-" is broken off in the middle the first time; one that begins
  /// with "plain-" is sent without byte ranges; "trouble" is answered with 500. What was asked is printed.
  private static let server = """
    import http.server, os, sys, pathlib
    seen = set()
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.lstrip("/"); path = pathlib.Path(sys.argv[1]) / name
            span = self.headers.get("Range")
            print(name, span or "-", file=open(sys.argv[2], "a"))
            if name.startswith("trouble"): return self.send_error(500)
            if not path.is_file(): return self.send_error(404)
            data = path.read_bytes(); start = 0
            if span and not name.startswith("plain-"):
                start = int(span.split("=")[1].split("-")[0])
                if start >= len(data): return self.send_error(416)
                self.send_response(206)
                self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
            else: self.send_response(200)
            self.send_header("Content-Length", str(len(data) - start)); self.end_headers()
            rest = data[start:]
            if (name.startswith("half-") or name.startswith("plain-")) and name not in seen:
                seen.add(name); rest = rest[:len(rest) // 2]
            self.wfile.write(rest)
        def log_message(self, *a): pass
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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
    /// Everything in the cache, by the name of the file.
    func cached() throws -> [String] {
      func names(_ folder: FilePath) throws -> [String] {
        try Files.names(in: folder).flatMap { raw -> [String] in
          let path = folder.appending(bytes: raw)
          return Files.isFolder(path) ? try names(path) : [String(decoding: raw, as: UTF8.self)]
        }
      }
      return Files.exists(fetcher.cache) ? try names(fetcher.cache).sorted() : []
    }
  }

  private func withServer(_ body: @Sendable @escaping (Site) async throws -> Void) async throws {
    try await withScratch { folder in
      let files = folder.appending("files")
      try Files.makeFolder(files)
      let port = folder.appending("port")
      let arguments = ["-c", Self.server, files.string, folder.appending("log").string, port.string]
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await Command("python3", arguments).run(doing: "serving") }
        while !Files.exists(port) { try await Task.sleep(for: .milliseconds(20)) }
        let url = "http://127.0.0.1:\(String(decoding: try Files.read(port), as: UTF8.self))"
        let fetcher = Fetcher(cache: folder.appending("cache"))
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
      #expect(try site.cached() == ["half-file.part"])
      let path = try #require(try await site.fetcher.file(url, progress: .silent))
      #expect(try Files.read(path) == Self.data)
      #expect(try site.requests == ["half-file -", "half-file bytes=150000-"])
      #expect(try site.cached() == ["half-file"])
      // Now from the cache.
      _ = try await site.fetcher.file(url, progress: .silent)
      #expect(try site.requests.count == 2)
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
      #expect(try site.cached() == ["plain-file"])
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
}
