// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import Groundwork
import SystemPackage
import Testing

/// A place for one test of the whole command: everything that lrelease touches lies in it, so that what is left can be
/// seen.
struct Workshop: Sendable {
  static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
  static let lrelease = root.appending(".build/debug/lrelease").string

  let folder: FilePath
  /// TMPDIR of the command.
  var temporary: FilePath
  var output: FilePath
  var cache: FilePath

  static func use<R>(_ body: (Workshop) async throws -> R) async throws -> R {
    try await withScratch { folder in
      let workshop = Workshop(
        folder: folder, temporary: folder.appending("tmp"), output: folder.appending("out"),
        cache: folder.appending("cache"))
      try Files.makeFolder(workshop.temporary)
      return try await body(workshop)
    }
  }

  var environment: [String: String] {
    Command.plainEnvironment.merging(["TMPDIR": temporary.string, "HOME": folder.string]) { $1 }
  }

  func run(_ arguments: [String], seconds: Int = 300) async throws -> Command.Outcome {
    // A command that hangs is a failure of its own, and not of the whole run.
    try await Command(
      "timeout", ["--kill-after=10", "\(seconds)", Workshop.lrelease] + arguments, environment: environment,
      directory: folder
    ).run(doing: "running lrelease")
  }

  func cutArguments(_ manifest: String, _ more: [String] = []) -> [String] {
    ["cut", "--quiet", manifest, "--output", output.string, "--cache", cache.string] + more
  }

  /// Cuts the sample that is shipped.
  func cutSample(_ more: [String] = []) async throws -> Command.Outcome {
    let linux = "linux=\(Workshop.root.appending("Examples/sample/linux"))"
    return try await run(
      cutArguments(Workshop.root.appending("manifests/sample.toml").string, ["--source", linux] + more))
  }

  /// Demands one line with `words`, the exit status, and that nothing was left in TMPDIR and in the output.
  func expectRefusal(
    _ outcome: Command.Outcome, _ status: Int32, _ words: String..., leaves: [String] = [],
    _ location: Testing.SourceLocation = #_sourceLocation
  ) {
    let lines = outcome.errors.split(separator: "\n")
    #expect(outcome.status == .exited(status), "\(outcome.errors)", sourceLocation: location)
    #expect(lines.count == 1 && outcome.output.isEmpty, "\(outcome.errors)\(outcome.text)", sourceLocation: location)
    #expect(lines.first?.contains("error: ") == true, "\(outcome.errors)", sourceLocation: location)
    for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: location) }
    expectNothing(leaves, location)
  }

  /// Demands that TMPDIR is empty and that the output holds `names` only, or is not there.
  func expectNothing(_ names: [String] = [], _ location: Testing.SourceLocation = #_sourceLocation) {
    func list(_ folder: FilePath) -> [String] {
      ((try? Files.names(in: folder)) ?? []).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(list(temporary) == [], sourceLocation: location)
    if names.isEmpty, !output.string.hasSuffix("/mount") {
      #expect(!Files.isFolder(output), "\(list(output))", sourceLocation: location)
    } else {
      #expect(list(output) == names, sourceLocation: location)
    }
  }

  /// Writes a file of the test, with the folders above it.
  func write(_ path: String, _ bytes: [UInt8]) throws {
    let full = folder.pushing(FilePath(path))
    try Files.makeFolder(full.removingLastComponent())
    try Files.replace(full, with: bytes)
  }

  func write(_ path: String, _ text: String) throws { try write(path, Array(text.utf8)) }

  func shell(_ script: String) async throws {
    _ = try await Command("sh", ["-ec", script], environment: environment, directory: folder)
      .check(doing: "running \(script)")
  }

  /// A manifest `demo.toml` that takes `fs` of the kernel tree in `linux`, with more text at its end.
  func writeManifest(_ more: String = "", source: String = "") throws {
    try write("linux/Makefile", "VERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 0\nEXTRAVERSION =\n")
    if !Files.exists(folder.appending("linux/fs")) { try write("linux/fs/a.c", "int a;\n") }
    try write(
      "demo.toml",
      """
      name = "demo"
      version = "{kernel}"
      summary = "demo"
      license = "GPL-2.0-only"
      homepage = "https://example.org/"
      maintainer = "A <a@example.org>"
      [sources.linux]
      kernel = "upstream"
      \(source)
      [[tree]]
      from = "linux:fs"
      to = "fs"
      \(more)
      """)
  }

  /// The packages of the manifest, by the recipes that are shipped.
  static var packages: String {
    """
    [[packages]]
    kind = "dkms"
    variant = "modules"
    module = "demo"
    summary = "demo"
    kernels = { min = "7.0", max = "7.9" }
    modules = [{ name = "demo", path = "fs" }]
    [packages.deb]
    name = "demo-dkms"
    recipe = "\(root)/debian/dkms"
    [packages.rpm]
    name = "demo-dkms"
    recipe = "\(root)/specs/dkms.spec"
    """
  }
}

/// lrelease as a child that is watched and stopped while it works.
final class Child {
  let pid: pid_t
  private let errors: FilePath
  private var status: Int32?

  /// Starts it in a process group of its own, as a shell with job control does.
  init(
    _ workshop: Workshop, _ arguments: [String], program: String = Workshop.lrelease, log: String = "stderr"
  ) throws {
    errors = workshop.folder.appending(log)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, errors.string, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    // Other tests run at the same time: it must not hold their pipes open.
    for descriptor in 3..<1024 { posix_spawn_file_actions_addclose(&actions, Int32(descriptor)) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The test may have been started with these ignored, as background jobs are.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    // Threads of the test have signals blocked, which a child would inherit.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    posix_spawnattr_setsigmask(&attributes, &blocked)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    // env goes to the folder and becomes the program.
    let words = (["/usr/bin/env", "-C", workshop.folder.string, program] + arguments).map { strdup($0) } + [nil]
    let variables = workshop.environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for word in words + variables { free(word) } }
    var pid = pid_t()
    let failed = posix_spawn(&pid, "/usr/bin/env", &actions, &attributes, words, variables)
    guard failed == 0 else { throw ReleaseError(errno: failed, doing: "starting lrelease") }
    self.pid = pid
  }

  deinit {
    if status == nil {
      kill(-pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
  }

  var isRunning: Bool {
    if status == nil {
      var raw: Int32 = 0
      if waitpid(pid, &raw, WNOHANG) == pid { status = raw }
    }
    return status == nil
  }

  /// The exit status, or 128 and the signal.
  var exitStatus: Int32? { status.map { $0 & 0x7f == 0 ? $0 >> 8 & 0xff : 128 + $0 & 0x7f } }

  var errorText: String { (try? Files.read(errors)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

  /// Waits until `condition` holds.
  ///
  /// - Returns: whether it came to hold while the child was running.
  func wait(seconds: Double = 60, until condition: () throws -> Bool) async throws -> Bool {
    let start = ContinuousClock.now
    while isRunning, (ContinuousClock.now - start).seconds < seconds {
      if try condition() { return true }
      try await Task.sleep(for: .milliseconds(5))
    }
    return false
  }

  /// Every process below it, by id, with its command line.
  func descendants() throws -> [pid_t: String] {
    var parents: [pid_t: pid_t] = [:]
    for name in try Files.names(in: "/proc") {
      guard let id = pid_t(String(decoding: name, as: UTF8.self)),
        let text = try? Files.read(FilePath("/proc/\(id)/stat")), let close = text.lastIndex(of: 0x29)
      else { continue }
      let fields = String(decoding: text[(close + 1)...], as: UTF8.self).split(separator: " ")
      if fields.first != "Z", fields.count > 1 { parents[id] = pid_t(fields[1]) }
    }
    var found: [pid_t: String] = [:]
    var open = [pid]
    while let parent = open.popLast() {
      for (id, above) in parents where above == parent {
        let line = (try? Files.read(FilePath("/proc/\(id)/cmdline"))) ?? []
        found[id] = String(decoding: line.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
        open.append(id)
      }
    }
    return found
  }
}

/// A small file system in memory at `path`.
func withTmpfs<R>(_ path: FilePath, _ options: String, _ body: () async throws -> R) async throws -> R? {
  try Files.makeFolder(path)
  let mounted = try await Command("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path.string]).run(doing: "mounting")
  guard mounted.succeeded else {
    Issue.record("no tmpfs can be mounted here (root is needed): \(mounted.complaint)")
    return nil
  }
  let result: R
  do {
    result = try await body()
  } catch {
    umount2(path.string, Int32(MNT_DETACH))
    throw error
  }
  guard umount2(path.string, Int32(MNT_DETACH)) == 0 else {
    throw ReleaseError(errno: errno, doing: "unmounting \(path)")
  }
  return result
}
