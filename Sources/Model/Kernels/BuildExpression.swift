// SPDX-License-Identifier: GPL-2.0-only

/// Extended regular expressions for kernel releases whose builds are within some spans, as bash, grep and dkms read them.
///
/// They hold no backslash, no quote and no `{}`: they go through two shells, and through busybox. Digits are spelled out
/// number by number, as an expression cannot compare.
struct BuildExpression {
  /// What is between two numbers, and what ends them: as `KernelBuild.numbers(of:dashes:)` reads them.
  private let separator: String
  private let rest: String

  init(dashes: Bool) {
    separator = dashes ? "[.-]" : "[.]"
    rest = dashes ? "([^0-9.-].*|[.-]([^0-9].*)?)?" : "([^0-9.].*|[.]([^0-9].*)?)?"
  }

  /// Matches no kernel.
  static let nothing = "^none$"

  func text(_ spans: [KernelSpan]) -> String {
    let alternatives = spans.map { span in
      numbers(from: span.min.numbers.withoutZeros[...], to: span.end.withoutZeros[...], isFirst: true)
    }
    return alternatives.isEmpty ? Self.nothing : "^(\(alternatives.joined(separator: "|")))\(rest)$"
  }

  private var any: String { "(\(separator)[0-9]+)*" }

  /// The numbers that follow, from `low` on and below `high`; without an end when that is nil. Neither ends in zeros.
  private func numbers(from low: ArraySlice<Int>, to high: ArraySlice<Int>?, isFirst: Bool = false) -> String {
    if low.isEmpty, high == nil { return any }
    let (first, last) = (low.first ?? 0, high?.first)
    var alternatives: [String] = []
    if first == last {
      alternatives.append(Self.number(first...first) + numbers(from: low.dropFirst(), to: high?.dropFirst()))
    } else {
      var start = first
      if low.count > 1 {
        alternatives.append(Self.number(first...first) + numbers(from: low.dropFirst(), to: nil))
        start += 1
      }
      if let last {
        if start < last { alternatives.append(Self.number(start...(last - 1)) + any) }
        if let inner = high?.dropFirst(), !inner.isEmpty {
          alternatives.append(Self.number(last...last) + numbers(from: [], to: inner))
        }
      } else {
        alternatives.append(Self.number(atLeast: start) + any)
      }
    }
    let all = alternatives.count == 1 ? alternatives[0] : "(\(alternatives.joined(separator: "|")))"
    if isFirst { return all }
    // A number that is not there is a zero.
    return low.isEmpty ? "(\(separator)\(all))?" : "\(separator)\(all)"
  }

  /// A number of a range. Some distributions write zeros before it.
  static func number(_ range: ClosedRange<Int>) -> String { number(alternatives(range)) }

  static func number(atLeast low: Int) -> String {
    let digits = String(low).utf8.count
    let longer = "[1-9]" + String(repeating: "[0-9]", count: digits) + "[0-9]*"
    return number(alternatives(low...(power(digits) - 1)) + [longer])
  }

  private static func number(_ alternatives: [String]) -> String {
    "0*" + (alternatives.count == 1 ? alternatives[0] : "(\(alternatives.joined(separator: "|")))")
  }

  private static func power(_ exponent: Int) -> Int { (0..<exponent).reduce(1) { power, _ in power * 10 } }

  /// Expressions for the numbers of a range, length by length.
  private static func alternatives(_ range: ClosedRange<Int>) -> [String] {
    var found: [String] = []
    var low = range.lowerBound
    while low <= range.upperBound {
      let high = Swift.min(range.upperBound, power(String(low).utf8.count) - 1)
      found += alternatives(Array(String(low).utf8)[...], Array(String(high).utf8)[...])
      low = high + 1
    }
    return found
  }

  /// The same for two numbers of one length.
  private static func alternatives(_ low: ArraySlice<UInt8>, _ high: ArraySlice<UInt8>) -> [String] {
    guard let first = low.first, let last = high.first else { return [""] }
    let (lower, upper) = (low.dropFirst(), high.dropFirst())
    if first == last { return alternatives(lower, upper).map { digit(first, first) + $0 } }
    var found: [String] = []
    var (start, end) = (first, last)
    if lower.contains(where: { $0 != 0x30 }) {
      found += alternatives(lower, nines(lower)).map { digit(first, first) + $0 }
      start += 1
    }
    let endsWithNines = upper.allSatisfy { $0 == 0x39 }
    if !endsWithNines { end -= 1 }
    if start <= end {
      found.append(digit(start, end) + String(repeating: "[0-9]", count: lower.count))
    }
    if !endsWithNines { found += alternatives(zeros(upper), upper).map { digit(last, last) + $0 } }
    return found
  }

  private static func nines(_ digits: ArraySlice<UInt8>) -> ArraySlice<UInt8> { digits.map { _ in 0x39 }[...] }
  private static func zeros(_ digits: ArraySlice<UInt8>) -> ArraySlice<UInt8> { digits.map { _ in 0x30 }[...] }

  private static func digit(_ low: UInt8, _ high: UInt8) -> String {
    let (first, last) = (Character(UnicodeScalar(low)), Character(UnicodeScalar(high)))
    return low == high ? String(first) : "[\(first)-\(last)]"
  }
}

extension [Int] {
  fileprivate var withoutZeros: [Int] {
    var numbers = self
    while numbers.last == 0 { numbers.removeLast() }
    return numbers
  }
}
