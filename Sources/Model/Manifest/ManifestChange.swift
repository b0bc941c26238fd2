// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import SystemPackage

// How one manifest is made of another: `extends` and `change`.

extension TOMLNode {
  /// Merges this document over another one: its values replace those of the other, key by key, within `sources`,
  /// `extras`, `modules` and the like again key by key. Then its `change` is carried out.
  func extending(_ base: TOMLNode) throws(ReleaseError) -> TOMLNode {
    var merged = base.table
    for (key, ours) in table where key != Manifest.change {
      let isMerged = ["sources", "extras", "modules", "audit", "kernel-families"].contains(key)
      if isMerged, let theirs = merged[key], case .table(let inner) = ours.value, case .table(let outer) = theirs.value
      {
        merged[key] = TOMLNode(value: .table(outer.merging(inner) { $1 }), location: ours.location)
      } else {
        merged[key] = ours
      }
    }
    let whole = TOMLNode(value: .table(merged), location: location)
    guard let change = table[Manifest.change] else { return whole }
    guard case .table = change.value else {
      throw ReleaseError(
        .input, at: change.location, doing: "", reason: "'change' must be a table, not \(change.kind)")
    }
    return try whole.changed(by: change, Manifest.change)
  }

  /// The keys that name an element of an array of tables; the first that it has counts.
  private static let names = [
    "packages": ["variant", "rpm", "deb"], "modules": ["name"], "list": ["name"], "tree": ["from"],
    "generate": ["path"], "files": ["path"], "etc": ["path"], "kernels": ["family"],
  ]

  private func name(by keys: [String]) -> String? { keys.lazy.compactMap { self[$0]?.string }.first }

  /// - Parameter path: of the change, for messages.
  private func changed(by change: TOMLNode, _ path: String) throws(ReleaseError) -> TOMLNode {
    guard case .table(let changes) = change.value else { return change }
    switch value {
    case .table(let table):
      var merged = table
      for (key, inner) in changes.sorted(by: { $0.key < $1.key }) {
        let own = TableReader.join(path, key)
        if inner.removes {
          guard merged.removeValue(forKey: key) != nil else { throw inner.nothing(own, table.keys) }
        } else if let theirs = merged[key] {
          merged[key] = try theirs.changed(by: inner, own, key: key)
        } else if inner.table.keys.elementsEqual(["add"]), case .array? = inner["add"]?.value {
          merged[key] = inner["add"]
        } else {
          merged[key] = inner
        }
      }
      return TOMLNode(value: .table(merged), location: location, folder: folder)
    case .array, .string, .integer, .boolean, .other: return change
    }
  }

  private func changed(by change: TOMLNode, _ path: String, key: String) throws(ReleaseError) -> TOMLNode {
    guard case .array(let elements) = value, case .table(let changes) = change.value else {
      return try changed(by: change, path)
    }
    let isOfTables = elements.contains { if case .table = $0.value { true } else { false } }
    if !isOfTables { return try withElements(elements, changes, change, path) }
    guard let keys = Self.names[key] else {
      throw ReleaseError(
        .input, at: change.location, doing: "", reason: "the elements of '\(key)' have no names to change them by",
        advice: "state the whole of '\(key)' instead")
    }
    var result = elements
    for (element, inner) in changes.sorted(by: { $0.key < $1.key }) {
      let own = TableReader.join(path, element)
      guard let index = result.firstIndex(where: { $0.name(by: keys) == element }) else {
        throw inner.nothing(own, result.compactMap { $0.name(by: keys) })
      }
      if inner.removes { result.remove(at: index) } else { result[index] = try result[index].changed(by: inner, own) }
    }
    return TOMLNode(value: .array(result), location: location, folder: folder)
  }

  /// `{ remove = [...], add = [...] }` for an array of texts.
  private func withElements(
    _ elements: [TOMLNode], _ changes: [String: TOMLNode], _ change: TOMLNode, _ path: String
  ) throws(ReleaseError) -> TOMLNode {
    var result = elements
    for (key, inner) in changes {
      guard ["add", "remove"].contains(key), case .array = inner.value else {
        throw ReleaseError(
          .input, at: inner.location, doing: "",
          reason: "'\(path)' changes an array: it must be an array, or { remove = […], add = […] }")
      }
    }
    for node in changes["remove"]?.elements ?? [] {
      guard let index = result.firstIndex(where: { $0.string != nil && $0.string == node.string }) else {
        throw node.nothing("\(path).remove: \(node.string ?? node.kind)", result.compactMap(\.string), node.string)
      }
      result.remove(at: index)
    }
    return TOMLNode(
      value: .array(result + (changes["add"]?.elements ?? [])), location: change.location, folder: folder)
  }

  private var elements: [TOMLNode] { if case .array(let nodes) = value { nodes } else { [] } }

  /// `{ remove = true }`.
  private var removes: Bool { table["remove"]?.boolean == true }

  private func nothing(_ path: String, _ names: some Collection<String>, _ name: String? = nil) -> ReleaseError {
    let name = name ?? path.split(separator: ".").last.map(String.init) ?? path
    return ReleaseError(
      .input, at: location, doing: "", reason: "'\(path)': the manifest that is extended has no '\(name)'",
      advice: name.nearest(in: names).map { "did you mean '\($0)'?" }
        ?? (names.isEmpty ? nil : "it has \(names.sorted().joined(separator: ", "))"))
  }
}

extension TOMLNode {
  /// A path that this node states, as seen from the manifest that is read.
  func beside(_ path: String) -> String {
    guard !folder.isEmpty, !path.utf8.starts(with: [0x2f]) else { return path }
    return FilePath(folder).pushing(FilePath(path)).lexicallyNormalized().string
  }
}

extension Shape where Value == String {
  /// A file or folder, relative to the manifest that names it.
  static var beside: Shape {
    Shape(schema: place.schema) { node, path, findings in place.read(node, path, &findings).map(node.beside) }
  }

  /// The same, or an address of a server.
  static var besideOrAddress: Shape {
    Shape(schema: place.schema) { node, path, findings in
      place.read(node, path, &findings).map { text in
        // As git tells `host:path` from a path: a colon before the first slash.
        text.utf8.prefix { $0 != 0x2f }.contains(0x3a) ? text : node.beside(text)
      }
    }
  }
}
