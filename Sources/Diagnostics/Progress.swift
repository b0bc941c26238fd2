// SPDX-License-Identifier: GPL-2.0-only

/// Reports the progress of long work. The command line decides how events are shown.
package struct Progress: Sendable {
  package enum Event: Sendable {
    /// A step begins. `total` is the number of bytes or files to come, if known.
    case began(step: String, total: Int64?)
    /// `done` of the step's total, in bytes.
    case advanced(step: String, done: Int64, total: Int64?)
    /// A step ended, with how long it took in seconds.
    case finished(step: String, seconds: Double)
    /// A step ended, and its error or its outcome is told elsewhere.
    case ended(step: String)
    /// One of many parts of the work is done: `3 of 12: …`.
    case reached(String)
    /// How things stand, until the next event.
    case stands(String)
    /// A warning, or a note.
    case told(Diagnostic)
  }

  private let send: @Sendable (Event) -> Void

  package init(_ send: @escaping @Sendable (Event) -> Void) { self.send = send }

  /// Nobody listens.
  package static let silent = Progress { _ in }

  /// The state of work that is done elsewhere and is not a step of ours.
  package func stands(_ text: String) { send(.stands(text)) }
  package func reached(_ text: String) { send(.reached(text)) }
  package func finished(_ step: String, seconds: Double) { send(.finished(step: step, seconds: seconds)) }
  /// Something worth knowing that is not a problem, such as a patch that applied with an offset.
  package func note(_ text: String) { tell(Diagnostic(.note, reason: text)) }
  /// Something that the reader should look at.
  package func warning(_ text: String) { tell(Diagnostic(.warning, reason: text)) }
  package func tell(_ diagnostic: Diagnostic) { send(.told(diagnostic)) }
  package func advanced(_ step: String, _ done: Int64, of total: Int64?) {
    send(.advanced(step: step, done: done, total: total))
  }

  /// Runs `body` as a step: announced, timed, and reported as finished when it did not throw.
  package func step<R>(_ name: String, total: Int64? = nil, _ body: () async throws -> R) async throws -> R {
    let start = ContinuousClock.now
    send(.began(step: name, total: total))
    do {
      let result = try await body()
      send(.finished(step: name, seconds: (ContinuousClock.now - start).seconds))
      return result
    } catch {
      send(.ended(step: name))
      throw error
    }
  }

  /// Runs `body` as a step whose outcome is told by whoever asked for it.
  package func silentStep<R>(_ name: String, _ body: () async throws -> R) async throws -> R {
    send(.began(step: name, total: nil))
    defer { send(.ended(step: name)) }
    return try await body()
  }
}

extension Duration {
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
