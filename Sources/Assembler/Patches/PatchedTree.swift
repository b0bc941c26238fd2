// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// The expected result of a series, according to its patches: which files exist, of which kind, and their origins. It
/// is compared with the result of the programs.
struct PatchedTree {
  enum Kind: Equatable {
    case file(isExecutable: Bool)
    /// A file that is removed if it becomes empty.
    case fileIfAny(isExecutable: Bool)
    case link

    init(mode: UInt32) { self = mode == PatchPart.link ? .link : .file(isExecutable: mode & 0o100 != 0) }

    /// Whether it certainly exists.
    var isCertain: Bool { if case .fileIfAny = self { false } else { true } }

    var isExecutable: Bool {
      switch self {
      case .file(let isExecutable), .fileIfAny(let isExecutable): isExecutable
      case .link: false
      }
    }
  }

  struct Entry: Equatable {
    var kind: Kind
    /// The path in the tree before the series; nil for a file that a patch created.
    var origin: String?
    /// The patches that touched it, in order.
    var patches: [String] = []

    fileprivate mutating func touch(_ patch: String) { if patches.last != patch { patches.append(patch) } }
  }

  private(set) var entries: ByPath<Entry>
  /// The patch that removed a file.
  private(set) var removedBy = ByPath<String>()

  /// The series, for messages.
  private let series: String

  init(_ entries: ByPath<Entry>, series: String) {
    self.entries = entries
    self.series = series
  }

  /// Applies a step of a patch.
  ///
  /// - Parameter named: the files that the program reports as patched: this decides if both names of a diff exist.
  mutating func apply(_ step: PatchStep, of patch: PatchSeries.Patch, named: PathSet = []) throws {
    for part in step.parts { try check(part, patch) }
    if step.reader == .plain {
      for part in step.parts { try applyPlain(part, patch, named) }
    } else {
      try applyGit(step.parts, patch)
    }
  }

  /// Whether the files can be where the part says: only folders may be above them.
  private func check(_ part: PatchPart, _ patch: PatchSeries.Patch) throws {
    for path in part.paths {
      for folder in RelativePath.folders(of: path) where entries[folder]?.kind == .link {
        throw refused(patch, "\(path) lies behind the link \(folder)", "patch the file that the link leads to")
      }
    }
  }

  private func refused(_ patch: PatchSeries.Patch, _ reason: String, _ advice: String? = nil) -> ReleaseError {
    ReleaseError(.source, doing: "applying the patch \(patch.name) of \(series)", reason: reason, advice: advice)
  }

  private func missing(_ part: PatchPart, _ patch: PatchSeries.Patch) -> ReleaseError {
    let isTooDeep = patch.strip > 0 && part.hasOneName
    return refused(
      patch, "a file that it changes is not there (\(part.paths.joined(separator: ", ")))",
      "the patch is for another release: refresh it"
        + (isTooDeep ? "; if its paths begin at the top, say '\(patch.name) -p0' in the series" : ""))
  }

  // MARK: git

  /// All parts refer to the tree before the step; a second change of a file applies to the result of the first.
  private mutating func applyGit(_ parts: [PatchPart], _ patch: PatchSeries.Patch) throws {
    let before = entries
    for part in parts where part.change == .remove || part.change == .rename {
      guard let old = part.old else { continue }
      guard entries.removeValue(forKey: old) != nil else { throw missing(part, patch) }
      removedBy[old] = patch.name
    }
    for part in parts {
      switch part.change {
      case .remove: continue
      case .make:
        guard let new = part.new else { continue }
        try demandNothing(at: new, patch)
        entries[new] = Entry(kind: Kind(mode: part.newMode ?? 0o100644), patches: [patch.name])
      case .rename, .copy:
        guard let old = part.old, let new = part.new else { continue }
        guard var entry = before[old] else { throw missing(part, patch) }
        try demandNothing(at: new, patch)
        if let mode = part.newMode { entry.kind = Kind(mode: mode) }
        entry.touch(patch.name)
        entries[new] = entry
      case .modify:
        guard let path = part.new else { continue }
        guard var entry = entries[path] else { throw missing(part, patch) }
        if let mode = part.newMode { entry.kind = Kind(mode: mode) }
        entry.touch(patch.name)
        entries[path] = entry
      }
    }
  }

  private func demandNothing(at path: String, _ patch: PatchSeries.Patch) throws {
    guard entries[path]?.kind.isCertain == true else { return }
    throw refused(
      patch, "\(path), which it makes, is there already", "take it out of the series if it is applied already")
  }

  // MARK: plain

  private mutating func applyPlain(_ part: PatchPart, _ patch: PatchSeries.Patch, _ named: PathSet) throws {
    let there = part.paths.filter { entries[$0] != nil }
    let path = there.count > 1 ? there.first(where: named.contains) ?? there[0] : there.first ?? part.paths.last ?? ""
    var entry = entries[path]
    // A created file has nothing in common with one that was emptied before.
    if part.fillsFile, entry?.kind.isCertain != true {
      entry = Entry(kind: .file(isExecutable: false))
    }
    guard var entry else { throw missing(part, patch) }
    entry.touch(patch.name)
    if part.emptiesFile { entry.kind = .fileIfAny(isExecutable: entry.kind.isExecutable) }
    if part.emptiesFile { removedBy[path] = patch.name }
    entries[path] = entry
  }
}
