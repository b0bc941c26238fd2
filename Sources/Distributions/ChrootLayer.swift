// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import SystemPackage

/// What adds packages to a chroot: a command that is run in it, with the network.
struct ChrootAddition: Sendable {
  /// Where it finds the files of its bootstrapper.
  static let files = "/run/lrelease"

  var words: [String]
  /// Files and folders of this machine that the command reads, if they are there.
  var files: [FilePath] = []
  /// Folders whose contents are not kept.
  var temporary: [FilePath] = []
}

/// The last layer of a chroot while it is made: packages that are added to the chroot below.
struct ChrootLayer {
  private let definition: ChrootDefinition
  private let base: Chroot
  private let folder: FilePath
  private let doing: String

  /// - Parameter folder: where it is made; it may be there.
  init(_ definition: ChrootDefinition, on base: Chroot, in folder: FilePath, doing: String) {
    self.definition = definition
    self.base = base
    self.folder = folder
    self.doing = doing
  }

  /// Where the files of a layer are.
  static func contents(of folder: FilePath) -> FilePath { folder.appending("upper") }

  /// Whether the file system of a folder bears layers: one on a network does not.
  static func areBorne(by folder: FilePath, for definition: ChrootDefinition) async throws -> Bool {
    guard try definition.bootstrapper(doing: "choosing how to make a chroot").addsPackages else { return false }
    if Files.exists(folder.appending(try definition.key)) { return true }
    do {
      return try await withScratch(in: folder) { trial in
        for layer in Sandbox.Layers.folders + ["lower"] { try Files.makeFolder(trial.appending(layer)) }
        let layers = Sandbox.Layers(on: [trial.appending("lower")], in: trial)
        let sandbox = Sandbox([.readOnly("/", at: "/"), .layered(layers, at: "/mnt")], directory: "/mnt")
        return try await sandbox.command("true", []).run(doing: "trying a layer in \(folder)").succeeded
      }
    } catch is ReleaseError {
      // Whoever makes the chroot says what is wrong with the folder, or what is not installed.
      return true
    }
  }

  /// Adds the packages.
  ///
  /// - Returns: what the chroot then has, as `Bootstrapper.packages(in:doing:)` says it.
  func make() async throws -> [String] {
    let bootstrapper = try definition.bootstrapper(doing: doing)
    let session = try base.session(in: folder)
    let addition = bootstrapper.addition(
      definition.layers?.last ?? [], later: definition.later ?? [], to: definition, in: base.folders)
    if let addition {
      try await withScratch { scratch in
        try scratch.write(bootstrapper.files(for: definition))
        let outcome = try await session.run(
          addition.words, folders: [ChrootAddition.files: scratch],
          mounts: addition.temporary.map { .empty($0) } + addition.files.map { .readOnlyIfThere($0) }, network: true,
          environment: ProxyEnvironment.values, doing: doing)
        guard outcome.succeeded else {
          throw outcome.bootstrapFailure(of: nil, making: definition, doing: doing)
        }
      }
    }
    try removePlaces(of: addition?.files ?? [])
    let listed = try await session.run(bootstrapper.packageManager.list, doing: doing)
    guard listed.succeeded else {
      throw ReleaseError(.failed, doing: doing, reason: "its packages cannot be listed: \(listed.complaint)")
    }
    for layer in Sandbox.Layers.folders where folder.appending(layer) != ChrootLayer.contents(of: folder) {
      try Files.remove(folder.appending(layer))
    }
    let contents = ChrootLayer.contents(of: folder)
    return (listed.text.split(separator: "\n").map(String.init) + (try contents.keptForLater)).sorted()
  }

  /// Removes the empty files that stand where files of this machine were shown.
  private func removePlaces(of files: [FilePath]) throws {
    for file in files {
      let place = ChrootLayer.contents(of: folder).appending(String(file.string.dropFirst()))
      if (try? Files.read(place, limit: 1))?.isEmpty == true { try Files.remove(place) }
    }
  }
}
