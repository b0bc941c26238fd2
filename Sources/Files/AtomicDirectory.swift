// SPDX-License-Identifier: GPL-2.0-only

import CRename
import Diagnostics
import Glibc
import SystemPackage

/// A folder that is written atomically: beside its place under a lock, flushed, renamed.
///
/// The next process removes what a killed one has left.
package struct AtomicDirectory: Sendable {
  package let path: FilePath
  /// Where it is written.
  private let part: FilePath
  private let doing: String
  private let busy: ReleaseError
  private let conflict: ReleaseError
  /// False does what is done where a file system cannot exchange two names: for tests.
  package var exchanges = true

  /// - Parameters:
  ///   - doing: what was being done, for errors.
  ///   - busy: the error when another process writes the same folder.
  ///   - conflict: the error if the folder exists and is not replaced.
  package init(_ path: FilePath, doing: String, busy: ReleaseError, conflict: ReleaseError) {
    self.path = Files.absolute(path)
    part = self.path.removingLastComponent().appending(".\(self.path.lastComponent?.string ?? "folder").partial")
    self.doing = doing
    self.busy = busy
    self.conflict = conflict
  }

  /// Writes the folder.
  ///
  /// - Parameters:
  ///   - replaces: whether an existing folder is replaced. It stays until the new one takes its name.
  ///   - body: is given the folder to write to.
  package func create(replacing replaces: Bool = false, _ body: (FilePath) async throws -> Void) async throws {
    guard try await write(replacing: replaces, body) else { throw conflict }
  }

  /// Writes the folder, unless something has its name.
  ///
  /// - Returns: false when something has: another process may have written it a moment ago.
  package func createIfMissing(_ body: (FilePath) async throws -> Void) async throws -> Bool {
    guard !Files.exists(path) else { return false }
    return try await write(replacing: false, body)
  }

  /// - Returns: false when something has that name and is not replaced.
  private func write(replacing replaces: Bool, _ body: (FilePath) async throws -> Void) async throws -> Bool {
    let parent = path.removingLastComponent()
    let missing = missingFolders(parent)
    try Files.makeFolder(parent)
    var isWritten = false
    defer { if !isWritten { for folder in missing { rmdir(folder.string) } } }
    let lock = try lock()
    defer { lock.release() }
    do {
      AtomicDirectory.sweep(parent, except: part)
      try AtomicDirectory.recover(path, from: part)
      for name in try Files.names(in: part) { try Files.remove(part.appending(bytes: name)) }
      isWritten = try await fill(replacing: replaces, body)
    } catch {
      // Once it has its name, the next process may write here.
      if lock.isInPlace { try? await Files.removeWhenQuiet(part) }
      throw error
    }
    if isWritten {
      try Files.synchronize(parent)
    } else {
      try? await Files.removeWhenQuiet(part)
    }
    return isWritten
  }

  /// Writes the folder where we hold its lock, and gives it its name.
  ///
  /// - Returns: false when something has that name and is not replaced.
  private func fill(replacing replaces: Bool, _ body: (FilePath) async throws -> Void) async throws -> Bool {
    guard replaces || !Files.exists(path) else { return false }
    try await body(part)
    try Task.checkCancellation()
    chmod(part.string, 0o755)
    try flush()
    guard replaces else { return try AtomicDirectory.rename(part, toNew: path, doing: doing) }
    // After an exchange, the old folder is where the next process would write: that must wait.
    let old = AtomicDirectory.kind(of: path) == S_IFDIR ? try FileLock(folder: path) : nil
    guard try old?.tryAcquire(.exclusive) ?? true else { throw busy }
    defer { old?.release() }
    try AtomicDirectory.replace(path, with: part, doing: doing, exchanges: exchanges)
    return true
  }

  /// Removes `.NAME.partial` folders that dead processes were writing under other names.
  private static func sweep(_ parent: FilePath, except part: FilePath) {
    for bytes in (try? Files.names(in: parent)) ?? [] {
      let name = String(decoding: bytes, as: UTF8.self)
      guard name.hasPrefix("."), name.hasSuffix(".partial"), name != part.name else { continue }
      let place = parent.appending(bytes: bytes)
      var status = stat()
      guard lstat(place.string, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
        status.st_mode & 0o777 == 0o700
      else { continue }
      _ = try? Files.removeIfAbandoned(place)
    }
  }

  /// Two processes that write at a time would mix their files.
  private func lock() throws -> FileLock {
    for _ in 0..<100 {
      let isMade = mkdir(part.string, 0o700) == 0
      if !isMade && errno != EEXIST { throw ReleaseError(errno: errno, doing: doing) }
      let lock: FileLock
      do {
        lock = try FileLock(folder: part)
      } catch {
        switch AtomicDirectory.kind(of: part) {
        case nil: continue
        case S_IFDIR: throw error
        default: throw foreign("is no folder")
        }
      }
      // In a folder such as /tmp, another user could have created it and could write to it later.
      if !isMade, lock.owner != geteuid() { throw foreign("belongs to another user") }
      guard try lock.tryAcquire(.exclusive) else { throw busy }
      // Since we opened it, its owner may have renamed or removed it.
      if lock.isInPlace { return lock }
    }
    throw busy
  }

  private func foreign(_ reason: String) -> ReleaseError {
    ReleaseError(
      .conflict, doing: doing, reason: "\(part), where it is written first, \(reason)",
      advice: "remove that, or choose another folder")
  }

  private func flush() throws {
    try DirectoryWalker(part, doing: doing).walk { entry in
      if entry.kind == .regular || entry.kind == .folder { try Files.synchronize(entry.place) }
      return .goOn
    }
    try Files.synchronize(part)
  }

  /// The folders on the way to `path` that are not there, the deepest first: ours to remove when we fail.
  private func missingFolders(_ path: FilePath) -> [FilePath] {
    var missing: [FilePath] = []
    var folder = path
    while !folder.isEmpty, !Files.exists(folder) {
      missing.append(folder)
      folder.removeLastComponent()
    }
    return missing
  }

  // MARK: names

  /// Renames the folder `part` to `path`. An existing folder of that name is replaced atomically, and removed.
  ///
  /// Where the file system cannot exchange names, there is a moment without either; if the process is killed in it,
  /// `recover` repairs that.
  package static func replace(
    _ path: FilePath, with part: FilePath, doing: String, exchanges: Bool = true
  ) throws {
    // Machines that do not see our lock may create and remove folders of this name meanwhile: hence the loop.
    while true {
      guard kind(of: path) == S_IFDIR else {
        try Files.remove(path)
        if try rename(part, toNew: path, doing: doing) { return }
        continue
      }
      if exchanges, renameat2(AT_FDCWD, part.string, AT_FDCWD, path.string, UInt32(RENAME_EXCHANGE)) == 0 {
        // Some file systems cannot flush a folder; that is no error.
        try? Files.synchronize(path.removingLastComponent())
        return try Files.remove(part)
      }
      if exchanges, errno == ENOENT, Files.exists(part) { continue }
      guard !exchanges || isUnknown(errno) else { throw ReleaseError(errno: errno, doing: doing) }
      return try replaceInSteps(path, with: part, doing: doing)
    }
  }

  private static func replaceInSteps(_ path: FilePath, with part: FilePath, doing: String) throws {
    let old = aside(part)
    try Files.remove(old)
    guard try rename(path, toNew: old, doing: doing) else { throw ReleaseError(errno: EEXIST, doing: doing) }
    do {
      guard try rename(part, toNew: path, doing: doing) else { throw ReleaseError(errno: EEXIST, doing: doing) }
    } catch {
      _ = try? rename(old, toNew: path, doing: doing)
      throw error
    }
    try? Files.synchronize(path.removingLastComponent())
    try Files.remove(old)
  }

  /// Repairs the state after a process was killed in `replace`: the old folder gets its name back, or is removed.
  package static func recover(_ path: FilePath, from part: FilePath) throws {
    let old = aside(part)
    guard Files.exists(old) else { return }
    if try !rename(old, toNew: path, doing: "restoring \(path)") { try Files.remove(old) }
  }

  /// Where an old folder is until the new one has its name.
  private static func aside(_ part: FilePath) -> FilePath { FilePath("\(part).old") }

  /// - Returns: false when something has that name.
  private static func rename(_ path: FilePath, toNew new: FilePath, doing: String) throws -> Bool {
    if renameat2(AT_FDCWD, path.string, AT_FDCWD, new.string, UInt32(RENAME_NOREPLACE)) == 0 { return true }
    if isUnknown(errno) {
      if Files.exists(new) { return false }
      if Glibc.rename(path.string, new.string) == 0 { return true }
    }
    guard errno == EEXIST else { throw ReleaseError(errno: errno, doing: doing) }
    return false
  }

  /// Whether the kernel or the file system lacks `renameat2`, or this flag of it.
  private static func isUnknown(_ number: Int32) -> Bool { [EINVAL, ENOSYS, EOPNOTSUPP].contains(number) }

  private static func kind(of path: FilePath) -> mode_t? {
    var status = stat()
    return lstat(path.string, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}
