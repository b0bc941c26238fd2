// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import SystemPackage

/// A kernel that an archive of packages serves.
package struct ArchivedKernel: Sendable, Codable, Equatable {
  /// As `uname -r` prints it: `6.1.0-56-amd64`.
  package var release: String
  /// Of the package with its headers, or of its image where it has none.
  package var version: String
  /// Whether the archive has what modules are built against.
  package var hasHeaders: Bool
  package var hasImage: Bool
  /// When it was first seen here, in seconds since 1970.
  package var firstSeen: Int64
  /// Whether it was not there the last time.
  package var isNew: Bool
}

/// What the archive of a target serves.
package struct ArchivedKernels: Sendable, Codable, Equatable {
  package var target: String
  /// The date of the archive's newest metadata, in seconds since 1970.
  package var date: Int64
  /// The newest last.
  package var kernels: [ArchivedKernel]
}

/// A kernel in the metadata of an archive.
struct ListedKernel: Sendable, Equatable {
  /// As `uname -r` prints it.
  var release: String
  var version: String
  var hasHeaders: Bool
  var hasImage: Bool
}

extension ListedKernel: Comparable {
  static func < (one: ListedKernel, other: ListedKernel) -> Bool {
    let (a, b) = (one.numbers, other.numbers)
    return a == b ? one.release < other.release : a.lexicographicallyPrecedes(b)
  }

  private var numbers: [Int] { release.split { !$0.isNumber }.map { Int($0) ?? Int.max } }
}

/// What was seen in an archive before: a file of the cache.
private struct ArchiveRecord: Codable {
  /// The date of the metadata of each suite or repository.
  var dates: [String: Int64] = [:]
  /// When each kernel was first seen.
  var seen: [String: Int64] = [:]
}

extension ArchivedKernels {
  /// Asks the archive of a target what it serves now, and remembers it.
  ///
  /// - Parameter cache: the folder that remembers what was seen.
  /// - Throws: `ReleaseError` with code `unverified` for metadata that nobody signed, or that is older than what was seen;
  ///   `failed` if the archive cannot be reached; `input` for a target that does not say enough.
  package init(of target: Target, cache: FilePath) async throws {
    let doing = "listing the kernels of \(target.name)"
    let (listed, dates) = try await listing(of: target, doing: doing)
    let file = cache.appending("\(target.name).json")
    try Files.makeFolder(cache)
    let lock = try FileLock(cache.appending("\(target.name).lock"))
    try await lock.acquire(.exclusive)
    defer { lock.release() }
    var record = ArchiveRecord()
    if Files.exists(file), let known = try? JSON.decode(ArchiveRecord.self, from: Files.read(file)) { record = known }
    for (suite, date) in dates.sorted(by: { $0.key < $1.key }) {
      if let known = record.dates[suite], date < known {
        throw ReleaseError(
          .unverified, doing: doing,
          reason: "the metadata of \(suite) is of \(Timestamp(seconds: date).iso8601), older than that of "
            + "\(Timestamp(seconds: known).iso8601) which was seen before",
          advice: "use another mirror; if that was a mistake, remove \(file)")
      }
      record.dates[suite] = date
    }
    let isFirst = record.seen.isEmpty
    let now = Int64(time(nil))
    var kernels: [ArchivedKernel] = []
    for found in listed {
      let known = record.seen[found.release]
      record.seen[found.release] = known ?? now
      kernels.append(
        ArchivedKernel(
          release: found.release, version: found.version, hasHeaders: found.hasHeaders, hasImage: found.hasImage,
          firstSeen: known ?? now, isNew: known == nil && !isFirst))
    }
    try Files.replace(file, with: try JSON.encode(record))
    self.init(target: target.name, date: dates.values.max() ?? 0, kernels: kernels)
  }
}

/// The kernels in a target's archive, the newest last, and the date of the metadata of each suite or repository.
private func listing(of target: Target, doing: String) async throws -> ([ListedKernel], [String: Int64]) {
  switch target.format {
  case .deb:
    let listing = try await AptListing(target.root, architecture: target.architecture, doing: doing)
    return (listing.kernels, listing.dates)
  case .rpm:
    let listing = try await DnfListing(target.root, names: target.kernelNames, doing: doing)
    return (listing.kernels, listing.dates)
  }
}
