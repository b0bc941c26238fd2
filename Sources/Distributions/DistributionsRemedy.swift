// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Remedies for problems with chroots.
package enum DistributionsRemedy: Remedy {
  case freeSpaceInCache
  case listRoots
  /// Programs cannot be run there, or it cannot hold a chroot.
  case chooseOtherCache
  /// The chroot is damaged.
  case removeRoot(String)
}
