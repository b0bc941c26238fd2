// SPDX-License-Identifier: GPL-2.0-only

import Archives
import Files
import Model
import Synchronization

/// What a rule of the manifest probably meant, from the tree of its source.
extension Planner {
  /// The paths in the source that are similar to the one of a rule; empty if none is similar, or if the path exists and
  /// only the patterns are wrong.
  func nearPaths(of rule: Manifest.TreeRule, in found: FoundSource) async -> [String] {
    guard !rule.from.isEmpty, let paths = try? await paths(of: found) else { return [] }
    var folders: [String: Set<String>] = [:]
    for path in paths {
      var parent = ""
      for part in path.pathParts {
        folders[parent, default: []].insert(String(part))
        parent += parent.isEmpty ? part : "/\(part)"
      }
    }
    var here = ""
    for part in rule.from.pathParts {
      let names = folders[here] ?? []
      let name = names.contains(String(part)) ? String(part) : String(part).nearest(in: names)
      guard let name else { return sameName(rule.from, in: folders) }
      here += here.isEmpty ? name : "/\(name)"
    }
    return here == rule.from ? [] : [here]
  }

  /// Where the last part of the path occurs: the two places nearest to the top, unless it is frequent.
  private func sameName(_ path: String, in folders: [String: Set<String>]) -> [String] {
    guard let last = path.pathParts.last.map(String.init) else { return [] }
    let places = folders.filter { $0.value.contains(last) }.map { $0.key.isEmpty ? last : "\($0.key)/\(last)" }
    guard places.count <= 8 else { return [] }
    let nearTheTop = places.sortedByBytes().sorted { $0.pathParts.count < $1.pathParts.count }
    return Array(nearTheTop.prefix(2))
  }

  private func paths(of found: FoundSource) async throws -> [String] {
    let names = Mutex<[String]>([])
    @Sendable func note(_ path: String) -> Bool {
      names.withLock { $0.append(path) }
      return false
    }
    switch found {
    case .archive(let path, _, _):
      _ = try await ArchiveFile(path).read(wants: note, progress: .silent) { scan in Result { (try scan(nil), ()) } }
    case .repository(let git): return try await git.paths()
    case .folder(let path):
      try DirectoryWalker(path, doing: "reading the folder \(path)").walk { entry in
        if entry.name == Array(".git".utf8) { return .prune }
        if entry.kind != .folder, let inner = entry.text { _ = note(inner) }
        return .goOn
      }
    }
    return names.withLock { $0 }
  }
}
