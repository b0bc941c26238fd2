// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import SystemPackage

/// The kernels that verdicts on a candidate prove its packages to support, for the plan of the release.
package enum QualifiedRange {
  /// Adds to a plan what the verdicts in these folders prove.
  ///
  /// - Throws: `ReleaseError` with code `unverified` for verdicts on something else than what the plan makes.
  package static func add(_ folders: [FilePath], to plan: Plan, progress: Progress) throws -> Plan {
    let doing = "taking what was qualified"
    let identity = try plan.identity
    let name = try plan.releaseName
    var plan = plan
    var verdicts: [(Verdict, FilePath)] = []
    for folder in folders {
      let found = try VerdictStore(folder).all()
      guard !found.isEmpty else {
        throw ReleaseError(
          .source, doing: doing, reason: "\(folder) holds no verdicts", remedy: VerdictsRemedy.qualify)
      }
      for verdict in found {
        guard verdict.plan == identity else {
          throw ReleaseError(
            .unverified, doing: doing,
            reason: verdict.release == name
              ? "\(folder) holds verdicts on a \(name) with other content: its plan is \(verdict.plan.hex.prefix(12))…, "
                + "this one \(identity.hex.prefix(12))…"
              : "\(folder) holds verdicts on \(verdict.release), and this release is \(name)",
            advice: "cut with the plan.json of the candidate that was qualified, or qualify this one")
        }
        verdicts.append((verdict, folder))
      }
    }
    for (verdict, _) in verdicts where verdict.isLife && verdict.result == .fail {
      progress.warning("\(verdict.variant) fails in the life of a site on \(verdict.target): \(verdict.reason ?? "")")
    }
    var proven: [String: Plan.Proven] = [:]
    for variant in Set(verdicts.map(\.0.variant)) {
      let own = verdicts.filter { $0.0.variant == variant && !$0.0.isLife }
      guard let range = try range(own.map(\.0), of: variant, progress: progress) else {
        throw ReleaseError(
          .unverified, doing: doing, reason: "the package '\(variant)' passed on no kernel",
          advice: "leave it out of the manifest, or see what the verdicts say")
      }
      var kernels: [String: Set<String>] = [:]
      var probes: [String: String] = [:]
      for (verdict, folder) in own where verdict.result == .pass {
        kernels[verdict.target, default: []].insert(verdict.kernel)
        guard let key = verdict.probeKey else { continue }
        guard isKey(key) else {
          throw ReleaseError(
            .input, doing: doing, reason: "'\(key)' of \(verdict.target) is not a name of probe results")
        }
        probes[key] = try VerdictStore(folder).probeResults(of: verdict, doing: doing)
      }
      proven[variant] = Plan.Proven(
        range, kernels: kernels.mapValues { $0.sorted() },
        probes: probes)
    }
    plan.proven = proven
    return plan
  }

  /// The plan of a candidate whose packages claim all kernels of a range, instead of those of the manifest.
  package static func claim(_ range: KernelRange, in plan: Plan) throws -> Plan {
    var plan = plan
    let claimed = Plan.Proven(range, kernels: [:], probes: [:])
    let variants = try plan.parsedManifest().packages(with: plan.extras).map(\.variant)
    plan.proven = Dictionary(uniqueKeysWithValues: variants.map { ($0, claimed) })
    return plan
  }

  /// Whether a name can be that of a file of probe results.
  package static func isKey(_ name: String) -> Bool {
    name.utf8.count == 32 && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// The newest kernels on which a package passed, back to the first failure: both ends as a line of kernels, such as
  /// 6.12. Lines in between that were not tried are included.
  package static func range(_ verdicts: [Verdict], of package: String, progress: Progress) throws -> KernelRange? {
    var lines: [KernelRelease: Bool] = [:]
    for verdict in verdicts where verdict.result == .pass || verdict.result == .fail {
      guard var line = KernelRelease(verdict.kernelNumber) else { continue }
      line.patch = nil
      lines[line] = (lines[line] ?? true) && verdict.result == .pass
    }
    let newestFirst = lines.keys.sorted().reversed().drop { lines[$0] == false }
    let run = newestFirst.prefix { lines[$0] == true }
    guard let max = run.first, let min = run.last else { return nil }
    if run.count > 1, max.major != min.major || max.minor - min.minor >= run.count {
      let tried = run.reversed().map(\.text).joined(separator: ", ")
      progress.warning("the package '\(package)' claims Linux \(min) to \(max), of which \(tried) were tried")
    }
    for line in newestFirst.dropFirst(run.count) where lines[line] == true {
      progress.warning("Linux \(line) passed and is left out: a newer one between it and \(max) failed")
    }
    return try KernelRange(min, max)
  }
}
