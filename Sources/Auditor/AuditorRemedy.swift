// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about what cannot be audited.
package enum AuditorRemedy: Remedy {
  case giveOtherManifest
  case giveManifest
  case giveReleaseOrTree
  case leaveOutRef
  case leaveOutProbes
  case makeReport
}
