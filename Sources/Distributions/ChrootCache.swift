// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage

/// The record of a chroot in the cache.
package struct ChrootRecord: Sendable, Codable {
  package var definition: ChrootDefinition
  /// Seconds since 1970.
  package var made: Int64
  /// What is in it, sorted: name, version and architecture of each package.
  package var packages: [String]
  /// Names the command that wanted it anew; nil if none did.
  package var refresh: String?

  private enum CodingKeys: String, CodingKey {
    case definition = "recipe"
    case made, packages, refresh
  }

  package init(definition: ChrootDefinition, made: Int64, packages: [String], refresh: String? = nil) {
    self.definition = definition
    self.made = made
    self.packages = packages
    self.refresh = refresh
  }

  /// Identifies its contents: a chroot made anew from an unchanged archive has the same.
  package var identity: SHA256Digest { SHA256Digest(of: Array(packages.joined(separator: "\n").utf8)) }
}

/// The folder of the chroots that are kept: for each definition `KEY`, what is known of it in `KEY.json`, and
/// `KEY.lock`, which tells by its age when the chroot was used.
package struct ChrootCache: Sendable, Codable {
  private let place: String
  /// Chroots that were not made for this command are made anew. It is a name and no moment: the clock may have been
  /// wrong when a chroot was made, and those of other nodes differ.
  package var refresh: String?

  package init(_ folder: FilePath, refresh: String? = nil) {
    place = folder.string
    self.refresh = refresh
  }

  /// Whether a chroot must be made anew.
  package func isOutdated(_ record: ChrootRecord) -> Bool { refresh != nil && record.refresh != refresh }

  package var folder: FilePath { FilePath(place) }

  /// The chroot of a definition, made where there is none yet.
  ///
  /// - Throws: `ReleaseError` with code `missingTool` without mmdebstrap or dnf, `failed` with the first line that they
  ///   complained with.
  package func chroot(_ definition: ChrootDefinition, progress: Progress) async throws -> Chroot {
    let doing = "making a chroot of \(definition.title)"
    guard geteuid() == 0 else {
      throw ReleaseError(.failed, doing: doing, reason: "this requires root privileges", advice: "run as root")
    }
    let name = try definition.key
    try Files.makeFolder(folder)
    var lock = try FileLock(folder.appending("\(name).lock"))
    while true {
      try await lock.acquire(.shared)
      if lock.isGone {
        // The chroot was removed while we waited: others lock another file.
        lock = try FileLock(folder.appending("\(name).lock"))
        continue
      }
      if let record = current(name) { return Chroot(folder.appending(name), record, lock) }
      lock.release()
      // Another process may be making the same chroot, or using an older one: that takes minutes.
      if !(try lock.tryAcquire(.exclusive)) {
        progress.stands("\(doing): waiting until the chroot is no longer in use")
      }
      try await lock.acquire(.exclusive)
      if !lock.isGone, current(name) == nil { try await make(definition, name, doing: doing, progress: progress) }
      lock.release()
    }
  }

  /// What is known of the chroot of this name, when there is one.
  package func record(of name: String) -> ChrootRecord? {
    guard Files.exists(folder.appending(name)), let bytes = try? Files.read(folder.appending("\(name).json"))
    else { return nil }
    return try? JSON.decode(ChrootRecord.self, from: bytes)
  }

  private func current(_ name: String) -> ChrootRecord? {
    guard let record = record(of: name), !isOutdated(record) else { return nil }
    return record
  }

  private func make(_ definition: ChrootDefinition, _ name: String, doing: String, progress: Progress) async throws {
    let path = folder.appending(name)
    let file = folder.appending("\(name).json")
    // Where a network file system has locks that other machines do not see, each still writes a folder of its own, and
    // the first that is complete becomes the chroot.
    let part = FilePath("\(path)\(ChrootCache.partial)")
    await sweep(except: part)
    try AtomicDirectory.recover(path, from: part)
    try await Files.removeWhenQuiet(part)
    if let obstacle = Files.obstacleToPrograms(in: folder) {
      throw ReleaseError(
        .failed, doing: doing, reason: "the cache \(folder) is on a file system that is mounted \(obstacle)",
        remedy: DistributionsRemedy.chooseOtherCache)
    }
    do {
      try await progress.step(doing) {
        let made = Int64(time(nil))
        let bootstrapper = try definition.bootstrapper(doing: doing)
        try await bootstrapper.make(definition, in: part, doing: doing)
        let packages = try await bootstrapper.packages(in: part, doing: doing)
        if current(name) != nil { return try Files.remove(part) }
        // A chroot without a record does not count: if we are interrupted here, it is made anew.
        try Files.remove(file)
        try AtomicDirectory.replace(path, with: part, doing: doing)
        let record = ChrootRecord(definition: definition, made: made, packages: packages, refresh: refresh)
        try Files.replace(file, with: try JSON.encode(record))
      }
    } catch {
      let isFull = error is ReleaseError && Files.isFull(part)
      try? await Files.removeWhenQuiet(part)
      guard isFull else { throw error }
      throw ReleaseError(errno: ENOSPC, doing: doing, remedy: DistributionsRemedy.freeSpaceInCache, cause: error)
    }
  }

  /// How the name of a chroot ends that is being made on this machine.
  private static var partial: String { ".\(machine).partial" }

  /// Removes unfinished chroots of dead processes on this machine: nobody holds their locks.
  ///
  /// - Returns: the names of those that it removed.
  @discardableResult
  package func sweep(except part: FilePath? = nil) async -> [String] {
    var removed: [String] = []
    for bytes in (try? Files.names(in: folder)) ?? [] {
      let name = String(decoding: bytes, as: UTF8.self)
      guard name.hasSuffix(Self.partial), name != part?.name else { continue }
      let lock = try? FileLock(folder.appending("\(name.dropLast(Self.partial.count)).lock"), touch: false)
      guard (try? lock?.tryAcquire(.exclusive)) == true else { continue }
      let isGone: Void? = try? await Files.removeWhenQuiet(folder.appending(bytes: bytes))
      if isGone != nil { removed.append(name) }
    }
    return removed
  }

  private static var machine: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: what is kept

  /// A chroot in the cache, as it is listed.
  package struct Kept: Sendable, Codable {
    package var name: String
    /// What was asked for: suites or repositories.
    package var from: [String]
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
      let kernels = (try? Files.names(in: path.appending("lib/modules"))) ?? []
      // Links between files count once.
      let usage = try await Command("du", ["--summarize", "--block-size=1", path.string])
        .check(doing: "measuring \(path)")
      kept.append(
        Kept(
          name: name, from: record.definition.suites + record.definition.repositories.map(\.name),
          kernels: kernels.map { String(decoding: $0, as: UTF8.self) }, made: record.made, used: used(name, record),
          bytes: usage.text.split(separator: "\t").first.flatMap { Int64($0) } ?? 0))
    }
    return kept.sorted { ($0.used, $0.name) < ($1.used, $1.name) }
  }

  private func used(_ name: String, _ record: ChrootRecord) -> Int64 {
    var status = stat()
    return stat(folder.appending("\(name).lock").string, &status) == 0 ? Int64(status.st_mtim.tv_sec) : record.made
  }

  /// Removes a chroot.
  ///
  /// - Throws: `ReleaseError` with code `input` when there is none of this name, `conflict` when it is in use.
  package func remove(_ name: String) async throws {
    let doing = "removing the chroot \(name)"
    guard isCleanPath(name), !name.utf8.contains(0x2f), record(of: name) != nil else {
      throw ReleaseError(
        .input, doing: doing, reason: "there is no such chroot in \(folder)", remedy: DistributionsRemedy.listRoots)
    }
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
  }
}
