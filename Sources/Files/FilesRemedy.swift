// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about files and folders that are not fit.
package enum FilesRemedy: Remedy {
  case chooseCacheWithLocks
}
