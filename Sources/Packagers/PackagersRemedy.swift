// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about binary packages that are not built.
package enum PackagersRemedy: Remedy {
  case giveTargetKernels
  case replacePackages
}
