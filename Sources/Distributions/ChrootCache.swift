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
  /// Names this folder: a chroot that was made anew has another.
  package var mark: String?
  /// The chroot below, where it is a layer.
  package var base: Base?

  package struct Base: Sendable, Codable, Equatable {
    package var name: String
    package var mark: String?
  }

  private enum CodingKeys: String, CodingKey {
    case definition = "recipe"
    case made, packages, refresh, mark, base
  }

  package init(definition: ChrootDefinition, made: Int64, packages: [String], refresh: String? = nil) {
    self.definition = definition
    self.made = made
    self.packages = packages
    self.refresh = refresh
    mark = String(hexadecimal: (0..<8).map { _ in UInt8.random(in: 0...255) })
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

  /// The chroot of a definition, made where there is none yet, and so are those below its layers. Where the file system
  /// of the cache bears no layers, it is made whole.
  ///
  /// - Throws: `ReleaseError` with code `missingTool` without mmdebstrap or dnf, `failed` with the first line that they
  ///   complained with.
  package func chroot(_ definition: ChrootDefinition, progress: Progress) async throws -> Chroot {
    guard geteuid() == 0 else {
      throw ReleaseError(
        .failed, doing: ChrootCache.making(definition), reason: "this requires root privileges", advice: "run as root")
    }
    try Files.makeFolder(folder)
    guard let base = definition.base else { return try await chroot(definition, on: nil, progress: progress) }
    guard try await ChrootLayer.areBorne(by: folder, for: definition) else {
      return try await chroot(definition.whole, on: nil, progress: progress)
    }
    return try await chroot(definition, on: try await chroot(base, progress: progress), progress: progress)
  }

  private static func making(_ definition: ChrootDefinition) -> String {
    guard let layer = definition.layers?.last, !layer.isEmpty else { return "making a chroot of \(definition.title)" }
    return "adding \(layer.joined(separator: ", ")) to a chroot of \(definition.title)"
  }

  private func chroot(
    _ definition: ChrootDefinition, on base: Chroot?, progress: Progress
  ) async throws -> Chroot {
    let doing = ChrootCache.making(definition)
    let name = try definition.key
    var lock = try FileLock(folder.appending("\(name).lock"))
    while true {
      try await lock.acquire(.shared)
      if lock.isGone {
        // The chroot was removed while we waited: others lock another file.
        lock = try FileLock(folder.appending("\(name).lock"))
        continue
      }
      if let record = current(name, on: base) { return Chroot(folder.appending(name), record, on: base, lock) }
      lock.release()
      // Another process may be making the same chroot, or using an older one: that takes minutes.
      if !(try lock.tryAcquire(.exclusive)) {
        progress.stands("\(doing): waiting until the chroot is no longer in use")
      }
      try await lock.acquire(.exclusive)
      if !lock.isGone, current(name, on: base) == nil {
        try await make(definition, name, on: base, doing: doing, progress: progress)
      }
      lock.release()
    }
  }

  /// What is known of the chroot of this name, when there is one.
  package func record(of name: String) -> ChrootRecord? {
    guard Files.exists(folder.appending(name)), let bytes = try? Files.read(folder.appending("\(name).json"))
    else { return nil }
    return try? JSON.decode(ChrootRecord.self, from: bytes)
  }

  /// - Parameter base: the chroot that it must be a layer on.
  private func current(_ name: String, on base: Chroot?) -> ChrootRecord? {
    guard let record = record(of: name), !isOutdated(record) else { return nil }
    return record.base == base?.asBase ? record : nil
  }

  private func make(
    _ definition: ChrootDefinition, _ name: String, on base: Chroot?, doing: String, progress: Progress
  ) async throws {
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
        let packages: [String]
        if let base {
          packages = try await ChrootLayer(definition, on: base, in: part, doing: doing).make()
        } else {
          let bootstrapper = try definition.bootstrapper(doing: doing)
          try await bootstrapper.make(definition, in: part, doing: doing)
          packages = try await bootstrapper.packages(in: part, doing: doing)
        }
        if current(name, on: base) != nil { return try Files.remove(part) }
        // A chroot without a record does not count: if we are interrupted here, it is made anew.
        try Files.remove(file)
        try AtomicDirectory.replace(path, with: part, doing: doing)
        var record = ChrootRecord(definition: definition, made: made, packages: packages, refresh: refresh)
        record.base = base?.asBase
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
}
