// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model

/// A file of a source.
package struct SourceFile: Sendable, Equatable {
  package var content: FileContent
  package var isExecutable: Bool
  /// The path in the source, if a patch renamed the file.
  package var path: String?
  /// The git blob id, if the source is a repository.
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
  package func readFile() throws -> [UInt8] { try content.readFile() }
}

/// The wanted files of a source by path, and their pin.
package struct SourceContent: Sendable {
  package var files: ByPath<SourceFile>
  package var pin: SourcePin
  /// The tag that was read, if any.
  package var tag: String?

  package init(files: ByPath<SourceFile>, pin: SourcePin, tag: String? = nil) {
    self.files = files
    self.pin = pin
    self.tag = tag
  }
}

/// Which files of a source are wanted.
package struct Selection: Sendable {
  /// Wanted paths in addition to those of the rules: files that patches touch, the Makefile of a kernel.
  package var paths: PathSet
  package var rules: [Manifest.TreeRule]

  package init(rules: [Manifest.TreeRule], paths: PathSet = []) {
    self.rules = rules
    self.paths = paths
  }

  @Sendable package func wants(_ path: String) -> Bool {
    paths.contains(path) || rules.contains { $0.destination(of: path) != nil }
  }

  /// A digest of the selection, for the name of a cache entry.
  package var digest: SHA256Digest {
    var hasher = SHA256Digest.Hasher()
    for rule in rules {
      hasher.update("rule \(rule.from)\0")
      for glob in rule.include { hasher.update("+\(glob.pattern)\0") }
      for glob in rule.exclude { hasher.update("-\(glob.pattern)\0") }
    }
    for path in paths.sortedByBytes() { hasher.update("path \(path)\0") }
    return hasher.finalize()
  }
}
