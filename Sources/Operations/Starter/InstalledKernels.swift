// SPDX-License-Identifier: GPL-2.0-only

import Model

/// What a first manifest says about kernels, by those that are installed.
package struct InstalledKernels: Sendable {
  /// Kernels of a family, from line to line.
  package struct Line: Sendable, Equatable {
    package var family: String
    package var span: KernelSpan
  }

  /// Those of kernel.org, and of families that follow it.
  package private(set) var mainline: KernelRange?
  package private(set) var families: [Line] = []

  /// - Parameter releases: names of folders of /lib/modules.
  package init(_ releases: [String]) {
    var lines: [KernelRelease] = []
    for release in releases.sorted() {
      let family = KernelFamily.family(of: release, among: KernelFamily.known)
      guard !family.follows, let numbers = family.numbers(of: release) else {
        let line = release.split(separator: ".").prefix(2).joined(separator: ".")
        if let line = KernelRelease(line) { lines.append(line) }
        continue
      }
      let line = KernelBuild(family.line(of: numbers))
      let span = KernelSpan(line, line)
      if let index = families.firstIndex(where: { $0.family == family.name }) {
        families[index].span = families[index].span.holding(span)
      } else {
        families.append(Line(family: family.name, span: span))
      }
    }
    lines.sort()
    if let first = lines.first, let last = lines.last { mainline = try? KernelRange(first, last) }
  }
}
