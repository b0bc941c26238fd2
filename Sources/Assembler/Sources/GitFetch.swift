// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Processes

/// One fetch into the cached copy of a repository, which is locked meanwhile.
struct GitFetch {
  let remote: GitRemote
  let copy: GitCopy
  let advertised: Advertised
  let command: @Sendable ([String]) -> Command
  let doing: String
  let progress: Progress

  // MARK: refs

  func current(_ ref: String) async throws -> FetchedRevision {
    if GitRevision.isID(ref) {
      let object = ref.lowercased()
      guard try await fetch(id: object) else {
        throw ReleaseError(
          .source, doing: doing,
          reason: "there is no such commit, and the server only gives commits that a tag or branch leads to",
          advice: "name a tag or a branch")
      }
      return copy.fetched(GitRevision(object: object, name: nil, commit: try await copy.commit(of: object, ref, doing)))
    }
    let name = try self.name(of: ref)
    if name.hasPrefix("refs/tags/"), advertised.objects["refs/heads/\(ref)"] != nil {
      progress.warning(GitRepository.ambiguity(ref, copy.place))
    }
    return copy.fetched(try await fetch(name: name, ref))
  }

  /// The full name of a ref.
  private func name(of ref: String) throws -> String {
    func refused(_ reason: String, _ advice: String) -> ReleaseError {
      ReleaseError(.source, doing: doing, reason: reason, advice: advice)
    }
    if let name = advertised.names(of: ref).first { return name }
    // Compare scalars, as git compares bytes: for Swift, a dash with a combining accent is another character.
    let scalars = Array(ref.unicodeScalars)
    guard let first = scalars.first, first != "-",
      !zip(scalars, scalars.dropFirst()).contains(where: { $0 == ("@", "{") || $0 == (".", ".") }),
      !ref.unicodeScalars.contains(where: { "*?[\\^~: ".unicodeScalars.contains($0) || $0.value < 0x21 })
    else {
      throw refused(
        "'\(ref)' is an expression, and of a repository that is fetched only a ref can be read",
        "name a tag, a branch, refs/… or a whole commit id, or give a clone")
    }
    if advertised.objects.isEmpty, !ref.hasPrefix("refs/"), ref != "HEAD" {
      throw refused("the repository has no tag and no branch", "is it the right one?")
    }
    let isListed = ref.hasPrefix("refs/heads/") || ref.hasPrefix("refs/tags/")
    // Unlisted refs may exist, such as refs/changes/34/1234/5 of Gerrit.
    if ref == "HEAD" || ref.hasPrefix("refs/") && !isListed { return ref }
    if GitRevision.isShortID(ref) {
      let whole = Set(advertised.objects.values).union(advertised.peeled.values).filter {
        $0.hasPrefix(ref.lowercased())
      }
      throw refused(
        "there is no such tag or branch, and of a commit a server wants the whole id",
        whole.count == 1 ? "did you mean \(whole.first ?? "")?" : "give all digits of it")
    }
    if ["changes/", "pull/", "merge-requests/"].contains(where: ref.hasPrefix) {
      throw refused("there is no such tag or branch", "did you mean 'refs/\(ref)'?")
    }
    let near = ref.nearest(in: advertised.short)
    throw refused(
      "there is no such tag, branch or commit", near.map { "did you mean '\($0)'?" } ?? "see 'git ls-remote' of it")
  }

  // MARK: pinned commits

  /// Fetches the commit by its ref if that still names it, else by its id, else with all refs.
  func pinned(_ commit: String, _ ref: String) async throws -> FetchedRevision {
    if let name = advertised.names(of: ref).first, advertised.leads(name, to: commit) {
      let revision = try await fetch(name: name, ref)
      if revision.commit == commit { return copy.fetched(revision) }
    }
    if try await fetch(id: commit) { return copy.fetched(commit) }
    // For an unlisted ref, such as refs/changes/34/1234/5.
    if ref == "HEAD" || ref.hasPrefix("refs/"), let revision = try? await fetch(name: ref, ref),
      revision.commit == commit
    {
      return copy.fetched(revision)
    }
    throw ReleaseError(
      .source, doing: doing,
      reason: "the commit \(commit) that the plan pins cannot be fetched: no tag or branch leads to it any more",
      remedy: AssemblerRemedy.giveOwnRepository)
  }

  // MARK: fetching

  /// Fetches a ref. The fetched object counts, even if the ref has moved since it was listed.
  private func fetch(name: String, _ ref: String) async throws -> GitRevision {
    let place = GitCopy.ref(for: name)
    if let object = advertised.objects[name], try await copy.object(of: place, doing) == object,
      let commit = try? await copy.commit(of: object, ref, doing)
    {
      return GitRevision(object: object, name: name, commit: commit)
    }
    var outcome = try await run(["+\(name):\(place)"], depth: 1)
    if !outcome.succeeded, try await copy.isDamaged(doing) {
      try await copy.makeAnew(doing)
      outcome = try await run(["+\(name):\(place)"], depth: 1)
    }
    guard outcome.succeeded else {
      if outcome.errors.contains("couldn't find remote ref") {
        throw ReleaseError(
          .source, doing: doing, reason: "the server has no \(name)", advice: "see 'git ls-remote' of it")
      }
      throw remote.failure(outcome, doing)
    }
    guard let object = try await copy.object(of: place, doing) else {
      throw ReleaseError(.source, doing: doing, reason: "git fetched nothing")
    }
    return GitRevision(object: object, name: name, commit: try await copy.commit(of: object, ref, doing))
  }

  /// Fetches an object by its id: alone if the server allows it, else with all tags and branches.
  ///
  /// - Returns: whether the copy has it now.
  private func fetch(id: String) async throws -> Bool {
    if try await copy.has(id, doing) { return true }
    if try await run(["+\(id):\(GitCopy.ref(for: id))"], depth: 1).succeeded { return try await copy.has(id, doing) }
    progress.note("\(copy.place) does not give the commit \(id) by its id: all tags and branches are fetched")
    let all = ["heads", "tags"].map { "+refs/\($0)/*:refs/lrelease-all/\($0)/*" }
    let outcome = try await run(all, depth: Int(Int32.max))
    guard outcome.succeeded else { throw remote.failure(outcome, doing) }
    return try await copy.has(id, doing)
  }

  private func run(_ refs: [String], depth: Int) async throws -> Command.Outcome {
    func fetch(_ more: [String]) async throws -> Command.Outcome {
      try await remote.run(
        command(
          ["--git-dir", copy.folder.string, "fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head"]
            + ["--no-recurse-submodules", "--no-prune"] + more + ["--", remote.address] + refs), doing)
    }
    let outcome = try await fetch(["--depth=\(depth)"])
    // A plain web server cannot give a part of the history.
    guard !outcome.succeeded, outcome.errors.contains("does not support shallow") else { return outcome }
    return try await fetch([])
  }
}
