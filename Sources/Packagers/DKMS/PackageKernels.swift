// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import Processes

/// The kernels that a package supports, as its plan knows them.
package enum PackageKernels: Sendable, Equatable {
  /// One range of numbers, whoever's kernel it is: what plans of older versions say.
  case range(KernelRange)
  case families(KernelSupport)

  package init(_ package: Manifest.Package, extras: [Manifest.Extra], plan: Plan) throws {
    let proven = plan.proven?[package.variant]
    var range: KernelRange?
    if let min = proven?.kernelMin, let max = proven?.kernelMax { range = try KernelRange(min.value, max.value) }
    guard let families = plan.families else {
      let claimed = try extras.compactMap(\.kernels).reduce(KernelRange(package.kernels)) {
        try $0.widened(to: KernelRange($1))
      }
      self = .range(range ?? claimed)
      return
    }
    if let supported = proven?.supported {
      self = .families(KernelSupport(families: families, entries: supported))
    } else if let range {
      // A vendor's rebuild of a release that knew no families: what it was tried on was Debian.
      let span = KernelSpan(KernelBuild(range.min), KernelBuild(range.max))
      self = .families(KernelSupport(claiming: span, of: KernelFamily.mainline.name, families: families))
    } else {
      self = .families(KernelSupport(package.kernels, addedBy: extras.compactMap(\.kernels), families: families))
    }
  }

  /// Whether the package supports the kernel with this release, as `uname -r` prints it.
  package func contains(_ kernel: String) -> Bool {
    switch self {
    case .range(let range): range.contains(kernel)
    case .families(let support): support.contains(kernel)
    }
  }

  /// nil in plans without families.
  package var support: KernelSupport? { if case .families(let support) = self { support } else { nil } }

  /// `6.1 to 6.12`.
  package var text: String {
    switch self {
    case .range(let range): range.text
    case .families(let support): support.summary
    }
  }

  /// The oldest and the newest of kernel.org; of the first family, where there are none.
  package var ends: (min: String, max: String) {
    switch self {
    case .range(let range): return (range.min.text, range.max.text)
    case .families(let support):
      let spans = support.supported.first.map { support.spans(of: $0) } ?? []
      return (spans.first?.min.text ?? "none", spans.last?.max.text ?? "none")
    }
  }

  /// A line for each family and standing, as packages show them.
  package var lines: [String] {
    switch self {
    case .range(let range): ["kernels \(range.text)"]
    case .families(let support): support.lines
    }
  }

  /// The same as a list in a description, whose lines are short enough for a terminal.
  var list: String {
    lines.map { line in
      var rows = [" -"]
      for word in line.split(separator: " ") {
        if rows[rows.count - 1].utf8.count + word.utf8.count > 74 { rows.append("  ") }
        rows[rows.count - 1] += " \(word)"
      }
      return rows.joined(separator: "\n")
    }.joined(separator: "\n")
  }

  /// What scripts hold of them. With families, both scripts that decide hold the same text.
  var scriptValues: [String: Script.Value] {
    switch self {
    case .range(let range):
      [
        "RANGE": .verbatim(""), "MIN": .plain(range.min.text), "MAX": .plain(range.max.text),
        "DKMS_MAX": .plain(range.dkmsMax), "EXPRESSION": .verbatim(range.expression),
      ]
    case .families(let support): ["FAMILIES": .verbatim(support.script)]
    }
  }
}

extension KernelSupport {
  /// Shell code, for sh and bash, that sets `family`, `expression` and `reason` for a kernel: which kernels of the family are
  /// supported, and what is said of others. It calls `is EXPRESSION`, which says whether the kernel looks so.
  var script: String {
    var lines = ["# Which family of kernels it is of, by its release; the first that it looks like."]
    for (index, family) in families.enumerated() {
      // Expressions hold no quotes.
      lines.append("\(index == 0 ? "if" : "elif") is '\(family.release)'; then family=\(family.name)")
    }
    let mainline = KernelFamily.mainline.name
    lines += families.isEmpty ? ["family=\(mainline)"] : ["else family=\(mainline)", "fi"]
    lines += ["# Which of these are supported. What lies below another's number says nothing.", "case $family in"]
    let followers = families.filter { $0.follows && !supported.contains($0.name) }.map(\.name)
    for name in [mainline] + supported.filter({ $0 != mainline }) {
      let names = [name] + (name == mainline ? followers : [])
      lines += [
        "\(names.joined(separator: " | ")))", "  expression='\(expression(of: name))'",
        "  reason=\(Script.quote(refusal(of: name)))", "  ;;",
      ]
    }
    lines += [
      "*)", "  expression='\(KernelSupport.nothing)'",
      "  reason=\"it is one of $family, of which none is supported; supported are \(summary)\"", "  ;;", "esac",
    ]
    return lines.joined(separator: "\n")
  }
}
