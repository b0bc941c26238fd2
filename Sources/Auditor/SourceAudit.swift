// SPDX-License-Identifier: GPL-2.0-only

/// The parts of code that exist only for other kernels than the one it is written for.
package struct Counts: Sendable, Codable, Equatable {
  package var files = 0
  /// #if, #ifdef, #elif and the like that name a probe.
  package var probeTests = 0
  /// The same that compare the kernel's version, or a distribution's.
  package var versionTests = 0
  /// Includes of the compatibility layer.
  package var compatIncludes = 0

  /// Everything that must be removed.
  package var places: Int { probeTests + versionTests + compatIncludes }

  static func += (sum: inout Counts, more: Counts) {
    sum.files += more.files
    sum.probeTests += more.probeTests
    sum.versionTests += more.versionTests
    sum.compatIncludes += more.compatIncludes
  }
}

/// The C files of a tree, read by the preprocessor's rules.
package struct SourceAudit: Sendable {
  /// Every C file of the tree.
  let texts: [String: SourceText]
  /// Of each upstream C file.
  package let files: [String: Counts]
  /// Of each folder of the upstream part with C files directly in it.
  package let folders: [String: Counts]
  package let total: Counts
  /// How many tests of the upstream part name each probe.
  package let probes: [String: Int]

  /// Macros by which code asks for the version of the kernel or of a distribution that changes it.
  private static let versions: Set<String> = [
    "KERNEL_VERSION", "LINUX_VERSION_CODE", "LINUX_VERSION_MAJOR", "LINUX_VERSION_PATCHLEVEL",
    "LINUX_VERSION_SUBLEVEL", "RHEL_MAJOR", "RHEL_MINOR", "RHEL_RELEASE", "RHEL_RELEASE_CODE", "RHEL_RELEASE_VERSION",
    "SLE_VERSION", "SLE_VERSION_CODE", "UTS_UBUNTU_RELEASE_ABI",
  ]

  package init(_ tree: AuditedTree) async {
    texts = await SourceAudit.read(tree)
    let prefix = tree.audit.probes?.prefix
    var files: [String: Counts] = [:]
    var folders: [String: Counts] = [:]
    var total = Counts()
    var probes: [String: Int] = [:]
    for path in tree.paths(.upstream) {
      guard let text = texts[path] else { continue }
      var counts = Counts(files: 1)
      for directive in text.directives {
        if directive.isTest {
          let names = directive.identifiers
          let found = prefix.map { prefix in names.filter { $0.hasPrefix(prefix) } } ?? []
          for name in found { probes[name, default: 0] += 1 }
          if !found.isEmpty { counts.probeTests += 1 }
          if names.contains(where: SourceAudit.versions.contains) { counts.versionTests += 1 }
        } else if let header = directive.header, tree.audit.includes.contains(where: { $0.matches(header) }) {
          counts.compatIncludes += 1
        }
      }
      files[path] = counts
      folders[path.folder, default: Counts()] += counts
      total += counts
    }
    self.files = files
    self.folders = folders
    self.total = total
    self.probes = probes
  }

  /// Reads the files on all cores, in pieces of about the same size.
  private static func read(_ tree: AuditedTree) async -> [String: SourceText] {
    let paths = tree.paths.filter(AuditedTree.isC)
    let prefix = tree.audit.probes?.prefix ?? ""
    let chunk = 64
    return await withTaskGroup(of: [(String, SourceText)].self) { group in
      for start in stride(from: 0, to: paths.count, by: chunk) {
        let piece = paths[start..<min(start + chunk, paths.count)]
        group.addTask {
          piece.compactMap { path in tree[path].map { (path, SourceText($0, mentioning: prefix)) } }
        }
      }
      var texts: [String: SourceText] = [:]
      for await piece in group {
        for (path, text) in piece { texts[path] = text }
      }
      return texts
    }
  }
}

extension String {
  /// The folder of a path; "." at the top.
  var folder: String { lastIndex(of: "/").map { String(self[..<$0]) } ?? "." }
}
