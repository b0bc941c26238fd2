// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// The output of git and GNU patch when they apply a step.
struct PatchLog {
  private let patch: [Substring]
  private let git: [Substring]

  /// - Parameter git: the output of git, if it ran before GNU patch or instead of it.
  init(_ patch: String, git: String) {
    self.patch = patch.lines
    self.git = git.lines
  }

  private static let marks = ["patching file ", "patching symbolic link ", "Checking patch "]

  /// The files that were patched, as far as a diff without git needs them.
  var files: PathSet {
    PathSet(patch.filter { $0.hasPrefix(Self.marks[0]) }.map { String($0.dropFirst(Self.marks[0].count)) })
  }

  /// The hunks that applied with an offset or with fuzz.
  func tell(of patch: PatchSeries.Patch, _ progress: Progress) {
    var current = ""
    for line in self.patch.isEmpty ? git : self.patch {
      if let name = Self.file(line) { current = name }
      guard line.hasPrefix("Hunk #") else { continue }
      if line.contains("with fuzz") {
        progress.warning("\(patch.name): \(current): \(line)")
      } else if line.contains("offset") {
        progress.note("\(patch.name): \(current): \(line)")
      }
    }
  }

  private static func file(_ line: Substring) -> String? {
    guard let mark = marks.first(where: { line.hasPrefix($0) }) else { return nil }
    return line.between(mark, mark == marks[2] ? "..." : "")
  }

  /// Why a step failed.
  func failure(of patch: PatchSeries.Patch, in series: PatchSeries) -> ReleaseError {
    let doing = "applying the patch \(patch.name) of \(series.file)"
    let refresh = "the patch is for another release: refresh it"
    func error(_ reason: String, _ advice: String?) -> ReleaseError {
      ReleaseError(.source, doing: doing, reason: reason, advice: advice)
    }
    var current = ""
    for line in self.patch {
      if let name = Self.file(line) { current = name }
      if line.contains("previously applied") {
        return error("\(current): it is applied already", "take it out of the series")
      }
      if let name = line.between("The next patch would create the file ", ",") { current = name }
      if line.contains("already exists!") {
        return error(
          "\(current), which it makes, is there already", "take it out of the series if it is applied already")
      }
      if line.hasPrefix("can't find file to patch") || line.contains("Skipping patch")
        || line.contains("No file to patch")
      {
        return error("a file that it changes is not there (\(patch.paths.joined(separator: ", ")))", refresh)
      }
      if line.hasPrefix("Hunk #"), line.contains("FAILED") {
        let hunk = line.split(separator: " ").dropFirst().first ?? ""
        if line.contains("different line endings") {
          return error(
            "\(current): hunk \(hunk) does not apply: the line ends of patch and file differ (CRLF and LF)",
            "make the patch against the file as it is, and keep its line ends")
        }
        return error("\(current): hunk \(hunk) does not apply", refresh)
      }
    }
    if let said = git.first(where: { $0.hasPrefix("error: ") && !$0.hasPrefix("error: while searching") }) {
      return error("git: \(said.dropFirst(7))", refresh)
    }
    let last = self.patch.last(where: { !$0.allSatisfy(\.isWhitespace) }).map { $0.trimmed } ?? "it does not apply"
    return error(
      current.isEmpty ? last : "\(current): \(last)", "the patch is for another release, or is applied already")
  }
}

extension Substring {
  fileprivate func between(_ start: String, _ end: String) -> String? {
    hasPrefix(start) && hasSuffix(end) ? String(dropFirst(start.count).dropLast(end.count)) : nil
  }
}
