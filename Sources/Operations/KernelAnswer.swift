// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Packagers
import Releases
import SystemPackage

/// Whether a package of a release supports a kernel, and how that is known.
package struct KernelAnswer: Sendable, Encodable, Equatable {
  /// As `uname -r` prints it.
  package var kernel: String
  /// Of the package: `client`.
  package var variant: String
  /// The family that decides about the kernel; nil in releases that know no families.
  package var family: String?
  package var isSupported: Bool
  /// How that is known, or why not, in the words of the package itself.
  package var reason: String

  /// The line that people read.
  package var line: String {
    guard isSupported else { return "\(variant): kernel \(kernel) is skipped: \(reason)" }
    return "\(variant): kernel \(kernel) is supported: \(family.map { "\($0), " } ?? "")\(reason)"
  }

  /// The answers of all packages of a release, kernel by kernel.
  ///
  /// - Parameter path: a release folder, or a tarball.
  /// - Throws: `ReleaseError` when it is neither, with code `different` for a release that was changed.
  package static func all(
    of path: FilePath, on kernels: [String], progress: Progress
  ) async throws -> [KernelAnswer] {
    let release: Release
    if Files.isFolder(path) {
      release = try await Release(opening: path, progress: progress)
    } else {
      guard !PackageContents.isPackage(try Files.start(of: path, count: 8)) else {
        throw ReleaseError(
          .input, doing: "reading \(path)", reason: "it is a package", advice: "give the release that it is of")
      }
      release = try Release(await TarballContent(reading: path, progress: progress))
    }
    let context = try PackagingContext(release.plan, release.manifest)
    let packages = try context.packages.map { ($0.variant, try DKMSPackage($0, in: context).kernels) }
    return kernels.flatMap { kernel in packages.map { $1.answer(for: kernel, of: $0) } }
  }
}

extension PackageKernels {
  fileprivate func answer(for kernel: String, of variant: String) -> KernelAnswer {
    switch self {
    case .range(let range):
      let isSupported = range.contains(kernel)
      return KernelAnswer(
        kernel: kernel, variant: variant, isSupported: isSupported,
        reason: isSupported ? "one of \(range.text)" : "supported are \(range.text)")
    case .families(let support):
      let entry = support.entry(of: kernel)
      let family = support.deciding(kernel).name
      return KernelAnswer(
        kernel: kernel, variant: variant, family: family, isSupported: entry != nil,
        reason: entry?.words ?? support.refusal(of: family))
    }
  }
}
