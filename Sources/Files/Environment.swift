// SPDX-License-Identifier: GPL-2.0-only

import Glibc

/// The value of a variable in the environment of lrelease, when it is set and not empty.
package func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name) else { return nil }
  let text = String(cString: value)
  return text.isEmpty ? nil : text
}
