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

  /// The bytes of a file that the manifest names; it becomes part of the plan.
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
        advice: near(name).map { "did you mean '\($0)'?" } ?? "files are named relative to the folder of the manifest",
        cause: error)
    }
  }

  /// What lies beside the manifest and has nearly this name, where the name itself is not there.
  private func near(_ name: String) -> String? {
    guard let folder else { return nil }
    let path = folder.pushing(FilePath(name))
    guard !Files.exists(path), let near = Files.neighbour(of: path) else { return nil }
    // As many parts as the manifest has named.
    return FilePath(name).isAbsolute
      ? near.string : FilePath(root: nil, near.components.suffix(FilePath(name).components.count)).string
  }

  /// Reads files of packaging, which must have LF alone as line ends: dpkg, rpm and the shells of sites take a CR for a
  /// part of the line.
  package mutating func readPackaging(_ names: [String], at location: SourceLocation? = nil) throws {
    for name in names {
      guard let line = try read(name, at: location).firstLineInCRLF else { continue }
      throw ReleaseError(
        .input, at: SourceLocation(file: name, line: line, column: 1), doing: "reading the packaging",
        reason: "the line ends with CR and LF, which packaging tools cannot read",
        advice: "save the file with LF alone as line ends")
    }
  }

  /// Adds a file that does not lie beside the manifest.
  package mutating func add(_ name: String, _ bytes: [UInt8]) { files[name] = Plan.RecipeFile(bytes) }

  /// The files in a folder that the manifest names, such as a Debian packaging template.
  ///
  /// - Parameter deep: with the files in its folders.
  package mutating func list(
    _ folderName: String, deep: Bool = false, at location: SourceLocation?
  ) throws -> [String] {
    if let folder {
      guard Files.isFolder(folder.pushing(FilePath(folderName))) else {
        throw ReleaseError(
          .input, at: location, doing: "reading the recipe \(folderName)", reason: "there is no such folder",
          advice: near(folderName).map { "did you mean '\($0)'?" }
            ?? "recipes are named relative to the folder of the manifest")
      }
      try DirectoryWalker(folder.pushing(FilePath(folderName))).walk { entry in
        let inner = "\(folderName)/\(entry.shown)"
        if entry.kind == .folder { return deep ? .goOn : .prune }
        // A link may point to a file or a folder elsewhere in the recipe.
        if entry.kind != .link || !Files.isFolder(entry.place) {
          _ = try read(inner, at: location)
        } else if deep {
          _ = try list(inner, deep: true, at: location)
        }
        return .goOn
      }
    }
    let names = files.keys.filter {
      guard let inner = $0.inner(of: folderName), !inner.isEmpty else { return false }
      return deep || !inner.utf8.contains(0x2f)
    }
    let doing = "reading the recipe \(folderName)"
    if names.isEmpty { throw ReleaseError(.input, at: location, doing: doing, reason: "the folder is empty") }
    // They become paths of the release, and an untrusted plan can contain anything here.
    for name in names {
      let inner = String(decoding: name.utf8.dropFirst(folderName.utf8.count + 1), as: UTF8.self)
      guard let fault = RelativePath.fault(of: inner) else { continue }
      throw ReleaseError(.input, at: location, doing: doing, reason: "the path \(inner) \(fault)")
    }
    return names.sortedByBytes()
  }
}
