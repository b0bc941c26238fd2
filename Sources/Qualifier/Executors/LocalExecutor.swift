// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import Verdicts

/// Runs the cases of a qualification.
package protocol Executor: Sendable {
  /// Runs the cases. Each verdict is kept as soon as it is known.
  ///
  /// - Returns: a verdict for each case, in their order.
  func run(
    _ cases: [Qualification.Case], of qualification: Qualification, _ candidate: CandidateRelease, progress: Progress
  ) async throws -> [Verdict]
}

/// Runs cases on this machine, several at a time.
package struct LocalExecutor: Executor {
  package var jobs: Int
  private let host = GuestHost()

  package init(jobs: Int) { self.jobs = jobs }

  /// As many as the limit of open files allows: a case has about a dozen.
  private static var mostCases: Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1 }
    return max(1, Int(clamping: limit.rlim_cur) / 16)
  }

  package func run(
    _ cases: [Qualification.Case], of qualification: Qualification, _ candidate: CandidateRelease, progress: Progress
  ) async throws -> [Verdict] {
    try await withThrowingTaskGroup(of: (Int, Verdict).self) { group in
      var verdicts: [Int: Verdict] = [:]
      var next = 0
      func start() {
        guard next < cases.count else { return }
        let index = next
        next += 1
        group.addTask { (index, try await qualification.run(cases[index], candidate, on: host, progress: progress)) }
      }
      for _ in 0..<max(1, min(jobs, LocalExecutor.mostCases)) { start() }
      while let (index, verdict) = try await group.next() {
        verdicts[index] = verdict
        progress.reached(verdict.line(on: cases[index], verdicts.count, of: cases.count))
        start()
      }
      return cases.indices.compactMap { verdicts[$0] }
    }
  }
}

extension Verdict {
  /// `3 of 12: debian-12.modules: pass, 41 s`.
  func line(on one: Qualification.Case, _ number: Int, of count: Int) -> String {
    let why = result == .pass ? "" : reason.map { " (\($0))" } ?? ""
    return "\(number) of \(count): \(one.id): \(result.rawValue)\(why), \(Int(seconds.rounded())) s"
  }
}
