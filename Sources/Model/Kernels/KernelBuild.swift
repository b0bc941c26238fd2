// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// The numbers of a kernel release that its family compares: 5, 14, 0, 611 and 55 of `5.14.0-611.55.el9`.
package struct KernelBuild: Sendable, Hashable, CustomStringConvertible {
  /// As its author wrote it: `5.14.0-611.55`.
  package let text: String
  package let numbers: [Int]

  package var description: String { text }

  /// Reads numbers with `.` and `-` between them, without leading zeros, ten at most.
  package init?(_ text: String) {
    let parts = text.utf8.split(omittingEmptySubsequences: false) { Self.separates($0) }
    let numbers = parts.compactMap { digits -> Int? in
      guard (1...9).contains(digits.count), digits.allSatisfy(Self.isDigit) else { return nil }
      return digits.first == 0x30 && digits.count > 1 ? nil : Int(String(decoding: digits, as: UTF8.self))
    }
    guard numbers.count == parts.count, (1...10).contains(numbers.count) else { return nil }
    self.text = text
    self.numbers = numbers
  }

  /// A release of kernel.org. What of it says how far a candidate is does not count.
  package init(_ release: KernelRelease) {
    text = release.text
    numbers = [release.major, release.minor] + (release.patch.map { [$0] } ?? [])
  }

  /// Numbers, written as distributions do: a dash after the third.
  package init(_ numbers: [Int]) {
    self.numbers = numbers
    text = numbers.enumerated().map { ($0 == 0 ? "" : $0 == 3 ? "-" : ".") + String($1) }.joined()
  }

  /// The numbers that a release, as `uname -r` prints it, begins with; nil if it begins with none.
  ///
  /// - Parameter dashes: a dash is between two of them as well. In `6.12.95-1-lts`, the 1 is not a number of kernel.org.
  package static func numbers(of release: String, dashes: Bool) -> [Int]? {
    var numbers: [Int] = []
    var rest = release.utf8[...]
    while true {
      let digits = rest.prefix(while: isDigit)
      guard !digits.isEmpty else { return numbers.isEmpty ? nil : numbers }
      // No number of a manifest is as large.
      numbers.append(Int(String(decoding: digits, as: UTF8.self)) ?? Int.max)
      rest = rest[digits.endIndex...]
      guard let next = rest.first, next == 0x2e || dashes && next == 0x2d else { return numbers }
      rest = rest.dropFirst()
    }
  }

  /// Whether the first comes before the second. Numbers that are not there are zeros.
  package static func isBefore(_ a: [Int], _ b: [Int]) -> Bool {
    for index in 0..<max(a.count, b.count) {
      let (x, y) = (index < a.count ? a[index] : 0, index < b.count ? b[index] : 0)
      if x != y { return x < y }
    }
    return false
  }

  private static func separates(_ byte: UInt8) -> Bool { byte == 0x2e || byte == 0x2d }
  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

/// Kernels of one family, from one build to another. The upper end is a prefix: 6.12 means every 6.12.y, and
/// 5.14.0-687 every 5.14.0-687.x.
package struct KernelSpan: Sendable, Hashable {
  package var min: KernelBuild
  package var max: KernelBuild

  package init(_ min: KernelBuild, _ max: KernelBuild) {
    self.min = min
    self.max = max
  }

  /// The first build above it.
  var end: [Int] { Self.after(max.numbers) }

  /// Whether it holds any build.
  package var isRange: Bool { KernelBuild.isBefore(min.numbers, end) }

  package var text: String { "\(min) to \(max)" }
  /// The same, where both ends are written alike only once.
  package var shortText: String { min == max ? min.text : text }

  /// For people, who would read `6.6.60 to 6.6` twice: `6.6 since 6.6.60`.
  package var words: String {
    let isPrefix = min.numbers.count > max.numbers.count && min.numbers.starts(with: max.numbers)
    return isPrefix ? "\(max) since \(min)" : shortText
  }

  package func contains(_ numbers: [Int]) -> Bool {
    !KernelBuild.isBefore(numbers, min.numbers) && KernelBuild.isBefore(numbers, end)
  }

  /// Whether all of another span is in it.
  func contains(_ other: KernelSpan) -> Bool {
    !KernelBuild.isBefore(other.min.numbers, min.numbers) && !KernelBuild.isBefore(end, other.end)
  }

  package func overlaps(_ other: KernelSpan) -> Bool {
    KernelBuild.isBefore(min.numbers, other.end) && KernelBuild.isBefore(other.min.numbers, end)
  }

  /// The smallest that holds both.
  package func holding(_ other: KernelSpan) -> KernelSpan {
    KernelSpan(
      KernelBuild.isBefore(other.min.numbers, min.numbers) ? other.min : min,
      KernelBuild.isBefore(end, other.end) ? other.max : max)
  }

  /// What both hold.
  package func intersection(_ other: KernelSpan) -> KernelSpan? {
    guard overlaps(other) else { return nil }
    return KernelSpan(
      KernelBuild.isBefore(min.numbers, other.min.numbers) ? other.min : min,
      KernelBuild.isBefore(end, other.end) ? max : other.max)
  }

  /// What is left of it without another.
  package func without(_ hole: KernelSpan) -> [KernelSpan] {
    guard overlaps(hole) else { return [self] }
    var left: [KernelSpan] = []
    if KernelBuild.isBefore(min.numbers, hole.min.numbers), let last = Self.before(hole.min.numbers) {
      left.append(KernelSpan(min, KernelBuild(last)))
    }
    if KernelBuild.isBefore(hole.end, end) { left.append(KernelSpan(KernelBuild(hole.end), max)) }
    return left
  }

  /// Spans of one family in their order, those united that overlap or follow each other.
  package static func united(_ spans: [KernelSpan]) -> [KernelSpan] {
    var united: [KernelSpan] = []
    for span in spans.sorted(by: { KernelBuild.isBefore($0.min.numbers, $1.min.numbers) }) {
      if let last = united.last, !KernelBuild.isBefore(last.end, span.min.numbers) {
        if KernelBuild.isBefore(last.end, span.end) { united[united.count - 1].max = span.max }
      } else {
        united.append(span)
      }
    }
    return united
  }

  /// The builds from one on and below another; without an end where that is nil. nil where there is none between them.
  package init?(from start: [Int], below end: [Int]?) {
    // No number of a release is as large.
    guard let last = end.map({ Self.before($0) }) ?? [Int.max / 10] else { return nil }
    self.init(KernelBuild(start), KernelBuild(last))
  }

  private static func after(_ prefix: [Int]) -> [Int] {
    prefix.dropLast() + (prefix.last.map { [$0 == Int.max ? $0 : $0 + 1] } ?? [])
  }

  /// The last prefix below a build; nil below all.
  private static func before(_ build: [Int]) -> [Int]? {
    var numbers = build
    while numbers.last == 0 { numbers.removeLast() }
    guard let last = numbers.popLast() else { return nil }
    return numbers + [last - 1]
  }
}
