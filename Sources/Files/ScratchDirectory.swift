// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import Synchronization
import SystemPackage

/// A private folder for work in progress, removed with its contents at the end.
///
/// It is locked as long as its process lives. By that, the next process recognises and removes what a killed process
/// left. `LRELEASE_KEEP_SCRATCH=1` keeps it, under another name, and says where it is.
package func withScratch<R>(
  in parent: FilePath? = nil, _ body: (FilePath) async throws -> R
) async throws -> R {
  let parent = parent ?? Files.temporaryFolder
  ScratchDirectory.sweepOnce(parent)
  let scratch = try ScratchDirectory(in: parent)
  do {
    let result = try await body(scratch.folder)
    await scratch.finish()
    return result
  } catch {
    await scratch.finish()
    throw error
  }
}

private struct ScratchDirectory {
  static let prefix = "lrelease-work."
  let folder: FilePath
  /// nil on a file system without locks, where nothing is swept either.
  private let lock: FileLock?

  init(in parent: FilePath) throws {
    while true {
      var template = Array("\(parent)/\(Self.prefix)XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else {
        throw ReleaseError(
          errno: errno, doing: "making a scratch folder in \(parent)",
          advice: "set TMPDIR to a folder that can be written")
      }
      let folder = FilePath(platformString: template)
      let lock = try? FileLock(folder: folder)
      let isLocked = try? lock?.tryAcquire(.exclusive)
      // Before it was locked, another lrelease may have mistaken it for an abandoned one.
      if isLocked == true, lock?.isInPlace == false { continue }
      self.folder = folder
      self.lock = isLocked == true ? lock : nil
      return
    }
  }

  func finish() async {
    defer { lock?.release() }
    guard environmentVariable("LRELEASE_KEEP_SCRATCH") != nil else {
      try? await Files.removeWhenQuiet(folder)
      return
    }
    let kept = folder.removingLastComponent().appending("lrelease-kept.\(folder.name.dropFirst(Self.prefix.count))")
    let place = rename(folder.string, kept.string) == 0 ? kept : folder
    _ = try? FileDescriptor.standardError.writeAll(Array("lrelease: kept \(place)\n".utf8))
  }

  // MARK: what others have left

  private static let swept = Mutex<Set<FilePath>>([])

  /// Removes what dead lrelease processes of this user have left in a folder; once in each process.
  static func sweepOnce(_ parent: FilePath) {
    guard swept.withLock({ $0.insert(parent).inserted }) else { return }
    for name in (try? Files.names(in: parent)) ?? []
    where name.starts(with: prefix.utf8) && name.count == prefix.utf8.count + 6 {
      let path = parent.appending(bytes: name)
      var status = stat()
      guard path.withPlatformString({ lstat($0, &status) }) == 0, status.st_uid == geteuid() else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        _ = try? Files.removeIfAbandoned(path)
      } else if status.st_mode & S_IFMT == S_IFREG, status.st_size == 0, time(nil) - status.st_mtim.tv_sec > 60 {
        // A file loses its name right after it is created, unless its process is killed in between.
        unlink(path.string)
      }
    }
  }
}

extension Files {
  /// Removes a folder that the process which wrote it had locked, when that process is dead.
  ///
  /// - Returns: whether it was removed.
  @discardableResult
  package static func removeIfAbandoned(_ folder: FilePath) throws -> Bool {
    let lock = try FileLock(folder: folder)
    guard try lock.tryAcquire(.exclusive) else { return false }
    defer { lock.release() }
    guard lock.isInPlace else { return false }
    try remove(folder)
    return true
  }

  /// A new file without a name: it goes with the last descriptor of it, or with the process.
  package static func unnamedFile(in parent: FilePath, doing: String) throws -> FileDescriptor {
    ScratchDirectory.sweepOnce(parent)
    let linuxTemporaryFile: Int32 = 0o20000000 | O_DIRECTORY  // O_TMPFILE, from linux/fcntl.h
    var raw = open(parent.string, linuxTemporaryFile | O_RDWR | O_CLOEXEC, 0o600)
    // Some file systems make none.
    if raw < 0, [EOPNOTSUPP, EISDIR, ENOENT, EINVAL].contains(errno) {
      var template = Array("\(parent)/\(ScratchDirectory.prefix)XXXXXX".utf8CString)
      raw = mkstemp(&template)
      if raw >= 0 {
        _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
        unlink(&template)
      }
    }
    guard raw >= 0 else {
      throw ReleaseError(
        .failed, doing: doing, reason: "\(parent), where work in progress is: \(String(cString: strerror(errno)))",
        advice: "set TMPDIR to a folder that can be written")
    }
    return FileDescriptor(rawValue: raw)
  }
}
