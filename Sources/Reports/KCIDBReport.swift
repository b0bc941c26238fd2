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

  package struct Version: Encodable {
    var major = 5
    var minor = 0
  }

  struct Checkout: Encodable {
    var id: String
    var origin: String
    var treeName: String?
    var comment: String
    var valid = true
    var startTime: String
  }

  struct Build: Encodable {
    var id: String
    var origin: String
    var checkoutID: String
    var comment: String
    var startTime: String
    var duration: Double
    var architecture: String
    var configName: String
    var status: Status
    var logURL: String?
    var logExcerpt: String?
    var outputFiles: [Resource]?
    var misc: Facts
  }

  struct Test: Encodable {
    var id: String
    var origin: String
    var buildID: String
    var path: String
    var comment: String?
    var environment: Environment
    var startTime: String
    var duration: Double
    var status: Status
    var logURL: String?
    var logExcerpt: String?
  }

  struct Environment: Encodable {
    var comment: String
    var misc: [String: String]
  }

  struct Resource: Encodable {
    var name: String
    var url: String
  }

  /// What the schema has no place for.
  struct Facts: Encodable {
    var target: String
    var kernel: String
    var variant: String
    var level: String
    var moduleBytes: Int64?
  }

  struct Issue: Encodable {
    struct Culprit: Encodable { var code = true }
    var id: String
    var origin: String
    var version = 1
    var comment: String
    var culprit = Culprit()
  }

  struct Incident: Encodable {
    var id: String
    var origin: String
    var issueID: String
    var issueVersion = 1
    var buildID: String?
    var testID: String?
    var present = true
  }

  /// In KCIDB, MISS is what did not come to its end through no fault of the code and of the test; SKIP is what does not
  /// apply. ERROR would say that the test itself is wrong, which lrelease never knows.
  enum Status: String, Encodable {
    case pass = "PASS"
    case fail = "FAIL"
    case miss = "MISS"
    case skip = "SKIP"

    init(_ result: Verdict.Result) {
      self =
        switch result {
        case .pass: .pass
        case .fail: .fail
        case .skipped: .skip
        case .notRun: .miss
        }
    }
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
    for entry in report.entries { add(entry, origin: origin, places) }
  }

  private mutating func add(_ entry: QualificationReport.Entry, origin: String, _ places: LogPlaces?) {
    let verdict = entry.verdict
    // The time tells one run from the next, which is an object of its own.
    let id = "\(origin):\(verdict.release)/\(verdict.caseName)/\(verdict.started)"
    let course = verdict.course
    let ofTheBuild = course.filter { $0.step.name.isOfTheBuild }
    // The build ended where it failed, or where the first test began.
    let isBuilt = course.contains { !$0.step.name.isOfTheBuild } || verdict.result == .pass
    builds.append(
      Build(
        id: id, origin: origin, checkoutID: "\(origin):\(verdict.release)",
        comment: "\(verdict.variant) of \(verdict.release) on \(verdict.target)",
        startTime: Timestamp(seconds: verdict.started).iso8601,
        duration: (ofTheBuild.reduce(0) { $0 + $1.step.seconds } * 100).rounded() / 100,
        architecture: verdict.kernelArchitecture, configName: verdict.kernel,
        status: isBuilt ? .pass : Status(verdict.result),
        logURL: places.flatMap { places in entry.log(of: .install).map { places.reference(to: $0, of: entry) } },
        logExcerpt: isBuilt ? nil : verdict.excerpt,
        outputFiles: places.flatMap { places in
          let logs = entry.logs.filter { $0 != entry.log(of: .install) }
          return logs.isEmpty ? nil : zip(logs, places.references(to: logs, of: entry)).map(Resource.init)
        },
        misc: Facts(
          target: verdict.target, kernel: verdict.kernel, variant: verdict.variant, level: verdict.level.rawValue,
          moduleBytes: verdict.moduleBytes)))
    for leg in course where !leg.step.name.isOfTheBuild {
      let step = leg.step
      let status = leg.isEnd ? Status(verdict.result) : .pass
      tests.append(
        Test(
          id: "\(id)/\(leg.name)", origin: origin, buildID: id,
          path: "\(verdict.project.asPath).\(step.name.rawValue)", comment: step.note?.withoutNUL,
          environment: Environment(
            comment: verdict.isLife
              ? "a root of \(verdict.target)" : "a QEMU guest with the kernel \(verdict.kernel) of \(verdict.target)",
            misc: ["target": verdict.target, "kernel": verdict.kernel].merging(
              verdict.accelerator.map { ["accelerator": $0] } ?? [:]
            ) { $1 }),
          startTime: leg.began.iso8601, duration: step.seconds, status: status,
          logURL: places.flatMap { places in entry.log(of: step.name).map { places.reference(to: $0, of: entry) } },
          logExcerpt: leg.isEnd ? verdict.excerpt : nil))
    }
    if let change = verdict.change?.withoutNUL {
      let issue = "\(origin):change/\(SHA256Digest(of: Array(change.utf8)).hex.prefix(16))"
      if !issues.contains(where: { $0.id == issue }) {
        issues.append(Issue(id: issue, origin: origin, comment: change))
      }
      let test = course.first { $0.isEnd && !$0.step.name.isOfTheBuild }.map { "\(id)/\($0.name)" }
      incidents.append(
        Incident(
          id: "\(issue)/\(SHA256Digest(of: Array((test ?? id).utf8)).hex.prefix(16))", origin: origin,
          issueID: issue, buildID: test == nil ? id : nil, testID: test))
    }
  }
}

extension Verdict.Step.Name {
  /// Everything before a kernel boots.
  fileprivate var isOfTheBuild: Bool { [.root, .install, .modules, .probe].contains(self) }
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
