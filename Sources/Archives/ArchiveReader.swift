// SPDX-License-Identifier: GPL-2.0-only

import CLibArchive
import Diagnostics
import Files
import Glibc
import SystemPackage

/// How much an archive may hold before it is refused.
package struct ArchiveLimits: Sendable {
  /// Bytes of the uncompressed archive.
  package var uncompressed: Int64 = 16 << 30
  /// Bytes that are kept.
  package var kept: Int64 = 2 << 30
  package var entries = 4_000_000
  package init() {}
}

/// Reads a tar stream once and keeps the wanted files.
///
/// Any return code of libarchive but "an entry" and "the end" is an error. Entries that could leave the tree are
/// refused, wanted or not. Source: libarchive's `archive_read(3)`.
package struct ArchiveReader {
  package struct Result: Sendable {
    /// Paths below the top folder of the archive.
    package var files: [String: FileEntry] = [:]
    /// Holds the contents of the files, one after the other in the order of the archive.
    package let store: ContentStore
    /// The newest time of any entry, in seconds since 1970.
    package var newest: Int64 = 0
    package var topFolder: String?
  }

  private let name: String
  private let limits: ArchiveLimits
  private let wants: (String) -> Bool
  private let stripsTopFolder: Bool

  /// - Parameters:
  ///   - name: the name of the archive for messages.
  ///   - stripsTopFolder: everything lies in one folder whose name does not count.
  package init(
    name: String, limits: ArchiveLimits = ArchiveLimits(), stripsTopFolder: Bool = true,
    wants: @escaping (String) -> Bool
  ) {
    self.name = name
    self.limits = limits
    self.stripsTopFolder = stripsTopFolder
    self.wants = wants
  }

  private var doing: String { "reading \(name)" }
  private func refused(_ reason: String) -> ReleaseError {
    ReleaseError(.source, doing: doing, reason: reason, advice: "the archive is damaged or not to be trusted")
  }

  private var tooLarge: ReleaseError {
    refused("it holds more than \(limits.uncompressed) bytes when uncompressed")
  }

  /// Reads an uncompressed tar from `input` up to its end.
  ///
  /// - Parameter tee: is given every byte that was read, such as for the check of a signature.
  package func read(_ input: FileDescriptor, tee: ((UnsafeRawBufferPointer) throws -> Void)? = nil) throws -> Result {
    let feed = ArchiveFeed(input: input, limit: limits.uncompressed, tee: tee)
    guard let archive = archive_read_new() else { throw refused("libarchive could not start") }
    defer { archive_read_free(archive) }
    archive_read_support_format_tar(archive)
    archive_read_support_format_gnutar(archive)
    let context = Unmanaged.passUnretained(feed).toOpaque()
    let (store, contents) = try ContentStore.temporary()
    var result = Result(store: store)
    try withExtendedLifetime(feed) {
      let opened = archive_read_open2(
        archive, context, nil,
        { _, context, buffer in
          guard let context else { return -1 }
          return Unmanaged<ArchiveFeed>.fromOpaque(context).takeUnretainedValue().next(buffer)
        }, nil, nil)
      do {
        guard opened == ARCHIVE_OK else { throw broken(archive) }
        try readEntries(archive, into: &result, contents)
        try contents.flush()
        try feed.drain()
      } catch {
        // What the feed met on the way says more than libarchive's words for it.
        throw feed.failure ?? (feed.isOverLimit ? tooLarge : error)
      }
      if let failure = feed.failure { throw failure }
      if feed.isOverLimit { throw tooLarge }
      guard feed.hasEndMark else {
        throw refused("it ends before the mark at the end of a tar: something is missing")
      }
    }
    return result
  }

  private func broken(_ archive: OpaquePointer) -> ReleaseError {
    refused(archive_error_string(archive).map { String(cString: $0) } ?? "it is not a tar archive")
  }

  private func readEntries(
    _ archive: OpaquePointer, into result: inout Result, _ contents: ContentStore.Writer
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    defer { buffer.deallocate() }
    var kept: Int64 = 0
    var count = 0
    var entry: OpaquePointer?
    while true {
      let status = archive_read_next_header(archive, &entry)
      if status == ARCHIVE_EOF { break }
      guard status == ARCHIVE_OK, let entry else { throw broken(archive) }
      count += 1
      if count % 256 == 0 { try Task.checkCancellation() }
      if count > limits.entries { throw refused("it has more than \(limits.entries) entries") }
      guard let path = try path(of: entry) else { continue }
      result.newest = max(result.newest, Int64(archive_entry_mtime(entry)))

      guard let inner = try strip(path, result: &result), !inner.isEmpty else { continue }
      let type = UInt32(archive_entry_filetype(entry))
      if let target = archive_entry_hardlink(entry).map({ String(cString: $0) }) {
        try keepHardLink(inner, to: target, result: &result)
        continue
      }
      switch type {
      case S_IFDIR:
        continue
      case S_IFLNK:
        guard wants(inner) else { continue }
        guard let raw = archive_entry_symlink(entry), let target = String(validatingCString: raw) else {
          throw refused("the link \(inner) has a target that is not UTF-8")
        }
        guard linkStaysInside(inner, target: target) else {
          throw refused("the link \(inner) leads out of the tree, to \(target)")
        }
        result.files[inner] = FileEntry(content: .link(target), isExecutable: false)
      case S_IFREG:
        guard wants(inner) else { continue }
        let size = archive_entry_size(entry)
        // A header can claim any size: the sum must not overflow.
        guard size >= 0 else { throw refused("\(inner) has a size of \(size) bytes") }
        if size <= limits.kept { kept += size }
        if kept > limits.kept || size > limits.kept {
          throw refused("the wanted files hold more than \(limits.kept) bytes")
        }
        let bytes = try data(archive, size: Int(size), path: inner, buffer, contents)
        let isExecutable = archive_entry_perm(entry) & 0o100 != 0
        result.files[inner] = FileEntry(content: .regular(bytes), isExecutable: isExecutable)
      default:
        throw refused("\(inner) is a device or something else that is not a file")
      }
    }
    if count == 0 { throw refused("it is empty") }
  }

  private func data(
    _ archive: OpaquePointer, size: Int, path: String, _ buffer: UnsafeMutableRawBufferPointer,
    _ contents: ContentStore.Writer
  ) throws -> FileBytes {
    var rest = size
    while rest > 0 {
      let got = archive_read_data(archive, buffer.baseAddress, min(rest, buffer.count))
      if got < 0 { throw broken(archive) }
      if got == 0 { throw refused("\(path) ends before its size") }
      try contents.append(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
      rest -= got
    }
    return contents.finishContent()
  }

  /// The path of an entry, checked; nil for what is no file, such as the header that `git archive` writes.
  private func path(of entry: OpaquePointer) throws -> String? {
    guard let raw = archive_entry_pathname(entry) else { throw refused("an entry has no name") }
    guard let text = String(validatingCString: raw) else {
      throw refused("the name \(String(cString: raw)) is not UTF-8")
    }
    if text == "pax_global_header" { return nil }
    var path = text[...]
    while path.hasPrefix("./") { path = path.dropFirst(2) }
    while path.last == "/" { path = path.dropLast() }
    if path.isEmpty || path == "." { return nil }
    if path.utf8.count > 1024 { throw refused("a path has \(path.utf8.count) bytes: \(path.prefix(60))…") }
    guard isCleanPath(String(path)) else { throw refused("the path \(text) is absolute or leaves the tree") }
    return String(path)
  }

  private func strip(_ path: String, result: inout Result) throws -> String? {
    guard stripsTopFolder else { return path }
    let parts = path.split(separator: "/", maxSplits: 1)
    if let top = result.topFolder {
      guard top == parts[0] else { throw refused("it has two top folders, \(top) and \(parts[0])") }
    } else {
      result.topFolder = String(parts[0])
    }
    return parts.count == 2 ? String(parts[1]) : nil
  }

  /// A hard link becomes a copy of the file that it names, which must come before it.
  private func keepHardLink(_ path: String, to target: String, result: inout Result) throws {
    guard isCleanPath(target) else { throw refused("the hard link \(path) leads out of the tree, to \(target)") }
    guard wants(path) else { return }
    guard let inner = try strip(target, result: &result), let file = result.files[inner] else {
      throw refused("the hard link \(path) names \(target), which is not among the wanted files before it")
    }
    result.files[path] = file
  }
}

/// Hands what a descriptor gives to libarchive, counted and copied to whoever wants it.
private final class ArchiveFeed {
  private let input: FileDescriptor
  private let limit: Int64
  private let tee: ((UnsafeRawBufferPointer) throws -> Void)?
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
  private var total: Int64 = 0
  /// The last bytes that were read. A tar ends with at least one block of zeros; libarchive does not ask for it.
  private var tail: [UInt8] = []
  private(set) var failure: (any Error)?
  private(set) var isOverLimit = false

  init(input: FileDescriptor, limit: Int64, tee: ((UnsafeRawBufferPointer) throws -> Void)?) {
    self.input = input
    self.limit = limit
    self.tee = tee
  }

  deinit { buffer.deallocate() }

  func next(_ out: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
    do {
      let count = try read()
      out?.pointee = UnsafeRawPointer(buffer.baseAddress)
      return isOverLimit ? 0 : count
    } catch {
      failure = error
      return -1
    }
  }

  var hasEndMark: Bool { tail.count == 512 && tail.allSatisfy { $0 == 0 } }

  /// Reads what stands behind the end of the archive, so that the decompressor checks its last block.
  func drain() throws {
    while !isOverLimit, try read() > 0 {}
  }

  private func read() throws -> Int {
    try Task.checkCancellation()
    let count = try input.read(into: buffer)
    total += Int64(count)
    if total > limit { isOverLimit = true }
    let chunk = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    tail = count >= 512 ? Array(chunk.suffix(512)) : Array((tail + chunk).suffix(512))
    try tee?(chunk)
    return count
  }
}
