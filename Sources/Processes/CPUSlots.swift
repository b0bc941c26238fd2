// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import Synchronization

/// Slots for work that keeps a core busy and needs much memory: one for each core of this process.
///
/// Waiting tasks get a slot in the order in which they asked.
package final class CPUSlots: Sendable {
  package static let shared = CPUSlots(count: min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 8))

  /// The number of jobs at a time when the user gives none. A job uses all cores for part of its time and waits for the rest.
  package static let defaultJobs = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2)

  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let state: Mutex<State>

  /// How many there are.
  package let count: Int

  package init(count: Int) {
    self.count = max(1, count)
    state = Mutex(State(free: self.count))
  }

  /// Waits for a slot. The caller must `release` it.
  ///
  /// A cancelled task waits as well: the tasks that hold the slots are cancelled with it and release them soon.
  package func acquire() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.free == 0 else {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  package func release() {
    let next = state.withLock { state in
      guard state.waiting.isEmpty else { return Optional(state.waiting.removeFirst()) }
      state.free += 1
      return nil
    }
    next?.resume()
  }
}
