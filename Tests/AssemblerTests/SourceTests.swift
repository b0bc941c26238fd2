// SPDX-License-Identifier: GPL-2.0-only

import Groundwork
import SystemPackage
import Testing

@testable import Assembler

/// Archives are made with Python's tarfile, which writes what GNU tar would refuse to.
@Suite struct SourceTests {
  private func archive(_ script: String, in folder: FilePath) async throws -> FilePath {
    let path = folder.appending("linux-7.4.tar")
    let prelude = """
      import tarfile, io
      t = tarfile.open(\"\(path)\", "w")
      def add(name, data=b"", **more):
          i = tarfile.TarInfo(name); i.size = len(data); i.mtime = 1000
          for k, v in more.items(): setattr(i, k, v)
          t.addfile(i, io.BytesIO(data))

      """
    _ = try await Command("python3", ["-c", prelude + script + "\nt.close()"]).check(doing: "making an archive")
    return path
  }

  private func read(_ path: FilePath, cache: FilePath? = nil) async throws -> SourceContent {
    let rule = Manifest.TreeRule(
      source: "s", from: "fs", to: "", include: [], exclude: [], rename: [:], isOverlay: false,
      location: SourceLocation(file: "m", line: 1, column: 1))
    return try await ArchiveSource(path: path, cache: cache).read(
      Selection(rules: [rule], paths: ["Makefile"]), progress: .silent)
  }

  @Test func onlyTheWantedIsKeptAndTheKernelReleaseIsRead() async throws {
    try await withScratch { folder in
      let path = try await archive(
        #"""
        add("top/Makefile", b"VERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 2\nEXTRAVERSION =\n")
        add("top/fs/a.c", b"int a;"); add("top/net/b.c", b"int b;")
        """#, in: folder)
      let content = try await read(path)
      #expect(content.files.keys.sorted() == ["Makefile", "fs/a.c"])
      #expect(content.pin.kernel == "7.4.2")
      #expect(content.pin.date == 1000)
    }
  }

  @Test func theSecondReadComesFromTheCache() async throws {
    try await withScratch { folder in
      let path = try await archive(#"add("top/Makefile", b"x"); add("top/fs/a.c", b"int a;")"#, in: folder)
      let cache = folder.appending("cache")
      let first = try await read(path, cache: cache)
      #expect(try Files.names(in: cache).count == 1)
      let second = try await read(path, cache: cache)
      #expect(first.files == second.files && first.pin == second.pin)
    }
  }

  @Test(arguments: [
    (#"add("top/../../etc/passwd", b"x")"#, "leaves the tree"),
    (#"add("/etc/passwd", b"x")"#, "leaves the tree"),
    (#"add("top/fs/d", type=tarfile.CHRTYPE)"#, "is a device"),
    (#"add("top/fs/l", type=tarfile.SYMTYPE, linkname="../../../x")"#, "leads out of the tree"),
    (#"add("top/fs/l", type=tarfile.SYMTYPE, linkname="/etc/passwd")"#, "leads out of the tree"),
    (#"add("top/fs/l", type=tarfile.LNKTYPE, linkname="/etc/passwd")"#, "leads out of the tree"),
    (#"add("top/fs/" + "x" * 4000, b"x")"#, "a path has 4007 bytes"),
    (#"add("top/fs/a", b"x"); add("other/fs/a", b"x")"#, "two top folders"),
    (#"t.addfile(tarfile.TarInfo("top/fs/\udcff"))"#, "is not UTF-8"),
  ])
  func whatLeavesTheTreeIsRefused(script: String, reason: String) async throws {
    try await withScratch { folder in
      let path = try await archive(script, in: folder)
      let error = await #expect(throws: ReleaseError.self) { try await read(path) }
      #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
      #expect(error?.description.contains("\n") == false)
    }
  }

  @Test func aTruncatedTarballIsAnError() async throws {
    try await withScratch { folder in
      let path = try await archive(#"add("top/fs/a", bytes(range(256)) * 4000)"#, in: folder)
      _ = try await Command("xz", [path.string]).check(doing: "compressing")
      let packed = FilePath(path.string + ".xz")
      let bytes = try Files.read(packed)
      let cut = folder.appending("cut.tar.xz")
      try Files.write(Array(bytes.prefix(bytes.count * 2 / 3)), to: cut)
      let error = await #expect(throws: ReleaseError.self) { try await read(cut) }
      #expect(error?.code == .source)
      #expect(error?.description.contains("Unexpected end of input") == true, "\(String(describing: error))")
    }
  }

  @Test func aBombIsRefused() async throws {
    try await withScratch { folder in
      let path = try await archive(#"add("top/fs/a", b"\0" * 20000000)"#, in: folder)
      _ = try await Command("gzip", [path.string]).check(doing: "compressing")
      var source = ArchiveSource(path: FilePath(path.string + ".gz"))
      source.limits.uncompressed = 1 << 20
      let bomb = source
      let error = await #expect(throws: ReleaseError.self) {
        try await bomb.read(Selection(rules: [], paths: []), progress: .silent)
      }
      #expect(error?.description.contains("when uncompressed") == true, "\(String(describing: error))")
    }
  }

  @Test func aPinnedHashThatDoesNotMatchIsRefused() async throws {
    try await withScratch { folder in
      let path = try await archive(#"add("top/fs/a", b"x")"#, in: folder)
      let source = ArchiveSource(path: path, pinnedSHA256: SHA256Digest(of: []))
      let error = await #expect(throws: ReleaseError.self) {
        try await source.read(Selection(rules: []), progress: .silent)
      }
      #expect(error?.code == .unverified)
    }
  }

  @Test func gitIsReadFromItsObjects() async throws {
    try await withScratch { folder in
      let script = """
        git init -q . && mkdir fs && echo one > fs/a && ln -s a fs/l && git add . &&
        git -c user.name=A -c user.email=a@b commit -q -m one && git tag v1 && rm -r fs
        """
      _ = try await Command("sh", ["-c", script], directory: folder).check(doing: "making a repository")
      let all = Selection(rules: [], paths: ["fs/a", "fs/l"])
      let content = try await GitSource(repository: folder, ref: "v1").read(all, progress: .silent)
      #expect(content.files["fs/a"]?.content == .file(Array("one\n".utf8)))
      #expect(content.files["fs/l"]?.content == .link("a"))
      let wrong = await #expect(throws: ReleaseError.self) {
        try await GitSource(repository: folder, ref: "v2").read(all, progress: .silent)
      }
      #expect(wrong?.description.contains("did you mean 'v1'?") == true, "\(String(describing: wrong))")
      let blob = content.files["fs/a"]?.blob ?? ""
      try Files.remove(folder.appending(".git/objects/\(blob.prefix(2))/\(blob.dropFirst(2))"))
      let missing = await #expect(throws: ReleaseError.self) {
        try await GitSource(repository: folder, ref: "v1").read(all, progress: .silent)
      }
      #expect(missing?.description.contains("(fs/a) is missing") == true, "\(String(describing: missing))")
    }
  }

  @Test func aFailingHunkNamesPatchFileAndHunk() async throws {
    let patch = """
      --- a/fs/a
      +++ b/fs/a
      @@ -1,2 +1,2 @@
      -one
      +two
       end

      """
    let series = try PatchSeries(file: "p/series") { Array(($0 == "p/series" ? "fix.patch\n" : patch).utf8) }
    var good = ["fs/a": SourceFile(content: .file(Array("one\nend\n".utf8)), isExecutable: false)]
    try await series.apply(to: &good, progress: .silent)
    #expect(good["fs/a"]?.bytes == Array("two\nend\n".utf8))
    #expect(good["fs/a"]?.patches == ["fix.patch"])
    var bad = ["fs/a": SourceFile(content: .file(Array("other\nthing\n".utf8)), isExecutable: false)]
    do {
      try await series.apply(to: &bad, progress: .silent)
      Issue.record("the patch applied")
    } catch let error as ReleaseError {
      #expect(error.description.contains("fix.patch") && error.description.contains("fs/a: hunk #1"))
    }
  }
}
