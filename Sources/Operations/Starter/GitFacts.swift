// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// Facts about a folder and its author, from git.
struct GitFacts {
  /// The top of the work tree, or the bare repository; nil if there is no repository or no commit.
  var repository: FilePath?
  /// The requested part of it; empty for all.
  var part = ""
  /// The tag of the commit that HEAD names.
  var tag: String?
  /// The public address, without user name and password.
  var origin: String?
  /// Files of the work tree that differ from the commit.
  var changes = 0
  /// `Name <address>` as git signs commits.
  var author: String?
  /// The repository exists, but has no commit.
  var isEmpty = false
}

extension GitFacts {
  /// Runs git with the configuration of the user. Ignores a repository that belongs to another user.
  init(of folder: FilePath) async throws {
    let name = try await GitFacts.ask(["config", "user.name"], in: folder)
    let address = try await GitFacts.ask(["config", "user.email"], in: folder)
    if let name, let address { author = "\(name) <\(address)>" }
    // A bare repository, or the .git of a work tree.
    let isBare = try await GitFacts.ask(["rev-parse", "--is-inside-git-dir"], in: folder) == "true"
    guard
      let top = isBare
        ? try await GitFacts.ask(["rev-parse", "--absolute-git-dir"], in: folder)
        : try await GitFacts.ask(["rev-parse", "--show-toplevel"], in: folder)
    else { return }
    guard try await GitFacts.ask(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], in: folder) != nil else {
      isEmpty = true
      return
    }
    repository = FilePath(top)
    let prefix = try await GitFacts.ask(["rev-parse", "--show-prefix"], in: folder) ?? ""
    part = prefix.pathParts.joined(separator: "/")
    tag = try await GitFacts.ask(["describe", "--tags", "--exact-match", "HEAD"], in: folder)
    origin = try await GitFacts.ask(["config", "remote.origin.url"], in: folder).flatMap(GitFacts.public)
    // 'git status' would run the filters of the repository's configuration, which may not be trusted.
    let filters = try await GitFacts.ask(
      ["config", "--local", "--includes", "--get-regexp", #"^filter\..*\.(clean|process)$"#], in: folder)
    let status =
      isBare || filters != nil
      ? nil : try await GitFacts.ask(["status", "--porcelain", "--untracked-files=no", "."], in: folder)
    changes = status?.split(separator: "\n").count ?? 0
  }

  /// The output of git; nil if it fails, is not installed, or prints nothing.
  private static func ask(_ question: [String], in folder: FilePath) async throws -> String? {
    var environment = Command.plainEnvironment
    for name in [
      "HOME", "XDG_CONFIG_HOME", "USER", "LOGNAME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
    ] {
      if let value = environmentVariable(name) { environment[name] = value }
    }
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    // Disables file monitors and pagers, which the configuration of a repository can name.
    let quiet = ["--no-pager", "-c", "core.fsmonitor=false", "-C", folder.string]
    let git = Command("git", quiet + question, environment: environment)
    do {
      let outcome = try await git.run(doing: "asking git")
      let answer = outcome.text.trimmed
      return outcome.succeeded && !answer.isEmpty ? answer : nil
    } catch let error as ReleaseError where error.code == .missingTool {
      return nil
    }
  }

  /// An address without credentials; nil for a local path.
  private static func `public`(_ address: String) -> String? {
    if let match = address.wholeMatch(of: /([a-z][a-z0-9+.-]*):\/\/(?:[^@\/]*@)?([^\/]+\/.*)/) {
      return match.1 == "file" ? nil : "\(match.1)://\(match.2)"
    }
    return address.wholeMatch(of: /[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:[^\/].*/) == nil ? nil : address
  }

  /// The web page of a repository, if it has one.
  var homepage: String? {
    guard let origin else { return nil }
    let match = origin.wholeMatch(
      of: /(?:(?:https?|ssh|git):\/\/|[A-Za-z0-9._-]+@)([A-Za-z0-9.-]+)(?::[0-9]+)?[\/:](.+)/)
    guard let match else { return nil }
    let path = match.2.hasSuffix(".git") ? match.2.dropLast(4) : match.2
    return "https://\(match.1)/\(path)"
  }
}
