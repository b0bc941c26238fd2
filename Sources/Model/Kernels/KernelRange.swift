// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// The kernel releases that a package supports: both ends are included, and 7.2 as the upper end means every 7.2.y.
package struct KernelRange: Sendable, Equatable {
  package var min: KernelRelease
  package var max: KernelRelease

  /// - Throws: `ReleaseError` with code `input` when `min` is above `max`.
  package init(_ min: KernelRelease, _ max: KernelRelease) throws {
    guard min <= max else {
      throw ReleaseError(.input, doing: "reading the kernel range", reason: "\(min) to \(max) is not a range")
    }
    self.min = min
    self.max = max
  }

  /// The same of texts such as 5.10 and 7.2.
  package init(_ min: String, _ max: String) throws {
    try self.init(KernelRelease(spelling: min), KernelRelease(spelling: max))
  }

  /// The smallest range that contains both.
  package func widened(to other: KernelRange) -> KernelRange {
    var range = self
    range.min = Swift.min(min, other.min)
    // 7.2, which means every 7.2.y, is above 7.2.5 here.
    func end(_ release: KernelRelease) -> (Int, Int, Int) { (release.major, release.minor, release.patch ?? Int.max) }
    range.max = end(other.max) > end(max) ? other.max : max
    return range
  }

  package var text: String { "\(min) to \(max)" }

  /// Upper end for `BUILD_EXCLUSIVE_KERNEL_MAX`. dkms compares it with the whole release, for which 7.2.3 is above 7.2.
  package var dkmsMax: String { max.patch == nil ? "\(max).999" : max.text }

  /// An extended regular expression (as bash matches it) for the releases of the range, with whatever a distribution
  /// appends. For dkms before 3.0.11, which knows no MIN and MAX.
  package var expression: String {
    var alternatives: [String] = []
    for major in min.major...max.major {
      var low = major == min.major ? min.minor : 0
      var high = major == max.major ? max.minor : nil
      // The ends of the range look at the patch level when they have one.
      if major == min.major, let patch = min.patch {
        if major == max.major && min.minor == max.minor, let last = max.patch {
          let levels = (patch...last).map(String.init).joined(separator: "|")
          return "^\(major)[.]\(low)[.](\(levels))([^0-9].*)?$"
        }
        alternatives.append("\(major)[.]\(low)[.](\(KernelRange.atLeast(patch)))([^0-9].*)?")
        low += 1
      }
      if major == max.major, let patch = max.patch, let end = high, end >= low {
        alternatives.append(
          "\(major)[.]\(end)([.](\((0...patch).map(String.init).joined(separator: "|")))([^0-9].*)?|([^0-9.].*)?)")
        high = end - 1
      }
      if let high {
        if high >= low {
          alternatives.append("\(major)[.](\((low...high).map(String.init).joined(separator: "|")))([^0-9].*)?")
        }
      } else {
        alternatives.append("\(major)[.](\(KernelRange.atLeast(low)))([^0-9].*)?")
      }
    }
    return "^(\(alternatives.joined(separator: "|")))$"
  }

  /// Whether it contains the kernel with this release, as `uname -r` prints it.
  package func contains(_ kernel: String) -> Bool {
    let number = kernel.prefix { $0.isASCII && $0.isNumber || $0 == "." }.split(separator: ".").joined(separator: ".")
    guard let release = KernelRelease(number) else { return false }
    var last = max
    if last.patch == nil { last.patch = Int.max }
    return min <= release && release <= last
  }

  /// An expression for the numbers from `low` on.
  private static func atLeast(_ low: Int) -> String {
    let digits = Array(String(low))
    var alternatives = [String(low)]
    for index in digits.indices.reversed() where digits[index] != "9" {
      guard let digit = digits[index].wholeNumberValue else { continue }
      let next = digit + 1 == 9 ? "9" : "[\(digit + 1)-9]"
      let rest = String(repeating: "[0-9]", count: digits.count - index - 1)
      alternatives.append(String(digits[..<index]) + next + rest)
    }
    alternatives.append("[1-9][0-9]{\(digits.count),}")
    return alternatives.joined(separator: "|")
  }
}
