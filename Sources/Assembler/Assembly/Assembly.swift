// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// Puts the files of the sources where the manifest's rules say, and adds what is generated.
package struct Assembly {
  private let manifest: Manifest
  private(set) var tree = ReleaseTree()
  /// Which rule wrote a path, for the message about a collision.
  private var writers = ByPath<String>()
  /// A path in each folder, for the same.
  private var folders = ByPath<String>()

  package init(_ manifest: Manifest) { self.manifest = manifest }

  /// Goes on from the tree of a release.
  init(_ manifest: Manifest, from released: ReleaseTree) {
    self.manifest = manifest
    tree = released
    for path in released.paths { writers[path] = released[path]?.origin.summary }
    for folder in released.folders { folders[folder] = folder }
  }

  /// - Parameters:
  ///   - contents: what was read of each source.
  ///   - extras: names of the extras to add, in the order in which they are applied.
  ///   - values: for the placeholders in templates.
  ///   - patches: series that were given when the release was cut.
  ///   - rebuilds: what vendors made of the release, in order; their patches come last.
  ///   - cache: the folder where what prepare steps make is kept.
  package static func tree(
    _ manifest: Manifest, contents: [String: SourceContent], extras: [String], recipe: inout Recipe,
    values: [String: String], tools: [String: String], sourceDate: Int64, patches: [Plan.AddedSeries] = [],
    rebuilds: [Plan.Rebuild] = [], cache: FilePath? = nil, progress: Progress
  ) async throws -> ReleaseTree {
    var assembly = Assembly(manifest)
    try assembly.apply(manifest.rules, contents)
    try assembly.apply(manifest.rules(of: extras), contents)
    try assembly.generate(manifest.generated + manifest.generated(of: extras), &recipe, values)
    try await assembly.patch(with: extras, &recipe, progress)
    for added in patches where added.source == nil {
      try await assembly.patch(added.series, by: added.mark, &recipe, progress)
    }
    try await assembly.prepare(tools: tools, sourceDate: sourceDate, cache: cache, progress)
    for rebuild in rebuilds { try await assembly.patch(for: rebuild, &recipe, progress) }
    try assembly.check(with: extras)
    return assembly.tree
  }

  mutating func apply(_ rules: [Manifest.TreeRule], _ contents: [String: SourceContent]) throws {
    for rule in rules { try apply(rule, contents) }
  }

  private mutating func apply(_ rule: Manifest.TreeRule, _ contents: [String: SourceContent]) throws {
    let files = contents[rule.source]?.files ?? [:]
    var matched = false
    for path in files.keys.sortedByBytes() {
      guard let file = files[path], let destination = rule.destination(of: path) else { continue }
      matched = true
      guard isCleanPath(destination) else {
        throw ReleaseError(
          .input, at: rule.location, doing: "assembling the tree",
          reason: "the rule from \(rule.text) gives '\(destination)', which cannot stand in a release")
      }
      let origin = Origin(
        source: rule.source, path: file.path ?? path, blob: file.blob,
        patches: file.patches.isEmpty ? nil : file.patches,
        isUnsigned: contents[rule.source]?.pin.isUnsigned)
      try write(
        destination, TreeEntry(content: file.content, isExecutable: file.isExecutable, origin: origin),
        from: "\(rule.source):\(path)", overlay: rule.isOverlay, at: rule.location)
    }
    guard matched else { throw rule.matchesNothing() }
  }

  private mutating func write(
    _ path: String, _ entry: TreeEntry, from writer: String, overlay: Bool, at location: SourceLocation
  ) throws {
    if let other = tree[path], !overlay, other.content != entry.content || other.isExecutable != entry.isExecutable {
      throw ReleaseError(
        .input, at: location, doing: "assembling the tree",
        reason: "\(writer) and \(writers[path] ?? "an earlier rule") both write \(path), with different content",
        advice: "say overlay = true in the rule that is to win")
    } else if tree[path] != nil && !overlay {
      return
    }
    // A file cannot stand where a folder is needed, nor the other way round.
    if let inner = folders[path] {
      throw ReleaseError(
        .input, at: location, doing: "assembling the tree",
        reason: "\(writer) makes \(path) a file, but \(writers[inner] ?? "an earlier rule") writes \(inner)")
    }
    var parent = path[...]
    while let slash = parent.utf8.lastIndex(of: 0x2f) {
      parent = parent[..<slash]
      if tree[String(parent)] != nil {
        throw ReleaseError(
          .input, at: location, doing: "assembling the tree",
          reason: "\(writer) writes \(path), but \(writers[String(parent)] ?? "an earlier rule") makes \(parent) a file"
        )
      }
      folders[String(parent)] = path
    }
    tree[path] = entry
    writers[path] = writer
  }

  mutating func generate(
    _ files: [Manifest.GeneratedFile], _ recipe: inout Recipe, _ values: [String: String]
  ) throws {
    for file in files { try generate(file, &recipe, values) }
  }

  private mutating func generate(
    _ file: Manifest.GeneratedFile, _ recipe: inout Recipe, _ values: [String: String]
  ) throws {
    let template = try Template(file: file.template, bytes: recipe.read(file.template, at: file.location))
    let entry = TreeEntry(
      content: .file(Array(try template.render(values).utf8)), isExecutable: file.isExecutable,
      origin: Origin(source: "generated", generator: "template \(file.template)"))
    try write(
      file.path, entry, from: "the template \(file.template)", overlay: file.isOverlay, at: file.location)
  }

  /// Gives a file other bytes; all else stays.
  mutating func replace(_ path: String, with bytes: [UInt8]) { tree[path]?.content = .file(bytes) }

  /// Applies the patches of extras.
  mutating func patch(with extras: [String], _ recipe: inout Recipe, _ progress: Progress) async throws {
    for name in extras {
      guard let extra = manifest.extras[name], let series = extra.series else { continue }
      try await patch(series, at: extra.location, &recipe, progress)
    }
  }

  /// Applies the patches of a vendor.
  mutating func patch(for rebuild: Plan.Rebuild, _ recipe: inout Recipe, _ progress: Progress) async throws {
    guard let series = rebuild.series else { return }
    try await patch(series, by: rebuild.mark, &recipe, progress)
  }

  private mutating func patch(
    _ seriesFile: String, at location: SourceLocation? = nil, by mark: String? = nil, _ recipe: inout Recipe,
    _ progress: Progress
  ) async throws {
    var reader = recipe
    let series = try PatchSeries(file: seriesFile) { try reader.read($0, at: location) }
    recipe = reader
    try await series.apply(to: &tree, by: mark, progress: progress)
  }

  /// Runs the prepare steps of the manifest.
  ///
  /// - Parameters:
  ///   - tools: versions of the programs that they use.
  ///   - cache: the folder where what they make is kept.
  mutating func prepare(
    tools: [String: String], sourceDate: Int64, cache: FilePath?, _ progress: Progress
  ) async throws {
    for step in manifest.prepare {
      let used = tools.filter { step.tools.contains($0.key) }
      try await progress.step("preparing (\(step.run.joined(separator: " ")))") {
        try await PrepareSandbox.run(
          step, in: &tree, tools: used, sourceDate: sourceDate, cache: cache.map { PrepareCache($0) })
      }
    }
  }

  /// Every link must lead somewhere, and every module have the folder that it is built in.
  func check(with extras: [String]) throws {
    try checkLinks()
    try checkModules(extras)
  }

  private func checkLinks() throws {
    let folders = PathSet(tree.folders)
    for path in tree.paths {
      guard let entry = tree[path], case .link(let target) = entry.content else { continue }
      guard leadsSomewhere(path, folders) else {
        throw ReleaseError(
          .source, doing: "assembling the tree",
          reason: "the link \(path) (\(entry.origin.summary)) leads to \(target), which the release does not hold",
          advice: "add what it names, or exclude the link")
      }
    }
  }

  /// Whether a link ends at something in the tree, seen as a kernel would: a `..` behind a link to a folder goes up from
  /// where that leads, which may be out of the tree although the text is not.
  private func leadsSomewhere(_ path: String, _ folders: PathSet) -> Bool {
    var rest = path.pathParts.map(String.init)
    var here: [String] = []
    var links = 0
    while !rest.isEmpty {
      let part = rest.removeFirst()
      if part.isSameInBytes(".") { continue }
      if part.isSameInBytes("..") {
        guard here.popLast() != nil else { return false }
        continue
      }
      here.append(part)
      let place = here.joined(separator: "/")
      if case .link(let target)? = tree[place]?.content {
        links += 1
        // As many as Linux follows.
        guard links <= 40, target.utf8.first != 0x2f else { return false }
        here.removeLast()
        rest = target.pathParts.map(String.init) + rest
      } else if tree[place] != nil ? !rest.isEmpty : !folders.contains(place) {
        return false
      }
    }
    return true
  }

  private func checkModules(_ extras: [String]) throws {
    let folders = Set(tree.folders)
    for package in manifest.packages(with: extras) {
      let modules = manifest.modules(of: package, with: extras)
      for module in modules where module.path != "." && !folders.contains(module.path) {
        throw ReleaseError(
          .input, at: package.location, doing: "checking the package '\(package.variant)'",
          reason: "the module \(module.name) is to be built in \(module.path), which the release does not hold",
          advice: module.path.nearest(in: folders).map { "did you mean '\($0)'?" })
      }
    }
  }
}

extension Plan {
  /// Carries the plan out: the tree with everything in it but the records of the release itself.
  package func assemble(_ opened: OpenedPlan, progress: Progress) async throws -> ReleaseTree {
    var recipe = Recipe(plan: self)
    return try await Assembly.tree(
      opened.manifest, contents: opened.contents, extras: extras, recipe: &recipe,
      values: try values(opened.manifest), tools: tools, sourceDate: sourceDate, patches: patches ?? [],
      rebuilds: rebuilds ?? [], cache: opened.cache, progress: progress)
  }
}
