// SPDX-License-Identifier: GPL-2.0-only

import Files

/// A file as it stands in a source.
package struct SourceFile: Sendable, Equatable {
  package var content: FileContent
  package var isExecutable: Bool
  /// The git blob id, where the source is a repository.
  package var blob: String?
  /// Patches of a series that touched it, in order.
  package var patches: [String] = []

  package init(content: FileContent, isExecutable: Bool, blob: String? = nil) {
    self.content = content
    self.isExecutable = isExecutable
    self.blob = blob
  }

  package init(_ entry: FileEntry) { self.init(content: entry.content, isExecutable: entry.isExecutable) }

  /// The bytes of a file; none for a link.
  package var bytes: [UInt8] { content.fileBytes }
}

/// What was read of a source: the wanted files by path, and what pins them.
package struct SourceContent: Sendable {
  package var files: [String: SourceFile]
  package var pin: SourcePin

  package init(files: [String: SourceFile], pin: SourcePin) {
    self.files = files
    self.pin = pin
  }
}

/// What identifies the content of a source, wherever it lies.
package struct SourcePin: Sendable, Equatable, Codable {
  /// `archive`, `git` or `folder`: how it was read.
  package var kind: String
  /// Commit id, for a repository.
  package var commit: String?
  package var ref: String?
  /// SHA-256 of the compressed tarball; of the sorted list of wanted files, for a folder.
  package var sha256: SHA256Digest?
  /// The kernel release that the tree's own Makefile states.
  package var kernel: String?
  /// Seconds since 1970: commit time, newest time in the tarball, or the manifest's date.
  package var date: Int64
  /// The fingerprint that signed it; nil when nobody did or nobody looked.
  package var signedBy: String?
  /// `--allow-unsigned` was needed.
  package var isUnsigned: Bool?
  /// A SHA-256 in the manifest or on the command line stood in for a signature.
  package var isPinned: Bool?
  /// Patches that were applied on top, with the SHA-256 of each.
  package var patches: [PatchPin]?

  /// What identifies the source and who vouches for it, for people.
  package var identity: String {
    let id = commit.map { "commit \($0)" } ?? sha256.map { "SHA-256 \($0)" } ?? ""
    if let signedBy { return "\(id), signed by \(signedBy)" }
    return id + (isUnsigned == true ? ", NOT SIGNED" : isPinned == true ? ", as pinned" : "")
  }

  package struct PatchPin: Sendable, Equatable, Codable {
    package var name: String
    package var sha256: SHA256Digest
  }
}

/// Which files of a source are wanted.
package struct Selection: Sendable {
  /// Paths that are wanted besides those of the rules: what patches touch, the Makefile of a kernel.
  package var paths: Set<String>
  package var rules: [Manifest.TreeRule]

  package init(rules: [Manifest.TreeRule], paths: Set<String> = []) {
    self.rules = rules
    self.paths = paths
  }

  @Sendable package func wants(_ path: String) -> Bool {
    paths.contains(path) || rules.contains { $0.destination(of: path) != nil }
  }

  /// A digest of all that decides the selection, for the name of a cache entry.
  package var digest: SHA256Digest {
    var hasher = SHA256Digest.Hasher()
    for rule in rules {
      hasher.update("rule \(rule.from)\0")
      for glob in rule.include { hasher.update("+\(glob.pattern)\0") }
      for glob in rule.exclude { hasher.update("-\(glob.pattern)\0") }
    }
    for path in paths.sorted() { hasher.update("path \(path)\0") }
    return hasher.finalize()
  }
}
