// SPDX-License-Identifier: GPL-2.0-only

import Dispatch
import Glibc

/// Turns Ctrl-C and SIGTERM into the cancellation of the work, so that everything is cleaned up on the way out.
enum Interruption {
  static func run(_ work: @escaping @Sendable () async -> Void) async {
    let task = Task { await work() }
    let sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number -> (any DispatchSourceSignal)? in
      let before = signal(number, SIG_IGN)
      // nohup ignores SIGHUP: lrelease then survives the end of the session.
      if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { return nil }
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        Console.saysStopping()
        task.cancel()
      }
      source.resume()
      return source
    }
    await task.value
    for source in sources { source.cancel() }
  }
}
