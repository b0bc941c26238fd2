// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// The kernels that a package supports, family by family, and how that is known.
package struct KernelSupport: Sendable, Equatable {
  /// How it is known that a package works on some kernels.
  package enum Standing: String, Sendable, Codable {
    /// Its modules were loaded there, or a file system was mounted.
    case proven
    /// They were built there, and no more.
    case builds
    /// They were compiled for another architecture, and nothing was installed.
    case compiled
    /// Somebody says so.
    case stated
    /// The manifest claims it, and nobody has tried.
    case unknown
  }

  /// Kernels of one family with one standing.
  package struct Entry: Sendable, Equatable {
    package var family: String
    package var span: KernelSpan
    package var standing: Standing
    /// Who states it.
    package var by: String?

    package init(family: String, span: KernelSpan, standing: Standing, by: String? = nil) {
      self.family = family
      self.span = span
      self.standing = standing
      self.by = by
    }
  }

  /// The first that a release is one of counts.
  package let families: [KernelFamily]
  /// They do not overlap; those of a family are together, in the order of their builds.
  package let entries: [Entry]

  package init(families: [KernelFamily], entries: [Entry]) {
    self.families = families
    var order: [String] = []
    for entry in entries where !order.contains(entry.family) { order.append(entry.family) }
    // Kernels of kernel.org first; the others as the manifest has them.
    if let mainline = order.firstIndex(of: KernelFamily.mainline.name) {
      order.insert(order.remove(at: mainline), at: 0)
    }
    self.entries = order.flatMap { family in
      entries.filter { $0.family == family }
        .sorted { KernelBuild.isBefore($0.span.min.numbers, $1.span.min.numbers) }
    }
  }

  /// The families that the package says something about, in order.
  package var supported: [String] {
    entries.reduce(into: []) { if $0.last != $1.family { $0.append($1.family) } }
  }

  /// The kernels of a family, whatever their standing.
  package func spans(of family: String) -> [KernelSpan] {
    KernelSpan.united(entries.filter { $0.family == family }.map(\.span))
  }

  /// The family that decides about a release: its own; or that of kernel.org, where it follows that one and has no entry
  /// of its own.
  package func deciding(_ release: String) -> KernelFamily {
    let family = KernelFamily.family(of: release, among: families)
    return family.follows && !supported.contains(family.name) ? .mainline : family
  }

  /// Whether it holds the kernel with this release, as `uname -r` prints it.
  package func contains(_ release: String) -> Bool { entry(of: release) != nil }

  /// What holds the kernel with this release.
  package func entry(of release: String) -> Entry? {
    let family = deciding(release)
    guard let numbers = family.numbers(of: release) else { return nil }
    return entries.first { $0.family == family.name && $0.span.contains(numbers) }
  }

  /// An extended regular expression for the releases of a family, among those that are of it.
  package func expression(of family: String) -> String {
    BuildExpression(dashes: family != KernelFamily.mainline.name).text(spans(of: family))
  }

  /// An expression that no release matches.
  package static var nothing: String { BuildExpression.nothing }

  // MARK: words

  /// `6.1 to 6.12, el9 5.14.0-611 to 5.14.0-687`.
  package var text: String {
    supported.isEmpty
      ? "none" : supported.map { self.text(of: $0, named: $0 != KernelFamily.mainline.name) }.joined(separator: ", ")
  }

  /// The same, short enough for a message where there are many families: `6.1 to 6.12, and some of el8, el9, ubuntu, uek`.
  package var summary: String {
    let names = supported.filter { $0 != KernelFamily.mainline.name }
    guard names.count > 3 else { return text }
    let mainline = text(of: KernelFamily.mainline.name, named: false)
    return (mainline.isEmpty ? "" : "\(mainline), and ") + "some of \(names.joined(separator: ", "))"
  }

  private func text(of family: String, named: Bool) -> String {
    let spans = spans(of: family)
    // A package that supports nothing else says both ends, even where they are the same.
    let isAll = spans.count == 1 && supported.count == 1 && spans[0].min == spans[0].max
    let texts = isAll ? [spans[0].text] : spans.map(\.words)
    return (named ? "\(family) " : "") + texts.joined(separator: " and ")
  }

  /// Why a kernel of a family is not supported, after `kernel K is skipped: `.
  package func refusal(of family: String) -> String {
    guard supported.contains(family) else {
      return "it is one of \(family), of which none is supported; supported are \(summary)"
    }
    return supported.count == 1
      ? "supported are \(text)" : "supported of \(family) are \(text(of: family, named: false))"
  }

  /// A line for each family and standing, such as `el9 5.14.0-611 to 5.14.0-687: stated by Lustre's ChangeLog`.
  package var lines: [String] {
    var lines: [String] = []
    var rest = entries[...]
    while let first = rest.first {
      let same = rest.prefix { $0.family == first.family && $0.standing == first.standing && $0.by == first.by }
      rest = rest[same.endIndex...]
      let name = first.family == KernelFamily.mainline.name ? "kernels" : first.family
      let spans = same.map(\.span.words).joined(separator: ", ")
      lines.append("\(name) \(spans): \(first.words)")
    }
    return lines
  }
}

extension KernelSupport.Entry {
  /// How it is known, for people.
  package var words: String {
    switch standing {
    case .proven: "proven"
    case .builds: "builds, not loaded"
    case .compiled: "compiled, not installed"
    case .stated: by.map { "stated by \($0)" } ?? "stated"
    case .unknown: "untried"
    }
  }
}

extension KernelSupport.Entry: Codable {
  private enum CodingKeys: String, CodingKey { case family, min, max, standing, by }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    family = try container.decode(String.self, forKey: .family)
    func build(_ key: CodingKeys) throws -> KernelBuild {
      let text = try container.decode(String.self, forKey: key)
      if let build = KernelBuild(text) ?? KernelRelease(text).map({ KernelBuild($0) }) { return build }
      throw DecodingError.dataCorruptedError(
        forKey: key, in: container, debugDescription: "'\(text)' is no build of a kernel")
    }
    span = KernelSpan(try build(.min), try build(.max))
    standing = try container.decode(KernelSupport.Standing.self, forKey: .standing)
    by = try container.decodeIfPresent(String.self, forKey: .by)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(family, forKey: .family)
    try container.encode(span.min.text, forKey: .min)
    try container.encode(span.max.text, forKey: .max)
    try container.encode(standing, forKey: .standing)
    try container.encodeIfPresent(by, forKey: .by)
  }
}
