// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import SystemPackage

extension Files {
  /// The file or folder that is there and has nearly this path, spelled as the path was; nil where none is near enough.
  package static func neighbour(of path: FilePath) -> FilePath? {
    var here = FilePath(root: path.root, [])
    for component in path.components {
      let next = here.appending(component)
      guard component.kind == .regular, !exists(next) else {
        here = next
        continue
      }
      let names = (try? names(in: here.isEmpty ? "." : here)) ?? []
      let near = component.string.nearest(in: names.compactMap { String(validating: $0, as: UTF8.self) })
      guard let near else { return nil }
      here.append(near)
    }
    return here == path || here.isEmpty ? nil : here
  }
}

extension ReleaseError {
  /// The same error, with the name that was probably meant where the file is not there.
  package func suggesting(_ path: FilePath) -> ReleaseError {
    guard let near = suggestion(for: path) else { return self }
    return ReleaseError(
      code, at: location, doing: doing, reason: reason, advice: "did you mean '\(near)'?", cause: cause)
  }

  package func suggestion(for path: FilePath) -> FilePath? {
    guard cause as? Errno == .noSuchFileOrDirectory else { return nil }
    return Files.neighbour(of: path)
  }
}
