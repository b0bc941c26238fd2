// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import SystemPackage

/// Files in a folder, each named by the digest of what it was made from: it can be removed at any time, and made again.
package struct CacheFolder: Sendable {
  private let folder: FilePath
  private let limit: Int64

  /// - Parameter limit: how many bytes `trim` leaves.
  package init(_ folder: FilePath, limit: Int64) {
    self.folder = folder
    self.limit = limit
  }

  private func place(_ key: SHA256Digest) -> FilePath {
    folder.appending(String(key.hex.prefix(2))).appending(key.hex)
  }

  /// The file of `key`; nil if there is none.
  package func path(_ key: SHA256Digest) -> FilePath? {
    let file = place(key)
    return Files.exists(file) ? file : nil
  }

  /// The file of `key`, which counts as used now; nil if there is none.
  package func use(_ key: SHA256Digest) -> FilePath? {
    let file = place(key)
    return utimes(file.string, nil) == 0 ? file : nil
  }

  /// Stores a file that `write` writes, atomically. If that fails, there is no file.
  package func store(_ key: SHA256Digest, _ write: (FilePath) throws -> Void) {
    let file = place(key)
    do {
      try Files.makeFolder(file.removingLastComponent(), mode: 0o700)
      try write(file)
    } catch {
      rmdir(file.removingLastComponent().string)
    }
  }

  /// The same for what is written piece by piece.
  package func store(_ key: SHA256Digest, _ write: (FilePath) async throws -> Void) async {
    let file = place(key)
    do {
      try Files.makeFolder(file.removingLastComponent(), mode: 0o700)
      try await write(file)
    } catch {
      rmdir(file.removingLastComponent().string)
    }
  }

  /// Removes what dead processes left, and the files that were not used for longest, until the rest fits into the
  /// limit. Others may be using the folder meanwhile: whoever has a file open can still read it.
  package func trim() {
    var files: [(path: FilePath, size: Int64, used: timespec)] = []
    for part in (try? Files.names(in: folder)) ?? [] {
      let part = folder.appending(bytes: part)
      Files.sweep(part)
      for name in (try? Files.names(in: part)) ?? [] {
        let path = part.appending(bytes: name)
        var status = stat()
        guard path.withPlatformString({ lstat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
        files.append((path, Int64(status.st_size), status.st_mtim))
      }
    }
    var total = files.reduce(0) { $0 + $1.size }
    for file in files.sorted(by: { ($0.used.tv_sec, $0.used.tv_nsec) < ($1.used.tv_sec, $1.used.tv_nsec) }) {
      guard total > limit else { break }
      try? Files.remove(file.path)
      total -= file.size
    }
  }
}
