// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// What to do about a machine on which programs cannot be run as they should be.
package enum ProcessesRemedy: Remedy {
  /// It lets nobody make namespaces, as far as can be seen because of this.
  case allowNamespaces(Sandbox.Obstacle)
  /// What is asked for needs a sandbox, and none is to be used.
  case useSandbox
}
