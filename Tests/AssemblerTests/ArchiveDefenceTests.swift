// SPDX-License-Identifier: GPL-2.0-only

import Files
import SystemPackage
import Testing

@testable import Assembler

/// Archives that are damaged, or made to do harm.
@Suite struct ArchiveDefenceTests {
  @Test(arguments: [
    (#"add("top/../../etc/passwd", b"x")"#, "leaves the tree"),
    (#"add("/etc/passwd", b"x")"#, "leaves the tree"),
    (#"add("top/fs/..", b"x")"#, "leaves the tree"),
    (#"add("top/fs/d", type=tarfile.CHRTYPE)"#, "is a device"),
    (#"add("top/fs/d", type=tarfile.BLKTYPE)"#, "is a device"),
    (#"add("top/fs/d", type=tarfile.FIFOTYPE)"#, "is a device"),
    (#"add("top/net/d", type=tarfile.FIFOTYPE)"#, "is a device"),
    (#"add("top/fs/l", type=tarfile.SYMTYPE, linkname="../../../x")"#, "leads out of the tree"),
    (#"add("top/fs/l", type=tarfile.SYMTYPE, linkname="/etc/passwd")"#, "leads out of the tree"),
    (#"add("top/fs/l", type=tarfile.SYMTYPE, linkname="\udcff")"#, "not UTF-8"),
    (#"add("top/fs/l", type=tarfile.LNKTYPE, linkname="/etc/passwd")"#, "leads out of the tree"),
    (#"add("top/fs/l", type=tarfile.LNKTYPE, linkname="top/../../x")"#, "leads out of the tree"),
    (#"add("top/fs/l", type=tarfile.LNKTYPE, linkname="top/net/x")"#, "names net/x, which it does not hold"),
    (#"add("top/net/l", type=tarfile.LNKTYPE, linkname="/etc/passwd")"#, "leads out of the tree"),
    (#"add("top/fs/" + "x" * 4000, b"x")"#, "a path has 4007 bytes"),
    (#"add("top/fs/" + "x/" * 1996, b"x")"#, "a path has"),
    (#"add("top/fs/a", b"x"); add("other/fs/a", b"x")"#, "two top folders"),
    (#"t.addfile(tarfile.TarInfo("top/fs/\udcff"))"#, "is not UTF-8"),
    (#"add("top/fs/a", b"x", pax_headers={"size": "-5"})"#, "ize"),
    (#"t.pax_headers = {"comment": "x"}; t.fileobj.write(t.tarinfo.create_pax_global_header(t.pax_headers))"#, "empty"),
  ])
  func whatLeavesTheTreeIsRefused(script: String, reason: String) async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(script, in: folder)
      await Fixture.refusal("reading \(path)", reason, code: .source) { _ = try await Fixture.read(path) }
    }
  }

  @Test func aNameCannotForgeASecondLine() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(#"add("top/fs/a\nerror: \x1b[2J", type=tarfile.FIFOTYPE)"#, in: folder)
      await Fixture.refusal(#"fs/a\nerror: \u{1b}[2J is a device"#) { _ = try await Fixture.read(path) }
    }
  }

  /// Headers may claim any size. The second one made a sum overflow.
  @Test func sizesThatCannotBeAreRefused() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(
        #"""
        add("top/fs/a", b"x")
        i = tarfile.TarInfo("top/fs/b"); i.size = 2**63 - 1
        t.fileobj.write(i.tobuf(tarfile.GNU_FORMAT)); t.fileobj.write(bytes(2048))
        """#, in: folder)
      await Fixture.refusal("reading", code: .source) { _ = try await Fixture.read(path) }
    }
  }

  /// The end of a compressed file is cut off, or a bit in the middle is turned.
  @Test(arguments: [("xz", ".xz"), ("gzip", ".gz"), ("zstd", ".zst"), ("bzip2", ".bz2")])
  func aDamagedTarballIsAnError(program: String, suffix: String) async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(
        #"import random; random.seed(1); add("top/fs/a", random.randbytes(600000))"#, in: folder)
      let bytes = try Files.read(try await Fixture.compressed(path, with: program, suffix: suffix))
      for part in [1, 8, 20, 300, bytes.count / 2, bytes.count - 1] {
        let cut = folder.appending("cut.tar\(suffix)")
        try Files.replace(cut, with: Array(bytes.prefix(part)))
        await Fixture.refusal("reading \(cut)", code: .source) { _ = try await Fixture.read(cut) }
      }
      let bad = folder.appending("bad.tar\(suffix)")
      for place in [bytes.count / 3, bytes.count / 2, bytes.count - 40] {
        var changed = bytes
        changed[place] ^= 0x10
        try Files.replace(bad, with: changed)
        await Fixture.refusal("reading \(bad)", "damaged", code: .source) { _ = try await Fixture.read(bad) }
      }
      let longer = folder.appending("longer.tar\(suffix)")
      try Files.write(bytes + Array("more".utf8), to: longer)
      await Fixture.refusal("reading \(longer)", code: .source) { _ = try await Fixture.read(longer) }
    }
  }

  /// libarchive takes a tar that stops between two files for a whole one.
  @Test func aTarWithoutItsEndMarkIsAnError() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(#"add("top/fs/a", b"x"); add("top/fs/b", b"y")"#, in: folder)
      let bytes = try Files.read(path)
      #expect(try await Fixture.read(path).files.count == 2)
      for size in [512, 1024, 2048] {
        let cut = folder.appending("cut-\(size).tar")
        try Files.write(Array(bytes.prefix(size)), to: cut)
        await Fixture.refusal("reading \(cut)", code: .source) { _ = try await Fixture.read(cut) }
      }
    }
  }

  @Test func whatIsNoTarballIsAnError() async throws {
    try await withScratch { folder in
      for (name, bytes) in [("empty", []), ("text", Array("<html>not here</html>".utf8)), ("zeros", [0, 0, 0])] {
        let path = folder.appending(name)
        try Files.write(bytes as [UInt8], to: path)
        await Fixture.refusal("it is not a tarball", code: .source) { _ = try await Fixture.read(path) }
      }
      await Fixture.refusal("not a regular file", code: .source) { _ = try await Fixture.read(folder) }
      try await Fixture.shell("mkfifo fifo", in: folder)
      await Fixture.refusal("not a regular file", code: .source) {
        _ = try await Fixture.read(folder.appending("fifo"))
      }
      await Fixture.refusal("No such file", code: .source) { _ = try await Fixture.read(folder.appending("none")) }
    }
  }

  @Test(arguments: [("xz", ".xz"), ("gzip", ".gz"), ("zstd", ".zst"), ("bzip2", ".bz2")])
  func aBombIsRefused(program: String, suffix: String) async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(#"add("top/fs/a", b"\0" * 20000000)"#, in: folder)
      var source = ArchiveSource(path: try await Fixture.compressed(path, with: program, suffix: suffix))
      source.limits.uncompressed = 1 << 20
      let bomb = source
      await Fixture.refusal("more than 1048576 bytes when uncompressed", code: .source) {
        _ = try await bomb.read(Selection(rules: [], paths: []), progress: .silent)
      }
    }
  }

  @Test func tooMuchToKeepOrTooManyEntriesAreRefused() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(
        #"for n in range(40): add("top/fs/%d" % n, b"x" * 100000)"#, in: folder)
      var kept = ArchiveSource(path: path)
      kept.limits.kept = 1 << 20
      let large = kept
      await Fixture.refusal("the wanted files hold more than 1048576 bytes") { _ = try await Fixture.read(large) }
      var entries = ArchiveSource(path: path)
      entries.limits.entries = 39
      let many = entries
      await Fixture.refusal("more than 39 entries") { _ = try await Fixture.read(many) }
    }
  }

  /// A cache entry that was damaged is not used, whatever it says.
  @Test func aDamagedCacheIsReadPast() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(#"add("top/fs/a.c", b"int a;"); add("top/fs/b.c", b"int b;")"#, in: folder)
      let cache = folder.appending("cache")
      let first = try await Fixture.read(path, cache: cache)
      let entries = cache.appending(bytes: try #require(try Files.names(in: cache).first))
      let file = entries.appending(bytes: try #require(try Files.names(in: entries).first))
      for (old, new) in [
        ("int a", "int x"), ("\"size\" : 6", "\"size\" : -6"),
        ("\"size\" : 6", "\"size\" : 9223372036854775807"), ("{", "["), ("000", "999"),
      ] {
        let good = try Files.read(file)
        let bad = String(decoding: good, as: UTF8.self).replacing(old, with: new, maxReplacements: 1)
        #expect(Array(bad.utf8) != good)
        try Files.replace(file, with: Array(bad.utf8))
        #expect(try await Fixture.read(path, cache: cache).files == first.files)
        // What was read again takes the place of the damaged entry.
        #expect(try Files.read(file) == good)
      }
    }
  }
}
