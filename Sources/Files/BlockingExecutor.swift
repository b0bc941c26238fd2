// SPDX-License-Identifier: GPL-2.0-only

import Dispatch

/// Threads for work that waits for a disk or another program, or that computes for long: the threads of Swift's own
/// pool, one for each core, must not block.
///
/// A task that works here stays the same task, and is cancelled like any other.
package final class BlockingExecutor: TaskExecutor {
  package static let shared = BlockingExecutor()

  /// Does all of `body` on these threads, except for what it awaits of actors.
  package static func run<R, E: Error>(_ body: () async throws(E) -> R) async throws(E) -> R {
    try await withTaskExecutorPreference(shared, operation: body)
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // Each queue gets its own thread at once, which is reused; a shared queue would get only one thread for each core.
    DispatchQueue(label: "blocking").async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
