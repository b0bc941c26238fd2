// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

/// An advisory lock on a file or a folder: flock(2). It ends with the process, or when nothing refers to it any more.
package final class FileLock: Sendable {
  package enum Kind: Sendable { case shared, exclusive }

  private let path: FilePath
  private let descriptor: Int32

  /// Opens a lock file, and creates it if there is none.
  ///
  /// - Parameter touch: sets the time of the file to now, as a record of its last use.
  package init(_ path: FilePath, touch: Bool = true) throws {
    self.path = path
    descriptor = open(path.string, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw ReleaseError(errno: errno, doing: "writing \(path)") }
    if touch { futimens(descriptor, nil) }
  }

  /// Opens an existing file to lock it; a symbolic link does not count.
  package init(existing path: FilePath) throws {
    self.path = path
    descriptor = open(path.string, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw ReleaseError(errno: errno, doing: "locking \(path)") }
  }

  /// Opens an existing folder to lock it; a symbolic link does not count.
  package init(folder path: FilePath) throws {
    self.path = path
    descriptor = open(path.string, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw ReleaseError(errno: errno, doing: "locking \(path)") }
  }

  deinit { close(descriptor) }

  /// Acquires the lock when nobody else holds it.
  ///
  /// - Returns: whether it was acquired.
  package func tryAcquire(_ kind: Kind) throws -> Bool {
    while flock(descriptor, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      guard errno == EWOULDBLOCK else {
        throw ReleaseError(
          errno: errno, doing: "locking \(path)", remedy: FilesRemedy.chooseCacheWithLocks)
      }
      return false
    }
    return true
  }

  /// Waits until the lock is free and acquires it. No thread is blocked meanwhile.
  package func acquire(_ kind: Kind) async throws {
    while !(try tryAcquire(kind)) { try await Task.sleep(for: .milliseconds(100)) }
  }

  /// Waits for a while.
  ///
  /// A child holds the locks of its parent between fork and exec, so a free lock may look held for a moment.
  ///
  /// - Returns: whether the lock was acquired.
  package func acquire(_ kind: Kind, within time: Duration) async throws -> Bool {
    let end = ContinuousClock.now + time
    while !(try tryAcquire(kind)) {
      if ContinuousClock.now >= end { return false }
      try await Task.sleep(for: .milliseconds(20))
    }
    return true
  }

  /// The user to whom what is locked belongs.
  package var owner: uid_t? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status.st_uid : nil
  }

  package func release() { flock(descriptor, LOCK_UN) }

  /// Whether the locked file still has its name; it may have been removed or renamed before we got the lock.
  package var isInPlace: Bool {
    var locked = stat()
    var found = stat()
    return fstat(descriptor, &locked) == 0 && lstat(path.string, &found) == 0
      && locked.st_dev == found.st_dev && locked.st_ino == found.st_ino
  }

  /// Whether the file was removed, so that others lock a new one.
  package var isGone: Bool {
    var status = stat()
    return fstat(descriptor, &status) != 0 || status.st_nlink == 0
  }
}
