// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

extension KernelSupport {
  /// What a manifest claims for a package, with what extras add. Nobody has tried it yet.
  package init(_ kernels: Manifest.Kernels, addedBy extras: [Manifest.Kernels] = [], families: [KernelFamily]) {
    var entries = Self.entries(of: kernels)
    for extra in extras {
      if kernels.isPlain, extra.isPlain, let own = entries.first, let added = extra.claims.first {
        // Two ranges of kernel.org become the smallest that holds both.
        entries = [Entry(family: own.family, span: own.span.holding(added.span), standing: .unknown)]
        continue
      }
      for entry in Self.entries(of: extra) {
        let known = entries.filter { $0.family == entry.family }.map(\.span)
        let new = known.reduce([entry.span]) { left, span in left.flatMap { $0.without(span) } }
        entries += new.map { Entry(family: entry.family, span: $0, standing: entry.standing, by: entry.by) }
      }
    }
    self.init(families: families, entries: entries)
  }

  private static func entries(of kernels: Manifest.Kernels) -> [Entry] {
    kernels.claims.flatMap { claim in
      claim.except.reduce([claim.span]) { left, hole in left.flatMap { $0.without(hole.value) } }.map {
        Entry(
          family: claim.family, span: $0, standing: claim.stated == nil ? .unknown : .stated, by: claim.stated)
      }
    }
  }

  /// What a package of a plan claims by its manifest; nil if the plan knows no families, or has no such package.
  package init?(of variant: String, _ plan: Plan, _ manifest: Manifest) {
    guard let families = plan.families,
      let package = manifest.packages(with: plan.extras).first(where: { $0.variant == variant })
    else { return nil }
    let extras = manifest.extras(plan.extras, addingTo: package)
    self.init(package.kernels, addedBy: extras.compactMap(\.kernels), families: families)
  }

  /// Kernels of one family that are only claimed.
  package init(claiming span: KernelSpan, of family: String, families: [KernelFamily]) {
    self.init(families: families, entries: [Entry(family: family, span: span, standing: .unknown)])
  }
}

extension KernelRange {
  /// What a manifest claims, for the plan of an older lrelease: those knew no families.
  package init(_ kernels: Manifest.Kernels) throws {
    guard let claim = kernels.claims.first, kernels.isPlain else {
      throw ReleaseError(
        .input, at: kernels.claims.first?.location, doing: "reading the kernels of a package",
        reason: "the plan knows no families of kernels, and the manifest in it has some",
        remedy: ModelRemedy.makePlan)
    }
    try self.init(claim.span.min.text, claim.span.max.text)
  }
}
