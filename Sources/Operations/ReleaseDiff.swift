// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Diagnostics
import Files
import Model
import Packagers
import Processes
import Releases
import SystemPackage

/// What changed between two releases: their inputs, their files, and the contents of their packages.
package struct ReleaseDiff: Sendable, Codable {
  /// Something that is in only one release, or differs.
  package struct Change: Sendable, Codable, Equatable {
    package var name: String
    /// Its value in the first release; nil if it is not there.
    package var before: String?
    /// Its value in the second release; nil if it is not there.
    package var after: String?
    /// Of a file: additional information, such as its origin.
    package var note: String?
  }

  package struct Section: Sendable, Codable, Equatable {
    package var title: String
    /// Nothing but the version differs in these files.
    package var onlyVersion: Bool
    /// By name, never empty.
    package var changes: [Change]

    init(title: String, onlyVersion: Bool = false, changes: [Change]) {
      self.title = onlyVersion ? "\(title), only the version differs" : title
      self.onlyVersion = onlyVersion
      self.changes = changes
    }
  }

  package var before: String
  package var after: String
  /// Only those with a change.
  package var sections: [Section]
  /// The changes of text files as a unified diff, for `patch -p1`; nil if not requested.
  package var patch: String?

  package var isSame: Bool { sections.isEmpty }

  /// Compares two releases, each a tarball or a release folder. Packages are compared if both are folders.
  ///
  /// - Throws: `ReleaseError` with code `source` if one of them is not a release, or was changed.
  package static func between(
    _ first: FilePath, _ second: FilePath, withPatch: Bool = false, progress: Progress
  ) async throws -> ReleaseDiff {
    let before = try await Side(reading: first, progress: progress)
    let after = try await Side(reading: second, progress: progress)
    let version = VersionChange(from: before.plan, to: after.plan)
    var sections = try await made(before, after) + files(before, after, version)
    if before.release.folder != nil, after.release.folder != nil {
      sections += try await packages(before, after, version, progress)
    }
    return ReleaseDiff(
      before: before.release.name, after: after.release.name, sections: sections.filter { !$0.changes.isEmpty },
      patch: withPatch ? try await unified(before, after) : nil)
  }

  /// One of the two releases.
  private struct Side {
    let release: Release
    /// Its files without packaging and records.
    let code: ReleaseTree

    var plan: Plan { release.plan }

    init(reading path: FilePath, progress: Progress) async throws {
      do {
        release = try await Release(opening: path, progress: progress)
      } catch let error as ReleaseError where error.code == .different {
        // Here, code `different` means that the two releases differ.
        throw ReleaseError(.source, doing: error.doing, reason: error.reason, remedy: error.remedy, cause: error)
      }
      code = try PackagingTree.code(of: release.tree, in: PackagingContext(release.plan, release.manifest))
    }
  }

  // MARK: inputs

  private static func made(_ before: Side, _ after: Side) throws -> [Section] {
    func section(_ title: String, _ facts: (Side) throws -> [String: String]) throws -> Section {
      Section(title: title, changes: changes(try facts(before), try facts(after)))
    }
    return [
      try section("release") { side in
        var facts = [
          "name": side.plan.name, "version": side.plan.version.text,
          "time": Timestamp(seconds: side.plan.sourceDate).iso8601,
        ]
        facts["kernel"] = side.plan.kernel
        for rebuild in side.plan.rebuilds ?? [] {
          facts["rebuild \(rebuild.mark)"] = "of \(rebuild.basedOn.name) \(rebuild.basedOn.version)"
        }
        return facts
      },
      try section("sources") { $0.plan.sources.mapValues { "\($0.kind), \($0.identity)" } },
      try section("tools") { $0.plan.tools },
      try section("extras") { side in
        Dictionary(side.plan.extras.map { ($0, side.release.manifest.extras[$0]?.summary ?? "") }) { $1 }
      },
      try section("patches") { try $0.release.patches() },
      try section("recipe") { side in
        // Patches have their own section; plans of format 1 also hold them in the recipe.
        let patches = Set(side.plan.appliedPatches.map(\.sha256))
        return side.plan.recipe.filter { !patches.contains($0.value.sha256) }.mapValues { "SHA-256 \($0.sha256)" }
      },
      try section("modules") { side in
        var facts: [String: String] = [:]
        let (manifest, extras) = (side.release.manifest, side.plan.extras)
        for package in manifest.packages(with: extras) {
          for module in manifest.modules(of: package, with: extras) {
            let kind = module.condition.map { " where the site has \($0)" } ?? ""
            let fact = module.path + (module.install.isEmpty ? "" : " → \(module.install)") + kind
            let name = "\(package.variant)/\(module.name)"
            facts[name] = facts[name].map { "\($0), or \(fact)" } ?? fact
          }
        }
        return facts
      },
    ]
  }

  private static func changes(_ before: [String: String], _ after: [String: String]) -> [Change] {
    changes(ByPath(before.map { ($0.key, $0.value) }), ByPath(after.map { ($0.key, $0.value) }))
  }

  private static func changes(_ before: ByPath<String>, _ after: ByPath<String>) -> [Change] {
    PathSet(before.keys).union(after.keys).sortedByBytes().compactMap { name in
      before[name] == after[name] ? nil : Change(name: name, before: before[name], after: after[name])
    }
  }

  // MARK: files

  private static func files(
    _ before: Side, _ after: Side, _ version: VersionChange
  ) async throws -> [Section] {
    func isCode(_ path: String) -> Bool { before.code[path] != nil || after.code[path] != nil }
    let paths = PathSet(before.release.tree.entries.keys).union(after.release.tree.entries.keys)
      // These always differ if anything does.
      .subtracting([Tarball.planPath, Tarball.originsPath])
      .sortedByBytes()
    let (old, new) = (before.release.tree, after.release.tree)
    func sections(_ title: String, _ isIncluded: (String) -> Bool) async throws -> [Section] {
      let changes = paths.filter(isIncluded).compactMap { change($0, old[$0], new[$0]) }
      return try await split(title, changes, version) {
        (old[$0]?.content, new[$0]?.content, old[$0]?.mode == new[$0]?.mode)
      }
    }
    return try await sections("files", isCode) + sections("packaging") { !isCode($0) }
  }

  /// Sets apart the files in which only the version differs.
  ///
  /// - Parameter contents: what a path holds in both, and whether its mode is the same.
  private static func split(
    _ title: String, _ changes: [Change], _ version: VersionChange,
    contents: (String) -> (FileContent?, FileContent?, isSameMode: Bool)
  ) async throws -> [Section] {
    var (real, versions): ([Change], [Change]) = ([], [])
    for change in changes {
      let (before, after, isSameMode) = contents(change.name)
      let isOnlyVersion = isSameMode ? try await version.isAll(in: before, after, path: change.name) : false
      if isOnlyVersion { versions.append(change) } else { real.append(change) }
    }
    return [Section(title: title, changes: real), Section(title: title, onlyVersion: true, changes: versions)]
  }

  private static func change(_ path: String, _ before: TreeEntry?, _ after: TreeEntry?) -> Change? {
    guard before != after else { return nil }
    func fact(_ entry: TreeEntry) -> String {
      let record = OriginRecord(path: path, entry: entry)
      return "\(record.mode) \(record.sha256)" + (record.link.map { " → \($0)" } ?? "")
    }
    var note = (after ?? before).map { "← \($0.origin.summary)" } ?? ""
    if let before, let after {
      if before.mode != after.mode { note += ", mode 0\(octal(before.mode)) → 0\(octal(after.mode))" }
      if before.origin.summary != after.origin.summary { note += ", was \(before.origin.summary)" }
      if before.content == after.content && before.mode == after.mode { note += ", same content" }
    }
    return Change(name: path, before: before.map(fact), after: after.map(fact), note: note)
  }

  private static func octal(_ mode: UInt32) -> String { String(mode, radix: 8) }

  /// The changes of text files, as diff(1) prints them.
  private static func unified(_ before: Side, _ after: Side) async throws -> String {
    let (old, new) = (before.release.tree, after.release.tree)
    let paths = PathSet(old.entries.keys).union(new.entries.keys).subtracting([Tarball.planPath, Tarball.originsPath])
      .filter { old[$0]?.content != new[$0]?.content }
    return try await withScratch { scratch in
      var text = ""
      for path in paths.sortedByBytes() {
        var labels: [String] = []
        for (side, entry) in [("a", old[path]), ("b", new[path])] {
          labels += ["--label", entry == nil ? "/dev/null" : "\(side)/\(path)"]
          let file = scratch.appending(side)
          try Files.remove(file)
          try Files.write(entry?.text() ?? [], to: file)
        }
        guard try old[path].map({ try $0.text() != nil }) ?? true, try new[path].map({ try $0.text() != nil }) ?? true
        else {
          text += "Not text: \(path)\n"
          continue
        }
        let outcome = try await Command("diff", ["-u"] + labels + ["a", "b"], directory: scratch)
          .run(doing: "comparing \(path)")
        guard outcome.status == .exited(1) || outcome.succeeded else {
          throw ReleaseError(.failed, doing: "comparing \(path)", reason: "diff: \(outcome.complaint)")
        }
        text += outcome.text
      }
      return text
    }
  }

  // MARK: packages

  private static func packages(
    _ before: Side, _ after: Side, _ version: VersionChange, _ progress: Progress
  ) async throws -> [Section] {
    let old = try await contents(before, progress)
    let new = try await contents(after, progress)
    var sections = [Section(title: "packages", changes: changes(old.mapValues(\.file), new.mapValues(\.file)))]
    for name in Set(old.keys).intersection(new.keys).sorted() {
      guard let one = old[name], let other = new[name] else { continue }
      let fields = changes(one.fields, other.fields).map(relationsThatDiffer)
      sections.append(Section(title: "fields of \(name)", changes: fields))
      let files = changes(one.files.mapValues(\.fact), other.files.mapValues(\.fact)).map { change in
        var change = change
        let sizes = [one.files[change.name], other.files[change.name]].compactMap { $0?.file.bytes }
        change.note = sizes.map { "\($0) B" }.joined(separator: " → ")
        return change
      }
      sections += try await split("files of \(name)", files, version) { path in
        let (old, new) = (one.files[path]?.file, other.files[path]?.file)
        return (old?.content, new?.content, old?.mode == new?.mode)
      }
    }
    return sections
  }

  /// Reduces relations, which are lists, to the entries that are in only one release.
  private static func relationsThatDiffer(_ change: Change) -> Change {
    let relations: Set = [
      "Depends", "Pre-Depends", "Recommends", "Suggests", "Conflicts", "Breaks", "Replaces", "Provides", "Requires",
    ]
    guard relations.contains(change.name), let before = change.before, let after = change.after else { return change }
    let (old, new) = (before.split(separator: ", "), after.split(separator: ", "))
    return Change(
      name: change.name, before: old.filter { !new.contains($0) }.joined(separator: ", "),
      after: new.filter { !old.contains($0) }.joined(separator: ", "))
  }

  /// A package of a release: its fields, and its files by path.
  private struct PackageFacts {
    var file: String
    var fields: [String: String]
    var files = ByPath<(fact: String, file: PackageContents.File)>()
  }

  /// The .deb and .rpm in a release folder, by name and format.
  private static func contents(_ side: Side, _ progress: Progress) async throws -> [String: PackageFacts] {
    guard let folder = side.release.folder else { return [:] }
    // The name of the source folder contains the version.
    let context = try PackagingContext(side.plan, side.release.manifest)
    let sources = try context.packages.map { package in
      let dkms = try DKMSPackage(package, in: context)
      return (prefix: dkms.folder + "/", plain: "usr/src/\(package.module)-*/")
    }
    var found: [String: PackageFacts] = [:]
    for artifact in side.release.artifacts where artifact.isBinaryPackage {
      let package = try await PackageContents.read(folder.path.appending(artifact.name), progress: progress)
      var facts = PackageFacts(file: artifact.name, fields: fields(package.header))
      for entry in package.files {
        let source = sources.first { entry.path.startsInBytes(with: $0.prefix) }
        let path = source.map { $0.plain + entry.path.droppingBytes($0.prefix.utf8.count) } ?? entry.path
        facts.files[path] = ("\(entry.mode) \(entry.sha256)", entry)
      }
      let name = facts.fields["Package"] ?? facts.fields["Name"] ?? artifact.name
      found["\(name) (\(artifact.kind == .deb ? "deb" : "rpm"))"] = facts
    }
    return found
  }

  /// Fields by name. Indented lines continue a field; a repeated field becomes a list.
  private static func fields(_ lines: [String]) -> [String: String] {
    var fields: [String: String] = [:]
    var last: String?
    for line in lines {
      if line.first == " ", let last {
        fields[last]? += " " + line.trimmed
      } else if let colon = line.firstIndex(of: ":") {
        let name = String(line[..<colon])
        let value = line[line.index(after: colon)...].trimmed
        fields[name] = fields[name].map { "\($0), \(value)" } ?? value
        last = name
      }
    }
    return fields
  }
}

extension Release {
  /// Every applied patch, by owner and name.
  fileprivate func patches() throws -> [String: String] {
    var found: [String: String] = [:]
    func add(_ owner: String, _ pins: [SourcePin.PatchPin]) {
      for pin in pins { found["\(owner)/\(pin.name)"] = "SHA-256 \(pin.sha256)" }
    }
    for (name, pin) in plan.sources { add(name, pin.patches ?? []) }
    var recipe = Recipe(plan: plan)
    for name in plan.extras {
      guard let series = manifest.extras[name]?.series else { continue }
      add(name, try PatchSeries.pins(of: series) { try recipe.read($0) })
    }
    for added in plan.patches ?? [] { add(added.mark, added.patches) }
    for rebuild in plan.rebuilds ?? [] { add(rebuild.mark, rebuild.patches ?? []) }
    return found
  }
}

extension TreeEntry {
  /// The bytes of a text file; nil for anything else.
  fileprivate func text() throws -> [UInt8]? {
    guard case .regular(let content) = content else { return nil }
    let bytes = try content.read()
    return bytes.contains(0) || String(validating: bytes, as: UTF8.self) == nil ? nil : bytes
  }
}
