// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import SystemPackage

extension Command {
  /// Runs the program, and ends it when nothing happens any more: a server that accepts a connection and says nothing
  /// would hold a program without a time limit of its own for ever.
  ///
  /// - Parameter patience: how long it may go on while all processes below this one read and write less than 10 bytes
  ///   together and compute nothing. A server that is at work tells git so every few seconds, in 5 bytes.
  /// - Returns: nil when it was ended.
  package func run(patience: Duration, doing: String) async throws -> Outcome? {
    try await withThrowingTaskGroup(of: Outcome?.self) { group in
      group.addTask { try await run(doing: doing) }
      group.addTask {
        var last = Activity()
        while true {
          try await Task.sleep(for: patience)
          let now = Activity()
          if now.isIdle(since: last) { return nil }
          last = now
        }
      }
      defer { group.cancelAll() }
      guard let outcome = try await group.next() else { return nil }
      return outcome
    }
  }
}

/// What the processes below this one have done so far. Source: proc(5), `io` and `stat`.
private struct Activity {
  private var bytes: Int64 = 0
  private var ticks: Int64 = 0

  init() {
    var parents: [pid_t: (parent: pid_t, ticks: Int64)] = [:]
    for name in (try? Files.names(in: "/proc")) ?? [] {
      guard let id = pid_t(String(decoding: name, as: UTF8.self)),
        let stat = try? Files.read(FilePath("/proc/\(id)/stat")), let close = stat.lastIndex(of: UInt8(ascii: ")"))
      else { continue }
      // Behind the name: state, parent, …; the times of the process in user and kernel mode are 12 and 13.
      let fields = String(decoding: stat[(close + 1)...], as: UTF8.self).split(separator: " ")
      guard fields.count > 12, let parent = pid_t(fields[1]) else { continue }
      parents[id] = (parent, (Int64(fields[11]) ?? 0) + (Int64(fields[12]) ?? 0))
    }
    var open = [getpid()]
    while let above = open.popLast() {
      for (id, process) in parents where process.parent == above {
        open.append(id)
        ticks += process.ticks
        let io = String(decoding: (try? Files.read(FilePath("/proc/\(id)/io"))) ?? [], as: UTF8.self)
        for line in io.split(separator: "\n") where line.hasPrefix("rchar: ") || line.hasPrefix("wchar: ") {
          bytes += Int64(line.dropFirst(7)) ?? 0
        }
      }
    }
  }

  func isIdle(since last: Activity) -> Bool { abs(bytes - last.bytes) < 10 && ticks == last.ticks }
}
