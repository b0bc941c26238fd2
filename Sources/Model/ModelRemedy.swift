// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about plans and targets that are not fit.
package enum ModelRemedy: Remedy {
  case makePlan
  /// A plan was given where a manifest belongs.
  case givePlanAsPlan
  case listTargets
}
