// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

/// An open folder. Its contents are opened relative to it, so that no link is followed, even if somebody creates one
/// meanwhile. Names are bytes.
final class FolderHandle {
  /// Where it stood when it was opened: for messages.
  let path: FilePath
  private let descriptor: Int32

  private init(_ path: FilePath, _ descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  /// Opens a folder; `path` itself may contain links.
  convenience init(_ path: FilePath) throws {
    let descriptor = path.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw ReleaseError(errno: errno, doing: "reading the folder \(path)") }
    self.init(path, descriptor)
  }

  deinit { close(descriptor) }

  func place(of name: [UInt8]) -> FilePath { path.appending(bytes: name) }

  // MARK: reading

  /// The names in it, sorted, without `.` and `..`.
  func names() throws -> [[UInt8]] {
    let doing = "reading the folder \(path)"
    let again = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard again >= 0 else { throw ReleaseError(errno: errno, doing: doing) }
    guard let stream = fdopendir(again) else {
      let problem = errno
      close(again)
      throw ReleaseError(errno: problem, doing: doing)
    }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != [0x2e] && name != [0x2e, 0x2e] { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw ReleaseError(errno: errno, doing: doing) }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }

  func status(of name: [UInt8]) throws -> stat {
    var status = stat()
    guard withCString(name, { fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
      throw ReleaseError(errno: errno, doing: "reading \(place(of: name))")
    }
    return status
  }

  /// Opens a folder in it.
  func folder(_ name: [UInt8]) throws -> FolderHandle {
    let inner = withCString(name) { openat(descriptor, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    guard inner >= 0 else { throw ReleaseError(errno: errno, doing: "reading the folder \(place(of: name))") }
    return FolderHandle(place(of: name), inner)
  }

  func read(_ name: [UInt8], limit: Int64) throws -> [UInt8] {
    try Files.read(limit: limit, doing: "reading \(place(of: name))") {
      // Without O_NONBLOCK, opening a FIFO without a writer would block.
      let raw = withCString(name) { openat(descriptor, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
      guard raw >= 0 else { throw Errno(rawValue: errno) }
      return FileDescriptor(rawValue: raw)
    }
  }

  /// The target of a link.
  func target(of name: [UInt8]) throws -> String {
    let doing = "reading the link \(place(of: name))"
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = withCString(name) { readlinkat(descriptor, $0, &buffer, Int(PATH_MAX)) }
    guard count >= 0 else { throw ReleaseError(errno: errno, doing: doing) }
    guard let target = String(validating: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) else {
      throw ReleaseError(.source, doing: doing, reason: "its target is not UTF-8")
    }
    return target
  }

  // MARK: writing

  /// Opens a folder in it, and creates it if there is none.
  func makeFolder(_ name: [UInt8], mode: UInt32 = 0o755) throws -> FolderHandle {
    let doing = "making the folder \(place(of: name))"
    let isNew = withCString(name) { mkdirat(descriptor, $0, 0o700) } == 0
    guard isNew || errno == EEXIST else { throw ReleaseError(errno: errno, doing: doing) }
    let inner = withCString(name) { openat(descriptor, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    guard inner >= 0 else { throw ReleaseError(errno: errno, doing: doing) }
    let folder = FolderHandle(place(of: name), inner)
    // As it is asked for, whatever the umask is.
    guard !isNew || fchmod(inner, mode) == 0 else { throw ReleaseError(errno: errno, doing: doing) }
    return folder
  }

  /// Writes a new file; anything that has its name is an error.
  func write(_ bytes: FileBytes, to name: [UInt8], mode: UInt32, time: Int64?) throws {
    let doing = "writing \(place(of: name))"
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let raw = withCString(name) { openat(descriptor, $0, flags, 0o600) }
    guard raw >= 0 else { throw ReleaseError(errno: errno, doing: doing) }
    let file = FileDescriptor(rawValue: raw)
    do {
      try file.closeAfter {
        try bytes.forEachPiece { _ = try file.writeAll($0) }
        guard fchmod(raw, mode) == 0 else { throw Errno(rawValue: errno) }
        if let time, futimens(raw, both(time)) != 0 { throw Errno(rawValue: errno) }
      }
    } catch {
      // It is ours: half a file on a full disk helps nobody.
      withCString(name) { _ = unlinkat(descriptor, $0, 0) }
      if let error = error as? Errno { throw ReleaseError(errno: error.rawValue, doing: doing) }
      throw error
    }
  }

  /// Makes a link; anything that has its name is an error.
  func link(_ name: [UInt8], to target: String, time: Int64?) throws {
    guard withCString(name, { symlinkat(target, descriptor, $0) }) == 0 else {
      throw ReleaseError(errno: errno, doing: "writing \(place(of: name))")
    }
    guard let time else { return }
    guard withCString(name, { utimensat(descriptor, $0, both(time), AT_SYMLINK_NOFOLLOW) }) == 0 else {
      throw ReleaseError(errno: errno, doing: "setting the time of \(place(of: name))")
    }
  }

  /// Sets its own time, in seconds since 1970. What is made in it later changes that.
  func setTime(_ time: Int64) throws {
    guard futimens(descriptor, both(time)) == 0 else {
      throw ReleaseError(errno: errno, doing: "setting the time of \(path)")
    }
  }

  /// Of the last use and the last change.
  private func both(_ time: Int64) -> [timespec] {
    Array(repeating: timespec(tv_sec: time_t(time), tv_nsec: 0), count: 2)
  }
}

private func withCString<R>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) throws -> R) rethrows -> R {
  try (name.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
    // It has the 0 at least.
    try body(buffer.baseAddress.unsafelyUnwrapped)
  }
}
