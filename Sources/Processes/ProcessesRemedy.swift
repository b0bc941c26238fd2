// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Remedies for machines on which programs cannot run as they should.
package enum ProcessesRemedy: Remedy {
  /// It forbids namespaces, apparently because of this.
  case allowNamespaces(Sandbox.Obstacle)
  /// The request needs a sandbox, but none may be used.
  case useSandbox
}
