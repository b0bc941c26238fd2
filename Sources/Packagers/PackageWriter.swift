// SPDX-License-Identifier: GPL-2.0-only

import Files
import Releases
import SystemPackage

/// Writes a package, or the files of a source package, to the folder of a release. A new format is a new type.
package protocol PackageWriter: Sendable {
  /// What progress calls it: mostly the name of the file.
  var title: String { get }

  /// Writes the files, each complete or not at all.
  ///
  /// - Parameter report: is told how many bytes of the uncompressed files are done, and how many there are.
  /// - Returns: what was written.
  func write(
    in folder: FilePath, report: @Sendable (_ done: Int64, _ total: Int64) -> Void
  ) async throws -> [Artifact]
}

extension DebPackage: PackageWriter {
  package var title: String { fileName }

  package func write(
    in folder: FilePath, report: @Sendable (_ done: Int64, _ total: Int64) -> Void
  ) async throws -> [Artifact] {
    let bytes = try await write(to: folder.appending(fileName), report: report)
    return [Artifact(name: fileName, bytes: Int64(bytes.count), sha256: bytes.sha256)]
  }
}

/// An .rpm with its names.
package struct RPMPackageWriter: PackageWriter {
  package let package: RPMPackage
  /// What the package is called.
  package let name: String
  /// What its file is called.
  package let title: String

  package func write(
    in folder: FilePath, report: @Sendable (_ done: Int64, _ total: Int64) -> Void
  ) async throws -> [Artifact] {
    let bytes = try await package.write(to: folder.appending(title), name: name)
    return [Artifact(name: title, bytes: Int64(bytes.count), sha256: bytes.sha256)]
  }
}
