// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import Verdicts

/// The verdicts as JUnit XML, for CI systems that show such reports: a suite for each package on each kernel, a test
/// case for each step. Source: junit-10.xsd of Jenkins' xunit plugin, which is what most readers take.
package struct JUnitReport {
  private let report: QualificationReport
  private let places: LogPlaces

  package init(_ report: QualificationReport, places: LogPlaces) {
    self.report = report
    self.places = places
  }

  package var xml: [UInt8] {
    let suites = Self.named(report.entries.map(Suite.init))
    let text: Markup = """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="lrelease qualify" tests="\(suites.sum(\.cases.count))" failures="\(suites.sum(\.failures))" \
      errors="\(suites.sum(\.errors))" time="\(suites.reduce(0) { $0 + $1.entry.verdict.seconds }.asDecimal)">
      \(suites.map(element))
      </testsuites>

      """
    return Array(text.source.utf8)
  }

  /// How a test case ended.
  private enum Ending: Equatable {
    case passed, failed, broken, skipped

    init(_ result: Verdict.Result) {
      self =
        switch result {
        case .pass: .passed
        case .fail: .failed
        case .skipped: .skipped
        case .notRun: .broken
        }
    }
  }

  /// A step, or the attempt as a whole where it ended before its first step.
  private struct TestCase {
    var name: String
    var seconds: Double
    var step: Verdict.Step.Name?
    var ending: Ending
  }

  private struct Suite {
    var entry: QualificationReport.Entry
    var cases: [TestCase]

    var failures: Int { cases.count { $0.ending == .failed } }
    var errors: Int { cases.count { $0.ending == .broken } }
    var skipped: Int { cases.count { $0.ending == .skipped } }

    init(_ entry: QualificationReport.Entry) {
      self.entry = entry
      let verdict = entry.verdict
      let outcomes = verdict.stepOutcomes
      let ending = Ending(verdict.result)
      className = Self.className(verdict)
      cases = outcomes.map {
        TestCase(
          name: $0.name, seconds: $0.step.seconds, step: $0.step.name, ending: $0.decidesVerdict ? ending : .passed)
      }
      if ending != .passed, !outcomes.contains(where: \.decidesVerdict) {
        cases.append(TestCase(name: "qualify", seconds: 0, step: nil, ending: ending))
      }
    }

    /// The class of its cases: readers merge cases of the same class and name, whatever their suite is.
    var className: String

    /// Readers take the dots of a class for those of packages.
    static func className(_ verdict: Verdict, more: [String] = []) -> String {
      let occasion = verdict.isLife ? ["life"] : verdict.against.map { [$0.role.rawValue, $0.release] } ?? []
      return ([verdict.release, verdict.target, verdict.kernel, verdict.variant] + occasion + more)
        .map { $0.replacing(".", with: "_") }.joined(separator: ".")
    }
  }

  /// Tells apart the classes of suites that only differ in the architecture, or in a dot.
  private static func named(_ suites: [Suite]) -> [Suite] {
    var suites = suites
    func repeated() -> [Int] {
      let counts = Dictionary(suites.map { ($0.className, 1) }, uniquingKeysWith: +)
      return suites.indices.filter { counts[suites[$0].className, default: 0] > 1 }
    }
    for index in repeated() {
      let verdict = suites[index].entry.verdict
      suites[index].className = Suite.className(verdict, more: [verdict.architecture])
    }
    for (number, index) in repeated().enumerated() { suites[index].className += ".\(number + 1)" }
    return suites
  }

  private func element(_ suite: Suite) -> Markup {
    let verdict = suite.entry.verdict
    let occasion: Markup? = verdict.occasion.map { ", \($0)" }
    let facts = [
      ("release", verdict.release), ("variant", verdict.variant), ("target", verdict.target),
      ("kernel", verdict.kernel), ("architecture", verdict.architecture), ("level", verdict.level.rawValue),
      ("against", verdict.against?.inWords), ("change", verdict.change), ("accelerator", verdict.accelerator),
    ]
    let properties = facts.compactMap { name, value -> Markup? in
      value.map { "<property name=\"\(name)\" value=\"\($0)\"/>" }
    }
    return """
      <testsuite name="\(verdict.release) \(verdict.variant) on \(verdict.target), \(verdict.kernel)\(occasion)" \
      tests="\(suite.cases.count)" failures="\(suite.failures)" errors="\(suite.errors)" skipped="\(suite.skipped)" \
      time="\(verdict.seconds.asDecimal)" timestamp="\(Timestamp(seconds: verdict.started).iso8601)">
      <properties>
      \(properties)
      </properties>
      \(suite.cases.map { element($0, of: suite) })
      </testsuite>
      """
  }

  private func element(_ test: TestCase, of suite: Suite) -> Markup {
    let entry = suite.entry
    let reason = entry.verdict.reason ?? ""
    let change: Markup? = entry.verdict.change.map { "\nKernel change: \($0)" }
    let outcome: Markup? =
      switch test.ending {
      case .passed: nil
      case .failed: "<failure type=\"\(test.name)\" message=\"\(reason)\">\(reason)\(change)</failure>"
      case .broken: "<error type=\"\(test.name)\" message=\"\(reason)\">\(reason)\(change)</error>"
      case .skipped: "<skipped message=\"\(reason)\"/>"
      }
    let log: Markup? = test.step.flatMap { entry.log(of: $0) }.map { log in
      // What somebody looks for is mostly at the end.
      let tail = entry.end(of: log, lines: test.ending == .passed ? 20 : 200)
      let rest: Markup? = tail.isEmpty ? nil : "\n\(tail)"
      return "<system-out>\(places.reference(to: log, of: entry))\(rest)</system-out>"
    }
    return """
      <testcase classname="\(suite.className)" name="\(test.name)" time="\(test.seconds.asDecimal)">\
      \(outcome)\(log)</testcase>
      """
  }
}

extension Sequence {
  fileprivate func sum(_ value: (Element) -> Int) -> Int { reduce(0) { $0 + value($1) } }
}

extension Double {
  /// Seconds as XML and people write them, never with an exponent: `116.45`.
  fileprivate var asDecimal: String {
    let thousandths = Int((self * 1000).rounded())
    let fraction = String(thousandths % 1000)
    return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }
}
