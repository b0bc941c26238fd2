// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

extension Plan {
  /// Checks a plan, which may be untrusted: values that go into file names, packaging and scripts of sites must be as
  /// plain as the shapes of a manifest require.
  func check(doing: String) throws {
    func demand(_ isPlain: Bool, _ key: String, _ value: String) throws {
      guard !isPlain else { return }
      throw ReleaseError(.input, doing: doing, reason: "\(key): '\(value.prefix(200))' cannot stand there")
    }
    func demand(_ value: String?, _ shape: Shape<String>, _ key: String) throws {
      if let value { try demand(shape.accepts(value), key, value) }
    }
    try demand(kernel.map { KernelRelease($0) != nil } ?? true, "kernel", kernel ?? "")
    for name in recipe.keys.sortedByBytes() { try demand(name, .place, "recipe") }
    for name in tools.keys.sortedByBytes() { try demand(name, .word, "tools") }
    for (name, pin) in sources.sorted(by: { $0.key < $1.key }) {
      try demand(name, .word, "sources")
      try demand(pin.version, .sourceVersion, "sources.\(name).version")
      try demand(pin.ref, .gitRef, "sources.\(name).ref")
      let isID = pin.commit.map { [40, 64].contains($0.utf8.count) && $0.allSatisfy(\.isHexDigit) } ?? true
      try demand(isID, "sources.\(name).commit", pin.commit ?? "")
    }
    for patch in appliedPatches { try demand(patch.name, .place, "patches") }
    try demand(versionInDKMS == version.value.dkms || dkmsVersion == nil, "dkmsVersion", dkmsVersion ?? "")
    for added in patches ?? [] {
      try demand(added.source.map { sources[$0] != nil } ?? true, "patches.source", added.source ?? "")
      try demand(isCleanPath(added.series), "patches.series", added.series)
    }
    for (variant, proven) in (proven ?? [:]).sorted(by: { $0.key < $1.key }) {
      try demand(variant, .packageName, "proven")
      // Each becomes the name of a file.
      for key in proven.probes.keys.sorted() { try demand(key, .word, "proven.\(variant).probes") }
      for target in proven.kernels.keys.sorted() { try demand(target, .word, "proven.\(variant).kernels") }
      for release in proven.kernels.values.joined() {
        try demand(PlainText.matches(release, rest: "._+~-"), "proven.\(variant).kernels", release)
      }
      for release in [proven.kernelMin, proven.kernelMax].compactMap({ $0 }) {
        try demand(PlainText.matches(release.text, rest: ".-"), "proven.\(variant)", release.text)
      }
      let isComplete = families == nil ? proven.kernelMax != nil && proven.kernelMin != nil : true
      try demand(isComplete && (proven.supported != nil || proven.kernelMin != nil), "proven.\(variant)", variant)
      try checkSupport(proven.supported ?? [], "proven.\(variant).supported", demand)
    }
    try checkFamilies(demand)
    if let last = rebuilds?.last {
      let vendor = version.value.vendor
      try demand(
        vendor?.name == last.vendor && vendor?.number == last.number, "version",
        "\(version), of a rebuild by \(last.vendor)")
    }
    for rebuild in rebuilds ?? [] {
      _ = try ReleaseVersion.Vendor(name: rebuild.vendor, number: rebuild.number)
      try demand(rebuild.basedOn.name, .packageName, "rebuilds.basedOn.name")
      try demand(rebuild.series.map(isCleanPath) ?? true, "rebuilds.series", rebuild.series ?? "")
    }
  }
}

extension Plan {
  private typealias Demand = (_ isPlain: Bool, _ key: String, _ value: String) throws -> Void

  /// Families go into scripts of sites: their names as words, their expressions in quotes.
  private func checkFamilies(_ demand: Demand) throws {
    guard let families else { return }
    try demand(families.count <= 100, "families", "\(families.count) families")
    var names: Set<String> = [KernelFamily.mainline.name]
    for family in families {
      let isNew = Shape<String>.familyName.accepts(family.name) && names.insert(family.name).inserted
      try demand(isNew, "families", family.name)
      try demand(KernelFamily.fault(of: family.release) == nil, "families.\(family.name)", family.release)
      try demand((1...9).contains(family.line), "families.\(family.name).line", "\(family.line)")
    }
  }

  /// What packages support is of known families, and nothing is said twice.
  private func checkSupport(_ entries: [KernelSupport.Entry], _ key: String, _ demand: Demand) throws {
    let names = [KernelFamily.mainline.name] + (families ?? []).map(\.name)
    for (index, entry) in entries.enumerated() {
      try demand(names.contains(entry.family), key, entry.family)
      let isOverlap = entries[..<index].contains { $0.family == entry.family && $0.span.overlaps(entry.span) }
      try demand(entry.span.isRange && !isOverlap, key, "\(entry.family) \(entry.span.text)")
      try demand(entry.by.map { Shape<String>.line.accepts($0) } ?? true, key, entry.by ?? "")
    }
  }
}

extension Shape where Value == String {
  /// Whether a text that does not stand in a document has this form.
  fileprivate func accepts(_ text: String) -> Bool {
    var findings = Findings()
    let node = TOMLNode(value: .string(text), location: SourceLocation(file: "", line: 1, column: 1))
    return read(node, "", &findings) != nil
  }
}
