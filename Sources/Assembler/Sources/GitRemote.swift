// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// A revision that was fetched from a remote repository.
package struct FetchedRevision: Sendable {
  /// Its address, without secrets.
  package var place: String
  /// The repository in the cache that holds it.
  package var folder: FilePath
  package var commit: String
  /// What the ref names, if that is the commit.
  package var revision: GitRevision?
}

/// A remote repository, or a bundle.
///
/// The server is asked for each ref, and what it sends is read by its id: names are never looked up in the cache, which
/// holds older objects.
struct GitRemote: Sendable {
  /// The address for git.
  let address: String
  let cache: FilePath
  /// How long a server may be silent. For HTTP, git enforces the settings below.
  var patience = Duration.seconds(120)

  private var shown: String { SourceAddress.shown(address) }

  init(_ address: String, cache: FilePath) {
    self.address = address
    self.cache = cache
  }

  /// Fetches what `ref` names now, or the commit that a plan pins, which needs no network if the cache has it.
  func fetch(_ ref: String, pinned: String? = nil, progress: Progress) async throws -> FetchedRevision {
    let doing = "fetching \(ref) of \(shown)"
    if let pinned, let known = try await GitCache(self, isSHA256: pinned.utf8.count == 64).known(ref, pinned, doing) {
      return known
    }
    return try await progress.step(doing) {
      let command = try await command(doing)
      let advertised = try await list(command, doing)
      let isSHA256 = advertised.objects.first.map { $0.value.utf8.count == 64 } ?? ((pinned ?? ref).utf8.count == 64)
      let copy = try await GitCache(self, isSHA256: isSHA256).opened(doing, progress)
      let fetch = GitFetch(
        remote: self, copy: copy, advertised: advertised, command: command, doing: doing, progress: progress)
      if let pinned { return try await fetch.pinned(pinned, ref) }
      return try await fetch.current(ref)
    }
  }

  /// git with access to the server, restricted to what is requested.
  private func command(_ doing: String) async throws -> @Sendable ([String]) -> Command {
    var environment = FetchEnvironment.git
    if environment["GIT_SSH_COMMAND"] == nil, environment["GIT_SSH"] == nil {
      let own = try await Command(
        "git", ["--git-dir=/nonexistent", "config", "--get", "core.sshCommand"], environment: environment
      ).run(doing: doing)
      // A prompt for a password or about an unknown host would wait for a person.
      if !own.succeeded { environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes" }
    }
    let settings = [
      "core.hooksPath=/dev/null", "core.askPass=", "gc.auto=0", "maintenance.auto=false",
      "fetch.writeCommitGraph=false", "http.lowSpeedLimit=1", "http.lowSpeedTime=60",
    ]
    return { [environment] in
      Command("git", settings.flatMap { ["-c", $0] } + $0, environment: environment)
    }
  }

  /// The tags and branches of the server, without Gerrit's changes and the like, which are too many.
  private func list(_ git: @Sendable ([String]) -> Command, _ doing: String) async throws -> Advertised {
    // Not the configuration of a repository in the working directory.
    let listed = try await run(
      git(["--git-dir=/nonexistent", "ls-remote", "--quiet", "--heads", "--tags", "--", address]), most: 256 << 20,
      doing)
    guard listed.succeeded else { throw failure(listed, doing) }
    var advertised = Advertised()
    for line in listed.text.split(separator: "\n") {
      let fields = line.split(separator: "\t", maxSplits: 1).map(String.init)
      guard fields.count == 2, GitRevision.isID(fields[0]) else { continue }
      if fields[1].hasSuffix("^{}") {
        advertised.peeled[String(fields[1].dropLast(3))] = fields[0]
      } else {
        advertised.objects[fields[1]] = fields[0]
      }
    }
    return advertised
  }

  /// Runs a git that talks to the server.
  ///
  /// - Parameter most: the limit of bytes that it may read and write.
  func run(_ git: Command, most: Int64 = .max, _ doing: String) async throws -> Command.Outcome {
    let reason: String
    switch try await git.run(patience: patience, most: most, doing: doing) {
    case .byItself(let outcome): return outcome
    case .idle: reason = "the server has sent nothing for \(patience.components.seconds) seconds"
    case .endless: reason = "the server has sent more than \(most) bytes where it was asked for its refs"
    }
    throw ReleaseError(.source, doing: doing, reason: reason, remedy: AssemblerRemedy.giveOwnRepository)
  }

  /// An error of git, without advice for interactive use and without secrets.
  func failure(_ outcome: Command.Outcome, _ doing: String) -> ReleaseError {
    let idle = [
      "fatal: Could not read from remote repository.", "Please make sure you have the correct access rights",
      "and the repository exists.",
    ]
    // Lines of the server may have other line ends, or end with a zero.
    let lines = outcome.errors.split { $0.isNewline || $0 == "\0" }.map(\.trimmed).filter { line in
      !line.isEmpty && !idle.contains(line) && !line.hasPrefix("warning: ") && !line.hasPrefix("hint: ")
    }
    let said = lines.suffix(3).joined(separator: " ")
    let words = SourceAddress.shown(said.isEmpty ? outcome.complaint : said, of: address)
    let needsName = [
      "could not read Username", "could not read Password", "Authentication failed", "Permission denied",
    ]
    if needsName.contains(where: words.contains) {
      return ReleaseError(
        .source, doing: doing, reason: "git: \(words)",
        advice: "set up what git needs there: a credential helper, ~/.netrc, or a key in the agent of ssh")
    }
    return ReleaseError(.source, doing: doing, reason: "git: \(words)", remedy: AssemblerRemedy.giveOwnRepository)
  }
}

/// The tags and branches of a server, by their full names.
struct Advertised: Sendable {
  var objects: [String: String] = [:]
  /// The objects that tag objects lead to.
  var peeled: [String: String] = [:]

  /// The refs that a name may mean, in git's order of preference.
  func names(of ref: String) -> [String] {
    let wanted = (ref.hasPrefix("refs/") ? [ref] : []) + ["refs/", "refs/tags/", "refs/heads/"].map { $0 + ref }
    return wanted.filter { objects[$0] != nil }
  }

  /// Short names, as people write them.
  var short: [String] {
    objects.keys.map { name in
      ["refs/tags/", "refs/heads/"].first(where: name.hasPrefix).map { String(name.dropFirst($0.count)) } ?? name
    }
  }

  func leads(_ name: String, to commit: String) -> Bool { (peeled[name] ?? objects[name]) == commit }
}
