// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// The version of a release: `7.4`, `7.4.2`, `7.4-rc2`, with `+r1` for a respin, `+and.gds` for what it was made with,
/// and `+by.acme.1` for a vendor's rebuild. It is spelled for each place it goes.
///
/// The order is the same in every spelling: `7.4-rc2 < 7.4-rc2+r1 < 7.4 < 7.4+by.acme.1 < 7.4+r1 < 7.4.1`. That is why
/// each part after a plus begins with one of our words: these sort before the `r` of a respin.
package struct ReleaseVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// One to four numbers, from 0 to `largest`; one of them at least is not 0 when there is a pre-release.
  package let components: [Int]
  /// The number of the release candidate, from 1; nil for a final release.
  package let prerelease: Int?
  /// How often the release was cut again from the same upstream version; 0 for the first cut.
  package let respin: Int
  /// Names of the extras that the release was made with, in the order of the alphabet, with dots between; empty if none.
  package let extras: String
  /// The vendor that changed the release, and how often.
  package let vendor: Vendor?

  package struct Vendor: Sendable, Hashable {
    package let name: String
    /// From 1.
    package let number: Int

    /// - Throws: `ReleaseError` with code `input` for a name that is not allowed in a version.
    package init(name: String, number: Int = 1) throws {
      guard name.utf8.allSatisfy({ (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }),
        name.utf8.first.map({ $0 >= 0x61 }) == true
      else {
        throw ReleaseError(
          .input, doing: "naming the vendor", reason: "'\(name)' is not allowed in a version",
          advice: "use lower-case letters and digits, a letter first")
      }
      guard (1...ReleaseVersion.largest).contains(number) else {
        throw ReleaseError(
          .input, doing: "naming the vendor",
          reason: "\(name)'s number \(number) is not between 1 and \(ReleaseVersion.largest)")
      }
      self.name = name
      self.number = number
    }
  }

  /// The largest number in a version. DKMS pads numbers to three digits and compares text, and 999 stands before
  /// every release candidate.
  package static let largest = 998

  /// - Throws: `ReleaseError` with code `input` for numbers that cannot be spelled in every place.
  package init(
    components: [Int], prerelease: Int? = nil, respin: Int = 0, extras: [String] = [], vendor: Vendor? = nil
  ) throws {
    let text = ReleaseVersion.spell(components, prerelease, respin, before: "-rc")
    func check(_ condition: Bool, _ reason: String, _ advice: String? = nil) throws {
      if !condition { throw ReleaseVersion.failure(text, reason, advice) }
    }
    try check((1...4).contains(components.count), "it has \(components.count) numbers where 1 to 4 are possible")
    for (what, number) in components.map({ ("", $0) }) + [("release candidate ", prerelease ?? 1), ("respin ", respin)]
    {
      try check(
        (0...ReleaseVersion.largest).contains(number),
        "\(what)\(number) is more than \(ReleaseVersion.largest), and DKMS orders only numbers of three digits")
    }
    try check(prerelease != 0, "release candidates count from 1")
    try check(
      prerelease == nil || components.contains { $0 != 0 }, "there is nothing before \(text) for DKMS to count from")
    let names = extras.map { $0.replacing("-", with: ".").replacing("+", with: ".") }.sorted().joined(separator: ".")
    try check(
      names.isEmpty || PlainText.matches(names, first: "_.", rest: "_."),
      "the extras \(names) is not allowed in a version")
    self.components = components
    self.prerelease = prerelease
    self.respin = respin
    self.extras = names
    self.vendor = vendor
  }

  /// Reads `7.4`, `7.4.2`, `7.4-rc2`, `7.4~rc2`, `2.18.0-RC1`, each with or without `+r1`, `+and.gds` and `+by.acme.1`.
  ///
  /// - Throws: `ReleaseError` with code `input` for any other text.
  package init(_ text: String) throws {
    func number(_ digits: Substring, _ what: String) throws -> Int {
      guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        throw ReleaseVersion.failure(
          text, "'\(digits)' is not \(what)", "write it like 7.4, 7.4.2, 7.4-rc2 or 7.4+r1")
      }
      guard digits.count == 1 || digits.first != "0" else {
        throw ReleaseVersion.failure(text, "\(digits) begins with 0", "write it without")
      }
      guard digits.count <= 9, let number = Int(digits) else {
        throw ReleaseVersion.failure(text, "\(digits) is too large")
      }
      return number
    }

    let parts = text.split(separator: "+", omittingEmptySubsequences: false)
    var rest = parts[0]
    var respin = 0
    var extras: [String] = []
    var vendor: Vendor?
    for word in parts.dropFirst() {
      if word.hasPrefix("and."), extras.isEmpty, vendor == nil {
        extras = [String(word.dropFirst(4))]
      } else if word.hasPrefix("by."), vendor == nil, let dot = word.lastIndex(of: "."), dot > word.startIndex {
        let name = word[..<dot].dropFirst(3)
        vendor = try Vendor(name: String(name), number: number(word[word.index(after: dot)...], "a vendor's number"))
      } else {
        guard word.first == "r", respin == 0, extras.isEmpty, vendor == nil else {
          throw ReleaseVersion.failure(text, "'+\(word)' is not a respin", "write it like +r1")
        }
        respin = try number(word.dropFirst(), "the number of a respin")
        if respin == 0 { throw ReleaseVersion.failure(text, "respins count from 1", "leave out +r0") }
      }
    }
    var prerelease: Int?
    if let mark = rest.firstIndex(where: { $0 == "-" || $0 == "~" }) {
      let word = rest[rest.index(after: mark)...]
      guard word.lowercased().hasPrefix("rc") else {
        throw ReleaseVersion.failure(text, "'\(word)' is not a release candidate", "write it like -rc2")
      }
      prerelease = try number(word.dropFirst(2), "the number of a release candidate")
      rest = rest[..<mark]
    }
    let components = try rest.split(separator: ".", omittingEmptySubsequences: false).map { try number($0, "a number") }
    try self.init(
      components: components, prerelease: prerelease, respin: respin, extras: extras, vendor: vendor)
  }

  private static func failure(_ text: String, _ reason: String, _ advice: String? = nil) -> ReleaseError {
    ReleaseError(.input, doing: "reading the version '\(text)'", reason: reason, advice: advice)
  }

  private static func spell(_ components: [Int], _ prerelease: Int?, _ respin: Int, before mark: String) -> String {
    components.map(String.init).joined(separator: ".") + (prerelease.map { "\(mark)\($0)" } ?? "")
      + (respin == 0 ? "" : "+r\(respin)")
  }

  private func spelled(_ mark: String) -> String {
    ReleaseVersion.spell(components, prerelease, respin, before: mark) + local
  }

  /// What stands behind the version proper: extras and vendor.
  private var local: String {
    (extras.isEmpty ? "" : "+and.\(extras)") + (vendor.map { "+by.\($0.name).\($0.number)" } ?? "")
  }

  /// As upstream writes it: `7.4-rc2`.
  package var description: String { spelled("-rc") }

  /// In the name of the tarball and of its top folder: `7.4~rc2`, `7.4+r1`.
  package var tarball: String { spelled("~rc") }

  /// The upstream part of the Debian version.
  package var debianUpstream: String { tarball }

  /// The whole Debian version.
  package var debian: String { debianUpstream + "-1" }

  /// The Version of an RPM package.
  package var rpmVersion: String { tarball }

  /// The Release of an RPM package; a respin is in the version.
  package var rpmRelease: String { "1" }

  /// `v7.4-rc2`; git takes no `~` in a tag.
  package var gitTag: String { "v" + description }

  /// `PACKAGE_VERSION` and `MODULE_VERSION` of DKMS: digits and dots, and behind a dash the extras.
  ///
  /// DKMS knows no pre-releases, so a release candidate counts up from just before its final release:
  /// 7.4-rc2 is `7.3.999.2` and 2.18.0-rc1 is `2.17.999.999.1`. The first respin of 7.4 is `7.4.0.1`, and a vendor's
  /// first rebuild of it, `7.4.0.0.1`, stands before that. A fourth number has a place of its own, behind all respins
  /// of the three and before the candidates of what follows: 7.4.2.1 is `7.4.2.999.0.1`. Extras follow a dash, which
  /// sorts before the dot in the C locale, in which packages call dkms: 7.4.2+r1+and.gds is `7.4.2.1-and.gds`.
  package var dkms: String { dkms(isTold: true) }

  /// The same as it was once spelled: neither extras nor a fourth number showed.
  package var dkmsBefore: String { dkms(isTold: false) }

  private func dkms(isTold: Bool) -> String {
    var numbers = components
    if let prerelease {
      // As in a subtraction: borrow from the last number that is not 0. One more 999 keeps the candidates
      // of 7.4.2 apart from the respins of 7.4.1.
      if let last = numbers.lastIndex(where: { $0 != 0 }) {
        numbers[last] -= 1
        for index in numbers.indices where index > last { numbers[index] = 999 }
      }
      numbers += [999, prerelease]
    } else if respin > 0 || vendor != nil {
      while numbers.count < 3 { numbers.append(0) }
    }
    // A candidate has a number from 1 behind its 999.
    if isTold, components.count == 4 { numbers.insert(contentsOf: [999, 0], at: 3) }
    if respin > 0 { numbers.append(respin) }
    if let vendor { numbers += [0, vendor.number] }
    return numbers.map(String.init).joined(separator: ".") + (extras.isEmpty || !isTold ? "" : "-and.\(extras)")
  }

  package static func < (a: Self, b: Self) -> Bool {
    if a.components != b.components { return a.components.lexicographicallyPrecedes(b.components) }
    let first = a.prerelease ?? .max
    let second = b.prerelease ?? .max
    if first != second { return first < second }
    if a.respin != b.respin { return a.respin < b.respin }
    guard let one = a.vendor, let other = b.vendor, one.name == other.name, a.extras == b.extras else {
      return a.local < b.local
    }
    return one.number < other.number
  }
}
