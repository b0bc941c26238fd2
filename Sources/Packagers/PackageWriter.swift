// SPDX-License-Identifier: GPL-2.0-only

import Files
import Releases
import SystemPackage

/// Writes a package, or the files of a source package, to the folder of a release. A new format is a new type.
package protocol PackageWriter: Sendable {
  /// Its name in progress messages, mostly the file name.
  var title: String { get }

  /// Writes the files, each atomically.
  ///
  /// - Parameter report: is called with the finished and the total number of uncompressed bytes.
  /// - Returns: the written files.
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
  /// The name of the package.
  package let name: String
  /// The name of its file.
  package let title: String

  package func write(
    in folder: FilePath, report: @Sendable (_ done: Int64, _ total: Int64) -> Void
  ) async throws -> [Artifact] {
    let bytes = try await package.write(to: folder.appending(title), name: name)
    return [Artifact(name: title, bytes: Int64(bytes.count), sha256: bytes.sha256)]
  }
}
