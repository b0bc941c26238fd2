// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about files and folders that are not fit.
package enum FilesRemedy: Remedy {
  case chooseCacheWithLocks
  /// A folder that others can write to is not trusted.
  case chooseOwnCache
}
