// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Remedies for existing and for unusable releases.
package enum ReleasesRemedy: Remedy {
  case chooseOtherOutput
  case nameReleaseFolder
  /// The tarball was changed by hand.
  case getTarballAgain
  /// Another key of the keyring signed it than those that were named.
  case nameSigner
  /// It is signed already.
  case replaceSignatures
}
