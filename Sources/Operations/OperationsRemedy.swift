// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Remedies if a release cannot be made.
package enum OperationsRemedy: Remedy {
  case giveRespin
  case giveNumber
  /// This version of lrelease generates a different release.
  case useSameLrelease
  /// The release exists and is not signed.
  case signRelease
  /// A release or package has no file with the requested name.
  case listFiles(of: String)
  /// A folder with a manifest already exists.
  case replaceManifest
  case chooseOtherManifestFolder
  /// The given code is not a folder.
  case nameCode
  /// No module was found.
  case nameModuleFolder
  /// No part of the kernel was named.
  case nameFolderOfKernel
}
