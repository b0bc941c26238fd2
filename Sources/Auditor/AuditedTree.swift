// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Diagnostics
import Files
import Model
import Releases
import SystemPackage

/// A release or a tree as an audit sees it: which files belong to mainline, and which are there for other kernels.
package struct AuditedTree: Sendable {
  package enum Part: String, Sendable, CaseIterable {
    /// What belongs to mainline.
    case upstream
    /// The compatibility layer.
    case compat
    /// Programs, tests, packaging.
    case other
  }

  /// `lustre-7.4.2`, or the path that was given.
  package var name: String
  /// What identifies its content: a commit, or a SHA-256.
  package var identity: String?
  /// The kernel release that the upstream part came from, where it came from one.
  package var kernel: String?
  package var audit: Manifest.Audit
  /// Each upstream path → where mainline has it.
  package private(set) var mainline = ByPath<String>()
  /// The rules that say so, from a kernel tree to the release.
  package private(set) var rules: [Manifest.TreeRule]
  private var files: ByPath<[UInt8]>
  private var parts = ByPath<Part>()

  package init(
    name: String, identity: String? = nil, kernel: String? = nil, manifest: Manifest, files: ByPath<[UInt8]>
  ) throws {
    let doing = "auditing \(name)"
    guard let audit = manifest.audit else {
      throw ReleaseError(
        .input, doing: doing, reason: "its manifest has no [audit], which says what belongs to mainline",
        remedy: AuditorRemedy.giveOtherManifest)
    }
    self.name = name
    self.identity = identity
    self.kernel = kernel
    self.audit = audit
    self.files = files
    rules = audit.upstream.isEmpty ? manifest.rulesFromKernels : audit.upstream
    guard !rules.isEmpty else {
      throw ReleaseError(
        .input, at: audit.location, doing: doing, reason: "nothing says what belongs to mainline",
        advice: "name it in [[audit.upstream]], as no source is a kernel")
    }
    for path in files.keys {
      if audit.compat.contains(where: { $0.matches(path) }) {
        parts[path] = .compat
      } else if let place = rules.lazy.compactMap({ $0.source(of: path) }).first {
        parts[path] = .upstream
        mainline[path] = place
      } else {
        parts[path] = .other
      }
    }
    guard !mainline.isEmpty else {
      throw ReleaseError(
        .source, doing: doing, reason: "it holds nothing of what belongs to mainline (\(rules.map(\.to).shortened))",
        advice: "give the tree of a release with its manifest")
    }
  }

  package subscript(path: String) -> [UInt8]? { files[path] }

  package func part(of path: String) -> Part { parts[path] ?? .other }

  /// The files of a part, in the order of their names.
  package func paths(_ part: Part) -> [String] {
    parts.filter { $0.value == part }.keys.sortedByBytes()
  }

  /// Every file.
  package var paths: [String] { files.keys.sortedByBytes() }

  /// C and what the C preprocessor goes over.
  package static func isC(_ path: String) -> Bool { [".c", ".h", ".S"].contains { path.hasSuffix($0) } }
}

extension Manifest {
  /// The rules that take files from a kernel release.
  fileprivate var rulesFromKernels: [TreeRule] { rules.filter { sources[$0.source]?.kind == .kernel } }

  /// The files of a tree that an audit looks at; the tree is laid out like the release. Files that a release leaves out
  /// may be missing, or large.
  fileprivate var auditedFiles: [TreeRule] {
    let upstream = (audit?.upstream.isEmpty ?? true ? rulesFromKernels : audit?.upstream ?? []).map { rule in
      var rule = rule
      rule.from = rule.to
      return rule
    }
    let patterns = ["*.c", "*.h", "*.S", "Makefile*", "Kbuild*", "*.am"].map { Glob($0) }
    let named = (audit?.compat ?? []) + (audit?.probes?.defined ?? []) + (audit?.probes?.files ?? [])
    return upstream + [.taking(patterns + named)]
  }
}

// MARK: - reading

extension AuditedTree {
  /// Reads a release tarball, a release folder, a tree, or a git repository at `ref`.
  ///
  /// - Parameter manifest: replaces the one of the release; a tree has none.
  package static func read(
    _ path: FilePath, ref: String? = nil, manifest: FilePath? = nil, progress: Progress
  ) async throws -> AuditedTree {
    let given = try manifest.map { try Manifest(reading: $0) }
    if Files.isFolder(path) {
      if ref == nil, Files.exists(path.appending(ReleaseFolder.plan)) {
        return try await release(path, given, progress)
      }
      return try await tree(path, ref: ref, given, progress)
    }
    guard Files.exists(path) else {
      throw ReleaseError(
        .source, doing: "auditing \(path)", reason: "there is no such release or tree",
        remedy: AuditorRemedy.giveReleaseOrTree)
    }
    if let ref {
      throw ReleaseError(
        .input, doing: "auditing \(path)", reason: "it is not a git repository, so it cannot have the ref \(ref)",
        remedy: AuditorRemedy.leaveOutRef)
    }
    return try await release(path, given, progress)
  }

  private static func release(_ path: FilePath, _ given: Manifest?, _ progress: Progress) async throws -> AuditedTree {
    let released = try await Release(opening: path, progress: progress)
    return try AuditedTree(
      name: released.name, identity: "SHA-256 \(released.sha256)", kernel: released.plan.kernel,
      manifest: given ?? released.manifest,
      files: released.tree.entries.compactMapValues { $0.content.isLink ? nil : try $0.content.read() })
  }

  private static func tree(
    _ path: FilePath, ref: String?, _ given: Manifest?, _ progress: Progress
  ) async throws -> AuditedTree {
    guard let given else {
      throw ReleaseError(
        .input, doing: "auditing \(path)", reason: "a tree does not say what belongs to mainline",
        remedy: AuditorRemedy.giveManifest)
    }
    let selection = Selection(rules: given.auditedFiles)
    let content: SourceContent
    if let ref {
      content = try await GitSource(repository: path, ref: ref).read(selection, progress: progress)
    } else {
      content = try await FolderSource(path: path).read(selection)
    }
    let name = path.lastComponent?.string ?? path.string
    return try AuditedTree(
      name: ref.map { "\(name) at \($0)" } ?? name, identity: content.pin.commit.map { "commit \($0)" },
      manifest: given,
      files: content.files.compactMapValues { $0.content.isLink ? nil : try $0.content.read() })
  }
}

extension Manifest {
  /// Reads a manifest, and the one that it extends.
  package init(reading path: FilePath) throws {
    let bytes = try Files.read(path, limit: 16 << 20, doing: "reading the manifest \(path)")
    self = try Manifest(parsing: bytes, file: path.string) {
      try Files.read(path.removingLastComponent().pushing(FilePath($0)), limit: 16 << 20)
    }
  }
}
