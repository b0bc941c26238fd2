// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Synchronization
import SystemPackage

extension Command {
  /// How a watched program ended.
  package enum Ending: Sendable {
    case byItself(Outcome)
    /// It was ended because nothing happened any more.
    case idle
    /// It was ended because it read without end.
    case endless
  }

  /// Runs the program, and ends it if it makes no progress, or reads without end. A server that accepts a connection
  /// and then sends nothing would block a program without a time limit for ever; one that never stops would fill the
  /// memory.
  ///
  /// - Parameters:
  ///   - patience: how long it may go on while it and the processes that it starts read and write next to nothing and
  ///     compute nothing. A server that is at work tells git so every 5 seconds, in 5 bytes.
  ///   - most: how many bytes these processes may read and write together.
  package func run(patience: Duration, most: Int64 = .max, doing: String) async throws -> Ending {
    var watched = self
    let mark = "\(getpid())-\(watches.add(1, ordering: .relaxed).newValue)"
    watched.environment[Activity.variable] = mark
    return try await withThrowingTaskGroup(of: Ending.self) { [watched] group in
      group.addTask { .byItself(try await watched.run(doing: doing)) }
      group.addTask {
        let step = min(patience / 8, .seconds(1))
        var last = Activity(of: mark)
        var idle = Duration.zero
        while idle < patience {
          try await Task.sleep(for: step)
          let now = Activity(of: mark)
          if now.bytes > most { return .endless }
          if now.isIdle(since: last) {
            idle += step
          } else {
            (last, idle) = (now, .zero)
          }
        }
        return .idle
      }
      defer { group.cancelAll() }
      return try await group.next() ?? .idle
    }
  }
}

private let watches = Atomic(0)

/// What a program and those that it has started have done so far. Source: proc(5), `io` and `stat`.
private struct Activity {
  private(set) var bytes: Int64 = 0
  private var ticks: Int64 = 0

  /// It identifies the processes, because they inherit it.
  static let variable = "LRELEASE_WATCH"

  init(of mark: String) {
    let entry = Array("\(Self.variable)=\(mark)\0".utf8)
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
        guard let environment = try? Files.read(FilePath("/proc/\(id)/environ")), environment.contains(entry)
        else { continue }
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
