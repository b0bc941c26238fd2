// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import Testing

@testable import Assembler

@Suite struct SourceTests {
  @Test func onlyTheWantedIsKeptAndTheKernelReleaseIsRead() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(
        #"""
        add("top/Makefile", b"VERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 2\nEXTRAVERSION =\n")
        add("top/fs/a.c", b"int a;"); add("top/net/b.c", b"int b;")
        """#, in: folder)
      let content = try await Fixture.read(path)
      #expect(content.files.keys.sorted() == ["Makefile", "fs/a.c"])
      #expect(content.pin.kernel == "7.4.2")
      #expect(content.pin.date == 1000)
    }
  }

  @Test func theSecondReadComesFromTheCache() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(#"add("top/Makefile", b"x"); add("top/fs/a.c", b"int a;")"#, in: folder)
      let cache = folder.appending("cache")
      let first = try await Fixture.read(path, cache: cache)
      #expect(try Files.names(in: cache).count == 1)
      let second = try await Fixture.read(path, cache: cache)
      #expect(first.files == second.files && first.pin == second.pin)
    }
  }

  @Test func aPinnedHashThatDoesNotMatchIsRefused() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(#"add("top/fs/a", b"x")"#, in: folder)
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
    var good: ByPath = ["fs/a": SourceFile(content: .file(Array("one\nend\n".utf8)), isExecutable: false)]
    try await series.apply(to: &good, progress: .silent)
    #expect(try good["fs/a"]?.readFile() == Array("two\nend\n".utf8))
    #expect(good["fs/a"]?.patches == ["fix.patch"])
    var bad: ByPath = ["fs/a": SourceFile(content: .file(Array("other\nthing\n".utf8)), isExecutable: false)]
    do {
      try await series.apply(to: &bad, progress: .silent)
      Issue.record("the patch applied")
    } catch let error as ReleaseError {
      #expect(error.description.contains("fix.patch") && error.description.contains("fs/a: hunk #1"))
    }
  }
}
