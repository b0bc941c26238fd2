// SPDX-License-Identifier: GPL-2.0-only

import CLibArchive
import Diagnostics
import Files
import Glibc

/// An archive that is written with libarchive, into memory or to a store: everything belongs to root and has one time.
package final class ArchiveWriter {
  package enum Format {
    case gnuTar
    case ar
    /// What the kernel unpacks at boot. Source: Documentation/driver-api/early-userspace/buffer-format.rst.
    case cpio
    /// One entry, compressed: `changelog.gz`.
    case raw(Codec)
  }

  private let archive: OpaquePointer
  private let sink = Sink()
  private let time: Int64
  private let doing: String
  private let output: ContentStore.Writer?

  private final class Sink { var bytes: [UInt8] = [] }

  /// libarchive cannot handle names that are not ASCII in the C locale.
  private static let locale: Bool = setlocale(LC_CTYPE, "C.UTF-8") != nil

  /// - Parameters:
  ///   - time: the time of every entry, in seconds since 1970.
  ///   - output: where the archive goes; nil to keep it in memory until it is taken.
  package init(_ format: Format, time: Int64, to output: ContentStore.Writer? = nil, doing: String) throws {
    guard ArchiveWriter.locale, let archive = archive_write_new() else {
      throw ReleaseError(.failed, doing: doing, reason: "libarchive cannot start, or the locale C.UTF-8 is missing")
    }
    self.archive = archive
    self.time = time
    self.doing = doing
    self.output = output
    switch format {
    case .ar: try check(archive_write_set_format_ar_bsd(archive))
    case .gnuTar:
      try check(archive_write_set_format_gnutar(archive))
      // What was written is pending at once, so that a block can end with an entry.
      try check(archive_write_set_bytes_per_block(archive, 0))
    case .cpio: try check(archive_write_set_format_cpio_newc(archive))
    case .raw(let codec):
      try check(archive_write_set_format_raw(archive))
      try compress(codec)
    }
    try check(archive_write_set_bytes_in_last_block(archive, 1))
    let opaque = Unmanaged.passUnretained(sink).toOpaque()
    try check(
      archive_write_open2(
        archive, opaque, nil,
        { _, opaque, bytes, count in
          guard let opaque, let bytes else { return -1 }
          let sink = Unmanaged<Sink>.fromOpaque(opaque).takeUnretainedValue()
          sink.bytes.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
          return count
        }, nil, nil))
  }

  deinit { archive_write_free(archive) }

  package func addFolder(_ path: String) throws { try add(path, type: S_IFDIR, mode: 0o755) }

  package func addFile(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws {
    try addFile(path, FileBytes(bytes), mode: mode)
  }

  package func addFile(_ path: String, _ bytes: FileBytes, mode: UInt32 = 0o644) throws {
    try beginFile(path, size: bytes.count, mode: mode)
    // In pieces, so that the compression of a large file can be interrupted.
    try bytes.forEachPiece { try write($0) }
    try endFile()
  }

  /// Begins a file of `size` bytes, which `write` adds and `endFile` ends.
  package func beginFile(_ path: String, size: Int, mode: UInt32) throws {
    try begin(path, type: S_IFREG, mode: mode, size: size)
  }

  package func write(_ piece: UnsafeRawBufferPointer) throws {
    guard archive_write_data(archive, piece.baseAddress, piece.count) == piece.count else { throw failure(nil) }
    try drain(from: 1 << 20)
  }

  package func endFile() throws {
    try check(archive_write_finish_entry(archive))
    try drain(from: 1 << 20)
  }

  /// Moves pending bytes to the output, if there are `least` or more.
  private func drain(from least: Int) throws {
    guard let output, sink.bytes.count >= least else { return }
    try sink.bytes.withUnsafeBytes { try output.append($0) }
    sink.bytes.removeAll(keepingCapacity: true)
  }

  package func addLink(_ path: String, to target: String) throws {
    try add(path, type: S_IFLNK, mode: 0o777, target: target)
  }

  package func addDevice(_ path: String, major: UInt64, minor: UInt64) throws {
    try add(path, type: S_IFCHR, mode: 0o600, device: (major, minor))
  }

  /// Ends the archive and gives all of its bytes that were not taken before.
  package func finish() throws -> [UInt8] {
    try close()
    return sink.bytes
  }

  /// Ends the archive.
  package func close() throws {
    try check(archive_write_close(archive))
    try drain(from: 0)
  }

  /// How many bytes are there to be taken.
  package var pending: Int { sink.bytes.count }

  /// Takes the first bytes that are there, `count` at most. What is taken is in memory once.
  package func take(_ count: Int) -> [UInt8] {
    let all = sink.bytes
    sink.bytes = Array(all.dropFirst(count))
    return all.count <= count ? all : Array(all[..<count])
  }

  /// Makes room for `count` bytes at once.
  package func reserve(_ count: Int) { sink.bytes.reserveCapacity(count) }

  private func compress(_ codec: Codec) throws {
    let options: [(String, String?)]
    switch codec {
    case .xz:
      try check(archive_write_add_filter_xz(archive))
      options = [("compression-level", "6")]
    case .zstd:
      // Any fixed number of threads from 2 gives the same bytes.
      try check(archive_write_add_filter_zstd(archive))
      options = [("compression-level", "12"), ("threads", "2")]
    case .gzip:
      try check(archive_write_add_filter_gzip(archive))
      options = [("compression-level", "9"), ("timestamp", nil)]
    }
    for (key, value) in options { try check(archive_write_set_filter_option(archive, nil, key, value)) }
  }

  private func add(
    _ path: String, type: mode_t, mode: UInt32, target: String? = nil, device: (major: UInt64, minor: UInt64)? = nil
  ) throws {
    try begin(path, type: type, mode: mode, target: target, device: device)
    try endFile()
  }

  private func begin(
    _ path: String, type: mode_t, mode: UInt32, size: Int = 0, target: String? = nil,
    device: (major: UInt64, minor: UInt64)? = nil
  ) throws {
    try Task.checkCancellation()
    guard let entry = archive_entry_new() else { throw ReleaseError(errno: ENOMEM, doing: doing) }
    defer { archive_entry_free(entry) }
    archive_entry_copy_pathname(entry, path)
    archive_entry_set_filetype(entry, UInt32(type))
    archive_entry_set_perm(entry, mode)
    archive_entry_set_mtime(entry, time_t(time), 0)
    archive_entry_set_uid(entry, 0)
    archive_entry_set_gid(entry, 0)
    archive_entry_copy_uname(entry, "root")
    archive_entry_copy_gname(entry, "root")
    if let target { archive_entry_copy_symlink(entry, target) }
    if let device {
      archive_entry_set_rdevmajor(entry, dev_t(device.major))
      archive_entry_set_rdevminor(entry, dev_t(device.minor))
    }
    archive_entry_set_size(entry, Int64(size))
    try check(archive_write_header(archive, entry), path)
  }

  /// A warning is an error, too: something would be missing from the package.
  private func check(_ status: Int32, _ path: String? = nil) throws {
    guard status == ARCHIVE_OK else { throw failure(path) }
  }

  private func failure(_ path: String?) -> ReleaseError {
    let words = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive gave no reason"
    return ReleaseError(.failed, doing: doing, reason: path.map { "\($0): \(words)" } ?? words)
  }
}
