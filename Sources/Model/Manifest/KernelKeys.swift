// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

// The keys that say which kernels are supported: see `ManifestKeys.swift`.

extension Manifest {
  /// The kernels that a package claims to support.
  package struct Kernels: Sendable {
    package var claims: [KernelClaim]
    /// It says `{ min, max }`: one range of kernels of kernel.org.
    package var isPlain: Bool
  }

  /// Kernels of one family.
  package struct KernelClaim: Sendable {
    package var family: String
    package var span: KernelSpan
    package var except: [Located<KernelSpan>]
    /// Who says so; nil for nobody but the manifest.
    package var stated: String?
    /// Of the family's name, and of the lower end.
    package var familyLocation: SourceLocation
    package var location: SourceLocation
  }

  /// What the list says of a family: a claim, or one for each of its builds.
  fileprivate struct KernelEntry: Sendable {
    var claims: [KernelClaim]
  }
}

extension Manifest.Kernels {
  static let doc = "kernels that are supported: { min, max } of kernel.org, or a list of families"
  fileprivate static let oldest = "oldest kernel that is supported, as 5.10 or 5.14.0-611"
  fileprivate static let newest = "newest; 7.2 includes every 7.2.y, and 5.14.0-687 every 5.14.0-687.x"

  static var shape: Shape<Manifest.Kernels> {
    .either(
      table: .table { Manifest.Kernels(&$0) },
      array: Shape<[Manifest.KernelEntry]>.array(.table { Manifest.KernelEntry(&$0) }, atLeast: 1).map {
        Manifest.Kernels(claims: $0.flatMap(\.claims), isPlain: false)
      })
  }

  /// `{ min, max }`.
  private init?(_ table: inout TableReader) {
    let min = table.required("min", .located(.kernelRelease), Self.oldest)
    let max = table.required("max", .kernelRelease, Self.newest)
    guard let min, let max else { return nil }
    isPlain = true
    claims = [
      Manifest.KernelClaim(
        family: KernelFamily.mainline.name, span: KernelSpan(KernelBuild(min.value), KernelBuild(max)), except: [],
        stated: nil, familyLocation: table.location, location: min.location)
    ]
  }
}

extension Manifest.KernelEntry {
  init?(_ table: inout TableReader) {
    let family = table.required("family", .located(.familyName), "mainline, or a family such as el9")
    let builds = table.optional(
      "builds", .array(.located(.kernelSpan), atLeast: 1),
      "the builds that are supported, as 5.14.0-611 or 6.9 to 6.10, instead of min and max")
    let min = table.optional("min", .located(.kernelBuild), Manifest.Kernels.oldest)
    let max = table.optional("max", .located(.kernelBuild), Manifest.Kernels.newest)
    let except = table.optional(
      "except", .array(.located(.kernelSpan)), default: [], "builds between them that are not, as 6.7 or 6.9 to 6.10")
    let stated = table.optional("stated", .line, "who says that these kernels are supported, and in which version")
    table.constrain(.oneOf(["min", "builds"]))
    table.constrain(.needs("min", "max"))
    table.constrain(.needs("max", "min"))
    table.constrain(.needs("except", "min"))
    func claim(_ span: KernelSpan, at location: SourceLocation) -> Manifest.KernelClaim? {
      family.map {
        Manifest.KernelClaim(
          family: $0.value, span: span, except: except, stated: stated, familyLocation: $0.location,
          location: location)
      }
    }
    switch (builds, min, max) {
    case (let builds?, nil, nil) where except.isEmpty:
      claims = builds.compactMap { claim($0.value, at: $0.location) }
    case (nil, let min?, let max?):
      claims = [claim(KernelSpan(min.value, max.value), at: min.location)].compactMap(\.self)
    default:
      table.report("an entry of 'kernels' has 'min' and 'max', or 'builds' instead")
      return nil
    }
  }
}

extension KernelFamily {
  init?(_ table: inout TableReader, name: String) {
    let release = table.required(
      "release", .releaseExpression, "extended regular expression that its releases match, as uname -r prints them")
    line = table.optional(
      "line", .integer(1...9), default: 2, "how many numbers of a build say its line: 2 in 6.12, 4 in 5.14.0-611")
    follows = table.optional(
      "follows-mainline", .boolean, default: false, "what is said about mainline holds for it, where nothing else is")
    if name == KernelFamily.mainline.name {
      table.report(
        "'mainline' is what no other family is: it cannot be another", advice: "give the family another name")
    }
    guard let release else { return nil }
    self.name = name
    self.release = release
  }
}

extension Manifest {
  /// The families of kernels that it can name; its own come first.
  package var families: [KernelFamily] {
    ownFamilies + KernelFamily.known.filter { known in !ownFamilies.contains { $0.name == known.name } }
  }

  /// Reports what is wrong with kernels that are claimed. What several packages share is reported once.
  func checkKernels(_ all: [Kernels], _ table: inout TableReader) {
    var seen: Set<String> = []
    for kernels in all {
      guard let first = kernels.claims.first, seen.insert("\(first.location)").inserted else { continue }
      for (index, claim) in kernels.claims.enumerated() {
        guard check(claim, isPlain: kernels.isPlain, &table) else { continue }
        guard
          let other = kernels.claims[..<index].first(where: {
            $0.family == claim.family && $0.span.isRange && $0.span.overlaps(claim.span)
          })
        else { continue }
        table.report(
          "\(claim.family) \(claim.span.shortText) overlaps \(other.span.shortText), which another entry of 'kernels' has "
            + "(line \(other.location.line))", at: claim.location,
          advice: "make them one, or let one end below the other")
      }
    }
  }

  private func check(_ claim: KernelClaim, isPlain: Bool, _ table: inout TableReader) -> Bool {
    let names = [KernelFamily.mainline.name] + families.map(\.name)
    guard names.contains(claim.family) else {
      table.report(
        "'kernels' names the family '\(claim.family)', which is not known", at: claim.familyLocation,
        advice: claim.family.nearest(in: names).map { "did you mean '\($0)'?" }
          ?? "known are \(names.joined(separator: ", ")); declare others in [kernel-families.\(claim.family)]")
      return false
    }
    let builds = [claim.span.min, claim.span.max] + claim.except.flatMap { [$0.value.min, $0.value.max] }
    if !isPlain, claim.family == KernelFamily.mainline.name,
      let wrong = builds.first(where: { $0.text.utf8.contains(0x2d) || $0.numbers.count > 3 })
    {
      table.report(
        "'\(wrong)' is no release of mainline: only the numbers of kernel.org count there", at: claim.location,
        advice: "write it as 6.12 or 6.12.3, or name the family that it is of")
      return false
    }
    guard claim.span.isRange else {
      table.report(
        "kernels.min '\(claim.span.min)' must not be above kernels.max '\(claim.span.max)'", at: claim.location)
      return false
    }
    var left = [claim.span]
    for hole in claim.except {
      if !hole.value.isRange || !claim.span.contains(hole.value) {
        table.report(
          "'except' has \(hole.value.shortText), which is not within \(claim.family) \(claim.span.text)",
          at: hole.location, advice: "correct it, or take it out")
      }
      left = left.flatMap { $0.without(hole.value) }
    }
    if left.isEmpty {
      table.report("'except' leaves nothing of \(claim.family) \(claim.span.text)", at: claim.location)
    }
    return true
  }
}

extension Shape where Value == String {
  static var familyName: Shape {
    .string("a name of lower-case letters, digits and '-'", "^[a-z][a-z0-9-]*$") { name in
      name.utf8.first.map { $0 >= 0x61 } == true
        && name.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
        && name.utf8.count <= 50
    }
  }

  /// It goes into scripts in quotes, so it holds nothing that ends them.
  static var releaseExpression: Shape {
    Shape {
      .string(#"^[A-Za-z0-9_^$|().*+?\[\]-]{1,200}$"#)
    } read: { node, path, findings in
      let words = Shape.string("an extended regular expression", ".") { !$0.isEmpty }
      guard let text = words.read(node, path, &findings) else { return nil }
      guard let fault = KernelFamily.fault(of: text) else { return text }
      findings.ofValues.append(
        Findings.finding(node.location, "'\(path)' is no extended regular expression for kernels: \(fault)"))
      return nil
    }
  }
}

extension Shape where Value == KernelBuild {
  static let buildPattern = #"(0|[1-9][0-9]{0,8})([.-](0|[1-9][0-9]{0,8})){1,9}"#

  static var kernelBuild: Shape {
    .string("a build such as 6.12 or 5.14.0-611", "^\(buildPattern)$") { text in
      KernelBuild(text).flatMap { $0.numbers.count > 1 ? $0 : nil }
    }
  }
}

extension Shape where Value == KernelSpan {
  /// `6.7`, or `6.9 to 6.10`.
  static var kernelSpan: Shape {
    let build = Shape<KernelBuild>.buildPattern
    return .string("a build such as 6.7, or two as 6.9 to 6.10", "^\(build)( to \(build))?$") { text in
      let ends = text.split(separator: " to ", omittingEmptySubsequences: false).map { KernelBuild(String($0)) }
      guard (1...2).contains(ends.count), let min = ends[0], let max = ends[ends.count - 1],
        min.numbers.count > 1, max.numbers.count > 1
      else { return nil }
      return KernelSpan(min, max)
    }
  }
}
