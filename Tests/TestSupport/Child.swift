// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import SystemPackage

/// lrelease as a child that is watched and stopped while it works.
package final class Child {
  package let pid: pid_t
  private let errors: FilePath
  private var status: Int32?

  /// Starts it in a process group of its own, as a shell with job control does.
  package init(
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

  package var isRunning: Bool {
    if status == nil {
      var raw: Int32 = 0
      if waitpid(pid, &raw, WNOHANG) == pid { status = raw }
    }
    return status == nil
  }

  /// The exit status, or 128 and the signal.
  package var exitStatus: Int32? { status.map { $0 & 0x7f == 0 ? $0 >> 8 & 0xff : 128 + $0 & 0x7f } }

  package var errorText: String { (try? Files.read(errors)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

  /// Waits until `condition` holds.
  ///
  /// - Returns: whether it came to hold while the child was running.
  package func wait(seconds: Double = 60, until condition: () throws -> Bool) async throws -> Bool {
    try await BlockingExecutor.run {
      let start = ContinuousClock.now
      while isRunning, (ContinuousClock.now - start).seconds < seconds {
        if try condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
      }
      return false
    }
  }

  /// Every process below it, by id, with its command line.
  package func descendants() throws -> [pid_t: String] {
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
