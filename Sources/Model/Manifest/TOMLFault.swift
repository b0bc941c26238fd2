// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import TOMLKit

extension TOMLParseError {
  /// What is wrong, for people who write manifests, and what to do.
  var words: (reason: String, advice: String?) {
    // `[tree]` twice, for a list of tables.
    if description.contains("redefine existing table"), let name = description.split(separator: "'").dropFirst().first {
      return ("the table '\(name)' is declared a second time", "in a list of tables, begin each one with [[\(name)]]")
    }
    guard description.hasPrefix("Error while parsing "), let colon = description.firstRange(of: ": ") else {
      return (description, nil)
    }
    return (String(description[colon.upperBound...]), nil)
  }
}
