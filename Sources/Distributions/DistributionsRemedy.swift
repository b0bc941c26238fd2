// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about the roots of targets.
package enum DistributionsRemedy: Remedy {
  case freeSpaceInCache
  case listRoots
}
