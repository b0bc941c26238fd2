// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Remedies if binary packages are not built.
package enum PackagersRemedy: Remedy {
  case giveTargetKernels
  case replacePackages
}
