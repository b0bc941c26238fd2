// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model

extension QualifiedRange {
  /// What a package supports by what it claims and what it was seen to do.
  ///
  /// A verdict counts for the family that decides about its kernel, and for its build. A pass proves the line of that build,
  /// also where the package did not claim it. A failure closes its own family from its build on, up to the next build that
  /// passed: to where its line begins, if it is of another line. What was not tried stays as it is claimed.
  ///
  /// - Parameter claimed: by the manifest and its extras.
  package static func support(
    _ verdicts: [Verdict], over claimed: KernelSupport, of package: String, progress: Progress
  ) -> KernelSupport {
    var tried: [String: FamilyVerdicts] = [:]
    for verdict in verdicts where verdict.isCompiledOnly && verdict.result == .fail {
      progress.warning(
        "the package '\(package)' cannot be compiled for \(verdict.architecture) on \(verdict.kernel): it stays as it is claimed"
      )
    }
    for verdict in verdicts where (verdict.result == .pass || verdict.result == .fail) && !verdict.isCompiledOnly {
      let family = claimed.deciding(verdict.kernel)
      guard let numbers = family.numbers(of: verdict.kernel) else { continue }
      tried[family.name, default: FamilyVerdicts(family: family)].add(verdict, numbers)
    }
    var entries = claimed.entries.filter { tried[$0.family] == nil }
    for (name, found) in tried.sorted(by: { $0.key < $1.key }) {
      let own = claimed.entries.filter { $0.family == name }
      for (kernel, hole) in found.holes where own.contains(where: { $0.span.overlaps(hole) }) {
        let end = found.end(of: hole).map { " up to \($0)" } ?? " on"
        progress.warning(
          "the package '\(package)' fails on \(kernel): \(name) from \(hole.min)\(end) is left out")
      }
      entries += found.entries(over: own)
    }
    return compiled(verdicts, KernelSupport(families: claimed.families, entries: entries))
  }

  /// What is claimed, and nobody has tried but by compiling for another architecture, is said to be that. It claims nothing
  /// more: dkms has installed nothing there.
  private static func compiled(_ verdicts: [Verdict], _ support: KernelSupport) -> KernelSupport {
    var entries = support.entries
    for verdict in verdicts where verdict.isCompiledOnly && verdict.result == .pass {
      let family = support.deciding(verdict.kernel)
      guard let numbers = family.numbers(of: verdict.kernel) else { continue }
      let line = KernelBuild(family.line(of: numbers))
      entries = entries.flatMap { entry -> [KernelSupport.Entry] in
        guard entry.family == family.name, entry.standing == .unknown,
          let piece = entry.span.intersection(KernelSpan(line, line)), piece.contains(numbers)
        else { return [entry] }
        func part(_ span: KernelSpan, _ standing: KernelSupport.Standing) -> KernelSupport.Entry {
          KernelSupport.Entry(family: entry.family, span: span, standing: standing, by: entry.by)
        }
        return entry.span.without(piece).map { part($0, .unknown) } + [part(piece, .compiled)]
      }
    }
    return KernelSupport(families: support.families, entries: entries)
  }
}

/// What was found out about one family of kernels.
private struct FamilyVerdicts {
  let family: KernelFamily
  private var passed: [[Int]: Verdict.Level] = [:]
  /// With the release of the kernel.
  private var failed: [[Int]: String] = [:]

  init(family: KernelFamily) { self.family = family }

  mutating func add(_ verdict: Verdict, _ numbers: [Int]) {
    guard let level = verdict.proven else {
      failed[numbers] = verdict.kernel
      return
    }
    passed[numbers] = max(level, passed[numbers] ?? level)
  }

  /// Builds on which it passed, and failed nowhere.
  private var passes: [(numbers: [Int], level: Verdict.Level)] {
    passed.filter { failed[$0.key] == nil }.sorted { KernelBuild.isBefore($0.key, $1.key) }
      .map { (numbers: $0.key, level: $0.value) }
  }

  /// What each failure closes.
  var holes: [(kernel: String, span: KernelSpan)] {
    failed.sorted { KernelBuild.isBefore($0.key, $1.key) }.compactMap { numbers, kernel in
      KernelSpan(from: numbers, below: end(after: numbers)).map { (kernel: kernel, span: $0) }
    }
  }

  private func end(after numbers: [Int]) -> [Int]? {
    guard let next = passes.first(where: { KernelBuild.isBefore(numbers, $0.numbers) })?.numbers else { return nil }
    let line = family.line(of: next)
    return line == family.line(of: numbers) ? next : line
  }

  /// Where a hole ends, for people.
  func end(of hole: KernelSpan) -> KernelBuild? { end(after: hole.min.numbers).map { KernelBuild($0) } }

  /// What is supported of the family.
  func entries(over claimed: [KernelSupport.Entry]) -> [KernelSupport.Entry] {
    let holes = holes.map(\.span)
    func open(_ span: KernelSpan) -> [KernelSpan] {
      holes.reduce([span]) { left, hole in left.flatMap { $0.without(hole) } }
    }
    let left = claimed.flatMap { entry in
      open(entry.span).map {
        KernelSupport.Entry(family: entry.family, span: $0, standing: entry.standing, by: entry.by)
      }
    }
    var spans: [KernelSupport.Standing: [KernelSpan]] = [:]
    for pass in passes {
      let line = KernelBuild(family.line(of: pass.numbers))
      for piece in open(KernelSpan(line, line)) where piece.contains(pass.numbers) {
        // Of a line that is claimed in part, that part.
        let wanted = left.compactMap { $0.span.intersection(piece) }
        spans[pass.level == .build ? .builds : .proven, default: []] += wanted.isEmpty ? [piece] : wanted
      }
    }
    var entries: [KernelSupport.Entry] = []
    func add(_ spans: [KernelSpan], _ standing: KernelSupport.Standing, by: String? = nil) {
      for span in spans {
        let new = entries.reduce([span]) { rest, entry in rest.flatMap { $0.without(entry.span) } }
        entries += new.map { KernelSupport.Entry(family: family.name, span: $0, standing: standing, by: by) }
      }
    }
    add(KernelSpan.united(spans[.proven] ?? []), .proven)
    add(KernelSpan.united(spans[.builds] ?? []), .builds)
    for entry in left { add([entry.span], entry.standing, by: entry.by) }
    return entries
  }
}
