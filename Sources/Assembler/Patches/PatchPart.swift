// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// What a patch says of one file.
struct PatchPart: Sendable, Equatable {
  enum Change: Sendable, Equatable {
    /// With hunks, or nothing but another mode.
    case modify
    case make
    case remove
    case rename
    case copy
  }

  /// Whether git wrote it: then it says itself what becomes of the file.
  var isGit: Bool
  /// Where it begins, from 1.
  var line: Int
  var change = Change.modify
  /// The path before; nil for a file that it makes. In the release: without the leading parts.
  var old: String?
  /// The path after; nil for a file that it removes.
  var new: String?
  var oldMode: UInt32?
  var newMode: UInt32?
  var isBinary = false
  var added = 0
  var removed = 0
  /// Its one hunk makes all of the file, or leaves nothing of it.
  var fillsFile = false
  var emptiesFile = false
  /// Whether its two names are one and the same, as those of svn are: then nothing need be taken off them.
  var hasOneName = false
  var text: [UInt8] = []

  static let link: UInt32 = 0o120000
  static let submodule: UInt32 = 0o160000

  /// The paths that it names, in the order of the headers.
  var paths: [String] { old == new ? [old].compactMap { $0 } : [old, new].compactMap { $0 } }

  /// Whether it holds more than hunks of a file that stays where and what it is, which git reads best.
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

/// Parts of one patch that one program reads in one go.
///
/// The parts of a git patch all speak of the tree before it, so that two files can change their names with each other.
/// Those of another mail in the same file speak of the tree after that.
struct PatchStep: Sendable {
  enum Reader: String, Sendable {
    /// GNU patch, which takes a file that becomes empty away.
    case plain
    /// GNU patch; git says what becomes of the files.
    case hunks
    /// git, and GNU patch where the lines around a change differ.
    case exact
    /// git alone: GNU patch reads no binary patches.
    case binary
  }

  var parts: [PatchPart]
  var isReversed = false

  var reader: Reader {
    if parts.first?.isGit != true { return .plain }
    if parts.contains(where: \.isBinary) { return .binary }
    return parts.contains(where: \.needsGit) || exchangesFolder ? .exact : .hunks
  }

  /// Whether a file takes the place of a folder, or the other way round.
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
