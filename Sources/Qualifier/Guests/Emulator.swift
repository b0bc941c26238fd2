// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Synchronization
import SystemPackage

/// The programs of QEMU, and whether hardware virtualisation works on this machine.
package final class Emulator: Sendable {
  private let folder: FilePath?
  /// Whether `/dev/kvm` works: it may exist and still crash every guest. nil before the first guest.
  private let kvmWorks: Mutex<Bool?>

  /// - Parameter folder: the folder of its programs; nil for the PATH.
  package init(folder: FilePath? = nil) {
    self.folder = folder
    kvmWorks = Mutex(access("/dev/kvm", R_OK | W_OK) == 0 ? nil : false)
  }

  func program(_ name: String) -> String { folder?.appending(name).string ?? name }

  var mayHaveKVM: Bool { kvmWorks.withLock { $0 } != false }

  /// Remembers whether a guest booted with kvm. One success counts for all: another kernel may be at fault.
  func remember(kvmWorked: Bool) {
    kvmWorks.withLock { known in
      if kvmWorked || known == nil { known = kvmWorked }
    }
  }
}
