// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about a release that cannot be made.
package enum OperationsRemedy: Remedy {
  case giveRespin
  case giveNumber
  /// The release is made otherwise here.
  case useSameLrelease
  /// It was made before, without a signature.
  case signRelease
  /// A release or package holds no file of the name that was asked for.
  case listFiles(of: String)
  /// A folder with a manifest is there already.
  case replaceManifest
  case chooseOtherManifestFolder
  /// What is given as the code of a release is not a folder.
  case nameCode
  /// No module was found.
  case nameModuleFolder
  /// Which part of a kernel is wanted was not said.
  case nameFolderOfKernel
}
