// SPDX-License-Identifier: GPL-2.0-only

import Glibc

extension ReleaseError {
  /// The error that a system call left in `errno`.
  package init(errno number: Int32, doing: String, advice: String? = nil) {
    let words = String(cString: strerror(number))
    let hint: String? =
      switch number {
      case ENOSPC, EDQUOT: "free some space there, or write elsewhere (--output, and TMPDIR for work in progress)"
      case EROFS, EACCES, EPERM: "choose a folder that can be written (--output, and TMPDIR for work in progress)"
      case EEXIST: "choose another name; lrelease replaces nothing"
      default: nil
      }
    self.init(.failed, doing: doing, reason: words, advice: advice ?? hint)
  }
}
