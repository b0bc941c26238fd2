// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage

/// The files beside a manifest: read from disk when a plan is made, from the plan when it is carried out.
package struct Recipe: Sendable {
  /// Folder of the manifest; nil when all comes from a plan.
  package var folder: FilePath?
  package private(set) var files: [String: Plan.RecipeFile]

  package init(folder: FilePath) {
    self.folder = folder
    files = [:]
  }

  package init(plan: Plan) { files = plan.recipe }

  /// The bytes of a file that the manifest names, which then belongs to the plan.
  package mutating func read(_ name: String, at location: SourceLocation? = nil) throws -> [UInt8] {
    if let file = files[name] { return file.bytes }
    guard let folder else {
      throw ReleaseError(
        .input, at: location, doing: "reading the plan", reason: "it does not hold the file \(name)",
        advice:
          "the text of patches lies in \(PackageFileName.patches("NAME")) of the release that brought them: put that beside the plan"
      )
    }
    do {
      let bytes = try Files.read(folder.pushing(FilePath(name)), limit: 64 << 20)
      files[name] = Plan.RecipeFile(bytes)
      return bytes
    } catch let error as ReleaseError {
      throw ReleaseError(
        .input, at: location, doing: error.doing, reason: error.reason,
        advice: "files are named relative to the folder of the manifest", cause: error)
    }
  }

  /// The files in a folder that the manifest names, such as a Debian packaging template.
  ///
  /// - Parameter deep: with the files in its folders.
  package mutating func list(
    _ folderName: String, deep: Bool = false, at location: SourceLocation?
  ) throws -> [String] {
    if let folder {
      try DirectoryWalker(folder.pushing(FilePath(folderName))).walk { entry in
        let inner = "\(folderName)/\(entry.shown)"
        if entry.kind == .folder { return deep ? .goOn : .prune }
        // A link may stand for a file or a folder elsewhere in the recipe.
        if entry.kind != .link || !Files.isFolder(entry.place) {
          _ = try read(inner, at: location)
        } else if deep {
          _ = try list(inner, deep: true, at: location)
        }
        return .goOn
      }
    }
    let names = files.keys.filter {
      $0.hasPrefix(folderName + "/") && (deep || !$0.dropFirst(folderName.count + 1).contains("/"))
    }
    if names.isEmpty {
      throw ReleaseError(.input, at: location, doing: "reading the recipe \(folderName)", reason: "the folder is empty")
    }
    return names.sorted()
  }
}
