// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// A cut takes what did not change from the cache, and its bytes are the same with any cache.
@Suite struct CacheTests {
  /// A kernel tree with four folders of 4 MB each, which compress quickly, and a manifest that packs them.
  private func write(_ workshop: Workshop, _ more: String = "") throws {
    for folder in 0..<4 {
      for file in 0..<4 {
        var text = ""
        for line in 0..<32_768 { text += "\(folder).\(file): line number \(line) of many\n" }
        try workshop.write("linux/fs/\(folder)/\(file).c", String(text.utf8.prefix(1 << 20)) ?? text)
      }
    }
    try workshop.writeManifest(more, source: "date = \"2026-01-01T00:00:00Z\"")
  }

  private func cut(_ workshop: Workshop, _ more: [String] = []) async throws {
    try await workshop.shell("rm -rf out")
    let outcome = try await workshop.run(
      workshop.cutArguments("demo.toml", ["--source", "linux=linux", "--allow-unsigned"] + more))
    #expect(outcome.succeeded, "\(outcome.errors)")
  }

  private func sums(_ workshop: Workshop, _ release: String = "demo-7.4") throws -> String {
    String(decoding: try Files.read(workshop.output.pushing(FilePath("\(release)/SHA256SUMS"))), as: UTF8.self)
  }

  private func cached(_ workshop: Workshop, _ folder: String) throws -> [String] {
    let folder = workshop.cache.appending(folder)
    guard Files.isFolder(folder) else { return [] }
    return try Files.names(in: folder).flatMap { part in
      try Files.names(in: folder.appending(bytes: part)).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// The check value and the sizes of each block, as xz lists them.
  private func blocks(_ workshop: Workshop) async throws -> [String] {
    let tarball = workshop.output.pushing("demo-7.4/demo-7.4.tar.xz")
    return try await Command("xz", ["--robot", "--list", "-vv", tarball.string]).check(doing: "listing blocks").text
      .split(separator: "\n").filter { $0.hasPrefix("block\t") }
      .map {
        $0.split(separator: "\t").enumerated().filter { ![3, 4, 5].contains($0.offset) }.map { $1 }.joined(
          separator: " ")
      }
  }

  @Test func aChangedFileChangesItsOwnBlock() async throws {
    try await Workshop.use { workshop in
      try write(workshop)
      try await cut(workshop)
      let before = try await blocks(workshop)
      let kept = Set(try cached(workshop, "blocks"))
      // Longer than before, so that blocks of one size would all be moved.
      try await workshop.shell("sed -i '1i a line that was not there' linux/fs/1/2.c")
      try await cut(workshop)
      let after = try await blocks(workshop)
      let new = Set(try cached(workshop, "blocks")).subtracting(kept)
      #expect(before.count == after.count && before.count > 3, "\(before) \(after)")
      // The block of the file, and that of the records.
      #expect(zip(before, after).count { $0 != $1 } == 2, "\(before) \(after)")
      #expect(new.count == 2, "\(new)")
    }
  }

  /// Of releases whose plans do not say where blocks end.
  @Test func theBlocksOfOlderReleases() async throws {
    try await Workshop.use { workshop in
      try write(workshop)
      try await cut(workshop)
      #expect(Set(try await sizes(workshop)).count > 2)
      try await workshop.shell("sed '/\"blocks\" *: *\"folders\"/d' out/demo-7.4/plan.json > plan.json; rm -rf out")
      let cut = try await workshop.run([
        "cut", "--quiet", "--plan", "plan.json", "--source", "linux=linux", "--output", "out", "--cache", "cache",
      ])
      #expect(cut.succeeded, "\(cut.errors)")
      let sizes = try await sizes(workshop)
      #expect(sizes.count == 2 && sizes[0] - sizes[1] < 1 << 20, "\(sizes)")
      let again = try await workshop.run(["rebuild", "out/demo-7.4", "--output", "again", "--cache", "cache"])
      #expect(again.text.contains("identical"), "\(again.errors)")

      try await workshop.shell("sed -i '1s/{/{ \"blocks\": \"spiral\",/' plan.json")
      let refused = try await workshop.run(["cut", "--plan", "plan.json", "--source", "linux=linux", "--output", "no"])
      #expect(refused.status == .exited(2) && refused.errors.contains("blocks"), "\(refused.errors)")
    }
  }

  private func sizes(_ workshop: Workshop) async throws -> [Int] {
    let tarball = workshop.output.pushing("demo-7.4/demo-7.4.tar.xz")
    return try await Command("xz", ["--robot", "--list", "-vv", tarball.string]).check(doing: "listing blocks").text
      .split(separator: "\n").filter { $0.hasPrefix("block\t") }.compactMap { Int($0.split(separator: "\t")[7]) }
  }

  @Test func theBytesAreTheSameWithAnyCache() async throws {
    try await Workshop.use { workshop in
      try write(workshop)
      try await cut(workshop)
      let sums = try sums(workshop)
      try await cut(workshop)
      #expect(try self.sums(workshop) == sums)
      // Each entry damaged in its middle, then truncated, then empty.
      for damage in ["printf x | dd of=$f bs=1 seek=300 conv=notrunc status=none", "truncate -s 200 $f", ": > $f"] {
        try await workshop.shell("for f in $(find cache/blocks -type f); do \(damage); done")
        try await cut(workshop)
        #expect(try self.sums(workshop) == sums, "\(damage)")
      }
      // What is no folder cannot be written to.
      try await workshop.shell("rm -rf cache/blocks; : > cache/blocks")
      try await cut(workshop)
      #expect(try self.sums(workshop) == sums)
      try await workshop.shell("rm -rf cache")
      try await cut(workshop)
      #expect(try self.sums(workshop) == sums)
    }
  }

  /// Each run makes another file, so that it shows whether the step ran.
  private static let step = """
    [[prepare]]
    run = ["sh", "-c", "cat /proc/sys/kernel/random/uuid > fs/made; ls -R > fs/seen; rm fs/0/3.c"]
    """

  private func made(_ workshop: Workshop, _ file: String) async throws -> String {
    try await Command(
      "tar", ["-xJOf", workshop.output.pushing("demo-7.4/demo-7.4.tar.xz").string, "demo-7.4/fs/\(file)"]
    ).check(doing: "reading the tarball").text
  }

  @Test func aPrepareStepRunsAgainWhenWhatItReadsChanged() async throws {
    try await Workshop.use { workshop in
      try write(workshop, Self.step)
      try await cut(workshop)
      let first = try await made(workshop, "made")
      try await cut(workshop)
      #expect(try await made(workshop, "made") == first)
      let names = try await Command("tar", ["-tJf", workshop.output.pushing("demo-7.4/demo-7.4.tar.xz").string])
        .check(doing: "listing").text
      #expect(names.contains("demo-7.4/fs/0/2.c\n") && !names.contains("demo-7.4/fs/0/3.c\n"))
      try await workshop.shell("echo 'int more;' >> linux/fs/1/2.c")
      try await cut(workshop)
      #expect(try await made(workshop, "made") != first)
      // Damage is noticed, and the step runs.
      let second = try await made(workshop, "made")
      try await workshop.shell(
        "for f in $(find cache/prepared -type f); do printf x | dd of=$f bs=1 seek=$(($(stat -c %s $f) - 3)) conv=notrunc status=none; done"
      )
      try await cut(workshop)
      #expect(try await made(workshop, "made") != second)
    }
  }

  @Test func aStepWithInputsSeesNothingElse() async throws {
    try await Workshop.use { workshop in
      try write(workshop, Self.step.replacing("; rm fs/0/3.c", with: "") + "\ninputs = [\"/fs/2\", \"/fs/1/2.c\"]\n")
      try await cut(workshop)
      let first = try await made(workshop, "made")
      let seen = try await made(workshop, "seen")
      #expect(seen.contains("./fs/2:\n0.c\n1.c\n2.c\n3.c\n") && seen.contains("./fs/1:\n2.c\n"), "\(seen)")
      #expect(!seen.contains("./fs/0"), "\(seen)")
      #expect(try await made(workshop, "0/3.c").hasPrefix("0.3: line number 0"))
      // Not an input.
      try await workshop.shell("echo 'int more;' >> linux/fs/0/0.c")
      try await cut(workshop)
      #expect(try await made(workshop, "made") == first)
      #expect(try await made(workshop, "0/0.c").hasSuffix("int more;\n"))
      try await workshop.shell("echo 'int more;' >> linux/fs/1/2.c")
      try await cut(workshop)
      #expect(try await made(workshop, "made") != first)
    }
  }

  @Test func theFolderKeepsWhatWasUsedLast() async throws {
    try await withScratch { folder in
      let cache = CacheFolder(folder, limit: 2500)
      let keys = (0..<4).map { SHA256Digest(of: [UInt8($0)]) }
      for (number, key) in keys.enumerated() {
        cache.store(key) { try Files.replace($0, with: [UInt8](repeating: 1, count: 1000)) }
        var times = [timeval(tv_sec: 1_000_000 + number, tv_usec: 0), timeval(tv_sec: 1_000_000 + number, tv_usec: 0)]
        utimes(try #require(cache.path(key)).string, &times)
      }
      #expect(cache.use(keys[0]) != nil)
      cache.trim()
      #expect(keys.map { cache.path($0) != nil } == [true, false, false, true])
    }
  }
}
