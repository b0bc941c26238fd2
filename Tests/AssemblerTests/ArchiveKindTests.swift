// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import Testing

@testable import Assembler

/// Tarballs as different programs write them: what is read is what GNU tar unpacks, or they are refused by name.
@Suite struct ArchiveKindTests {
  private let all = Selection(rules: [Fixture.rule(from: "")])

  private func text(_ content: SourceContent) throws -> ByPath<String> {
    var texts = ByPath<String>()
    for (path, file) in content.files {
      switch file.content {
      case .regular(let bytes): texts[path] = String(decoding: try bytes.read(), as: UTF8.self)
      case .link(let target): texts[path] = "-> \(target)"
      }
    }
    return texts
  }

  // MARK: hard links

  @Test(arguments: ["top/fs/a", "./top/fs/a", "top//fs/a", "top/./fs/a", "./top/./fs//a"])
  func aHardLinkIsSpelledInSeveralWays(target: String) async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(
        #"add("./top/fs/a", b"one", mode=0o755); add("top/fs/l", type=tarfile.LNKTYPE, linkname="\#(target)")"#,
        in: folder)
      let read = try await Fixture.read(path)
      #expect(try text(read) == ["fs/a": "one", "fs/l": "one"])
      #expect(read.files["fs/l"]?.isExecutable == true)
    }
  }

  /// The first name of a file may be one that the rules leave out, or come later.
  @Test func aHardLinkHasItsContentWhereverThatLies() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(
        #"""
        add("top/net/x", b"x"); add("top/net/y", type=tarfile.LNKTYPE, linkname="top/net/x")
        add("top/fs/a", type=tarfile.LNKTYPE, linkname="top/net/y")
        add("top/fs/b", type=tarfile.LNKTYPE, linkname="top/net/z"); add("top/net/z", b"z")
        add("top/fs/c", type=tarfile.LNKTYPE, linkname="top/fs/d"); add("top/fs/d", b"d")
        add("top/net/s", type=tarfile.SYMTYPE, linkname="x"); add("top/fs/s", type=tarfile.LNKTYPE, linkname="top/net/s")
        """#, in: folder)
      let cache = folder.appending("cache")
      for _ in 0..<2 {
        let read = try await Fixture.read(path, cache: cache)
        #expect(try text(read) == ["fs/a": "x", "fs/b": "z", "fs/c": "d", "fs/d": "d", "fs/s": "-> x"])
      }
    }
  }

  @Test(arguments: [
    (#"add("top/fs/l", type=tarfile.LNKTYPE, linkname="top/fs/x")"#, "names fs/x, which it does not hold"),
    (#"add("top/fs/l", type=tarfile.LNKTYPE, linkname="other/fs/x")"#, "is not in the folder top"),
    (
      #"add("top/fs/d", type=tarfile.DIRTYPE); add("top/fs/l", type=tarfile.LNKTYPE, linkname="top/fs/d")"#,
      "is a folder"
    ),
    (
      #"add("top/fs/l", type=tarfile.LNKTYPE, linkname="top/fs/m"); add("top/fs/m", type=tarfile.LNKTYPE, linkname="top/fs/l")"#,
      "without end"
    ), (#"add("top/fs/l", type=tarfile.LNKTYPE, linkname="top/fs/l")"#, "without end"),
    // Within the tree where it stands, and out of it where the hard link does.
    (
      #"add("top/fs/a/b/l", type=tarfile.SYMTYPE, linkname="../../../x"); add("top/fs/l", type=tarfile.LNKTYPE, linkname="top/fs/a/b/l")"#,
      "the link fs/l leads out of the tree, to ../../../x"
    ),
    (
      #"""
      add("top/fs/a", b"one")
      i = tarfile.TarInfo("top/fs/l"); i.type = tarfile.LNKTYPE; i.linkname = "top/fs/a"; i.size = 3; i.pax_headers = {"comment": "x"}
      t.fileobj.write(i.tobuf(tarfile.PAX_FORMAT)); t.fileobj.write(b"two" + bytes(509))
      """#, "the hard link fs/l has content of its own"
    ),
  ])
  func hardLinksThatCannotBe(script: String, words: String) async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(script, in: folder)
      await Fixture.refusal("reading \(path)", words, code: .source) { _ = try await Fixture.read(path) }
    }
  }

  @Test func hardLinksCountAsWhatTheyHold() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(
        #"""
        add("top/fs/a", b"x" * 100000)
        for n in range(40): add("top/fs/%d" % n, type=tarfile.LNKTYPE, linkname="top/fs/a")
        """#, in: folder)
      var source = ArchiveSource(path: path)
      source.limits.kept = 1 << 20
      let large = source
      await Fixture.refusal("the wanted files hold more than 1048576 bytes") { _ = try await Fixture.read(large) }
    }
  }

  // MARK: formats

  /// A tree with what tars have trouble with: hard links, links, long names, holes, an executable, a setuid bit.
  private static let tree = """
    mkdir -p up-1/fs/$(printf 'd%.0s' $(seq 90))/$(printf 'e%.0s' $(seq 90)) up-1/empty; cd up-1
    echo one > fs/a.c; ln fs/a.c fs/z.c; ln -s a.c fs/l; echo run > run; chmod 4755 run
    (cd fs/d*/e*; echo long > $(printf 'f%.0s' $(seq 60))); : > fs/nothing
    truncate -s 1M fs/holes; printf end >> fs/holes; printf 'é' > fs/é.h; ln -s é.h fs/è; ln fs/é.h fs/ê.h; echo \\\\ > 'fs/back\\slash'
    """

  @Test(arguments: [
    "--format=gnu", "--format=oldgnu", "--format=posix", "--format=gnu -V label", "--format=posix -V label",
    "--format=gnu --sparse", "--format=posix --sparse", "--format=posix --sparse --sparse-version=0.0",
    "--format=posix --pax-option=atime:=1,ctime:=2 --xattrs", "--format=gnu --sort=name", "--format=gnu -b 1",
    "--format=gnu -b 200", "--format=gnu --incremental",
  ])
  func whatTarWritesIsReadAsTarReadsIt(options: String) async throws {
    try await compare("tar cf up.tar \(options) ./up-1")
  }

  @Test func oldTarsAreRead() async throws {
    // They know neither long names nor holes.
    try await compare("rm -r up-1/fs/d*; tar cf up.tar --format=v7 up-1; ! grep -aq ustar up.tar")
    try await compare("rm -r up-1/fs/d*; tar cf up.tar --format=ustar up-1")
    try await compare("tar cf up.tar --format=v7 -C up-1/fs/d*/e* --transform=s,^,up-1/, .")
  }

  @Test func whatGitAndPythonWriteIsRead() async throws {
    try await compare(
      """
      cd up-1; git init -q . && git add . && git -c user.name=A -c user.email=a@b commit -q -m one
      git archive --prefix=up-1/ HEAD > ../up.tar; rm -rf .git
      """, hasTimes: false)
    try await compare(
      #"python3 -c 'import tarfile; t = tarfile.open("up.tar", "w", format=tarfile.PAX_FORMAT); t.add("up-1"); t.close()'"#
    )
  }

  @Test(arguments: [
    "xz -c u.tar", "head -c 3000 u.tar | xz -c; tail -c +3001 u.tar | xz -c; printf '\\0\\0\\0\\0'",
    "head -c 3000 u.tar | gzip -c; tail -c +3001 u.tar | gzip -c", "gzip -c u.tar; head -c 1000 /dev/zero",
    "head -c 3000 u.tar | bzip2 -c; tail -c +3001 u.tar | bzip2 -c",
    "head -c 3000 u.tar | zstd -qc; tail -c +3001 u.tar | zstd -qc",
    "printf '\\120\\052\\115\\030\\004\\0\\0\\0abcd'; zstd -qc u.tar",
    "printf '\\137\\052\\115\\030\\0\\0\\0\\0'; head -c 3000 u.tar | zstd -qc; printf '\\121\\052\\115\\030\\004\\0\\0\\0abcd'; tail -c +3001 u.tar | zstd -qc",
    "cat u.tar", "cat u.tar; head -c 50000 /dev/zero",
  ])
  func compressedInParts(script: String) async throws {
    try await compare("rm up-1/fs/holes; tar cf u.tar up-1; { \(script); } > up.tar", unpacked: "u.tar")
  }

  /// Reads up.tar, which `script` makes of the tree, and the tree that GNU tar makes of it.
  private func compare(_ script: String, unpacked: String = "up.tar", hasTimes: Bool = true) async throws {
    try await withScratch { folder in
      try await Fixture.shell("(\(Self.tree)\n)\n\(script)", in: folder)
      try await Fixture.shell("mkdir out && tar xf \(unpacked) -C out 2>/dev/null", in: folder)
      let read = try await ArchiveSource(path: folder.appending("up.tar")).read(all, progress: .silent)
      let known = try await FolderSource(path: folder.appending("out/up-1")).read(all)
      #expect(read.files.keys.sorted() == known.files.keys.sorted())
      for (path, file) in known.files {
        #expect(read.files[path]?.content == file.content, "\(path)")
        #expect(read.files[path]?.isExecutable == file.isExecutable, "\(path)")
      }
      #expect(read.files.count > 0)
      if hasTimes { #expect(read.pin.date >= known.pin.date && read.pin.date > 1_000_000_000) }
    }
  }

  /// To a string, é as one scalar and é as two are one; libarchive makes them one in pax archives as well.
  @Test(arguments: ["PAX", "GNU"])
  func namesAreBytes(format: String) async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(
        #"""
        t.format = tarfile.\#(format)_FORMAT
        add("top/fs/e\u0301.h", b"two"); add("top/fs/\u00e9.h", b"one"); add("top/fs/\u212b", b"sign", uname="Jos\u00e9")
        add("top/fs/l", type=tarfile.SYMTYPE, linkname="e\u0301.h"); add("top/fs/h", type=tarfile.LNKTYPE, linkname="top/fs/e\u0301.h")
        """#, in: folder)
      let cache = folder.appending("cache")
      let first = try text(try await Fixture.read(path, cache: cache))
      let bytes = first.map { "\(Array($0.key.utf8)) \(Array($0.value.utf8))" }
      #expect(try text(try await Fixture.read(path, cache: cache)) == first)
      let known = [
        ("fs/e\u{301}.h", "two"), ("fs/\u{e9}.h", "one"), ("fs/\u{212b}", "sign"), ("fs/l", "-> e\u{301}.h"),
        ("fs/h", "two"),
      ].map { "\(Array($0.0.utf8)) \(Array($0.1.utf8))" }
      #expect(bytes.sorted() == known.sorted())
    }
  }

  // MARK: what is refused

  @Test(arguments: [
    ("python3 -m zipfile -c up.tar up-1", "it is a zip file"), ("lzip -c u.tar > up.tar", "compressed by lzip"),
    ("xz --format=lzma -c u.tar > up.tar", "compressed as .lzma"), ("printf '\\037\\235x' > up.tar", "compress (.Z)"),
    ("printf '<!DOCTYPE html><p>log in' > up.tar", "it is an HTML page"),
    ("printf '\\n <HTML><p>log in' > up.tar", "it is an HTML page"), (": > up.tar", "it is empty"),
    ("tar cf up.tar -T /dev/null", "or one that is empty"), ("tar czf up.tar -T /dev/null", "it is empty"),
    ("head -c 3000 u.tar > up.tar", "Truncated"),
    ("head -c $(($(wc -c < u.tar) - 10240 + 3072)) u.tar > up.tar", "something is missing"),
    (
      "git init -q g; git -C g -c user.name=A -c user.email=a@b commit -q --allow-empty -m x; git -C g bundle create -q ../up.tar HEAD",
      "it is a git bundle"
    ),
    // Volumes: the first breaks off, the second goes on with a file.
    ("head -c 30000 /dev/urandom > up-1/big; tar cf v1 -M -L 20 -f v2 up-1 < /dev/null; cp v1 up.tar", "reading"),
    (
      "head -c 30000 /dev/urandom > up-1/big; tar cf v1 -M -L 20 -f v2 up-1 < /dev/null; cp v2 up.tar", "another volume"
    ),
    ("tar rf u.tar up-1/fs/a.c; cp u.tar up.tar", "it holds fs/a.c twice"),
    ("tar cf up.tar up-1/fs/a.c ./up-1/fs/a.c", "it holds fs/a.c twice"),
    ("tar cf up.tar -C up-1 .", "has no top folder"), ("tar cf up.tar -C up-1 fs net", "two top folders, fs and net"),
    ("tar cf up.tar -C up-1 Makefile", "it has no top folder: Makefile lies at its top"),
    ("{ cat u.tar; cat u.tar; } > up.tar", "it has data after its end"),
    ("{ cat u.tar; echo x; } > up.tar", "data after its end"),
    ("{ cat u.tar; head -c 512 u.tar; head -c 10240 /dev/zero; } | xz > up.tar", "data after its end"),
    ("{ gzip -c u.tar; echo x; } > up.tar", "trailing garbage"), ("{ xz -c u.tar; echo x; } > up.tar", "reading"),
    ("{ zstd -qc u.tar; echo x; } > up.tar", "reading"), ("gzip -c up-1/Makefile > up.tar", "reading"),
  ])
  func whatIsRefusedByName(script: String, words: String) async throws {
    try await withScratch { folder in
      let tree = "mkdir -p up-1/fs up-1/net; echo a > up-1/fs/a.c; echo b > up-1/net/b.c; echo c > up-1/Makefile"
      try await Fixture.shell("\(tree); tar cf u.tar up-1\n\(script)", in: folder)
      let path = folder.appending("up.tar")
      await Fixture.refusal("reading \(path)", words, code: .source) {
        _ = try await ArchiveSource(path: path).read(all, progress: .silent)
      }
    }
  }

  @Test(arguments: [
    (
      #"add("top/fs/l", type=tarfile.SYMTYPE, linkname="../net"); add("top/fs/l/a", b"x")"#,
      "fs/l/a lies below fs/l, which is a link"
    ),
    (
      #"add("top/fs/l/a", b"x"); add("top/fs/l", type=tarfile.SYMTYPE, linkname="../net")"#,
      "fs/l/a lies below fs/l, which is a link"
    ),
    (
      #"add("top/fs", type=tarfile.SYMTYPE, linkname="net"); add("top/fs", type=tarfile.DIRTYPE); add("top/fs/a", b"x")"#,
      "is a link"
    ),
    (#"add("top/fs/a", b"x"); add("top/fs/a/b", b"x")"#, "fs/a/b lies below fs/a, which is a file"),
    (#"add("top/fs/a", b"x"); add("top/fs/./a", b"x")"#, "it holds fs/a twice"),
    (#"add("top/fs/a", b"x"); add("top//fs/a", b"x")"#, "it holds fs/a twice"),
    (#"add("top/fs/a", type=tarfile.DIRTYPE); add("top/fs/a", b"x")"#, "it holds fs/a twice"),
    (#"add("top", type=tarfile.SYMTYPE, linkname="/etc"); add("top/fs/a", b"x")"#, "top lies at its top"),
    (#"add("top/fs/a\nb", b"x")"#, "has a control character in it"),
    (#"add("top/fs/\x7f", b"x")"#, "has a control character"),
    (#"add("top/fs/\u0085", b"x")"#, "has a control character"),
    (#"add("top/fs/l", type=tarfile.SYMTYPE, linkname="a\x1b")"#, "has a control character in its target"),
    (#"add("top/fs/" + "x" * 300, b"x")"#, "has a part of 300 bytes, more than 255"),
    // To a string, a slash with an accent on it is no slash.
    (#"add("top/\u0338../\u0338../x", b"x"); add("top/fs/..\u0338/../../../x", b"x")"#, "leaves the tree"),
    (#"add("top/fs/l", type=tarfile.SYMTYPE, linkname="/\u0338etc/passwd")"#, "leads out of the tree"),
  ])
  func whatReadersTakeDifferently(script: String, words: String) async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(script, in: folder)
      await Fixture.refusal("reading \(path)", words, code: .source) { _ = try await Fixture.read(path) }
    }
  }

  /// What the rules leave out may be as odd as it likes.
  @Test func whatIsLeftOutDoesNotMatter() async throws {
    try await withScratch { folder in
      let path = try await Fixture.archive(
        #"""
        add("top", type=tarfile.DIRTYPE); add("top/fs", type=tarfile.DIRTYPE); add("top/fs", type=tarfile.DIRTYPE)
        add("top/net/a\n", b"x"); add("top/net/b", b"x"); add("top/net/b", b"y"); add("top/fs/a", b"x")
        """#, in: folder)
      #expect(try text(try await Fixture.read(path)) == ["fs/a": "x"])
    }
  }
}
