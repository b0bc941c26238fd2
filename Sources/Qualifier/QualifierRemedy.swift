// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Remedies if something cannot be qualified.
package enum QualifierRemedy: Remedy {
  case nameKernel
  case qualifyUpToBuild
  /// A target only compiles.
  case qualifyUpToCompiled
  /// A folder for tasks of Slurm is not valid.
  case leaveFolderToQualify
  case giveOptionOfSbatch
}
