// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// The cached copy of a remote repository: a bare repository under `git/`.
struct GitCache {
  /// The address without secrets.
  let place: String
  let folder: FilePath
  let isSHA256: Bool

  init(_ remote: GitRemote, isSHA256: Bool) {
    place = SourceAddress.shown(remote.address)
    self.isSHA256 = isSHA256
    // A repository has one object format, and so has each copy.
    let name = SHA256Digest(of: Array(place.utf8)).hex.prefix(16) + (isSHA256 ? "-sha256" : "")
    folder = remote.cache.appending("git").appending(String(name))
  }

  /// A cached commit, and the tag that leads to it.
  func known(_ ref: String, _ commit: String, _ doing: String) async throws -> FetchedRevision? {
    guard GitRepository.isBare(folder) else { return nil }
    let copy = GitCopy(folder: folder, place: place, isSHA256: isSHA256, lock: nil)
    guard try await copy.has(commit, doing) else { return nil }
    for name in [ref, "refs/tags/\(ref)", "refs/heads/\(ref)"] {
      guard let object = try await copy.object(of: GitCopy.ref(for: name), doing),
        try await copy.commit(of: object, ref, doing) == commit
      else { continue }
      return copy.fetched(GitRevision(object: object, name: name, commit: commit))
    }
    return copy.fetched(commit)
  }

  /// The copy, locked for this process. It is created if missing.
  func opened(_ doing: String, _ progress: Progress) async throws -> GitCopy {
    try Files.makeFolder(folder.removingLastComponent())
    let lock = try FileLock(FilePath("\(folder).lock"))
    if !(try lock.tryAcquire(.exclusive)) {
      progress.stands("\(doing): waiting for another fetch from there to end")
      try await lock.acquire(.exclusive)
    }
    let copy = GitCopy(folder: folder, place: place, isSHA256: isSHA256, lock: lock)
    try copy.removeLeftovers()
    if try await !copy.isUsable(doing) { try await copy.makeAnew(doing) }
    return copy
  }
}

/// The copy of a repository in the cache.
struct GitCopy: Sendable {
  let folder: FilePath
  let place: String
  let isSHA256: Bool
  /// The lock during a fetch.
  let lock: FileLock?

  /// A private ref that keeps what a ref named.
  static func ref(for name: String) -> String {
    "refs/lrelease/\(SHA256Digest(of: Array(name.utf8)).hex.prefix(16))"
  }

  func fetched(_ revision: GitRevision) -> FetchedRevision {
    FetchedRevision(place: place, folder: folder, commit: revision.commit, revision: revision)
  }

  func fetched(_ commit: String) -> FetchedRevision {
    FetchedRevision(place: place, folder: folder, commit: commit, revision: nil)
  }

  // MARK: contents

  private func git(_ arguments: [String]) -> Command {
    Command("git", ["--git-dir", folder.string] + arguments, environment: GitRepository.environment)
  }

  func object(of ref: String, _ doing: String) async throws -> String? {
    let parsed = try await git(["rev-parse", "--verify", "--quiet", "--end-of-options", ref]).run(doing: doing)
    return parsed.succeeded ? parsed.text.trimmed : nil
  }

  /// Whether the copy has an object that leads to a commit, with its files: git keeps only complete packs.
  func has(_ id: String, _ doing: String) async throws -> Bool {
    try await git(["cat-file", "-e", "\(id)^{commit}^{tree}"]).run(doing: doing).succeeded
  }

  func commit(of object: String, _ ref: String, _ doing: String) async throws -> String {
    try await GitRepository(folder, isFetched: true, doing: doing).commit(of: object, named: ref)
  }

  // MARK: state

  /// Whether it is a valid repository of the right format: an older lrelease may have been interrupted.
  fileprivate func isUsable(_ doing: String) async throws -> Bool {
    guard GitRepository.isBare(folder) else { return false }
    let format = try await git(["rev-parse", "--show-object-format"]).run(doing: doing)
    return format.succeeded && format.text.trimmed == (isSHA256 ? "sha256" : "sha1")
  }

  /// Whether it is corrupt, for example after a power failure.
  func isDamaged(_ doing: String) async throws -> Bool {
    try await !git(["fsck", "--connectivity-only", "--no-dangling", "--no-progress"]).run(doing: doing).succeeded
  }

  /// Replaces it by an empty one.
  func makeAnew(_ doing: String) async throws {
    let part = FilePath("\(folder).partial")
    try Files.remove(part)
    let format = isSHA256 ? ["--object-format=sha256"] : []
    _ = try await Command(
      "git", ["init", "--quiet", "--bare", "--template="] + format + ["--", part.string],
      environment: GitRepository.environment
    ).check(doing: doing)
    try AtomicDirectory.replace(folder, with: part, doing: doing)
  }

  /// Removes what a killed git left. This process holds the lock, so nobody else fetches into this copy.
  fileprivate func removeLeftovers() throws {
    func clear(_ folder: FilePath, isOfObjects: Bool) throws {
      for bytes in try Files.names(in: folder) {
        let name = String(decoding: bytes, as: UTF8.self)
        let path = folder.appending(bytes: bytes)
        if name.hasSuffix(".lock") || isOfObjects && (name.hasPrefix("tmp_") || name.hasPrefix("incoming-")) {
          try Files.remove(path)
        } else if Files.isFolder(path) {
          try clear(path, isOfObjects: isOfObjects || name == "objects")
        }
      }
    }
    if Files.isFolder(folder) { try clear(folder, isOfObjects: false) }
  }
}
