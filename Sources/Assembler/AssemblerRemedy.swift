// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Remedies for sources, and for requests that do not fit the manifest or the release.
package enum AssemblerRemedy: Remedy {
  // MARK: sources

  /// The folder of a source does not exist.
  case giveFolder
  /// Neither a file nor a folder exists.
  case giveSource(name: String)
  case giveSameSource(name: String)
  /// For an extra that is added to a release.
  case sayWhereSourceIs(name: String)
  case giveOwnRepository
  case giveRef(name: String)
  case tryFetchAgain
  /// The server answers, but does not send the file.
  case checkAddress
  /// For a release candidate, which kernel.org keeps elsewhere.
  case giveCandidate(name: String, release: String)
  case chooseCacheWithSpace

  /// The version of a source is unknown.
  case sayWhereVersionIs(name: String)
  case nameTagOfVersion(name: String)
  /// For files that the source keeps elsewhere.
  case giveCheckout(name: String)

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
