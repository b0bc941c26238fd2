// SPDX-License-Identifier: GPL-2.0-only

import Model

/// Licences that cannot be combined with the GPL in one work: only those that the Free Software Foundation calls
/// incompatible, and no disputed ones. Source: https://www.gnu.org/licenses/license-list.html.
enum LicenceConflicts {
  /// Incompatible with every version of the GPL.
  private static let withGPL: Set = [
    "AFL-1.1", "AFL-1.2", "AFL-2.0", "AFL-2.1", "AFL-3.0", "APSL-1.0", "APSL-1.1", "APSL-1.2", "APSL-2.0",
    "Apache-1.0", "Apache-1.1", "BSD-4-Clause", "BUSL-1.1", "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0", "CDDL-1.0", "CDDL-1.1", "CPL-1.0", "EPL-1.0", "EPL-2.0", "IPL-1.0", "JSON", "LPL-1.02", "MPL-1.0",
    "MPL-1.1", "MS-PL", "MS-RL", "NPL-1.0", "NPL-1.1", "OSL-1.0", "OSL-2.0", "OSL-3.0", "OpenSSL", "PHP-3.01",
    "QPL-1.0",
    "RPSL-1.0", "SISSL", "SPL-1.0", "SSPL-1.0", "YPL-1.1",
  ]
  /// Compatible with version 3 of the GPL, and therefore with code under version 2 or later.
  private static let withVersion2: Set = [
    "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "CC-BY-SA-4.0", "ECL-2.0", "GPL-3.0-only", "GPL-3.0-or-later",
    "LGPL-3.0-only", "LGPL-3.0-or-later",
  ]
  /// Exceptions that permit a combination that the licence alone forbids.
  private static let exceptions = ["Autoconf-", "Bison-", "GCC-", "LLVM-", "Libtool-", "mif-", "Swift-", "u-boot-"]

  /// The part of a work that conflicts with a file; nil if there is none.
  ///
  /// - Parameter rest: the expressions of all files.
  static func opponent(of expression: SPDXExpression, in rest: some Sequence<SPDXExpression>) -> SPDXExpression? {
    let conflicting = rest.lazy.filter { other in
      let isVersion2 = !other.isPossible { name, _ in name != "GPL-2.0-only" }
      let isGPL = !other.isPossible { name, _ in !name.hasPrefix("GPL-") }
      return !expression.isPossible { name, exception in
        if let exception, exceptions.contains(where: { exception.hasPrefix($0) }) { return true }
        return !(isGPL && withGPL.contains(name) || isVersion2 && withVersion2.contains(name))
      }
    }
    return conflicting.min { $0.text < $1.text }
  }
}
