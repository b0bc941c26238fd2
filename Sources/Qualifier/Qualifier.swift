// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage
import Verdicts

/// Runs the cases of a release that have no verdict yet.
package enum Qualifier {
  package struct QualificationResult: Sendable {
    /// In the order of targets, kernels and packages.
    package var verdicts: [Verdict]
    /// The logs of the verdicts that already existed.
    package var known: Set<String>
    package var folder: FilePath
  }

  /// - Parameter jobs: the number of targets for which programs are built at the same time.
  package static func run(
    _ candidate: CandidateRelease, _ request: Qualification.Request, executor: some Executor, jobs: Int,
    progress: Progress
  ) async throws -> QualificationResult {
    var qualification = try Qualification(candidate, request)
    if qualification.chroots.refresh != nil {
      // The contents of the chroots then decide which verdicts are still valid.
      try await qualification.buildPrograms(for: qualification.cases, candidate, jobs: jobs, progress: progress)
      try await qualification.refreshChroots(for: qualification.cases, progress: progress)
    }
    var verdicts: [Qualification.Case: Verdict] = [:]
    if !request.retriesKnown {
      for one in qualification.cases { verdicts[one] = qualification.known(one) }
    }
    // The life of a site has the same inputs as the kernel that it begins with.
    let known = Set(verdicts.values.map(\.logs))
    let pending = qualification.cases.filter { verdicts[$0] == nil }
    if !known.isEmpty {
      progress.reached("\(known.count) of \(qualification.cases.count) cases have a verdict already")
    }
    if !pending.isEmpty {
      try await qualification.buildPrograms(for: pending, candidate, jobs: jobs, progress: progress)
      let found = try await executor.run(pending, of: qualification, candidate, progress: progress)
      for (one, verdict) in zip(pending, found) { verdicts[one] = verdict }
    }
    return QualificationResult(
      verdicts: qualification.cases.compactMap { verdicts[$0] }, known: known, folder: qualification.folder)
  }
}
