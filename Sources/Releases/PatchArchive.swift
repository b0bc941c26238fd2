// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Diagnostics
import Files
import Model
import SystemPackage

/// The text of the patches that a release was made with, `NAME.patches.tar.xz` in its folder; of a vendor's rebuild, of
/// those that the vendor added. The plan of the release names them only by digest; they are needed only to cut the
/// release again from its sources.
package enum PatchArchive {
  /// Writes the patches of a plan below a folder `NAME.patches`, each where the recipe has it: see `place`.
  package static func write(_ plan: Plan, to output: ContentStore.Writer) async throws -> FileBytes {
    let name = try plan.releaseName
    let top = "\(name).patches"
    let own = Set(plan.ownPatches.map(\.sha256))
    let files = plan.recipe.filter { own.contains($0.value.sha256) }
    let entries = files.keys.sortedByBytes().compactMap { path in
      files[path].map { CompressedTar.Entry.file("\(top)/\(place(of: path))", .file($0.bytes), mode: 0o644) }
    }
    return try await CompressedTar(
      .xz, blocks: plan.blockLayout, time: plan.sourceDate, doing: "writing the patches of \(name)"
    )
    .write([.folder("\(top)/")] + entries, to: output)
  }

  /// Whether there is anything to write: a plan that came out of a tarball alone has no text of patches.
  package static func isNeeded(for plan: Plan) -> Bool {
    let own = plan.ownPatches
    return plan.format > 1 && !own.isEmpty && own.allSatisfy { !plan.missingPatches.contains($0) }
  }

  /// Gives a plan the text of its patches, from the files of this kind in the folder of its release and of those that it
  /// was made from, where these lie beside it. What the plan does not name by digest is left alone.
  package static func complete(_ plan: inout Plan, from folder: FilePath, progress: Progress) async throws {
    let names = (plan.rebuilds ?? []).map { "\($0.basedOn.name)-\($0.basedOn.version.value.tarball)" }
    let neighbours = names.filter { !$0.utf8.contains(0x2f) && isCleanPath($0) }
      .map { folder.removingLastComponent().appending($0) }
    for place in [folder] + neighbours where Files.isFolder(place) { try await take(&plan, from: place, progress) }
  }

  private static func take(_ plan: inout Plan, from folder: FilePath, _ progress: Progress) async throws {
    let names = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
    for name in names where Artifact.Kind(fileName: name) == .patches {
      let wanted = Set(plan.missingPatches.map(\.sha256))
      guard plan.format > 1, !wanted.isEmpty else { return }
      let read = try await ArchiveFile(folder.appending(name)).read(progress: progress)
      for (place, file) in read.files where wanted.contains(file.content.sha256) {
        let path = path(at: place)
        if plan.recipe[path] == nil { plan.recipe[path] = Plan.RecipeFile(try file.content.readFile()) }
      }
    }
  }

  /// How parts of paths are spelled that no tar may have: a recipe may lie anywhere beside its manifest, `../patches`.
  private static let spellings = ["": "%2F", ".": "%2E", "..": "%2E%2E"]

  private static func place(of path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).map { spellings[String($0)] ?? String($0) }
      .joined(separator: "/")
  }

  private static func path(at place: String) -> String {
    place.split(separator: "/").map { part in
      spellings.first { $0.value == part }?.key ?? String(part)
    }.joined(separator: "/")
  }
}
