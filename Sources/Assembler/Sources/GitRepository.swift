// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// The object that a ref names.
package struct GitRevision: Sendable, Equatable {
  /// The object itself: a commit, or a tag object that leads to one.
  package var object: String
  /// `refs/tags/v1`; nil if it was named by an id or an expression.
  package var name: String?
  package var commit: String

  /// The name of the tag, if it is one.
  package var tag: String? {
    guard let name, name.hasPrefix("refs/tags/") else { return nil }
    return String(name.dropFirst("refs/tags/".count))
  }

  /// Whether a text is a complete object id of either format.
  package static func isID(_ text: String) -> Bool {
    (text.utf8.count == 40 || text.utf8.count == 64) && isHexadecimal(text)
  }

  /// Whether a text can only be an abbreviated id.
  static func isShortID(_ text: String) -> Bool { (4..<40).contains(text.utf8.count) && isHexadecimal(text) }

  private static func isHexadecimal(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
  }
}

/// A local git repository, bare or not. Only its refs and objects are read, so that an untrusted repository runs
/// nothing.
struct GitRepository: Sendable {
  /// The path as given.
  let place: FilePath
  /// The folder with `HEAD` and `objects`, or the `.git` file of a work tree that names it.
  private let folder: FilePath
  /// What was being done, for messages.
  let doing: String
  /// Whether it is a copy in the cache of lrelease.
  let isFetched: Bool

  /// No user configuration, no replace refs, no prompts. A partial clone must not fetch missing objects: that would run
  /// programs from its configuration.
  static let environment: [String: String] = Command.plainEnvironment.merging([
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "HOME": "/nonexistent", "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
  ]) { $1 }

  /// Whether a path itself is a repository, not only a folder above it.
  static func isRepository(_ path: FilePath) -> Bool { Files.exists(path.appending(".git")) || isBare(path) }

  /// Whether a folder is a repository itself, whose files are those of git.
  static func isBare(_ path: FilePath) -> Bool {
    Files.exists(path.appending("HEAD")) && ["objects", "refs"].allSatisfy { Files.isFolder(path.appending($0)) }
  }

  init(_ place: FilePath, isFetched: Bool = false, doing: String) throws {
    self.place = place
    self.isFetched = isFetched
    self.doing = doing
    folder = Files.exists(place.appending(".git")) ? place.appending(".git") : place
    guard Files.isFolder(place) else {
      throw ReleaseError(.source, doing: doing, reason: "there is no such folder", remedy: AssemblerRemedy.giveFolder)
    }
    guard GitRepository.isRepository(place) else {
      throw ReleaseError(
        .source, doing: doing, reason: "it is not a git repository: it holds neither .git nor HEAD, objects and refs")
    }
    if let elsewhere = try GitRepository.path(in: folder, after: "gitdir: "), !Files.isFolder(elsewhere) {
      throw ReleaseError(
        .source, doing: doing, reason: "its .git file names \(elsewhere), which is not there",
        advice: "its main repository was moved or removed: restore it, or give that one")
    }
  }

  func git(_ arguments: [String]) -> Command {
    Command(
      "git", ["-c", "safe.directory=*", "--git-dir", folder.string] + arguments,
      environment: GitRepository.environment, directory: nil)
  }

  /// The path that a small file names, relative to it; nil if it is a folder or missing.
  private static func path(in file: FilePath, after mark: String) throws -> FilePath? {
    guard Files.exists(file), !Files.isFolder(file) else { return nil }
    let text = String(decoding: try Files.read(file, limit: 1 << 16), as: UTF8.self).trimmed
    guard text.hasPrefix(mark) else { return nil }
    return Files.absolute(file).removingLastComponent().pushing(FilePath(String(text.dropFirst(mark.count))))
  }

  // MARK: refs

  /// What `ref` names, in git's order: a complete id, `refs/…`, a tag, a branch; else an expression such as `HEAD`.
  func resolve(_ ref: String, _ progress: Progress) async throws -> GitRevision {
    if GitRevision.isID(ref) {
      return GitRevision(object: ref.lowercased(), name: nil, commit: try await commit(of: ref, named: ref))
    }
    let names = try await refs(called: ref)
    if let (name, object) = names.first {
      if name.hasPrefix("refs/tags/"), names.contains(where: { $0.name == "refs/heads/\(ref)" }) {
        progress.warning(GitRepository.ambiguity(ref, place.string))
      }
      return GitRevision(object: object, name: name, commit: try await commit(of: object, named: ref))
    }
    let parsed = try await git(["rev-parse", "--verify", "--end-of-options", ref]).run(doing: doing)
    guard parsed.succeeded else { throw try await notFound(ref, parsed) }
    let object = parsed.text.trimmed
    return GitRevision(object: object, name: nil, commit: try await commit(of: object, named: ref))
  }

  static func ambiguity(_ ref: String, _ place: String) -> String {
    "'\(ref)' of \(place) is a tag and a branch: the tag is read (refs/heads/\(ref) names the branch)"
  }

  /// The refs of this name, in git's order of preference.
  private func refs(called ref: String) async throws -> [(name: String, object: String)] {
    let wanted =
      (ref.hasPrefix("refs/") ? [ref] : []) + ["refs/", "refs/tags/", "refs/heads/", "refs/remotes/"].map { $0 + ref }
    guard !ref.contains(where: { "*?[\\^~: ".contains($0) }) else { return [] }
    let listed = try await git(["for-each-ref", "--format=%(objectname) %(refname)"] + wanted).run(doing: doing)
    guard listed.succeeded else { throw unreadable(listed) }
    let found = Dictionary(
      listed.text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
        .filter { $0.count == 2 }.map { ($0[1], $0[0]) }
    ) { first, _ in first }
    return wanted.compactMap { name in found[name].map { (name, $0) } }
  }

  /// The commit that an object leads to.
  func commit(of object: String, named ref: String) async throws -> String {
    let parsed = try await git(["rev-parse", "--verify", "--quiet", "--end-of-options", "\(object)^{commit}"])
      .run(doing: doing)
    if parsed.succeeded { return parsed.text.trimmed }
    // For a tag, the object that it finally leads to.
    for name in [object, "\(object)^{}"] {
      let type = try await git(["cat-file", "-t", name]).run(doing: doing)
      guard type.succeeded else {
        if ref == object, name == object, type.errors.contains("could not get object info") {
          throw try await missing(
            "there is no such tag, branch or commit", advice: "fetch it into the repository first")
        }
        throw try await missing("the object \(object) that '\(ref)' names", type)
      }
      let word = type.text.trimmed
      if word != "tag", word != "commit" {
        throw ReleaseError(
          .source, doing: doing, reason: "'\(ref)' names a \(word), not a commit",
          advice: "name a tag of a commit, a branch or a commit")
      }
    }
    throw try await missing("the object \(object) that '\(ref)' names", parsed)
  }

  private func notFound(_ ref: String, _ parsed: Command.Outcome) async throws -> ReleaseError {
    let tags = try await git(["for-each-ref", "--format=%(refname:short)"]).run(doing: doing)
    guard tags.succeeded else { return unreadable(tags) }
    let names = tags.text.split(separator: "\n").map(String.init)
    if names.isEmpty {
      return ReleaseError(
        .source, doing: doing, reason: "the repository is empty: it has no tag, no branch and no commit",
        advice: "fetch into it first")
    }
    if ref == "HEAD" {
      let branch = try await git(["symbolic-ref", "--quiet", "HEAD"]).run(doing: doing).text.trimmed
      return ReleaseError(
        .source, doing: doing, reason: "its HEAD names \(branch), which has no commit",
        advice: "name a tag, branch or commit")
    }
    if parsed.errors.contains("is ambiguous") {
      return ReleaseError(
        .source, doing: doing, reason: "more than one object has an id that begins with \(ref)",
        advice: "give the whole id")
    }
    let near = ref.nearest(in: names)
    return try await missing(
      "there is no such tag, branch or commit",
      advice: near.map { "did you mean '\($0)'?" } ?? "fetch it into the repository first")
  }

  /// The error if git cannot list the refs.
  private func unreadable(_ outcome: Command.Outcome) -> ReleaseError {
    let lines = outcome.errors.split(whereSeparator: \.isNewline).map(\.trimmed)
    if let start = lines.firstIndex(where: { $0.contains("unknown repository extension") }) {
      let names = lines[(start + 1)...].filter { !$0.isEmpty }.joined(separator: ", ")
      return ReleaseError(
        .source, doing: doing,
        reason: "this version of git does not know its format: \(names.isEmpty ? lines[start] : names)",
        advice: "install a newer git (2.45 for reftable), or give a plain clone")
    }
    return ReleaseError(.source, doing: doing, reason: "it is not a git repository: \(outcome.complaint)")
  }

  // MARK: missing objects

  /// Why an object cannot be read, according to git.
  func missing(_ what: String, _ outcome: Command.Outcome) async throws -> ReleaseError {
    // git's message for a missing object.
    let ofMissing = [
      "could not get object info", "Could not read", "Not a valid object name", "not a tree object", "alternate",
      "transport ", "fetch", "promisor",
    ]
    let lines = outcome.errors.split(whereSeparator: \.isNewline).filter { line in
      !ofMissing.contains { line.contains($0) }
    }
    guard let line = lines.first else {
      return try await missing("\(what) is missing from the repository", advice: "fetch it")
    }
    return ReleaseError(
      .source, doing: doing, reason: "\(what) cannot be read: \(line)",
      advice: isFetched ? again : "see 'git fsck' in the repository")
  }

  /// An error about a missing object, with the reason if known.
  func missing(_ reason: String, advice: String) async throws -> ReleaseError {
    func error(_ why: String, _ advice: String) -> ReleaseError {
      ReleaseError(.source, doing: doing, reason: "\(reason): \(why)", advice: advice)
    }
    if isFetched { return ReleaseError(.source, doing: doing, reason: reason, advice: again) }
    let common = try await git(["rev-parse", "--git-common-dir"]).run(doing: doing).text.trimmed
    let home = Files.absolute(FilePath(common.isEmpty ? folder.string : common))
    if let lost = lostAlternate(of: home.appending("objects"), depth: 5) {
      return error(
        "its objects lie in \(lost), which is not there", "bring that back, or give a clone that has its own")
    }
    let partial = try await git(["config", "--get-regexp", #"^(extensions\.partialclone|remote\..*\.promisor)$"#])
      .run(doing: doing)
    if partial.succeeded {
      return error(
        "it is a partial clone",
        "fetch the rest there first with 'git fetch --refetch --no-filter', or give a whole one")
    }
    if Files.exists(home.appending("shallow")) {
      return error("it is a shallow clone", "fetch the rest there first with 'git fetch --unshallow --tags'")
    }
    return ReleaseError(.source, doing: doing, reason: reason, advice: advice)
  }

  private var again: String { "remove \(place), which is then fetched again" }

  /// A missing folder of alternate objects.
  private func lostAlternate(of objects: FilePath, depth: Int) -> FilePath? {
    guard depth > 0, let bytes = try? Files.read(objects.appending("info/alternates"), limit: 1 << 20) else {
      return nil
    }
    for line in bytes.split(separator: 0x0a) where line.first != 0x23 {
      let other = objects.pushing(FilePath(String(decoding: line, as: UTF8.self))).lexicallyNormalized()
      if !Files.isFolder(other) { return other }
      if let lost = lostAlternate(of: other, depth: depth - 1) { return lost }
    }
    return nil
  }
}
