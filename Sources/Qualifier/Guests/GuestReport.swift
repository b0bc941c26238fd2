// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// A line of a guest's report.
package enum GuestReport: Sendable, Equatable {
  /// The kernel has booted, and how it is tainted.
  case ready(UInt64)
  case began(String)
  case passed(String)
  case failed(String, String)
  /// The steps have ended, and how the kernel is tainted then.
  case end(UInt64)

  init?(_ line: some StringProtocol) {
    let words = line.split(separator: " ", maxSplits: 2).map { $0.trimmed }
    switch (words.first, words.count) {
    case ("ready", 2):
      guard let taint = UInt64(words[1]) else { return nil }
      self = .ready(taint)
    case ("begin", 2): self = .began(words[1])
    case ("pass", 2): self = .passed(words[1])
    case ("fail", 2...): self = .failed(words[1], words.count > 2 ? words[2] : "")
    case ("end", 2):
      guard let taint = UInt64(words[1]) else { return nil }
      self = .end(taint)
    default: return nil
    }
  }

  /// All reports of a guest in which nothing fails, in their order.
  static func expected(of steps: [String]) -> [GuestReport] {
    [.ready(0)] + steps.flatMap { [.began($0), .passed($0)] } + [.end(0)]
  }

  /// Whether this report is in place where `expected` is due.
  fileprivate func isInPlace(of expected: GuestReport?) -> Bool {
    switch (self, expected) {
    case (.ready, .ready), (.end, .end): true
    case (.began(let a), .began(let b)), (.passed(let a), .passed(let b)), (.failed(let a, _), .passed(let b)): a == b
    default: false
    }
  }
}

/// Takes the lines of a guest's report. Each carries a mark, which only this guest was given, and its number, so that
/// nothing else can pass for a report and a lost one is missed.
struct GuestReports: Sendable {
  /// Why a report cannot be trusted.
  enum Disturbance: Sendable, Equatable {
    /// Something in the guest that is not its steps wrote to the line of the report.
    case foreign(String)
    /// A report is missing, or comes twice.
    case lost(String)
  }

  private let mark: String
  private var due: [GuestReport]
  private(set) var reports: [GuestReport] = []
  private(set) var disturbance: Disturbance?

  /// - Parameters:
  ///   - mark: what each line begins with.
  ///   - steps: the names of the steps in their order.
  init(mark: String, steps: [String]) {
    self.mark = mark
    due = GuestReport.expected(of: steps)
  }

  /// - Returns: the report, if the line is the one that is due.
  mutating func take(_ line: String) -> GuestReport? {
    guard disturbance == nil else { return nil }
    let words = line.split(separator: " ", maxSplits: 2).map(String.init)
    guard words.count == 3, words[0] == mark, let number = Int(words[1]), let report = GuestReport(words[2]) else {
      if !line.trimmed.isEmpty { disturbance = .foreign(line.trimmed) }
      return nil
    }
    guard number == reports.count + 1, report.isInPlace(of: due.first) else {
      disturbance = .lost("'\(words[2])' has the number \(number) and came as number \(reports.count + 1)")
      return nil
    }
    if case .failed = report { due = [.end(0)] } else { due.removeFirst() }
    reports.append(report)
    return report
  }
}
