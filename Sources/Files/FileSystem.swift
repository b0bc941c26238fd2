// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

extension Files {
  /// The kind of the file system that a folder is on, such as `ext4`. Source: proc(5), mountinfo.
  package static func fileSystem(of folder: FilePath) -> String {
    let place = (try? real(folder)) ?? folder
    var found: (depth: Int, kind: String) = (-1, "an unknown kind")
    for line in ((try? read("/proc/self/mountinfo")) ?? []).lines {
      let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
      guard words.count > 6, let dash = words[6...].firstIndex(of: "-"), dash + 1 < words.count else { continue }
      // Spaces and the like are in octal there.
      let point = FilePath(words[4].replacing("\\040", with: " "))
      // What was mounted later at the same place hides what was there.
      if place.starts(with: point), point.components.count >= found.depth {
        found = (point.components.count, words[dash + 1])
      }
    }
    return found.kind
  }

  /// The option of its mount, if any, with which a folder cannot hold the files of a distribution whose programs run.
  package static func obstacleToPrograms(in folder: FilePath) -> String? {
    let (readOnly, noExec): (UInt, UInt) = (1, 8)  // ST_RDONLY, ST_NOEXEC, from bits/statvfs.h
    var status = statvfs()
    guard statvfs(folder.string, &status) == 0 else { return nil }
    if status.f_flag & readOnly != 0 { return "read-only" }
    return status.f_flag & noExec != 0 ? "noexec" : nil
  }
}
