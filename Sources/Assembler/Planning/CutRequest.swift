// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import SystemPackage

/// A request of the command line.
package struct CutRequest: Sendable {
  package var kernel: String?
  /// Source name → path or URL, in place of what the manifest says.
  package var places: [String: String]
  /// Source name → tag, branch or commit, in place of what the manifest says.
  package var refs: [String: String] = [:]
  package var extras: [String]
  /// Series that are applied after those of the manifest, in order.
  package var patches: [(source: String?, series: PatchSeries)] = []
  package var respin: Int
  /// Who changes the release, in a rebuild.
  package var vendor: ReleaseVersion.Vendor?
  package var allowsUnsigned: Bool
  /// Source name → SHA-256 that its tarball must have.
  package var hashes: [String: SHA256Digest]
  package var cache: FilePath

  package init(
    kernel: String? = nil, places: [String: String] = [:], extras: [String] = [], respin: Int = 0,
    allowsUnsigned: Bool = false, hashes: [String: SHA256Digest] = [:], cache: FilePath
  ) {
    self.kernel = kernel
    self.places = places
    self.extras = extras
    self.respin = respin
    self.allowsUnsigned = allowsUnsigned
    self.hashes = hashes
    self.cache = cache
  }
}
