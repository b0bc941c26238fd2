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
    for (verdict, _) in verdicts where verdict.result == .fail {
      guard let against = verdict.against else { continue }
      progress.warning(
        "\(verdict.variant) fails as \(against.inWords) on \(verdict.target): \(verdict.reason ?? "")")
    }
    let manifest = try plan.parsedManifest()
    var proven: [String: Plan.Proven] = [:]
    // How it goes along with another release says nothing about kernels.
    let alone = verdicts.filter { $0.0.against == nil }
    for variant in Set((alone.isEmpty ? verdicts : alone).map(\.0.variant)) {
      let own = verdicts.filter { $0.0.variant == variant && $0.0.isOfPackageAlone }
      guard own.contains(where: { $0.0.result == .pass && !$0.0.isCompiledOnly }) else {
        throw ReleaseError(
          .unverified, doing: doing, reason: "the package '\(variant)' passed on no kernel",
          advice: "leave it out of the manifest, or see what the verdicts say")
      }
      var kernels: [String: Set<String>] = [:]
      var probes: [String: String] = [:]
      for (verdict, folder) in own where verdict.result == .pass && !verdict.isCompiledOnly {
        kernels[verdict.target, default: []].insert(verdict.kernel)
        guard let key = verdict.probeKey else { continue }
        guard isKey(key) else {
          throw ReleaseError(
            .input, doing: doing, reason: "'\(key)' of \(verdict.target) is not a name of probe results")
        }
        probes[key] = try VerdictStore(folder).probeResults(of: verdict, doing: doing)
      }
      let passed = kernels.mapValues { $0.sorted() }
      if let claimed = KernelSupport(of: variant, plan, manifest) {
        let support = self.support(own.map(\.0), over: claimed, of: variant, progress: progress)
        proven[variant] = Plan.Proven(support, kernels: passed, probes: probes)
      } else if let range = try range(own.map(\.0), of: variant, progress: progress) {
        proven[variant] = Plan.Proven(range, kernels: passed, probes: probes)
      }
    }
    plan.proven = proven
    return plan
  }

  /// The plan of a candidate whose packages claim these kernels, instead of those of the manifest.
  ///
  /// - Parameter claims: kernels of kernel.org as `5.10-7.3`, and of families as `el9=5.14.0-611..5.14.0-687`.
  /// - Throws: `ReleaseError` with code `input` for anything else, and for families that the plan does not know.
  package static func claim(_ claims: [String], in plan: Plan) throws -> Plan {
    func wrong(_ claim: String) -> ReleaseError {
      ReleaseError(
        .input, doing: "reading what a candidate claims", reason: "'\(claim)' is not a range of kernels",
        advice: "write it as 5.10-7.3, or as el9=5.14.0-611..5.14.0-687")
    }
    var plan = plan
    let claimed: Plan.Proven
    if let families = plan.families {
      let names = [KernelFamily.mainline.name] + families.map(\.name)
      var entries: [KernelSupport.Entry] = []
      for claim in claims {
        let parts = claim.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        let isPlain = parts.count == 1
        let ends =
          (isPlain
          ? parts[0].split(separator: "-", omittingEmptySubsequences: false)
          : parts[1].split(separator: "..", omittingEmptySubsequences: false)).map(String.init)
        let builds = ends.compactMap { isPlain ? KernelRelease($0).map { KernelBuild($0) } : KernelBuild($0) }
        guard parts.count <= 2, ends.count == 2, builds.count == 2 else { throw wrong(claim) }
        let span = KernelSpan(builds[0], builds[1])
        let family = isPlain ? KernelFamily.mainline.name : parts[0]
        guard names.contains(family) else {
          throw ReleaseError(
            .input, doing: "reading what a candidate claims", reason: "the family '\(family)' is not known",
            advice: family.nearest(in: names).map { "did you mean '\($0)'?" })
        }
        let overlaps = entries.contains { $0.family == family && $0.span.overlaps(span) }
        guard span.isRange, !overlaps else { throw wrong(claim) }
        entries.append(KernelSupport.Entry(family: family, span: span, standing: .unknown))
      }
      claimed = Plan.Proven(KernelSupport(families: families, entries: entries), kernels: [:], probes: [:])
    } else {
      let ends = claims.first.map { $0.split(separator: "-", omittingEmptySubsequences: false).map(String.init) } ?? []
      guard claims.count == 1, ends.count == 2, let range = try? KernelRange(ends[0], ends[1]) else {
        throw wrong(claims.joined(separator: ","))
      }
      claimed = Plan.Proven(range, kernels: [:], probes: [:])
    }
    let variants = try plan.parsedManifest().packages(with: plan.extras).map(\.variant)
    plan.proven = Dictionary(uniqueKeysWithValues: variants.map { ($0, claimed) })
    return plan
  }

  /// Whether a name can be that of a file of probe results.
  package static func isKey(_ name: String) -> Bool {
    name.utf8.count == 32 && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// For plans without families: the newest kernels on which a package passed, back to the first failure: both ends as a
  /// line of kernels, such as 6.12. Lines in between that were not tried are included.
  package static func range(_ verdicts: [Verdict], of package: String, progress: Progress) throws -> KernelRange? {
    var lines: [KernelRelease: Bool] = [:]
    for verdict in verdicts where (verdict.result == .pass || verdict.result == .fail) && !verdict.isCompiledOnly {
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
