// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Remedies for missing verdicts.
package enum VerdictsRemedy: Remedy {
  case qualify
}
