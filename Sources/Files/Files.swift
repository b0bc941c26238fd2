// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

/// Whole files and folders, with errors that name the path.
package enum Files {
  /// The bytes of the file at `path`.
  ///
  /// - Parameter limit: the most bytes that are taken; a larger file is an error.
  package static func read(_ path: FilePath, limit: Int64 = 1 << 30, doing: String? = nil) throws -> [UInt8] {
    let doing = doing ?? "reading \(path)"
    return try read(limit: limit, doing: doing) {
      try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
    }
  }

  /// The bytes of a file that `open` gives.
  static func read(limit: Int64, doing: String, _ open: () throws -> FileDescriptor) throws -> [UInt8] {
    do {
      let (file, status) = try openRegular(doing: doing, code: .input, open)
      return try file.closeAfter {
        guard Int64(status.st_size) <= limit else {
          throw ReleaseError(.input, doing: doing, reason: "it has \(status.st_size) bytes, more than \(limit)")
        }
        return try readToEnd(file, expecting: Int(status.st_size))
      }
    } catch let error as Errno {
      throw ReleaseError(.failed, doing: doing, reason: error.description, cause: error)
    }
  }

  /// Opens a file to read it. Anything but a regular file is an error: a FIFO would never end, a device could be
  /// anything.
  package static func openRegular(
    _ path: FilePath, doing: String, code: ReleaseError.Code = .input
  ) throws -> (file: FileDescriptor, status: stat) {
    try openRegular(doing: doing, code: code) {
      // Without this, opening a FIFO without a writer would block.
      try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
    }
  }

  private static func openRegular(
    doing: String, code: ReleaseError.Code, _ open: () throws -> FileDescriptor
  ) throws -> (file: FileDescriptor, status: stat) {
    do {
      let file = try open()
      do {
        let status = try status(of: file, doing: doing)
        guard status.st_mode & S_IFMT == S_IFREG else {
          throw ReleaseError(code, doing: doing, reason: "it is not a regular file")
        }
        // Whoever inherits it expects plain reads.
        _ = fcntl(file.rawValue, F_SETFL, 0)
        return (file, status)
      } catch {
        try? file.close()
        throw error
      }
    } catch let error as Errno {
      let isWrongName = [.noSuchFileOrDirectory, .notDirectory, .fileNameTooLong].contains(error)
      throw ReleaseError(isWrongName ? code : .failed, doing: doing, reason: error.description, cause: error)
    }
  }

  /// The last bytes of the file at `path`: fewer than `count` where it has no more.
  package static func end(of path: FilePath, count: Int) throws -> [UInt8] {
    let doing = "reading \(path)"
    let (file, status) = try openRegular(path, doing: doing)
    do {
      return try file.closeAfter {
        let size = Int(status.st_size)
        try file.seek(offset: Int64(max(0, size - count)), from: .start)
        return try readToEnd(file, expecting: min(size, count))
      }
    } catch let error as Errno {
      throw ReleaseError(.failed, doing: doing, reason: error.description, cause: error)
    }
  }

  /// The first bytes of the file at `path`: fewer than `count` where it has no more.
  package static func start(of path: FilePath, count: Int) throws -> [UInt8] {
    let doing = "reading \(path)"
    do {
      let (file, _) = try openRegular(path, doing: doing)
      return try file.closeAfter {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, got in
          got = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
      }
    } catch let error as Errno {
      throw ReleaseError(.failed, doing: doing, reason: error.description, cause: error)
    }
  }

  /// Straight into the array, as files are read by the thousand. A file that grows meanwhile costs a copy.
  private static func readToEnd(_ file: FileDescriptor, expecting size: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var room = size + 1
    while true {
      let chunk = try [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        while count < room {
          let rest = UnsafeMutableBufferPointer(rebasing: buffer[count...])
          let got = try file.read(into: UnsafeMutableRawBufferPointer(rest))
          if got == 0 { break }
          count += got
        }
      }
      bytes = bytes.isEmpty ? chunk : bytes + chunk
      if chunk.count < room { return bytes }
      room = 1 << 20
    }
  }

  /// The SHA-256 and the size of the file at `path`, which is never in memory as a whole.
  package static func digest(_ path: FilePath, doing: String? = nil) throws -> (SHA256Digest, size: Int64) {
    let doing = doing ?? "reading \(path)"
    do {
      let (file, status) = try openRegular(path, doing: doing)
      return try file.closeAfter {
        let size = Int64(status.st_size)
        return (try SHA256Digest(of: file, size: size), size)
      }
    } catch let error as Errno {
      throw ReleaseError(.failed, doing: doing, reason: error.description, cause: error)
    }
  }

  /// Writes a new file; an existing one is an error.
  package static func write(_ bytes: [UInt8], to path: FilePath, mode: UInt32 = 0o644) throws {
    do {
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: FilePermissions(rawValue: 0o600))
      try file.closeAfter {
        try file.writeAll(bytes)
        guard fchmod(file.rawValue, mode) == 0 else { throw Errno(rawValue: errno) }
      }
    } catch let error as Errno where error == .fileExists {
      throw ReleaseError(errno: error.rawValue, doing: "writing \(path)")
    } catch let error as Errno {
      // It is ours, and half a file is of no use.
      unlink(path.string)
      throw ReleaseError(errno: error.rawValue, doing: "writing \(path)")
    }
  }

  /// Copies a regular file to a new one, as a link to the same bytes where both are on one file system.
  ///
  /// Neither file may be written to afterwards; files of a release never are.
  package static func copy(_ path: FilePath, to copy: FilePath) throws {
    if path.withPlatformString({ path in copy.withPlatformString { link(path, $0) } }) == 0 { return }
    guard errno == EXDEV || errno == EPERM || errno == EMLINK else {
      throw ReleaseError(errno: errno, doing: "writing \(copy)")
    }
    try write(ContentStore(reading: path).whole(), to: copy)
  }

  /// Moves a file, also to another file system.
  package static func move(_ path: FilePath, to place: FilePath) throws {
    if path.withPlatformString({ path in place.withPlatformString { rename(path, $0) } }) == 0 { return }
    guard errno == EXDEV else { throw ReleaseError(errno: errno, doing: "writing \(place)") }
    try write(ContentStore(reading: path).whole(), to: place)
    try remove(path)
  }

  package static func exists(_ path: FilePath) -> Bool {
    var status = stat()
    return path.withPlatformString { lstat($0, &status) } == 0
  }

  package static func isFolder(_ path: FilePath) -> Bool {
    var status = stat()
    return path.withPlatformString { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether the file system that `path` is on has no room left for another file of some size.
  package static func isFull(_ path: FilePath) -> Bool {
    var room = statvfs()
    guard statvfs(path.string, &room) == 0 else { return false }
    return UInt64(room.f_bavail) * UInt64(room.f_frsize) < 256 << 10 || (room.f_files > 0 && room.f_favail == 0)
  }

  package static func status(of file: FileDescriptor, doing: String) throws -> stat {
    var status = stat()
    guard fstat(file.rawValue, &status) == 0 else { throw ReleaseError(errno: errno, doing: doing) }
    return status
  }

  /// Makes a folder and those above it.
  package static func makeFolder(_ path: FilePath, mode: UInt32 = 0o755) throws {
    var made = FilePath(path.root.map { String(decoding: $0) } ?? "")
    for component in path.components {
      made.append(component)
      if mkdir(made.string, mode) != 0 && errno != EEXIST && errno != ENOTDIR {
        throw ReleaseError(errno: errno, doing: "making the folder \(path)")
      }
    }
    guard isFolder(path) else {
      throw ReleaseError(
        .input, doing: "making the folder \(path)", reason: "a file has that name, or one on the way to it",
        advice: "choose another")
    }
  }

  /// Removes a file or a folder with everything in it; it may be missing.
  package static func remove(_ path: FilePath) throws {
    guard try clear(path) else { throw ReleaseError(errno: ENOTEMPTY, doing: "removing \(path)") }
  }

  /// The same for a folder that programs worked in, also in a task that was cancelled.
  ///
  /// Killed processes may still create and remove files for a moment: these files are removed, too.
  package static func removeWhenQuiet(_ path: FilePath) async throws {
    for _ in 0..<100 {
      if try clear(path) { return }
      // A task of its own, which is not cancelled and can wait.
      await Task { try? await Task.sleep(for: .milliseconds(10)) }.value
    }
    try remove(path)
  }

  /// - Returns: whether it was removed; it was not if others create files in it meanwhile.
  private static func clear(_ path: FilePath) throws -> Bool {
    // Names that are not UTF-8 must go too: no strings here.
    try path.withPlatformString { raw in
      var status = stat()
      guard lstat(raw, &status) == 0 else { return true }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        guard unlink(raw) == 0 || errno == ENOENT else { throw ReleaseError(errno: errno, doing: "removing \(path)") }
        return true
      }
      // A folder without write permission would keep what is in it.
      if status.st_mode & 0o700 != 0o700 { chmod(raw, 0o700) }
      func isGone() throws -> Bool {
        if rmdir(raw) == 0 || errno == ENOENT { return true }
        if errno == ENOTEMPTY || errno == EEXIST { return false }
        throw ReleaseError(errno: errno, doing: "removing \(path)")
      }
      // First try it without looking inside: a mounted file system stays as it is.
      if try isGone() { return true }
      for name in try names(in: path) { _ = try clear(path.appending(bytes: name)) }
      return try isGone()
    }
  }

  /// The names in a folder as bytes, sorted, without `.` and `..`.
  package static func names(in folder: FilePath) throws -> [[UInt8]] {
    try FolderHandle(folder).names()
  }

  /// Flushes a file or a folder to the disk.
  package static func synchronize(_ path: FilePath) throws {
    let raw = path.withPlatformString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    guard raw >= 0 else { throw ReleaseError(errno: errno, doing: "flushing \(path)") }
    defer { close(raw) }
    guard fsync(raw) == 0 else { throw ReleaseError(errno: errno, doing: "flushing \(path)") }
  }

  /// Where work in progress is: TMPDIR, or /tmp.
  package static var temporaryFolder: FilePath { FilePath(environmentVariable("TMPDIR") ?? "/tmp") }

  /// The path of what is at `path`, with all links on the way followed.
  package static func real(_ path: FilePath) throws -> FilePath {
    guard let real = realpath(path.string, nil) else { throw ReleaseError(errno: errno, doing: "opening \(path)") }
    defer { free(real) }
    return FilePath(platformString: real)
  }

  /// `path` as seen from the root, without `.` and `..`; links are not followed.
  package static func absolute(_ path: FilePath) -> FilePath {
    if path.isAbsolute { return path.lexicallyNormalized() }
    let here = getcwd(nil, 0)
    defer { free(here) }
    let base = here.map { FilePath(platformString: $0) } ?? "/"
    return base.pushing(path).lexicallyNormalized()
  }
}

extension FilePath {
  /// The last component, as text; empty for a root.
  package var name: String { lastComponent?.string ?? "" }

  /// The path with one more component, which may be any bytes that a file name can be.
  package func appending(bytes: [UInt8]) -> FilePath {
    let joined = withPlatformString { Array(UnsafeBufferPointer(start: $0, count: strlen($0))) }
    return FilePath(platformString: joined + [0x2f] + bytes.map { CChar(bitPattern: $0) } + [0])
  }
}
