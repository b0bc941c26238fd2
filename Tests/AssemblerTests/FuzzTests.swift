// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Assembler

/// Valid inputs, damaged at random: each must be read or refused with an error of ours, in time and in memory.
///
/// A normal run does a few rounds. `LRELEASE_FUZZ_SECONDS=300 swift test --filter FuzzTests` goes on for so long, each;
/// `LRELEASE_FUZZ_SEED` starts elsewhere. The input of the round is kept in TMPDIR while it is read, so that a crash leaves
/// it there: put it into Tests/Fixtures/manifest or Tests/Fixtures/archive, where every run reads it.
@Suite(.serialized) struct FuzzTests {
  private static let seed = environmentVariable("LRELEASE_FUZZ_SEED").flatMap { UInt64($0) } ?? 1

  /// Runs `round` with the numbers from 0, so many times or for as long as the environment says.
  ///
  /// - Parameter round: returns whether its input was accepted. Some must be and some not, or the damage is of no use.
  private func rounds(_ count: Int, _ name: String, _ round: (Int) async throws -> Bool) async throws {
    let seconds = environmentVariable("LRELEASE_FUZZ_SECONDS").flatMap { Double($0) }
    let start = ContinuousClock.now
    var number = 0
    var accepted = 0
    while seconds.map({ (ContinuousClock.now - start).seconds < $0 }) ?? (number < count) {
      if try await round(number) { accepted += 1 }
      number += 1
    }
    #expect(accepted > 0 && accepted < number, "\(accepted) of \(number) accepted")
    if seconds != nil { print("\(name): \(number) rounds from seed \(Self.seed), \(accepted) accepted") }
  }

  /// Runs `body` on `bytes`, which are kept while it runs, and demands that it takes no longer than `seconds`.
  ///
  /// - Returns: whether it was accepted.
  @discardableResult
  private func watched(
    _ bytes: [UInt8], _ name: String, seconds: Double = 10, _ body: () async throws -> Void
  ) async throws -> Bool {
    let kept = Files.temporaryFolder.appending("lrelease-fuzz-\(name)-\(getpid())")
    try Files.replace(kept, with: bytes)
    let start = ContinuousClock.now
    var isAccepted = false
    do {
      try await body()
      isAccepted = true
    } catch let error as ReleaseError {
      #expect(!error.description.contains("\n"), "kept as \(kept)")
    } catch is Diagnostics {
    } catch {
      Issue.record("not an error of ours: \(error); kept as \(kept)")
      return false
    }
    let taken = (ContinuousClock.now - start).seconds
    if taken > seconds {
      Issue.record("it took \(taken) s; kept as \(kept)")
      return false
    }
    unlink(kept.string)
    return isAccepted
  }

  /// Bit flips, bytes that mean something, cuts, repeats, and pieces of another input.
  private func mutate(
    _ input: [UInt8], with other: [UInt8], words: [[UInt8]], _ random: inout SplitMix64
  ) -> [UInt8] {
    var bytes = input
    func place(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &random) }
    for _ in 0..<(1 + place(6)) where !bytes.isEmpty {
      let at = place(bytes.count)
      let length = min(1 + place(place(4) == 0 ? 600 : 40), bytes.count - at)
      switch place(8) {
      case 0: bytes[at] ^= 1 << UInt8(place(8))
      case 1: bytes[at] = UInt8(truncatingIfNeeded: random.next())
      case 2: bytes.removeSubrange(at..<at + length)
      case 3: bytes.insert(contentsOf: bytes[at..<at + length], at: place(bytes.count))
      case 4:
        let from = place(other.count)
        bytes.insert(contentsOf: other[from..<min(from + length, other.count)], at: at)
      case 5: bytes.insert(contentsOf: words[place(words.count)], at: at)
      case 6:
        let word = words[place(words.count)]
        bytes.replaceSubrange(at..<min(at + word.count, bytes.count), with: word)
      default: if place(4) == 0 { bytes.removeSubrange(at...) } else { bytes[at] = 0 }
      }
    }
    return bytes
  }

  private func saved(_ folder: String) throws -> [(name: String, bytes: [UInt8])] {
    try Files.names(in: Fixture.saved.appending(folder)).map {
      let name = String(decoding: $0, as: UTF8.self)
      return (name, try Files.read(Fixture.saved.appending(folder).appending(name)))
    }
  }

  // MARK: manifests

  private func parse(_ bytes: [UInt8]) throws { _ = try Manifest(parsing: bytes, file: "m.toml") }

  @Test func whatOnceBrokeTheManifestLoader() async throws {
    let files = try saved("manifest")
    #expect(!files.isEmpty)
    for file in files { try await watched(file.bytes, "manifest") { try parse(file.bytes) } }
  }

  @Test func depthCostsNoStack() {
    for (start, part, end) in [
      ("a = ", "[", ""), ("a = ", "{a=", ""), ("a", ".a", " = 1"), ("[a", ".a", "]\nb = 1"), ("[[a", ".a", "]]\nb = 1"),
      ("a = ", "[[", "]]"), ("", "[", ""), ("a = ", "[{a=", ""), ("a = {b", ".a", " = 1}"), ("", "[[a]]\n", ""),
    ] {
      let text = start + String(repeating: part, count: 200_000) + end
      Fixture.refusalOrFindings { try parse(Array(text.utf8)) }
    }
  }

  @Test func damagedManifestsAreReadOrRefused() async throws {
    let folder = Workshop.root.appending("manifests")
    let names = try Files.names(in: folder).filter { $0.suffix(5) == Array(".toml".utf8)[...] }
    let inputs = try names.map { try Files.read(folder.appending(bytes: $0)) } + [Array(Fixture.manifest().utf8)]
    let words =
      [
        "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "\\", "\\u0000", "\\UFFFFFFFF", "#",
        "\r\n", "\r", "\u{0}", "\u{feff}", "\u{2028}", "é", "a.b.c", "[[tree]]", "[packages.deb]", "[sources.linux]",
        "9223372036854775808", "1e999", "nan", "-inf", "0x", "0b2", "1979-05-27T07:32:00Z", "07:32:00.9999999999",
        "true",
        "{kernel}", "a = 1\n", "\"\" = 1\n", "[a]\n[a]\n", "a = {b = 1}\n", "[a.b]\n",
      ].map { Array($0.utf8) } + [[0xff], [0xc3], [0xed, 0xa0, 0x80]]
    var random = SplitMix64(state: Self.seed)
    try await rounds(50, "manifests") { _ in
      let input = inputs.randomElement(using: &random) ?? []
      let bytes = mutate(input, with: inputs.randomElement(using: &random) ?? [], words: words, &random)
      return try await watched(bytes, "manifest") { try parse(bytes) }
    }
  }

  // MARK: archives

  /// Through a file, as from a decompressor; with limits that show at once when something is not counted.
  private func unpack(_ bytes: [UInt8], in folder: FilePath, strips: Bool) throws {
    let path = folder.appending("input")
    try Files.replace(path, with: bytes)
    let file = try FileDescriptor.open(path, .readOnly)
    defer { try? file.close() }
    var limits = ArchiveLimits()
    limits.uncompressed = 16 << 20
    limits.kept = 4 << 20
    limits.entries = 10_000
    let result = try ArchiveReader(name: "archive", limits: limits, stripsTopFolder: strips, wants: { _ in true })
      .read(file)
    #expect(result.files.values.reduce(0) { $0 + $1.content.count } <= 4 << 20)
    for (path, file) in result.files {
      #expect(isCleanPath(path))
      if case .link(let target) = file.content { #expect(linkStaysInside(path, target: target)) }
    }
  }

  @Test func whatOnceBrokeTheArchiveReader() async throws {
    let files = try saved("archive")
    #expect(!files.isEmpty)
    try await withScratch { folder in
      for file in files {
        for strips in [true, false] {
          try await watched(file.bytes, "archive") { try unpack(file.bytes, in: folder, strips: strips) }
        }
      }
    }
  }

  /// Archives of every kind that tar programs write: long names, pax headers, sparse files, links.
  private func archives(in folder: FilePath) async throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    for format in ["USTAR", "GNU", "PAX"] {
      let script = """
        t.format = tarfile.\(format)_FORMAT
        add("top/Makefile", b"VERSION = 7\\nPATCHLEVEL = 4\\n", mode=0o644)
        add("top/fs", type=tarfile.DIRTYPE, mode=0o755)
        add("top/fs/run", b"#!/bin/sh\\n", mode=0o755)
        add("top/fs/l", type=tarfile.SYMTYPE, linkname="run")
        add("top/fs/h", type=tarfile.LNKTYPE, linkname="top/fs/run")
        add("top/fs/" + "d/" * 40 + "n", b"x" * 600)
        if "\(format)" != "USTAR": add("top/fs/" + "long" * 40, b"x" * 600); add("top/fs/Gr\\u00fc\\u00dfe", b"x")
        if "\(format)" == "PAX": add("top/fs/p", b"abc", pax_headers={"comment": "c", "mtime": "1.5", "SCHILY.xattr.a": "b"})
        """
      found.append(try Files.read(try await Fixture.archive(script, in: folder, name: "\(format).tar")))
    }
    for format in ["gnu", "posix"] {
      let script = "mkdir -p top; truncate -s 100k top/s; echo x >> top/s; tar -cSf s.tar --format=\(format) top"
      try await Fixture.shell(script, in: folder)
      found.append(try Files.read(folder.appending("s.tar")))
    }
    return found
  }

  /// A changed header is worth more with a checksum that is right: a wrong one ends the reading at once.
  private func mend(_ bytes: inout [UInt8]) {
    for start in stride(from: 0, to: bytes.count - 511, by: 512)
    where bytes[start + 257..<start + 262] == [0x75, 0x73, 0x74, 0x61, 0x72] {
      for index in 148..<156 { bytes[start + index] = 0x20 }
      let sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
      let digits = String(sum, radix: 8)
      let field = Array((String(repeating: "0", count: max(0, 6 - digits.count)) + digits).utf8) + [0, 0x20]
      bytes.replaceSubrange(start + 148..<start + 156, with: field.prefix(8))
    }
  }

  @Test func damagedArchivesAreReadOrRefused() async throws {
    try await withScratch { folder in
      let inputs = try await archives(in: folder)
      let size63: [UInt8] = [0x80, 0, 0, 0, 0x7f] + [UInt8](repeating: 0xff, count: 7)
      let words: [[UInt8]] =
        [
          "../../x", "/etc/passwd", "77777777777", "00000000000", "x", "g", "L", "K", "S", "1", "2", "3", "6", "7", "D",
          "V",
          "ustar\u{0}00", "ustar  \u{0}", "30 path=../../../x\n", "22 size=99999999999999\n", "19 size=-1\n",
          "29 GNU.sparse.major=999999\n", "27 GNU.sparse.map=0,1,2,3\n", "32 linkpath=/etc/passwd\n",
          "14 hdrcharset=BINARY\n",
        ].map { Array($0.utf8) } + [size63, [UInt8](repeating: 0xff, count: 12), [UInt8](repeating: 0, count: 512)]
      var random = SplitMix64(state: Self.seed)
      try await rounds(50, "archives") { number in
        let input = inputs.randomElement(using: &random) ?? []
        var bytes = input
        // Mostly fields of headers, in place; sometimes anything anywhere.
        if number % 3 == 0 {
          bytes = mutate(input, with: inputs.randomElement(using: &random) ?? [], words: words, &random)
        } else {
          for _ in 0..<Int.random(in: 1...4, using: &random) {
            let block = Int.random(in: 0..<bytes.count / 512, using: &random) * 512
            let field = [0, 100, 124, 136, 156, 157, 257, 345, 386, 482].randomElement(using: &random) ?? 0
            let word = words.randomElement(using: &random) ?? []
            bytes.replaceSubrange(
              block + field..<min(block + field + word.count, bytes.count),
              with: word.prefix(bytes.count - block - field))
          }
        }
        if Bool.random(using: &random) { mend(&bytes) }
        let strips = Bool.random(using: &random)
        let damaged = bytes
        return try await watched(damaged, "archive") { try unpack(damaged, in: folder, strips: strips) }
      }
    }
  }

  /// The same through the decompressors, damaged before and after compression.
  @Test func damagedTarballsAreReadOrRefused() async throws {
    try await withScratch { folder in
      let inputs = try await archives(in: folder)
      var packed: [[UInt8]] = []
      for (number, input) in inputs.enumerated() {
        for (program, suffix) in [("xz", ".xz"), ("gzip", ".gz"), ("zstd", ".zst"), ("bzip2", ".bz2")] {
          let path = folder.appending("\(number).tar")
          try Files.replace(path, with: input)
          packed.append(try Files.read(try await Fixture.compressed(path, with: program, suffix: suffix)))
        }
      }
      var random = SplitMix64(state: Self.seed)
      try await rounds(20, "tarballs") { number in
        let path = folder.appending("tarball")
        var bytes: [UInt8]
        if number % 2 == 0 {
          bytes = inputs.randomElement(using: &random) ?? []
          bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
          mend(&bytes)
          try Files.replace(path, with: bytes)
          bytes = try await Command("gzip", ["-1c", path.string]).check(doing: "compressing").output
        } else {
          bytes = mutate(
            packed.randomElement(using: &random) ?? [], with: packed.randomElement(using: &random) ?? [],
            words: [[0xff, 0xff], [0], [0x80]], &random)
        }
        try Files.replace(path, with: bytes)
        return try await watched(bytes, "tarball", seconds: 30) { _ = try await Fixture.read(path) }
      }
    }
  }

  // MARK: records of our own

  @Test func damagedPlansAreReadOrRefused() async throws {
    try await withScratch { folder in
      let manifest = folder.appending("demo.toml")
      try Files.write(Array(Fixture.manifest().utf8), to: manifest)
      for (path, text) in [("Makefile", Fixture.makefile), ("fs/a.c", "int a;\n")] {
        try Files.makeFolder(folder.appending("upstream/fs"))
        try Files.write(Array(text.utf8), to: folder.appending("upstream").pushing(FilePath(path)))
      }
      let request = CutRequest(places: ["linux": folder.appending("upstream").string], cache: folder.appending("cache"))
      let plan = try JSON.encode(try await Planner.plan(manifest: manifest, request, progress: .silent).plan)
      let words = [
        "\"", "{", "}", "[", "]", ":", ",", "null", "-1", "1e999", "9223372036854775808", "\\ud800", "\\u0000",
      ]
      .map { Array($0.utf8) }
      var random = SplitMix64(state: Self.seed)
      let path = folder.appending("plan.json")
      try await rounds(60, "plans") { _ in
        let bytes = mutate(plan, with: plan, words: words, &random)
        try Files.replace(path, with: bytes)
        return try await watched(bytes, "plan") {
          let read = try Plan(reading: path)
          _ = try await Planner.open(read, request, progress: .silent)
          _ = try read.releaseName
        }
      }
    }
  }
}
