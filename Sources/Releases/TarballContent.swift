// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import SystemPackage

/// What a tarball holds, read once, be it that of a release or another.
package struct TarballContent: Sendable {
  package let path: FilePath
  /// The folder whose SHA256SUMS lists the tarball; nil where none lies beside it that does.
  let listing: ReleaseFolder?
  /// Of the tarball as it lies there, compressed.
  let sha256: SHA256Digest
  let codec: Codec
  package let files: ByPath<FileEntry>
  /// The folder in which they lie.
  let topFolder: String?

  /// - Throws: `ReleaseError` with code `different` for a tarball that the SHA256SUMS beside it lists otherwise.
  package init(reading path: FilePath, progress: Progress) async throws {
    self.path = path
    let archive = try ArchiveFile(path)
    sha256 = try await archive.digest()
    codec = try archive.codec ?? .xz
    listing = try ReleaseFolder(listing: path)
    if let listed = try listing?.digest(of: path), listed != sha256 {
      throw ReleaseError(
        .different, doing: "opening the release \(path)",
        reason: "it is not the tarball that the \(ReleaseFolder.checksums) beside it lists", advice: "get both again")
    }
    let read = try await archive.read(progress: progress)
    files = read.files
    topFolder = read.topFolder
  }

  /// Whether lrelease has made it, as far as that can be seen without checking it.
  package var isRelease: Bool { files[Tarball.planPath] != nil || files[Tarball.originsPath] != nil }
}
