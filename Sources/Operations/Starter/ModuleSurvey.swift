// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// The kernel modules that a tree builds, according to its makefiles.
struct ModuleSurvey {
  struct Module {
    var name: String
    /// The folder of the tree in which the .ko is built; empty for the top.
    var folder: String
    /// The folder whose makefile names it.
    var home: String
    /// The option of the kernel's configuration that it depends on, unless its makefile sets it.
    var option: String?
    /// The first object that it is linked from, relative to `home` and without `.o`.
    var firstObject: String
    /// Its code has a MODULE_VERSION.
    var hasVersion: Bool
  }

  /// The folders in which the kernel's make starts, and the modules below them.
  private(set) var roots: [String] = []
  private(set) var modules: [Module] = []
  /// Folders with modules that cannot be reached from there.
  private(set) var leftOut: [String] = []
  /// Options that must be set to build the modules.
  var options: [String] {
    var known: Set<String> = []
    return (modules.compactMap(\.option) + folderOptions).filter { known.insert($0).inserted }
  }
  private var folderOptions: [String] = []
  /// What could not be determined, one line each.
  private(set) var notes: [String] = []

  private let files: [String: [UInt8]]
  private var makefiles: [String: (path: String, content: KbuildFile)] = [:]

  /// - Parameters:
  ///   - files: the files of the tree that were read.
  ///   - wanted: the folders to start in; empty to let the tree decide.
  init(_ files: [String: [UInt8]], in wanted: [String] = []) {
    self.files = files
    for name in ["Kbuild", "Makefile", "makefile", "GNUmakefile"] {
      for (path, bytes) in files where path.pathParts.last.map({ $0 == name }) == true {
        let folder = path.pathParts.dropLast().joined(separator: "/")
        if makefiles[folder] == nil { makefiles[folder] = (path, KbuildFile(bytes)) }
      }
    }
    let (begin, others) = wanted.isEmpty ? suggested() : (wanted, [])
    leftOut = others
    var seen: Set<String> = []
    for root in begin {
      let before = modules.count
      visit(root, option: nil, &seen)
      if modules.count > before { roots.append(root) }
    }
  }

  /// The path of the makefile of a folder.
  func makefile(of folder: String) -> String? { makefiles[folder]?.path }

  /// The top if it builds modules; else every folder that no other folder leads to.
  private func suggested() -> (begin: [String], leftOut: [String]) {
    let reached = Set(
      makefiles.flatMap { folder, file in file.content.folders.map { ModuleSurvey.join(folder, $0.name) } })
    let all = makefiles.filter { !$0.value.content.modules.isEmpty || !$0.value.content.folders.isEmpty }.keys
    let roots = all.filter { !reached.contains($0) && leadsToModules($0) }.sortedByBytes()
    return roots.contains("") ? ([""], roots.filter { !$0.isEmpty }) : (roots, [])
  }

  private func leadsToModules(_ folder: String, depth: Int = 0) -> Bool {
    guard depth < 16, let file = makefiles[folder]?.content else { return false }
    return !file.modules.isEmpty
      || file.folders.contains { leadsToModules(ModuleSurvey.join(folder, $0.name), depth: depth + 1) }
  }

  private mutating func visit(_ folder: String, option: String?, _ seen: inout Set<String>) {
    guard seen.insert(folder).inserted, let (path, file) = makefiles[folder] else { return }
    for (line, word) in file.unread {
      notes.append("\(path):\(line): what '\(word)' names, only make can work out: add such modules to the manifest")
    }
    for line in file.kernelPaths {
      notes.append(
        "\(path):\(line): $(srctree) is the kernel that the modules are built for, and not the tree of this code")
    }
    for entry in file.modules {
      let parts = entry.name.pathParts.map(String.init)
      guard let name = parts.last, !modules.contains(where: { $0.name == name }) else { continue }
      let linked = file.objects[entry.name] ?? []
      modules.append(
        Module(
          name: name, folder: ModuleSurvey.join(folder, parts.dropLast().joined(separator: "/")), home: folder,
          option: entry.option.flatMap { file.settings.contains($0) ? nil : $0 },
          firstObject: linked.first ?? entry.name,
          hasVersion: hasVersion(linked.isEmpty ? [entry.name] : linked, in: folder)))
    }
    for entry in file.folders {
      let inner = ModuleSurvey.join(folder, entry.name)
      let before = modules.count
      visit(inner, option: entry.option, &seen)
      if modules.count > before, let option = entry.option, !file.settings.contains(option) {
        folderOptions.append(option)
      }
    }
  }

  private func hasVersion(_ objects: [String], in folder: String) -> Bool {
    objects.contains { object in
      files[ModuleSurvey.join(folder, object + ".c")].map {
        String(decoding: $0, as: UTF8.self).contains(/\bMODULE_VERSION\s*\(/)
      } ?? false
    }
  }

  /// A path in the tree, with `.` and `..` resolved; unchanged if it leaves the tree.
  static func join(_ folder: String, _ name: String) -> String {
    var parts = folder.pathParts.map(String.init)
    for part in name.pathParts.map(String.init) {
      if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(part) }
    }
    return parts.joined(separator: "/")
  }
}
