// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// Brings files and repositories into the cache, with curl and git.
package struct Fetcher: Sendable {
  package var cache: FilePath
  /// The most bytes that are taken of one file: some servers never stop.
  package var limit: Int64 = 4 << 30
  /// How long a server in trouble is left alone before it is asked again.
  var retryDelay = Duration.seconds(1)

  package init(cache: FilePath) { self.cache = cache }

  package static func isRemote(_ place: String) -> Bool {
    place.contains("://") && !place.hasPrefix("file://")
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

  static var proxies: [String: String] {
    var found: [String: String] = [:]
    for name in ["http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"] {
      if let value = environmentVariable(name) { found[name] = value }
    }
    return found
  }
}
