// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import SystemPackage

/// Remedies for errors of the system.
package enum SystemRemedy: Remedy {
  case freeSpace
  case chooseWritableFolder
}

extension ReleaseError {
  /// The error that a system call left in `errno`.
  package init(
    errno number: Int32, doing: String, advice: String? = nil, remedy: (any Remedy)? = nil,
    cause: (any Error)? = nil
  ) {
    let words = String(cString: strerror(number))
    let usual: (any Remedy)? =
      switch number {
      case ENOSPC, EDQUOT: SystemRemedy.freeSpace
      case EROFS, EACCES, EPERM: SystemRemedy.chooseWritableFolder
      case EEXIST: Advice("choose another name")
      default: nil
      }
    self.init(
      .failed, doing: doing, reason: words, advice: advice, remedy: remedy ?? (advice == nil ? usual : nil),
      cause: cause ?? Errno(rawValue: number))
  }
}
