// SPDX-License-Identifier: GPL-2.0-only

import Files

/// Identifies the content of a source, wherever it is.
package struct SourcePin: Sendable, Equatable, Codable {
  /// `archive`, `git` or `folder`: how it was read.
  package var kind: String
  /// Commit id, for a repository.
  package var commit: String?
  package var ref: String?
  /// SHA-256 of the compressed tarball; of the sorted list of wanted files, for a folder.
  package var sha256: SHA256Digest?
  /// Its own version, if the manifest says how to find it in the source.
  package var version: String?
  /// The kernel release that the tree's own Makefile states.
  package var kernel: String?
  /// Seconds since 1970: commit time, newest time in the tarball, or the manifest's date.
  package var date: Int64
  /// The fingerprint of the signer; nil if it is not signed or was not checked.
  package var signedBy: String?
  /// `--allow-unsigned` was needed.
  package var isUnsigned: Bool?
  /// A SHA-256 in the manifest or on the command line replaced a signature.
  package var isPinned: Bool?
  /// Patches that were applied on top, with the SHA-256 of each.
  package var patches: [PatchPin]?

  package init(
    kind: String, commit: String? = nil, ref: String? = nil, sha256: SHA256Digest? = nil, kernel: String? = nil,
    date: Int64, signedBy: String? = nil, isUnsigned: Bool? = nil, isPinned: Bool? = nil, patches: [PatchPin]? = nil
  ) {
    self.kind = kind
    self.commit = commit
    self.ref = ref
    self.sha256 = sha256
    self.kernel = kernel
    self.date = date
    self.signedBy = signedBy
    self.isUnsigned = isUnsigned
    self.isPinned = isPinned
    self.patches = patches
  }

  /// What identifies the source and what verifies it, for people.
  package var identity: String {
    let id = commit.map { "commit \($0)" } ?? sha256.map { "SHA-256 \($0)" } ?? ""
    if let signedBy { return "\(id), signed by \(signedBy)" }
    return id + (isUnsigned == true ? ", NOT SIGNED" : isPinned == true ? ", as pinned" : "")
  }

  package struct PatchPin: Sendable, Equatable, Codable {
    package var name: String
    package var sha256: SHA256Digest

    package init(name: String, sha256: SHA256Digest) {
      self.name = name
      self.sha256 = sha256
    }
  }
}
