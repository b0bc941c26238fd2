// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import SystemPackage

/// A folder of one's own for work in progress, removed with all that is in it at the end.
///
/// `LRELEASE_KEEP_SCRATCH=1` keeps it and says where it is.
package func withScratch<R>(
  in parent: FilePath? = nil, _ body: (FilePath) async throws -> R
) async throws -> R {
  let parent = parent ?? Files.temporaryFolder
  var template = Array("\(parent)/lrelease.XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else {
    throw ReleaseError(
      errno: errno, doing: "making a scratch folder in \(parent)", advice: "set TMPDIR to a folder that can be written")
  }
  let folder = FilePath(platformString: template)
  func finish() async {
    if environmentVariable("LRELEASE_KEEP_SCRATCH") == nil {
      try? await Files.removeWhenQuiet(folder)
    } else {
      _ = try? FileDescriptor.standardError.writeAll(Array("lrelease: kept \(folder)\n".utf8))
    }
  }
  do {
    let result = try await body(folder)
    await finish()
    return result
  } catch {
    await finish()
    throw error
  }
}
