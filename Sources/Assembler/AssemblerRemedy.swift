// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about sources, and about requests that do not fit the manifest or the release.
package enum AssemblerRemedy: Remedy {
  // MARK: sources

  /// Where a source was to be found, there is no folder.
  case giveFolder
  /// There is neither a file nor a folder.
  case giveSource(name: String)
  case giveSameSource(name: String)
  /// Of an extra that is added to a release.
  case sayWhereSourceIs(name: String)
  case giveOwnRepository
  case tryFetchAgain
  /// The server answers, but not with the file.
  case checkAddress
  /// Of a release candidate, which kernel.org has elsewhere.
  case giveCandidate(name: String, release: String)
  case chooseCacheWithSpace

  // MARK: trust

  case giveSignatureOrHash
  case giveSignedTag
  case giveSignedTarball

  // MARK: the kernel

  case nameKernel
  case nameKernelOrSource(name: String)
  case giveTreeOfKernel

  // MARK: extras and rebuilds

  case addExtra(String)
  case leaveOutExtra(String)
  case leaveOutSource
  case nameVendor
  case giveNumber(Int)
}
