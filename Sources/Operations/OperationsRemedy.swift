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
}
