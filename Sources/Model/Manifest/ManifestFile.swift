// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage

extension Manifest {
  /// The bytes of a manifest.
  ///
  /// - Throws: `ReleaseError` with code `input`, which names a file with nearly that name where there is none.
  package static func bytes(of path: FilePath) throws -> [UInt8] {
    do {
      return try Files.read(path, limit: 16 << 20, doing: "reading the manifest \(path)")
    } catch let error as ReleaseError {
      throw error.suggesting(path)
    }
  }
}
