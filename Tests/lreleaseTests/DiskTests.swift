// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// Disks that are full, read-only, or hold something else already.
@Suite struct DiskTests {
  @Test func aFullOutputLeavesNothing() async throws {
    try await Workshop.use { start in
      var workshop = start
      workshop.output = workshop.folder.appending("mount")
      // From too little for the tarball up to enough: the disk fills in each step of the cut.
      var failures = 0
      var succeeded = false
      for kilobytes in [4, 12, 20, 28, 36, 44, 52, 60, 68, 84, 100, 300, 1000] where !succeeded {
        let box = workshop
        _ = try await withTmpfs(workshop.output, "size=\(kilobytes)k") {
          let outcome = try await box.cutSample()
          if outcome.succeeded {
            succeeded = true
          } else {
            failures += 1
            box.expectRefusal(outcome, 1, "No space left on device", "--output")
          }
        }
      }
      #expect(failures >= 3 && succeeded)
    }
  }

  @Test(arguments: ["size=4k", "size=1m,nr_inodes=8", "size=1m,nr_inodes=20", "size=1m,nr_inodes=60"])
  func aFullTemporaryFolderLeavesNothing(options: String) async throws {
    try await Workshop.use { start in
      var workshop = start
      workshop.temporary = workshop.folder.appending("small")
      let box = workshop
      _ = try await withTmpfs(workshop.temporary, options) {
        box.expectRefusal(try await box.cutSample(["--with", "trace"]), 1, "No space left on device", "TMPDIR")
      }
    }
  }

  @Test func aFullCacheCostsTimeNotTheRelease() async throws {
    try await Workshop.use { start in
      var workshop = start
      workshop.cache = workshop.folder.appending("mount")
      try workshop.writeManifest()
      try workshop.write("linux/fs/large", [UInt8](repeating: 7, count: 200_000))
      try await workshop.shell("tar -cJf linux.tar.xz linux")
      let box = workshop
      _ = try await withTmpfs(workshop.cache, "size=64k") {
        let outcome = try await box.run(box.cutArguments("demo.toml", ["--source", "linux=linux.tar.xz"]))
        #expect(outcome.succeeded, "\(outcome.errors)")
        #expect(try Files.names(in: box.cache.appending("archives")) == [])
      }
    }
  }

  /// What was fetched stays for the next time, the message says what is full.
  @Test func aCacheTooSmallForAFetchIsNamed() async throws {
    try await Workshop.use { start in
      var workshop = start
      workshop.cache = workshop.folder.appending("mount")
      try workshop.writeManifest()
      try workshop.write("served/linux.tar.xz", [UInt8](repeating: 7, count: 200_000))
      let box = workshop
      try await withServer(of: box.folder.appending("served"), in: box.folder) { url in
        _ = try await withTmpfs(box.cache, "size=64k") {
          let outcome = try await box.run(box.cutArguments("demo.toml", ["--source", "linux=\(url)/linux.tar.xz"]))
          box.expectRefusal(outcome, 1, "fetching \(url)/linux.tar.xz", "\(box.cache)", "--cache")
        }
      }
    }
  }

  @Test func aReadOnlyOutputIsNamed() async throws {
    try await Workshop.use { start in
      var workshop = start
      workshop.output = workshop.folder.appending("mount")
      let box = workshop
      _ = try await withTmpfs(workshop.output, "size=1m") {
        try await box.shell("mount -o remount,ro \(box.output)")
        box.expectRefusal(try await box.cutSample(), 1, "writing the release \(box.output)", "Read-only", "--output")
      }
      _ = try await withTmpfs(workshop.output, "size=1m,ro") {
        var below = box
        below.output = box.output.appending("deep")
        below.expectRefusal(try await below.cutSample(), 1, "making the folder", "Read-only")
      }
    }
  }

  @Test func aPlanThatDoesNotFitLeavesNoHalf() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      let place = workshop.folder.appending("mount")
      _ = try await withTmpfs(place, "size=4k,nr_inodes=10") {
        try workshop.write("mount/filler", [UInt8](repeating: 1, count: 4096))
        let arguments = ["plan", "demo.toml", "--source", "linux=linux", "--save", "\(place)/plan.json"]
        let outcome = try await workshop.run(arguments)
        workshop.expectRefusal(outcome, 1, "writing \(place)/plan.json", "No space left on device")
        #expect(!Files.exists(place.appending("plan.json")))
      }
    }
  }

  @Test func aFullStandardOutputIsAFailure() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      let words = "\(Workshop.lrelease) plan demo.toml --source linux=linux --json"
      let outcome = try await Command(
        "sh", ["-c", "\(words) > /dev/full"], environment: workshop.environment, directory: workshop.folder
      ).run(doing: "running lrelease")
      workshop.expectRefusal(outcome, 1, "writing standard output", "No space left on device")
    }
  }

  // MARK: what is there already

  @Test func anOutputWithOtherContentIsLeftAlone() async throws {
    try await Workshop.use { workshop in
      try workshop.write("out/sample-7.2.1/notes", "mine\n")
      workshop.expectRefusal(
        try await workshop.cutSample(), 5, "\(workshop.output)/sample-7.2.1", "--respin", leaves: ["sample-7.2.1"])
      #expect(try Files.names(in: workshop.output.appending("sample-7.2.1")) == [Array("notes".utf8)])
      try Files.remove(workshop.output.appending("sample-7.2.1"))
      try workshop.write("out/sample-7.2.1", "a file\n")
      workshop.expectRefusal(try await workshop.cutSample(), 5, "--respin", leaves: ["sample-7.2.1"])
      #expect(try Files.read(workshop.output.appending("sample-7.2.1")) == Array("a file\n".utf8))
    }
  }

  @Test func anOutputThatIsAFileIsNamed() async throws {
    try await Workshop.use { start in
      var workshop = start
      try workshop.write("file", "mine\n")
      for (place, words) in [
        ("file", "making the folder FILE: a file has that name"), ("file/below", "FILE is not a folder"),
      ] {
        workshop.output = workshop.folder.pushing(FilePath(place))
        let file = workshop.folder.appending("file").string
        workshop.expectRefusal(try await workshop.cutSample(), 2, words.replacing("FILE", with: file))
      }
      #expect(try Files.read(workshop.folder.appending("file")) == Array("mine\n".utf8))
    }
  }

  @Test func aPlanIsNotReplaced() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      try workshop.write("plan.json", "mine\n")
      let outcome = try await workshop.run(["plan", "demo.toml", "--source", "linux=linux"])
      workshop.expectRefusal(
        outcome, 5, "error: saving the plan: plan.json already exists; give --replace or another --save\n")
      #expect(try Files.read(workshop.folder.appending("plan.json")) == Array("mine\n".utf8))
    }
  }

  @Test func twoCutsAtATimeExcludeEachOther() async throws {
    try await Workshop.use { workshop in
      let part = workshop.output.appending(".sample-7.2.1.partial")
      try Files.makeFolder(part)
      let lock = open(part.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      #expect(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
      workshop.expectRefusal(
        try await workshop.cutSample(), 5, "another cut is writing it", leaves: [".sample-7.2.1.partial"])
      close(lock)
      // What a killed cut has left is taken away.
      try workshop.write("out/.sample-7.2.1.partial/rest", "x")
      let outcome = try await workshop.cutSample()
      #expect(outcome.succeeded, "\(outcome.errors)")
      workshop.expectNothing(["sample-7.2.1"])
      #expect(!Files.exists(workshop.output.appending("sample-7.2.1/rest")))
    }
  }
}

/// Python's own server for the files in `files`, on this machine only.
func withServer(
  of files: FilePath, in folder: FilePath, _ body: @Sendable @escaping (_ url: String) async throws -> Void
) async throws {
  let script = """
    import functools, http.server, os, sys
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    open(sys.argv[2] + ".new", "w").write(str(server.server_port)); os.rename(sys.argv[2] + ".new", sys.argv[2])
    server.serve_forever()
    """
  let port = folder.appending("port")
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { _ = try await Command("python3", ["-c", script, files.string, port.string]).run(doing: "serving") }
    while !Files.exists(port) { try await Task.sleep(for: .milliseconds(20)) }
    let url = "http://127.0.0.1:\(String(decoding: try Files.read(port), as: UTF8.self))"
    group.addTask { try await body(url) }
    var failure: (any Error)?
    do { try await group.next() } catch { failure = error }
    group.cancelAll()
    while let result = await group.nextResult() {
      if case .failure(let error) = result, !(error is CancellationError) { failure = failure ?? error }
    }
    if let failure { throw failure }
  }
}
