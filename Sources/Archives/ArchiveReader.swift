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
/// refused, wanted or not. So is everything that readers interpret differently: a wanted path that occurs twice or is
/// below a link, and bytes after the end. Source: libarchive's `archive_read(3)`.
package struct ArchiveReader {
  package struct Result: Sendable {
    /// Paths below the top folder of the archive.
    package var files = ByPath<FileEntry>()
    /// Holds the contents of the files, one after the other in the order of the archive.
    package let store: ContentStore
    /// The newest time of any entry, in seconds since 1970.
    package var newest: Int64 = 0
    package var topFolder: String?
    /// Unwanted files that wanted hard links name: without them, those links are not among `files`.
    package var needed: PathSet = []
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
  /// What no tar that was packed and copied as it should be has.
  private func refused(_ reason: String) -> ReleaseError {
    ReleaseError(.source, doing: doing, reason: reason, advice: "the archive is damaged or not to be trusted")
  }

  /// What is no fault of the archive.
  private func unfit(_ reason: String, _ advice: String? = nil) -> ReleaseError {
    ReleaseError(.source, doing: doing, reason: reason, advice: advice)
  }

  private var tooLarge: ReleaseError {
    unfit("it holds more than \(limits.uncompressed) bytes when uncompressed")
  }

  /// Reads an uncompressed tar from `input` up to its end.
  ///
  /// - Parameter tee: receives every byte that was read, for instance to check a signature.
  package func read(_ input: FileDescriptor, tee: ((UnsafeRawBufferPointer) throws -> Void)? = nil) throws -> Result {
    try withPlainLocale { try readAll(input, tee: tee) }
  }

  private func readAll(_ input: FileDescriptor, tee: ((UnsafeRawBufferPointer) throws -> Void)?) throws -> Result {
    let feed = ArchiveFeed(input: input, limit: limits.uncompressed, tee: tee)
    guard let archive = archive_read_new() else { throw unfit("libarchive could not start") }
    defer { archive_read_free(archive) }
    archive_read_support_format_tar(archive)
    archive_read_support_format_gnutar(archive)
    let context = Unmanaged.passUnretained(feed).toOpaque()
    let (store, contents) = try ContentStore.temporary()
    var result = Result(store: store)
    // Where the mark at the end begins.
    var end: Int64 = 0
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
        end = archive_read_header_position(archive)
        try contents.flush()
        try feed.drain()
      } catch {
        // The error of the feed says more than libarchive's message.
        throw feed.failure ?? (feed.isOverLimit ? tooLarge : error)
      }
      if let failure = feed.failure { throw failure }
      if feed.isOverLimit { throw tooLarge }
      guard feed.total >= end + 512 else {
        throw refused("it ends before the mark at the end of a tar: something is missing")
      }
      guard feed.meaningful <= end else {
        throw ReleaseError(
          .source, doing: doing, reason: "it has data after its end, from byte \(end) on",
          advice: "tars cannot be joined like texts: pack it again")
      }
    }
    return result
  }

  private func broken(_ archive: OpaquePointer) -> ReleaseError {
    refused(archive_error_string(archive).map { String(cString: $0) } ?? "it is not a tar archive")
  }

  /// Whether libarchive only says that it leaves a name of an entry as it is: see `withPlainLocale`.
  private func isUnconverted(_ archive: OpaquePointer, _ status: Int32) -> Bool {
    guard status == ARCHIVE_WARN, let words = archive_error_string(archive) else { return false }
    return String(cString: words).hasSuffix("can't be converted from UTF-8 to current locale.")
  }

  private func readEntries(
    _ archive: OpaquePointer, into result: inout Result, _ contents: ContentStore.Writer
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    defer { buffer.deallocate() }
    var listing = Listing()
    var kept: Int64 = 0
    var count = 0
    var entry: OpaquePointer?
    while true {
      let status = archive_read_next_header(archive, &entry)
      if status == ARCHIVE_EOF { break }
      guard status == ARCHIVE_OK || isUnconverted(archive, status), let entry else { throw broken(archive) }
      count += 1
      if count % 256 == 0 { try Task.checkCancellation() }
      if count > limits.entries { throw unfit("it has more than \(limits.entries) entries") }
      let type = UInt32(archive_entry_filetype(entry))
      guard let path = try path(of: entry, type) else { continue }
      result.newest = max(result.newest, Int64(archive_entry_mtime(entry)))

      guard let inner = try strip(path, type: type, result: &result) else { continue }
      let isWanted = type != S_IFDIR && wants(inner)
      if let target = archive_entry_hardlink(entry) {
        guard archive_entry_size(entry) <= 0 else { throw refused("the hard link \(inner) has content of its own") }
        try add(inner, .hardLink(to: hardLinkTarget(target, of: inner, in: result)), isWanted, to: &listing)
        continue
      }
      switch type {
      case S_IFDIR:
        try add(inner, .folder, isWanted, to: &listing)
      case S_IFLNK:
        try add(inner, .link, isWanted, to: &listing)
        guard isWanted else { continue }
        guard let raw = archive_entry_symlink(entry) else { throw refused("the link \(inner) has no target") }
        guard let target = String(validatingCString: raw) else {
          throw unfit("the link \(inner) has a target that is not UTF-8", "rename its target, and pack it again")
        }
        if let fault = fault(ofLink: inner, to: target) { throw refused("the link \(inner) \(fault)") }
        result.files[inner] = FileEntry(content: .link(target), isExecutable: false)
      case S_IFREG:
        try add(inner, .file, isWanted, to: &listing)
        guard isWanted else { continue }
        let size = archive_entry_size(entry)
        // A header can claim any size: the sum must not overflow.
        guard size >= 0 else { throw refused("\(inner) has a size of \(size) bytes") }
        try keep(size, of: &kept)
        let bytes = try data(archive, size: Int(size), path: inner, buffer, contents)
        let isExecutable = archive_entry_perm(entry) & 0o100 != 0
        result.files[inner] = FileEntry(content: .regular(bytes), isExecutable: isExecutable)
      case 0:
        throw unfit(
          "\(inner) is of an unknown kind, such as the rest of a file that begins in another volume",
          "pack it again as one volume")
      default:
        throw unfit(
          "\(inner) is a device or something else that is not a file", "pack only files, folders and links")
      }
    }
    if count == 0 { throw unfit("it is empty", "is it the right file?") }
    try resolveHardLinks(listing, &result, &kept)
    try checkFolders(listing, result)
  }

  private func keep(_ size: Int64, of kept: inout Int64) throws {
    if size <= limits.kept { kept += size }
    if kept > limits.kept || size > limits.kept {
      throw unfit("the wanted files hold more than \(limits.kept) bytes", "take fewer of them")
    }
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

  // MARK: paths

  /// The checked path of an entry; nil if it is not a file, such as the header that `git archive` writes.
  private func path(of entry: OpaquePointer, _ type: UInt32) throws -> String? {
    guard let raw = archive_entry_pathname(entry) else { throw refused("an entry has no name") }
    guard let text = String(validatingCString: raw) else {
      throw unfit("the name \(String(cString: raw)) is not UTF-8", "rename the file, and pack it again")
    }
    if stripsTopFolder, text == "pax_global_header" { return nil }
    guard let path = plain(text) else { throw refused("the path \(text) is absolute or leaves the tree") }
    if path.utf8.count > RelativePath.longest {
      throw unfit("a path has \(path.utf8.count) bytes: \(path.prefix(60))…")
    }
    if !path.isEmpty { return path }
    // The folder that was packed: `./`.
    guard type == S_IFDIR else { throw refused("an entry that is no folder has no name of its own") }
    return nil
  }

  /// The normal form of a path: `./a//b/` is `a/b`. Nil if it is absolute or contains `..`.
  private func plain(_ text: String) -> String? {
    let parts = text.pathParts
    guard text.utf8.first != 0x2f, !parts.contains(where: { $0.isSameInBytes("..") }) else { return nil }
    return parts.filter { !$0.isSameInBytes(".") }.joined(separator: "/")
  }

  private func strip(_ path: String, type: UInt32, result: inout Result) throws -> String? {
    guard stripsTopFolder else { return path }
    let slash = path.utf8.firstIndex(of: 0x2f)
    let top = String(path[..<(slash ?? path.endIndex)])
    func isNotOneFolder(_ reason: String) -> ReleaseError {
      ReleaseError(.source, doing: doing, reason: reason, advice: "pack it again with all of it in one folder")
    }
    guard slash != nil || type == S_IFDIR else {
      throw isNotOneFolder("it has no top folder: \(path) lies at its top")
    }
    if let known = result.topFolder, !known.isSameInBytes(top) {
      throw isNotOneFolder("it has two top folders, \(known) and \(top)")
    }
    result.topFolder = top
    return slash.map { _ in path.droppingBytes(top.utf8.count + 1) }
  }

  private func hardLinkTarget(
    _ raw: UnsafePointer<CChar>, of path: String, in result: Result
  ) throws -> String {
    let text = String(cString: raw)
    guard let target = plain(text) else { throw refused("the hard link \(path) leads out of the tree, to \(text)") }
    guard stripsTopFolder, let top = result.topFolder else { return target }
    guard target.startsInBytes(with: top + "/") else {
      throw refused("the hard link \(path) names \(text), which is not in the folder \(top)")
    }
    return String(decoding: target.utf8.dropFirst(top.utf8.count + 1), as: UTF8.self)
  }

  // MARK: what one entry means for another

  private enum Kind {
    case folder, file, link
    case hardLink(to: String)
  }

  /// What the archive holds, wanted or not.
  private struct Listing {
    var kinds = ByPath<Kind>()
    /// Those that are wanted, in the order of the archive.
    var hardLinks: [String] = []
  }

  private func add(_ path: String, _ kind: Kind, _ isWanted: Bool, to listing: inout Listing) throws {
    let before = listing.kinds[path]
    switch before {
    case nil, .folder: listing.kinds[path] = kind
    // A path that was something else once does not count as a folder.
    case .file, .link, .hardLink: break
    }
    guard isWanted else { return }
    if let fault = RelativePath.fault(of: path) { throw refused("the path \(path) \(fault)") }
    if before != nil {
      throw ReleaseError(
        .source, doing: doing, reason: "it holds \(path) twice: which one counts differs between programs",
        advice: "pack it again with one of them")
    }
    if case .hardLink = kind { listing.hardLinks.append(path) }
  }

  /// A hard link is a copy of the file that it names. Most links come after the file; because no path occurs twice, the
  /// order does not matter.
  private func resolveHardLinks(_ listing: Listing, _ result: inout Result, _ kept: inout Int64) throws {
    for path in listing.hardLinks {
      var target = path
      var steps = 0
      while case .hardLink(let next)? = listing.kinds[target] {
        target = next
        steps += 1
        if steps > 40 { throw refused("the hard link \(path) names hard links without end") }
      }
      switch listing.kinds[target] {
      case .file, .link:
        guard let file = result.files[target] else {
          result.needed.insert(target)
          continue
        }
        if case .link(let text) = file.content, let fault = fault(ofLink: path, to: text) {
          throw refused("the link \(path) \(fault)")
        }
        try keep(Int64(file.content.count), of: &kept)
        result.files[path] = file
      case .folder: throw refused("the hard link \(path) names \(target), which is a folder")
      case nil, .hardLink: throw refused("the hard link \(path) names \(target), which it does not hold")
      }
    }
  }

  /// Some programs would write an entry below a link through that link, others would replace the link.
  private func checkFolders(_ listing: Listing, _ result: Result) throws {
    var known: PathSet = []
    for path in result.files.keys {
      var end = path.utf8.endIndex
      while let slash = path.utf8[..<end].lastIndex(of: 0x2f) {
        end = slash
        let folder = String(path[..<slash])
        guard known.insert(folder) else { break }
        switch listing.kinds[folder] {
        case nil, .folder: continue
        case .link: throw refused("\(path) lies below \(folder), which is a link")
        case .file, .hardLink: throw refused("\(path) lies below \(folder), which is a file")
        }
      }
    }
  }
}

/// Runs `body` on this thread in the C locale. In others, libarchive changes the names of pax archives: it composes their
/// accents (NFC), and two names become one.
private func withPlainLocale<R>(_ body: () throws -> R) rethrows -> R {
  let plain = newlocale(1 << LC_CTYPE, "C", nil)
  let before = uselocale(plain)
  defer {
    uselocale(before)
    if let plain { freelocale(plain) }
  }
  return try body()
}
