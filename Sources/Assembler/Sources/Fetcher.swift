// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Releases
import SystemPackage

/// What a file must be that was fetched before, to be used again.
package enum Freshness: Sendable, Equatable {
  /// What has this digest; nobody asks the server.
  case pinned(SHA256Digest)
  /// What the server still has. When it cannot be reached, the copy stands for it, and that is said.
  case current
  /// Whatever is there.
  case any
}

/// Brings files into the cache, with curl.
package struct Fetcher: Sendable {
  package var cache: FilePath
  /// The most bytes that are taken of one file: some servers never stop.
  package var limit: Int64 = 4 << 30
  /// How long a server in trouble is left alone before it is asked again.
  var retryDelay = Duration.seconds(1)

  package init(cache: FilePath) { self.cache = cache }

  /// Fetches a file into the cache; an interrupted fetch is taken up where it stopped.
  ///
  /// - Parameter isOptional: a file that the server does not have is nil instead of an error.
  package func file(
    _ url: String, _ freshness: Freshness = .current, isOptional: Bool = false, progress: Progress
  ) async throws -> FilePath? {
    try await fetch(url, freshness, isOptional: isOptional, progress: progress)?.path
  }

  private func fetch(
    _ url: String, _ freshness: Freshness, isOptional: Bool, progress: Progress
  ) async throws -> (path: FilePath, wasAskedFor: Bool)? {
    let id = SHA256Digest(of: Array(url.utf8)).hex.prefix(16)
    let folder = cache.appending("fetched").appending(String(id))
    try Files.makeFolder(folder)
    let doing = "fetching \(SourceAddress.shown(url))"
    let lock = try FileLock(cache.appending("fetched").appending("\(id).lock"))
    var freshness = freshness
    if !(try lock.tryAcquire(.exclusive)) {
      // What another has fetched meanwhile is current.
      if freshness == .current { freshness = .any }
      try await progress.step("waiting for another lrelease that fetches \(SourceAddress.shown(url))") {
        try await lock.acquire(.exclusive)
      }
    }
    defer { lock.release() }
    let download = Download(url: url, folder: folder, doing: doing, limit: limit, retryDelay: retryDelay)
    return try await download.file(freshness, isOptional: isOptional, progress: progress)
  }

  /// Fetches a tarball with its signature. A signature goes with the tarball that was fetched with it: where one is asked
  /// for, the other is too.
  ///
  /// - Parameters:
  ///   - pin: the SHA-256 that the tarball must have, where that is known.
  ///   - needsSignature: whether it is an error when the server cannot be asked for the signature; nil to go without
  ///     one. That there is none is no error here.
  /// - Returns: nil when the server does not have the tarball.
  func tarball(
    _ url: String, pin: SHA256Digest?, signature needsSignature: Bool?, progress: Progress
  ) async throws -> (path: FilePath, signature: FilePath?)? {
    let freshness = pin.map { Freshness.pinned($0) } ?? .current
    guard let found = try await fetch(url, freshness, isOptional: true, progress: progress) else { return nil }
    guard let needsSignature else { return (found.path, nil) }
    do {
      let age: Freshness = pin == nil || found.wasAskedFor ? .current : .any
      for name in signatureNames(of: url) {
        if let signature = try await file(name, age, isOptional: true, progress: progress) {
          return (found.path, signature)
        }
      }
      return (found.path, nil)
    } catch let error as ReleaseError where error.code == .source && !needsSignature {
      return (found.path, nil)
    }
  }

  /// What the server said of a fetched file, beside it.
  static func head(of path: FilePath) -> FilePath { FilePath(path.string + ".head") }

  /// Removes what was fetched, so that it is fetched again.
  static func forget(_ path: FilePath) throws {
    try Files.remove(path)
    try Files.remove(head(of: path))
  }

  /// That the server does not have a file.
  static func notFound(_ url: String, _ status: Int? = nil) -> ReleaseError {
    ReleaseError(
      .source, doing: "fetching \(SourceAddress.shown(url))",
      reason: "the server does not have it" + (status.map { " (\($0))" } ?? ""),
      remedy: AssemblerRemedy.checkAddress)
  }
}
