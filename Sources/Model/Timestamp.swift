// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// A point in time, in whole seconds since 1970, UTC.
package struct Timestamp: Sendable, Hashable {
  package var seconds: Int64

  /// 1970 to 9999: what every format in a release can express.
  package static let releasable: ClosedRange<Int64> = 0...253_402_300_799

  /// What an RPM package can state: its changelog begins in 1990, and the times of its files end in 2106.
  /// Source: rpm's build/parseChangelog.c, and RPMTAG_FILEMTIMES.
  package static let inRPM: ClosedRange<Int64> = 631_152_000...4_294_967_295

  package init(seconds: Int64) { self.seconds = seconds }

  /// Reads `2026-11-01T00:00:00Z`, only in this spelling, and only a day that exists.
  package init?(iso8601 text: String) {
    let utf8 = Array(text.utf8)
    guard utf8.count == 20 else { return nil }
    func number(_ digits: Range<Int>) -> Int64? {
      utf8[digits].allSatisfy { (0x30...0x39).contains($0) }
        ? utf8[digits].reduce(0) { $0 * 10 + Int64($1 - 0x30) } : nil
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
      let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month)
    else { return nil }
    // Days from civil: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    seconds = (era * 146_097 + dayOfEra - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
    // 31 February, a 25th hour and other separators come out otherwise.
    guard iso8601 == text else { return nil }
  }

  /// Year, month (1…12), day, hour, minute, second and day of the week (0 is Sunday), in UTC.
  package var fields: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, weekday: Int) {
    // Rounded down, without a step before the first second that there is.
    let days = Int(seconds / 86_400) - (seconds % 86_400 < 0 ? 1 : 0)
    let rest = Int(seconds % 86_400) + (seconds % 86_400 < 0 ? 86_400 : 0)
    let z = days + 719_468
    let era = z / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let mp = (5 * dayOfYear + 2) / 153
    let month = mp < 10 ? mp + 3 : mp - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (
      year, month, dayOfYear - (153 * mp + 2) / 5 + 1, rest / 3600, rest / 60 % 60, rest % 60, (days % 7 + 11) % 7
    )
  }

  /// `2026-11-01T00:00:00Z`.
  package var iso8601: String {
    let f = fields
    return
      "\(String(repeating: "0", count: max(0, 4 - String(f.year).count)))\(f.year)-\(two(f.month))-\(two(f.day))T\(two(f.hour)):\(two(f.minute)):\(two(f.second))Z"
  }

  /// `Sun, 01 Nov 2026 00:00:00 +0000`, as a Debian changelog states it (RFC 5322).
  package var rfc5322: String {
    let f = fields
    return "\(Timestamp.weekdays[f.weekday]), \(two(f.day)) \(Timestamp.months[f.month - 1]) \(f.year) "
      + "\(two(f.hour)):\(two(f.minute)):\(two(f.second)) +0000"
  }

  /// `Sun Nov 01 2026`, as an RPM changelog states it.
  package var rpmChangelogDate: String {
    let f = fields
    return "\(Timestamp.weekdays[f.weekday]) \(Timestamp.months[f.month - 1]) \(two(f.day)) \(f.year)"
  }

  /// `Sun Nov  1 00:00:00 UTC 2026`, as the .changes of SUSE state it.
  package var changesDate: String {
    let f = fields
    return "\(Timestamp.weekdays[f.weekday]) \(Timestamp.months[f.month - 1]) \(f.day < 10 ? " " : "")\(f.day) "
      + "\(two(f.hour)):\(two(f.minute)):\(two(f.second)) UTC \(f.year)"
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
