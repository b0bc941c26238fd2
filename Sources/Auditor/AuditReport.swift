// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// How far a release is from mainline, in numbers that can be compared between releases.
package struct AuditReport: Sendable, Codable, Equatable {
  /// The format of this report.
  package var format = 1
  package var release: String
  package var identity: String?
  /// The kernel release that the upstream part came from.
  package var kernel: String?
  package var total: Counts
  /// Every folder of the upstream part that has C files.
  package var folders: [String: Counts]
  /// Files of the upstream part with something that must go.
  package var files: [String: Counts]
  /// How many tests of the upstream part name each probe.
  package var probes: [String: Int]
  /// Nil where the manifest says nothing of probes.
  package var deadWeight: ProbeAudit?
  /// Nil where it was not asked for.
  package var drift: Drift?
  package var build: NativeBuild?

  package init(_ tree: AuditedTree, _ source: SourceAudit, _ results: [ProbeResults] = []) {
    release = tree.name
    identity = tree.identity
    kernel = tree.kernel
    total = source.total
    folders = source.folders
    files = source.files.filter { $0.value.places > 0 }
    probes = source.probes
    deadWeight = tree.audit.probes.map { _ in ProbeAudit(tree, source, results) }
  }

  /// Reads a report that `--json` has printed.
  package init(reading path: FilePath) throws {
    let doing = "reading the report \(path)"
    let bytes = try Files.read(path, limit: 256 << 20, doing: doing)
    do {
      self = try JSON.decode(AuditReport.self, from: bytes)
    } catch let error as DecodingError {
      throw ReleaseError(
        .input, doing: doing, reason: "it is not a report of lrelease: \(error.reason)",
        remedy: AuditorRemedy.makeReport, cause: error)
    }
    guard format == 1 else {
      throw ReleaseError(.input, doing: doing, reason: "its format \(format) needs a newer version of lrelease")
    }
  }
}

/// The changes between two reports.
package struct AuditComparison: Sendable, Codable, Equatable {
  package struct Move: Sendable, Codable, Equatable {
    package var name: String
    /// Nil where there is none: of a folder or probe that is new.
    package var before: Int?
    package var after: Int?

    package var difference: Int { (after ?? 0) - (before ?? 0) }
  }

  package var before: String
  package var after: String
  package var totals: [Move]
  /// Folders and files by what must go from them; probes by their tests. Only what moved.
  package var folders: [Move]
  package var files: [Move]
  package var probes: [Move]

  package init(_ old: AuditReport, _ new: AuditReport) {
    before = old.release
    after = new.release
    totals = AuditComparison.moves(old.figures, new.figures)
    folders = AuditComparison.moves(old.folders.mapValues(\.places), new.folders.mapValues(\.places))
    files = AuditComparison.moves(old.files.mapValues(\.places), new.files.mapValues(\.places))
    probes = AuditComparison.moves(old.probes, new.probes)
  }

  package var isEmpty: Bool { totals.isEmpty && folders.isEmpty && files.isEmpty && probes.isEmpty }

  private static func moves(_ old: [String: Int], _ new: [String: Int]) -> [Move] {
    Set(old.keys).union(new.keys).sorted().compactMap { name in
      let move = Move(name: name, before: old[name], after: new[name])
      // Files that appear or disappear with nothing to count are left out.
      return move.difference == 0 ? nil : move
    }
  }
}

extension AuditReport {
  /// The totals by name; those of parts that were not asked for are left out.
  fileprivate var figures: [String: Int] {
    var figures = [
      "files": total.files, "tests of probes": total.probeTests, "tests of versions": total.versionTests,
      "compat includes": total.compatIncludes, "probes": probes.count,
    ]
    if let deadWeight, !deadWeight.kernels.isEmpty {
      figures["constant probes"] = deadWeight.constant.count
      figures["dead lines"] = deadWeight.deadLines
    }
    if let deadWeight { figures["unused probes"] = deadWeight.unused.count }
    if let drift {
      figures["drifted files"] = drift.files.count
      figures["drifted lines"] = drift.linesAdded + drift.linesRemoved
    }
    for pass in build?.passes ?? [] {
      figures["compiled with =\(pass.value)"] = pass.compiled
      figures["failed with =\(pass.value)"] = pass.failures.count
    }
    return figures
  }
}
