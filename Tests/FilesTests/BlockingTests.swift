// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import Synchronization
import SystemPackage
import Testing

private enum Name {
  @TaskLocal static var local = ""
}

private final class Counter: Sendable {
  private let value = Atomic(0)
  var count: Int { value.load(ordering: .sequentiallyConsistent) }
  func add() { value.add(1, ordering: .sequentiallyConsistent) }
}

@Suite struct BlockingTests {
  /// Waits for `condition` as work that blocks does: with the thread.
  private static func block(seconds: Double = 60, until condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<Int(seconds * 1000) {
      if try condition() { return true }
      usleep(1000)
    }
    return false
  }

  @Test func whatBlocksHoldsUpNobody() async throws {
    let count = 40
    let here = Counter()
    let wasHeldUp = try await withThrowingTaskGroup(of: Bool.self) { group in
      // All of them must be at work at once, and what is done elsewhere must go on, for the first to end.
      for _ in 0..<count {
        group.addTask {
          await BlockingExecutor.run {
            here.add()
            return !Self.block { here.count == count + 1 }
          }
        }
      }
      group.addTask {
        try await Task.sleep(for: .milliseconds(10))
        here.add()
        return false
      }
      return try await group.contains(true)
    }
    #expect(!wasHeldUp)
  }

  @Test func itIsTheSameTask() async throws {
    let atWork = Counter()
    let task = Task {
      try await Name.$local.withValue("mine") {
        try await BlockingExecutor.run {
          atWork.add()
          #expect(Name.local == "mine")
          _ = try Self.block {
            try Task.checkCancellation()
            return false
          }
        }
      }
    }
    while atWork.count == 0 { try await Task.sleep(for: .milliseconds(1)) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func aFolderGoesWhenThoseWhoWriteToItHaveEnded() async throws {
    try await withScratch { scratch in
      let folder = scratch.appending("folder")
      try Files.makeFolder(folder)
      let script = """
        end=$(($(date +%s%3N) + 300))
        while [ $(date +%s%3N) -lt $end ]; do mkdir -p folder/a; : >folder/a/b; done
        """
      let writer = Command("sh", ["-c", script], directory: scratch)
      let task = Task {
        async let written = writer.run(doing: "writing")
        while try Files.names(in: folder).isEmpty { try await Task.sleep(for: .milliseconds(1)) }
        try await Files.removeWhenQuiet(folder)
        _ = try await written
        try await Files.removeWhenQuiet(folder)
      }
      try await task.value
      #expect(!Files.exists(folder))
    }
  }

  @Test func aFolderGoesInACancelledTask() async throws {
    try await withScratch { scratch in
      let folder = scratch.appending("a/b")
      try Files.makeFolder(folder)
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await Files.removeWhenQuiet(scratch.appending("a"))
      }
      try await task.value
      #expect(!Files.exists(scratch.appending("a")))
    }
  }
}
