// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage

extension ChrootCache {
  /// A chroot in the cache, as it is listed.
  package struct Kept: Sendable, Codable {
    package var name: String
    /// What was asked for: suites or repositories.
    package var from: [String]
    /// The chroot that it is a layer on; nil if it is none.
    package var base: String?
    /// Kernels whose headers or modules are in it.
    package var kernels: [String]
    /// Seconds since 1970.
    package var made: Int64
    package var used: Int64
    package var bytes: Int64
  }

  /// All chroots, those that were used last at the end.
  package func all() async throws -> [Kept] {
    guard Files.exists(folder) else { return [] }
    var kept: [Kept] = []
    for bytes in try Files.names(in: folder) {
      let name = String(decoding: bytes, as: UTF8.self)
      guard let record = record(of: name) else { continue }
      let path = folder.appending(name)
      // In a layer, no link leads to /usr.
      let places = ["lib/modules", "usr/lib/modules", "upper/lib/modules", "upper/usr/lib/modules"]
      let kernels = Set(places.flatMap { (try? Files.names(in: path.appending($0))) ?? [] })
      // Links between files count once.
      let usage = try await Command("du", ["--summarize", "--block-size=1", path.string])
        .check(doing: "measuring \(path)")
      kept.append(
        Kept(
          name: name, from: record.definition.suites + record.definition.repositories.map(\.name),
          base: record.base?.name, kernels: kernels.map { String(decoding: $0, as: UTF8.self) }.sorted(),
          made: record.made, used: used(name, record),
          bytes: usage.text.split(separator: "\t").first.flatMap { Int64($0) } ?? 0))
    }
    return kept.sorted { ($0.used, $0.name) < ($1.used, $1.name) }
  }

  private func used(_ name: String, _ record: ChrootRecord) -> Int64 {
    var status = stat()
    return stat(folder.appending("\(name).lock").string, &status) == 0 ? Int64(status.st_mtim.tv_sec) : record.made
  }

  /// Removes a chroot, and those that are layers on it.
  ///
  /// - Returns: the names of what was removed.
  /// - Throws: `ReleaseError` with code `input` when there is none of this name, `conflict` when it or one of those is in
  ///   use.
  @discardableResult
  package func remove(_ name: String) async throws -> [String] {
    let doing = "removing the chroot \(name)"
    guard isCleanPath(name), !name.utf8.contains(0x2f), record(of: name) != nil else {
      throw ReleaseError(
        .input, doing: doing, reason: "there is no such chroot in \(folder)", remedy: DistributionsRemedy.listRoots)
    }
    var removed: [String] = []
    for layer in try layers(on: name) { removed += try await remove(layer) }
    let lock = try FileLock(folder.appending("\(name).lock"), touch: false)
    guard try await lock.acquire(.exclusive, within: .seconds(1)) else {
      throw ReleaseError(.conflict, doing: doing, reason: "it is in use", advice: "wait until it is no longer used")
    }
    try Files.remove(folder.appending("\(name).json"))
    try Files.remove(folder.appending(name))
    // An unfinished chroot belongs to a process that held this lock and is dead.
    for bytes in try Files.names(in: folder) {
      let other = String(decoding: bytes, as: UTF8.self)
      if other.hasPrefix("\(name).") { try Files.remove(folder.appending(bytes: bytes)) }
    }
    return removed + [name]
  }

  /// The chroots that are layers on one.
  private func layers(on name: String) throws -> [String] {
    try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.filter {
      record(of: $0)?.base?.name == name
    }
  }
}
