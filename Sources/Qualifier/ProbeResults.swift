// SPDX-License-Identifier: GPL-2.0-only

/// What a package's probe found out about exactly one set of kernel headers, kept under the name that the probe itself
/// gives to them.
enum ProbeResults {
  /// Whether a name can be that of a file in `dkms/probed`.
  static func isKey(_ name: String) -> Bool {
    (16...128).contains(name.utf8.count) && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }
}
