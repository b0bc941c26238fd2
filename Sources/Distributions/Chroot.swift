// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// A root file system of a distribution: a folder that does not change, and is kept as long as this value exists.
package struct Chroot: Sendable {
  package let path: FilePath
  package let record: ChrootRecord
  /// Nobody else may make the chroot anew meanwhile.
  private let lock: FileLock
  /// The tail of this machine's PATH must not decide what a chroot finds.
  private static let environment = [
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
    "TZ": "UTC", "DEBIAN_FRONTEND": "noninteractive",
  ]

  init(_ path: FilePath, _ record: ChrootRecord, _ lock: FileLock) {
    self.path = path
    self.record = record
    self.lock = lock
  }

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
    let root = path
    return try await withScratch { scratch in
      for layer in Sandbox.Layers.folders { try Files.makeFolder(scratch.appending(layer)) }
      // It becomes the root of the root, for users in it too, whatever the umask is here.
      chmod(scratch.appending("upper").string, 0o755)
      return try await body(ChrootSession(root: root, scratch: scratch, environment: Chroot.environment))
    }
  }
}
