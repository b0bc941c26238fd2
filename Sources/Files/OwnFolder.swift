// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

extension Files {
  /// Requires that only the user and root can write to a trusted folder, such as a cache, and to the folders in it. A
  /// missing folder is fine.
  ///
  /// - Throws: `ReleaseError` with code `input` that says who could. Source: sshd_config(5), StrictModes; a group of the
  ///   user's own, with the number of the user, counts as the user, as Debian has it there.
  package static func demandOwn(_ folder: FilePath, doing: String) throws {
    guard isFolder(folder) else { return }
    try demandOwner(folder, doing: doing)
    for name in try names(in: folder) where isFolder(folder.appending(bytes: name)) {
      try demandOwner(folder.appending(bytes: name), doing: doing)
    }
  }

  private static func demandOwner(_ folder: FilePath, doing: String) throws {
    var status = stat()
    guard folder.withPlatformString({ stat($0, &status) }) == 0 else { throw ReleaseError(errno: errno, doing: doing) }
    func refuse(_ reason: String) -> ReleaseError {
      ReleaseError(.input, doing: doing, reason: "\(folder) \(reason)", remedy: FilesRemedy.chooseOwnCache)
    }
    if status.st_uid != geteuid() && status.st_uid != 0 {
      throw refuse("belongs to the user \(status.st_uid), who could put anything into it")
    }
    let isOwnGroup = status.st_gid == status.st_uid
    if status.st_mode & 0o002 != 0 || status.st_mode & 0o020 != 0 && !isOwnGroup {
      throw refuse("can be written to by others, who could put anything into it")
    }
  }
}
