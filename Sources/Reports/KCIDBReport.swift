// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Verdicts

/// The verdicts as KCIDB takes them, the common database of kernel test systems: a release is a checkout, a package on a
/// kernel a build of it, and each step on the booted kernel a test of that build. A kernel change that the manifest
/// knows is an issue, and each verdict that names it an incident.
///
/// Source: the schema in kcidb-io. 5.3 is the newest; nothing here is newer than 5.0, which every reader of 5 takes.
package struct KCIDBReport: Encodable {
  package var json: [UInt8] {
    get throws { try JSON.encode(self, snakeCase: true) }
  }

  package let version = Version()
  private(set) var checkouts: [Checkout] = []
  private(set) var builds: [Build] = []
  private(set) var tests: [Test] = []
  private(set) var issues: [Issue] = []
  private(set) var incidents: [Incident] = []

  private enum CodingKeys: CodingKey { case version, checkouts, builds, tests, issues, incidents }

  /// Whether KCIDB takes `name` as that of a system that submits.
  package static func isOrigin(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
  }

  /// - Parameters:
  ///   - origin: who submits it, as `isOrigin` allows.
  ///   - published: the URL below which the qualifications lie; without it, logs have no URL.
  package init(_ report: QualificationReport, origin: String, published: String?) {
    let places = published.map { LogPlaces.published($0) }
    for column in report.columns where !checkouts.contains(where: { $0.id == "\(origin):\(column.release)" }) {
      let times = report.entries.map(\.verdict).filter { $0.release == column.release }.map(\.started)
      checkouts.append(
        Checkout(
          id: "\(origin):\(column.release)", origin: origin, treeName: report.project,
          comment: column.release, startTime: Timestamp(seconds: times.min() ?? 0).iso8601))
    }
    for entry in report.entries { add(Run(entry, origin: origin, places)) }
  }

  private mutating func add(_ run: Run) {
    builds.append(run.build)
    let tests = run.outcomes.filter { !$0.step.name.isBuildStep }
    self.tests += tests.map(run.test)
    guard let change = run.verdict.change?.withoutNUL else { return }
    let issue = "\(run.origin):change/\(shortDigest(change))"
    if !issues.contains(where: { $0.id == issue }) {
      issues.append(Issue(id: issue, origin: run.origin, comment: change))
    }
    let test = tests.first(where: \.decidesVerdict).map(run.id(of:))
    incidents.append(
      Incident(
        id: "\(issue)/\(shortDigest(test ?? run.id))", origin: run.origin, issueID: issue,
        buildID: test == nil ? run.id : nil, testID: test))
  }

  private func shortDigest(_ text: String) -> Substring { SHA256Digest(of: Array(text.utf8)).hex.prefix(16) }
}

/// A verdict, and what KCIDB is told of it: a build and its tests.
private struct Run {
  let entry: QualificationReport.Entry
  let origin: String
  let places: LogPlaces?
  let outcomes: [StepOutcome]

  init(_ entry: QualificationReport.Entry, origin: String, _ places: LogPlaces?) {
    self.entry = entry
    self.origin = origin
    self.places = places
    outcomes = entry.verdict.stepOutcomes
  }

  var verdict: Verdict { entry.verdict }

  /// The time distinguishes one run from the next, which is an object of its own.
  var id: String { "\(origin):\(verdict.release)/\(verdict.caseName)/\(verdict.started)" }

  func id(of test: StepOutcome) -> String { "\(id)/\(test.name)" }

  var build: KCIDBReport.Build {
    // It ended where it failed, or where the first test began.
    let isBuilt = outcomes.contains { !$0.step.name.isBuildStep } || verdict.result == .pass
    let seconds = outcomes.filter { $0.step.name.isBuildStep }.reduce(0) { $0 + $1.step.seconds }
    return KCIDBReport.Build(
      id: id, origin: origin, checkoutID: "\(origin):\(verdict.release)",
      comment: "\(verdict.variant) of \(verdict.release) on \(verdict.target)"
        + (verdict.against.map { ", \($0.inWords)" } ?? ""),
      startTime: Timestamp(seconds: verdict.started).iso8601, duration: (seconds * 100).rounded() / 100,
      architecture: verdict.kernelArchitecture, configName: verdict.kernel,
      status: isBuilt ? .pass : KCIDBReport.Status(verdict.result),
      logURL: logURL(of: verdict.isCompiledOnly ? .compile : .install),
      logExcerpt: isBuilt ? nil : verdict.excerpt, outputFiles: outputFiles,
      misc: KCIDBReport.Facts(
        target: verdict.target, kernel: verdict.kernel, variant: verdict.variant, level: verdict.level.rawValue,
        moduleBytes: verdict.moduleBytes))
  }

  func test(of outcome: StepOutcome) -> KCIDBReport.Test {
    let step = outcome.step
    var facts = ["target": verdict.target, "kernel": verdict.kernel]
    facts["accelerator"] = verdict.accelerator
    facts["against"] = verdict.against?.inWords
    return KCIDBReport.Test(
      id: id(of: outcome), origin: origin, buildID: id, path: "\(verdict.project.asPath).\(step.name.rawValue)",
      comment: step.note?.withoutNUL,
      environment: KCIDBReport.Environment(
        comment: verdict.isLife
          ? "a root of \(verdict.target)" : "a QEMU guest with the kernel \(verdict.kernel) of \(verdict.target)",
        misc: facts),
      startTime: outcome.began.iso8601, duration: step.seconds,
      status: outcome.decidesVerdict ? KCIDBReport.Status(verdict.result) : .pass, logURL: logURL(of: step.name),
      logExcerpt: outcome.decidesVerdict ? verdict.excerpt : nil)
  }

  private func logURL(of step: Verdict.Step.Name) -> String? {
    guard let places, let log = entry.log(of: step) else { return nil }
    return places.reference(to: log, of: entry)
  }

  /// The logs besides that of the build.
  private var outputFiles: [KCIDBReport.Resource]? {
    let logs = entry.logs.filter { $0 != entry.log(of: .install) }
    guard let places, !logs.isEmpty else { return nil }
    return zip(logs, places.references(to: logs, of: entry)).map(KCIDBReport.Resource.init)
  }
}

extension Verdict.Step.Name {
  /// Everything before a kernel boots.
  fileprivate var isBuildStep: Bool { [.root, .install, .compile, .modules, .probe].contains(self) }
}

extension Verdict {
  /// As the kernel calls it, which is how KCIDB's submitters do.
  fileprivate var kernelArchitecture: String {
    let names = ["amd64": "x86_64", "arm64": "aarch64", "ppc64el": "ppc64le"]
    return names[architecture] ?? String(architecture.lowercased().map { $0.isASCIIWord ? $0 : "_" })
  }

  /// What says why, of the length that the schema allows.
  fileprivate var excerpt: String? {
    reason.map { String(String.UnicodeScalarView($0.withoutNUL.unicodeScalars.prefix(16384))) }
  }
}

extension Character {
  fileprivate var isASCIIWord: Bool { isASCII && (isLetter || isNumber || self == "_") }
}

extension String {
  fileprivate var withoutNUL: String { replacing("\0", with: "") }

  /// A part of a test path, which has few characters.
  fileprivate var asPath: String { String(map { $0.isASCIIWord || $0 == "-" ? $0 : "_" }) }
}
