// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// The part of a patch about one file.
struct PatchPart: Sendable, Equatable {
  enum Change: Sendable, Equatable {
    /// With hunks, or only with another mode.
    case modify
    case make
    case remove
    case rename
    case copy
  }

  /// Whether git wrote it: it then states whether the file is new, deleted or renamed.
  var isGit: Bool
  /// The line where it begins, from 1.
  var line: Int
  var change = Change.modify
  /// The old path in the release, without the leading parts; nil for a new file.
  var old: String?
  /// The new path; nil for a removed file.
  var new: String?
  var oldMode: UInt32?
  var newMode: UInt32?
  var isBinary = false
  var added = 0
  var removed = 0
  /// Its only hunk creates the whole file, or empties it.
  var fillsFile = false
  var emptiesFile = false
  /// Whether both names are equal, as in diffs of svn: then they need not be stripped.
  var hasOneName = false
  var text: [UInt8] = []

  static let link: UInt32 = 0o120000
  static let submodule: UInt32 = 0o160000

  /// Its paths, in the order of the headers.
  var paths: [String] { old == new ? [old].compactMap { $0 } : [old, new].compactMap { $0 } }

  /// Whether it changes more than the content of a file, which git reads best.
  var needsGit: Bool {
    guard isGit else { return false }
    let isPlain = { (mode: UInt32?) in mode == nil || mode == 0o100644 }
    switch change {
    case .rename, .copy: return true
    case .make: return isBinary || !isPlain(newMode) || added == 0
    case .remove: return isBinary || oldMode == Self.link || removed == 0
    case .modify: return isBinary || oldMode != newMode || oldMode == Self.link
    }
  }

  func reversed(patch: String) throws -> PatchPart {
    var part = self
    switch change {
    case .copy:
      throw ReleaseError(
        .input, doing: "reading the patch \(patch)", reason: "it copies \(old ?? ""), which -R cannot take back",
        advice: "make the patch again without 'git diff -C'")
    case .make: part.change = .remove
    case .remove: part.change = .make
    case .modify, .rename: break
    }
    swap(&part.old, &part.new)
    swap(&part.oldMode, &part.newMode)
    swap(&part.added, &part.removed)
    swap(&part.fillsFile, &part.emptiesFile)
    return part
  }
}

/// Parts of a patch that one program reads together.
///
/// All parts of a git patch refer to the tree before it, so that two files can swap their names. Those of the next mail
/// in the same file refer to the tree after it.
struct PatchStep: Sendable {
  enum Reader: String, Sendable {
    /// GNU patch, which removes a file that becomes empty.
    case plain
    /// GNU patch; git says which files are new or removed.
    case hunks
    /// git, or GNU patch if the context of a change differs.
    case exact
    /// Only git: GNU patch cannot read binary patches.
    case binary
  }

  var parts: [PatchPart]
  var isReversed = false

  var reader: Reader {
    if parts.first?.isGit != true { return .plain }
    if parts.contains(where: \.isBinary) { return .binary }
    return parts.contains(where: \.needsGit) || exchangesFolder ? .exact : .hunks
  }

  /// Whether a file replaces a folder, or a folder a file.
  private var exchangesFolder: Bool {
    let removed = Set(parts.filter { $0.change == .remove }.compactMap(\.old))
    let made = Set(parts.filter { $0.change == .make }.compactMap(\.new))
    guard !removed.isEmpty, !made.isEmpty else { return false }
    return made.contains { RelativePath.folders(of: $0).contains(where: removed.contains) }
      || removed.contains { RelativePath.folders(of: $0).contains(where: made.contains) }
  }

  func reversed(patch: String) throws -> PatchStep {
    PatchStep(parts: try parts.map { try $0.reversed(patch: patch) }, isReversed: true)
  }
}
