// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Model
import Processes
import SystemPackage

/// What prepare steps made of trees, kept by all that decides it: the step, the files that it sees, the versions of the
/// tools, the date, and what is installed on this machine.
package struct PrepareCache: Sendable {
  private let sets: FileSetCache<Record>

  package init(_ folder: FilePath) {
    sets = FileSetCache(folder.appending("prepared"), limit: 256 << 20)
  }

  private struct Record: Codable, Sendable {
    var removed: [String]
    var copied: [String]
  }

  /// The outcome that `cache` has of a step, or that of `make`, which is then kept.
  static func outcome(
    of step: Manifest.PrepareStep, _ tree: ReleaseTree, _ tools: [String: String], _ sourceDate: Int64,
    _ cache: PrepareCache?, make: () async throws -> PrepareSandbox.Outcome
  ) async throws -> PrepareSandbox.Outcome {
    guard let cache, let machine = machine() else { return try await make() }
    let key = key(step, tree, tools, sourceDate, machine)
    if let known = await BlockingExecutor.run({ cache.sets.files(key) }) {
      return PrepareSandbox.Outcome(
        made: known.files, copied: PathSet(known.record.copied), removed: known.record.removed)
    }
    let outcome = try await make()
    let record = Record(removed: outcome.removed, copied: outcome.copied.sortedByBytes())
    await BlockingExecutor.run { await cache.sets.store(outcome.made, record, key) }
    return outcome
  }

  private static func key(
    _ step: Manifest.PrepareStep, _ tree: ReleaseTree, _ tools: [String: String], _ sourceDate: Int64,
    _ machine: SHA256Digest
  ) -> SHA256Digest {
    var hasher = SHA256Digest.Hasher()
    func add(_ words: String...) { for word in words { hasher.update("\(word.utf8.count) \(word)\n") } }
    add("1", machine.hex, String(sourceDate), "\(Sandbox.confinement)", Script(PackageResources.prepare_sh).text)
    add("run")
    for word in step.run { add(word) }
    add("exclude")
    for glob in step.exclude { add(glob.pattern) }
    add("tools")
    for (tool, version) in tools.sorted(by: { $0.key < $1.key }) { add(tool, version) }
    add("tree")
    for path in tree.paths {
      guard let entry = tree[path] else { continue }
      add(path, "\(entry.mode)", entry.content.isLink ? "link" : "file", entry.content.sha256.hex)
    }
    return hasher.finalize()
  }

  /// What stands for the programs and files that a step can use here: the databases of the package managers, and the
  /// folders in which files lie that belong to no package. nil if there is no package manager.
  private static func machine() -> SHA256Digest? {
    let databases = ["/var/lib/dpkg/status", "/var/lib/rpm", "/usr/lib/sysimage/rpm"].map { FilePath($0) }
    guard databases.contains(where: Files.exists) else { return nil }
    var hasher = SHA256Digest.Hasher()
    func add(_ path: FilePath, depth: Int) {
      var status = stat()
      guard path.withPlatformString({ stat($0, &status) }) == 0 else { return }
      hasher.update("\(path) \(status.st_mode) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)\n")
      guard depth > 0, status.st_mode & S_IFMT == S_IFDIR else { return }
      for name in (try? Files.names(in: path)) ?? [] { add(path.appending(bytes: name), depth: depth - 1) }
    }
    for path in databases { add(path, depth: 1) }
    for folder in ["/etc/alternatives", "/usr/bin", "/usr/sbin", "/usr/share/aclocal"] {
      add(FilePath(folder), depth: 0)
    }
    for folder in ["bin", "sbin", "share/aclocal"] { add(FilePath("/usr/local/\(folder)"), depth: 1) }
    return hasher.finalize()
  }
}
