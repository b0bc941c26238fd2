// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about verdicts that are not there.
package enum VerdictsRemedy: Remedy {
  case qualify
}
