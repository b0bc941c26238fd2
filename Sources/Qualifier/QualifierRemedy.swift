// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about what cannot be qualified.
package enum QualifierRemedy: Remedy {
  case nameKernel
  case qualifyUpToBuild
  /// A folder for Slurm's tasks is not what it should be.
  case leaveFolderToQualify
  case giveOptionOfSbatch
}
