// SPDX-License-Identifier: GPL-2.0-only

import CDpkg
import CRPM
import Diagnostics

/// The package managers' own judgement of versions and control files.
package enum VersionComparator: Sendable, CaseIterable {
  case dpkg, rpm

  /// -1, 0 or 1 if `a` is older than, equal to, or newer than `b`.
  ///
  /// - Throws: `ReleaseError` with code `input` if one of them is not a valid version for this package manager.
  package func compare(_ a: String, _ b: String) throws -> Int {
    var result: Int32 = 0
    try complain(doing: "comparing the versions \(a) and \(b)") { buffer, size in
      switch self {
      case .dpkg: lr_dpkg_version_compare(a, b, &result, buffer, size)
      case .rpm: lr_rpm_version_compare(a, b, &result, buffer, size)
      }
    }
    return Int(result)
  }

  /// - Throws: `ReleaseError` with code `input` if `version` is not valid for this package manager.
  package func check(_ version: String) throws {
    try complain(doing: "checking the version \(version)") { buffer, size in
      switch self {
      case .dpkg: lr_dpkg_version_check(version, buffer, size)
      case .rpm: lr_rpm_version_check(version, buffer, size)
      }
    }
  }
}

/// Calls a C function that writes an error to a buffer, and throws that error.
func complain(
  _ code: ReleaseError.Code = .input, doing: String, size: Int = 1024,
  _ body: (UnsafeMutablePointer<CChar>?, Int) -> Int32
) throws {
  var status: Int32 = 0
  let text = [CChar](unsafeUninitializedCapacity: size) { buffer, count in
    buffer.initialize(repeating: 0)
    status = body(buffer.baseAddress, size)
    count = size
  }
  guard status == 0 else {
    let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    throw ReleaseError(code, doing: doing, reason: words.trimmed)
  }
}
