// SPDX-License-Identifier: GPL-2.0-only

import Dispatch
import Glibc

/// Turns Ctrl-C and SIGTERM into the cancellation of the work, so that everything is cleaned up on the way out.
enum Interruption {
  static func run(_ work: @escaping @Sendable () async -> Void) async {
    let task = Task { await work() }
    let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { task.cancel() }
      source.resume()
      return source
    }
    await task.value
    for source in sources { source.cancel() }
  }
}
