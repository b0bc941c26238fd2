// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// A root file system of a distribution: a folder, or a layer on another chroot, that does not change, and is kept as long
/// as this value exists.
package struct Chroot: Sendable {
  /// Its folder in the cache.
  package let path: FilePath
  package let record: ChrootRecord
  /// The folders that it consists of, each on top of the next.
  let folders: [FilePath]
  /// Nobody else may make the chroot, or one below it, anew meanwhile.
  private let locks: [FileLock]
  /// The tail of this machine's PATH must not decide what a chroot finds.
  private static let environment = [
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
    "TZ": "UTC", "DEBIAN_FRONTEND": "noninteractive",
  ]

  /// - Parameter base: the chroot below its layer, where it is one.
  init(_ path: FilePath, _ record: ChrootRecord, on base: Chroot?, _ lock: FileLock) {
    self.path = path
    self.record = record
    folders = base.map { [ChrootLayer.contents(of: path)] + $0.folders } ?? [path]
    locks = (base?.locks ?? []) + [lock]
  }

  /// Its name in the cache.
  package var name: String { path.lastComponent?.string ?? "" }

  /// What a layer on it is recorded with.
  var asBase: ChrootRecord.Base { ChrootRecord.Base(name: name, mark: record.mark) }

  /// What is wrong with its files; nil if they are as its packages brought them. Reads all of them, which takes seconds.
  package func damage(_ manager: any PackageManager, doing: String) async throws -> String? {
    try await use { session in
      let outcome = try await session.run(manager.verification, doing: doing)
      let lines = outcome.text.lines.map { String($0) }
      if let first = lines.first { return lines.count == 1 ? first : "\(first), and \(lines.count - 1) more" }
      return outcome.succeeded ? nil : outcome.complaint
    }
  }

  /// Uses the chroot: the changes of `body` are discarded when it returns.
  package func use<R: Sendable>(_ body: (ChrootSession) async throws -> R) async throws -> R {
    return try await withScratch { scratch in
      try await body(session(in: scratch))
    }
  }

  /// A session whose changes are in `scratch`.
  func session(in scratch: FilePath) throws -> ChrootSession {
    for layer in Sandbox.Layers.folders { try Files.makeFolder(scratch.appending(layer)) }
    // It becomes the root of the root, for users in it too, whatever the umask is here.
    chmod(ChrootLayer.contents(of: scratch).string, 0o755)
    return ChrootSession(lowers: folders, scratch: scratch, environment: Chroot.environment)
  }
}
