// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import Testing

/// Walks over folders and the writing of trees, with all that can lie in the way.
@Suite struct TreeTests {
  private func shell(_ script: String, in folder: FilePath) async throws {
    _ = try await Command("sh", ["-ec", script], directory: folder).check(doing: "making files")
  }

  // MARK: walks

  private func walk(_ folder: FilePath, pruning: String? = nil) throws -> [String] {
    var seen: [String] = []
    try DirectoryWalker(folder).walk { entry in
      seen.append("\(entry.kind) \(entry.text ?? "?\(entry.shown)")")
      return entry.text == pruning ? .prune : .goOn
    }
    return seen
  }

  @Test func aWalkIsInTheOrderOfBytesAndFollowsNoLink() async throws {
    try await withScratch { folder in
      try await shell(
        "mkdir -p b/c a B; touch b/c/f b/a a.x; ln -s . b/loop; ln -s ../b a/b; ln -s /nowhere z; mkfifo b/p",
        in: folder)
      #expect(
        try walk(folder) == [
          "folder B", "folder a", "link a/b", "regular a.x", "folder b", "regular b/a", "folder b/c", "regular b/c/f",
          "link b/loop", "other b/p", "link z",
        ])
      #expect(
        try walk(folder, pruning: "b") == ["folder B", "folder a", "link a/b", "regular a.x", "folder b", "link z"])
    }
  }

  @Test func aNameThatIsNotUTF8IsWalkedAsItIs() async throws {
    try await withScratch { folder in
      try await shell("mkdir $(printf 'a\\377'); echo x > $(printf 'a\\377/b\\376')", in: folder)
      var paths: [[UInt8]] = []
      try DirectoryWalker(folder).walk { entry in
        paths.append(entry.path)
        #expect(entry.text == nil && Files.exists(entry.place))
        let bytes = entry.kind == .regular ? try entry.read() : nil
        #expect(bytes == nil || bytes == Array("x\n".utf8))
        return .goOn
      }
      #expect(paths == [[0x61, 0xff], [0x61, 0xff, 0x2f, 0x62, 0xfe]])
    }
  }

  @Test func aFileThatBecomesAFIFOOrALinkIsNotRead() async throws {
    try await withScratch { folder in
      try await shell("echo secret > ../secret.$$; mv ../secret.$$ secret; mkdir d; touch d/a d/b", in: folder)
      for (script, words) in [("mkfifo d/a", "not a regular file"), ("ln -s ../secret d/a", "symbolic links")] {
        try await shell("rm d/a; \(script)", in: folder)
        let error = #expect(throws: ReleaseError.self) {
          try DirectoryWalker(folder.appending("d")).walk { entry in
            if entry.path == Array("a".utf8) { _ = try entry.read() }
            return .goOn
          }
        }
        #expect(error?.reason.contains(words) == true, "\(error?.description ?? "")")
      }
    }
  }

  @Test func aLinkInPlaceOfAFolderIsNotEntered() async throws {
    try await withScratch { folder in
      try await shell("mkdir -p d/a elsewhere; touch elsewhere/f", in: folder)
      #expect(throws: ReleaseError.self) {
        try DirectoryWalker(folder.appending("d")).walk { entry in
          // Between the look at it and the way into it.
          #expect(entry.name == Array("a".utf8))
          rmdir(entry.place.string)
          symlink("../elsewhere", entry.place.string)
          return .goOn
        }
      }
    }
  }

  @Test func aWalkHasLimits() async throws {
    try await withScratch { folder in
      let script = """
        import os
        for name, count in ("long", 200), ("d", 500):
          top = os.getcwd()
          for _ in range(12 if name == "long" else count):
            part = "l" * 200 if name == "long" else "d"
            os.mkdir(part); os.chdir(part)
          os.chdir(top)
        """
      _ = try await Command("python3", ["-c", script], directory: folder).check(doing: "making folders")
      let deep = #expect(throws: ReleaseError.self) { _ = try walk(folder) }
      #expect(deep?.reason.hasPrefix("folders lie more than 250 deep in each other: d/d/d") == true)
      try Files.remove(folder.appending("d"))
      let long = #expect(throws: ReleaseError.self) { _ = try walk(folder) }
      #expect(long?.reason.hasPrefix("a path has 1004 bytes or more: lll") == true, "\(long?.reason ?? "")")
    }
  }

  @Test func aFolderThatIsNotThereIsNamed() async throws {
    try await withScratch { folder in
      let error = #expect(throws: ReleaseError.self) { _ = try walk(folder.appending("no")) }
      #expect(error?.doing == "reading the folder \(folder)/no")
    }
  }

  // MARK: writing

  private func status(_ path: FilePath) -> stat {
    var status = stat()
    #expect(lstat(path.string, &status) == 0, "\(path)")
    return status
  }

  @Test func aTreeIsWrittenWithModesAndTimesWhateverTheUmaskIs() async throws {
    try await withScratch { folder in
      // Of this thread alone, as other tests run meanwhile.
      typealias Unshare = @convention(c) (Int32) -> Int32
      let unshare = unsafeBitCast(try #require(dlsym(nil, "unshare")), to: Unshare.self)
      #expect(unshare(0x200) == 0)  // CLONE_FS
      let before = umask(0o077)
      defer { umask(before) }
      let top = folder.appending("tree")
      try TreeWriter(top, time: 1_000_000).write([
        .init("a-b", .file([1]), mode: 0o755), .init("a/b/c", .file([2, 3]), mode: 0o444), .init("a/l", .link("../x")),
        .init("a.b", .file([])), .init("a/é", .file([4])),
      ])
      #expect(try Files.read(top.appending("a/b/c")) == [2, 3])
      for (path, mode) in [("a-b", 0o755), ("a.b", 0o644), ("a/b/c", 0o444), ("a", 0o755), ("a/b", 0o755)] {
        #expect(status(top.pushing(FilePath(path))).st_mode & 0o7777 == mode_t(mode), "\(path)")
      }
      for path in [".", "a", "a/b", "a/b/c", "a/l", "a-b", "a.b", "a/é"] {
        #expect(status(top.pushing(FilePath(path))).st_mtim.tv_sec == 1_000_000, "\(path)")
      }
    }
  }

  @Test func whatIsThereIsNotWrittenOver() async throws {
    try await withScratch { folder in
      try await shell(
        "mkdir tree outside; echo mine > outside/f; echo mine > tree/f; ln -s ../outside tree/l", in: folder)
      try await shell("ln -s ../outside/new tree/n; mkfifo tree/p", in: folder)
      let writer = TreeWriter(folder.appending("tree"))
      for path in ["f", "l", "n", "p", "l/f", "l/new", "f/x", "p/x"] {
        #expect(throws: ReleaseError.self, "\(path)") { try writer.write([.init(path, .file([1]))]) }
        #expect(throws: ReleaseError.self, "\(path)") { try writer.write([.init(path, .link("x"))]) }
      }
      #expect(try walk(folder.appending("outside")) == ["regular f"])
      #expect(try Files.read(folder.appending("tree/f")) == Array("mine\n".utf8))
      // A folder that is there is no hindrance.
      try writer.write([.init("d/a", .file([1]))])
      try writer.write([.init("d/b", .file([1]))])
      #expect(throws: ReleaseError.self) { try writer.write([.init("e", .file([])), .init("e/f", .file([]))]) }
    }
  }

  @Test(arguments: ["", "/x", "a/../../x", "../x", "a//b", "a/", ".", "a/./b", "a\0b", "../\u{301}/x"])
  func aPathThatIsNotPlainIsRefused(path: String) async throws {
    try await withScratch { folder in
      let error = #expect(throws: ReleaseError.self) {
        try TreeWriter(folder.appending("tree")).write([.init(path, .file([1]))])
      }
      #expect(error?.code == .input)
      let left = try walk(folder)
      #expect(left == ["folder tree"])
    }
  }

  // MARK: paths

  @Test func aRelativePathIsPlain() throws {
    let path = try #require(RelativePath("a/b/c"))
    #expect(path.string == "a/b/c" && path.components == ["a", "b", "c"] && path.name == [0x63])
    #expect(path.parent?.string == "a/b" && RelativePath("a")?.parent == .top && RelativePath.top.parent == nil)
    #expect(path.appending("d")?.string == "a/b/c/d" && RelativePath.top.appending("d")?.string == "d")
    #expect(path.appending("..") == nil && path.appending("") == nil)
    #expect(RelativePath(String(repeating: "a", count: 256)) == nil)
    #expect(RelativePath("a/" + String(repeating: "b/", count: 511) + "c") == nil)
    #expect(RelativePath("..a/...") != nil)
  }

  @Test(arguments: [
    ("a/b", "c", "a/c"), ("a/b", "../c", "c"), ("a/b", "../../c", nil), ("a", "..", nil), ("a", ".", ""),
    ("a/b", "..", ""), ("a", "/etc", nil), ("a", "", nil), ("a/b", "x/../../y//z/.", "y/z"),
    // For Swift, this slash is another character; for a file system it is none.
    ("a", "../\u{301}x", nil), ("a", "/\u{301}x", nil), ("a", "b/\u{301}", "b/\u{301}"),
  ])
  func aLinkIsResolved(path: String, target: String, expected: String?) throws {
    #expect(try #require(RelativePath(path)).resolving(link: target)?.string == expected)
    #expect(linkStaysInside(path, target: target) == (expected != nil))
  }

  @Test func bytesAreSortedAsBytes() {
    // Swift takes "é" in its two spellings for one.
    let names = ["e\u{301}", "é", "z", "a/b", "a-b", "a", "Z", "🐧", "ﬀ"]
    let sorted = names.sortedByBytes()
    #expect(sorted.map { Array($0.utf8) } == names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
    #expect("a-b".precedesInBytes("a/b") && !"a".precedesInBytes("a"))
    #expect([(1, "b"), (2, "a")].sortedByBytes { $0.1 }.map(\.0) == [2, 1])
  }
}
