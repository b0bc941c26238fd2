// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Remedies for input that cannot be audited.
package enum AuditorRemedy: Remedy {
  case giveOtherManifest
  case giveManifest
  case giveReleaseOrTree
  case leaveOutRef
  case leaveOutProbes
  case makeReport
}
