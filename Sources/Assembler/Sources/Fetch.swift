// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// Brings files into the cache, with curl.
package struct Fetcher: Sendable {
  package var cache: FilePath

  package init(cache: FilePath) { self.cache = cache }

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
      ], environment: FetchEnvironment.curl)
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
}
