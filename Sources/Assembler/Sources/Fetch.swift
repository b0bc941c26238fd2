// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// Brings files and repositories into the cache, with curl and git.
package struct Fetcher: Sendable {
  package var cache: FilePath

  package init(cache: FilePath) { self.cache = cache }

  package static func isRemote(_ place: String) -> Bool {
    place.contains("://") && !place.hasPrefix("file://")
  }

  /// Fetches a file once; an interrupted fetch is taken up where it stopped.
  ///
  /// - Parameter isOptional: a file that the server does not have is nil instead of an error.
  package func file(_ url: String, isOptional: Bool = false, progress: Progress) async throws -> FilePath? {
    let folder = cache.appending("fetched").appending(SHA256Digest(of: Array(url.utf8)).hex.prefix(16).description)
    let name = url.split(separator: "/").last.map(String.init) ?? "file"
    let whole = folder.appending(name)
    if Files.exists(whole) { return whole }
    try Files.makeFolder(folder)
    let part = folder.appending(name + ".part")
    let doing = "fetching \(url)"
    let curl = Command(
      "curl",
      [
        "--fail", "--location", "--silent", "--show-error", "--proto", "=https,http,ftp", "--retry", "3",
        // A server that says nothing for a minute is not waited for.
        "--connect-timeout", "60", "--speed-limit", "1", "--speed-time", "60",
        "--continue-at", "-", "--output", part.string, "--", url,
      ], environment: Command.plainEnvironment.merging(Fetcher.proxies) { $1 })
    let outcome = try await progress.step("fetching \(name)") {
      let outcome = try await curl.run(doing: doing)
      // Some servers cannot go on in the middle (33, 36): then from the start.
      guard [.exited(33), .exited(36)].contains(outcome.status) else { return outcome }
      try Files.remove(part)
      return try await curl.run(doing: doing)
    }
    guard outcome.succeeded else {
      // Only "not found" and "gone" mean that there is none; a server in trouble may have it.
      if isOptional, outcome.status == .exited(22), ["404", "410"].contains(where: outcome.lastErrorLine.hasSuffix) {
        return nil
      }
      if outcome.status == .exited(23) {
        throw ReleaseError(
          .failed, doing: doing, reason: "\(folder) cannot take it: \(outcome.lastErrorLine)",
          remedy: AssemblerRemedy.chooseCacheWithSpace)
      }
      throw ReleaseError(
        .source, doing: doing, reason: outcome.lastErrorLine, remedy: AssemblerRemedy.tryFetchAgain)
    }
    // An empty file leaves nothing on the disk.
    if !Files.exists(part) { try Files.write([], to: part) }
    guard rename(part.string, whole.string) == 0 else { throw ReleaseError(errno: errno, doing: doing) }
    return whole
  }

  /// Brings one ref of a remote repository into a bare one of our own.
  package func repository(_ url: String, ref: String, progress: Progress) async throws -> FilePath {
    let folder = cache.appending("git").appending(SHA256Digest(of: Array(url.utf8)).hex.prefix(16).description)
    let doing = "fetching \(ref) of \(url)"
    let environment = GitSource.environment.merging(Fetcher.proxies) { $1 }
    if !Files.isFolder(folder) {
      try Files.makeFolder(folder.removingLastComponent())
      _ = try await Command("git", ["init", "--quiet", "--bare", folder.string], environment: environment)
        .check(doing: doing)
    }
    let fetch = Command(
      "git", ["-C", folder.string, "fetch", "--quiet", "--depth=1", "--force", url, "+\(ref):refs/lrelease/\(ref)"],
      environment: environment)
    _ = try await progress.step("fetching \(ref) of \(url)") {
      try await fetch.check(doing: doing, code: .source, remedy: AssemblerRemedy.giveOwnRepository)
    }
    return folder
  }

  private static var proxies: [String: String] {
    var found: [String: String] = [:]
    for name in ["http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"] {
      if let value = environmentVariable(name) { found[name] = value }
    }
    return found
  }
}
