// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model

/// The version of a source: `{NAME}` in the version of the release, `@NAME_VERSION@` in templates. It belongs to the
/// content that was read; otherwise there is none.
extension Planner {
  /// The version that was found in a source; nil if the manifest states it, or has none.
  func version(of name: String, _ source: Manifest.Source, _ content: SourceContent) throws -> String? {
    guard let from = source.versionFrom else {
      try checkStated(name, source, content)
      return nil
    }
    let doing = "finding the version of the source '\(name)'"
    if let pin = planned[name] {
      // The ref at the time of the plan is unknown.
      let tag = pin.ref.map { $0.hasPrefix("refs/tags/") ? String($0.dropFirst("refs/tags/".count)) : $0 }
      guard let known = pin.version,
        try tag.flatMap(from.version(ofTag:)) == known || version(from, in: content) == known
      else {
        throw ReleaseError(
          .unverified, doing: doing,
          reason: "the plan says \(pin.version ?? "nothing"), which neither its ref nor its files say",
          advice: "the plan was changed: make a new one")
      }
      return known
    }
    if let version = content.tag.flatMap(from.version(ofTag:)) { return version }
    if let version = try version(from, in: content) { return version }
    func refused(_ reason: String, remedy: AssemblerRemedy) -> ReleaseError {
      ReleaseError(.source, at: from.location, doing: doing, reason: reason, remedy: remedy)
    }
    if let file = from.file, let line = from.line {
      let isThere = content.files[file] != nil
      throw refused(
        isThere ? "no line of its \(file) is like '\(line)'" : "it has no file \(file)",
        remedy: .sayWhereVersionIs(name: name))
    }
    let forms = from.tags.map { "'\($0)'" }.joined(separator: " or ")
    let what =
      content.tag.map { "the tag '\($0)' is not like \(forms)" }
      ?? content.pin.ref.map { "'\($0)' is not a tag, and the version stands in the tag" }
      ?? "it is not a git repository, and the version stands in the tag"
    throw refused(what, remedy: .nameTagOfVersion(name: name))
  }

  private func version(_ from: Manifest.VersionFrom, in content: SourceContent) throws -> String? {
    guard let file = from.file, let line = from.line, let found = content.files[file] else { return nil }
    return line.version(inFile: try found.readFile())
  }

  /// A version in the manifest applies only to the source that the manifest names.
  private func checkStated(_ name: String, _ source: Manifest.Source, _ content: SourceContent) throws {
    guard let version = source.version, planned[name] == nil else { return }
    let isGiven = request.places[name] != nil
    let ref = content.pin.ref ?? ""
    let why: String
    if content.pin.kind == "git" {
      if ref == source.ref, content.tag != nil || GitRevision.isID(ref) { return }
      why =
        ref == source.ref ? "'\(ref)' is not a tag, so that it names other commits with time" : "'\(ref)' was asked for"
    } else {
      guard isGiven, source.sha256 == nil else { return }
      why = "another \(content.pin.kind == "folder" ? "folder" : "tarball") was given"
    }
    throw ReleaseError(
      .input, at: source.location, doing: "finding the version of the source '\(name)'",
      reason: "the manifest says \(version), and \(why)", remedy: AssemblerRemedy.sayWhereVersionIs(name: name))
  }

  /// Refuses a file whose content is not in the source, but only a pointer of Git LFS.
  func checkPointers(_ name: String, _ content: SourceContent) throws {
    for (path, file) in content.files.sorted(by: { $0.key.precedesInBytes($1.key) }) {
      guard case .regular(let bytes) = file.content, bytes.count < 1024, bytes.count > 100,
        Self.isPointer(try bytes.read())
      else { continue }
      // An existing release with such a pointer stays valid.
      if planned[name] != nil {
        progress.warning("\(path) of the source '\(name)' is only a pointer of Git LFS, as in the plan")
        continue
      }
      throw ReleaseError(
        .source, doing: "reading the source '\(name)'",
        reason: "\(path) is a pointer of Git LFS: its content is not in the source",
        remedy: AssemblerRemedy.giveCheckout(name: name))
    }
  }

  /// Source: docs/spec.md of git-lfs; older pointers use its former name, hawser.
  private static func isPointer(_ bytes: [UInt8]) -> Bool {
    ["version https://git-lfs.github.com/spec/v1\n", "version https://hawser.github.com/spec/v1\n"]
      .contains { bytes.starts(with: $0.utf8) }
      && bytes.split(separator: 0x0a).contains { $0.starts(with: "oid sha".utf8) }
  }
}
