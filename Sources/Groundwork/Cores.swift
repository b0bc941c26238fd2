// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import Synchronization

/// Places for work that keeps a core busy and takes much memory: as many as there are cores for us.
///
/// Whoever waits gets a place in the order of asking.
package final class Cores: Sendable {
  package static let shared = Cores(count: min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 8))

  /// Jobs at a time where nobody says how many, each of which uses all cores in a part of its time and waits in others.
  package static let defaultJobs = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2)

  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let state: Mutex<State>

  package init(count: Int) { state = Mutex(State(free: max(1, count))) }

  /// Waits for a place, which `giveBack` ends.
  ///
  /// A cancelled task waits as well: those that have a place are cancelled with it, and give it back soon.
  package func take() async {
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

  package func giveBack() {
    let next = state.withLock { state in
      guard state.waiting.isEmpty else { return Optional(state.waiting.removeFirst()) }
      state.free += 1
      return nil
    }
    next?.resume()
  }
}
