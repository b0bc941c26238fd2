// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Releases
import SystemPackage

/// When a file in the cache may be used again.
package enum Freshness: Sendable, Equatable {
  /// If it has this digest; the server is not asked.
  case pinned(SHA256Digest)
  /// If the server still has it. If the server cannot be reached, the copy is used with a warning.
  case current
  /// Always.
  case any
}

/// Fetches files into the cache with curl.
package struct Fetcher: Sendable {
  package var cache: FilePath
  /// The largest accepted file in bytes: some servers never stop.
  package var limit: Int64 = 4 << 30
  /// The delay before a failing server is asked again.
  var retryDelay = Duration.seconds(1)

  package init(cache: FilePath) { self.cache = cache }

  /// Fetches a file into the cache. An interrupted fetch is resumed.
  ///
  /// - Parameter isOptional: returns nil instead of an error if the server does not have the file.
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
      // A file that another process has just fetched is current.
      if freshness == .current { freshness = .any }
      try await progress.step("waiting for another lrelease that fetches \(SourceAddress.shown(url))") {
        try await lock.acquire(.exclusive)
      }
    }
    defer { lock.release() }
    let download = Download(url: url, folder: folder, doing: doing, limit: limit, retryDelay: retryDelay)
    return try await download.file(freshness, isOptional: isOptional, progress: progress)
  }

  /// Fetches a tarball with its signature. Both belong together: the server is asked for both or for neither.
  ///
  /// - Parameters:
  ///   - pin: the SHA-256 that the tarball must have, if known.
  ///   - needsSignature: whether it is an error if the signature cannot be requested; nil to skip it. A missing
  ///     signature is not an error here.
  /// - Returns: nil if the server does not have the tarball.
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

  /// The response header of a fetched file, beside it.
  static func head(of path: FilePath) -> FilePath { FilePath(path.string + ".head") }

  /// Removes a fetched file, so that it is fetched again.
  static func forget(_ path: FilePath) throws {
    try Files.remove(path)
    try Files.remove(head(of: path))
  }

  /// The error if the server does not have a file.
  static func notFound(_ url: String, _ status: Int? = nil) -> ReleaseError {
    ReleaseError(
      .source, doing: "fetching \(SourceAddress.shown(url))",
      reason: "the server does not have it" + (status.map { " (\($0))" } ?? ""),
      remedy: AssemblerRemedy.checkAddress)
  }
}
