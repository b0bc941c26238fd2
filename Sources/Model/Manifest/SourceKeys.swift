// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

// The keys of [sources.NAME]: see `ManifestKeys.swift`.

extension Manifest.Source {
  init?(_ table: inout TableReader, name: String) {
    let places: [Kind: String?] = [
      .kernel: table.optional("kernel", .besideOrAddress, "URL or folder below which linux-{kernel}.tar.xz lies"),
      .git: table.optional("git", .besideOrAddress, "URL or path of a git repository"),
      .folder: table.optional("folder", .beside, "folder, relative to the manifest"),
      .archive: table.optional("archive", .besideOrAddress, "URL or path of a tarball"),
    ]
    ref = table.optional("ref", .gitRef, "tag, branch or commit of a git repository")
    version = table.optional("version", .sourceVersion, "what {<name of the source>} stands for in version")
    versionFrom = table.optional(
      "version-from", .table { Manifest.VersionFrom(&$0) }, "where that stands in the source, in place of version")
    sha256 = table.optional("sha256", .sha256, "pinned SHA-256 of the tarball")
    keyring = table.optional(
      "keyring", .beside, "OpenPGP keyring (binary) to check signatures with, relative to the manifest")
    signers = table.optional(
      "signers", .array(.fingerprint, atLeast: 1), default: [], "fingerprints, one of which must have signed")
    allowsSHA1 = table.optional(
      "allow-sha1", .boolean, default: false, "take signatures over SHA-1 too, although they can be forged")
    series = table.optional("patches", .beside, "quilt series to apply on top, relative to the manifest")
    date = table.optional("date", .time, "when the folder or tarball was released, as 2026-11-01T00:00:00Z")?.seconds
    location = table.location
    table.constrain(.oneOf(Kind.allCases.map(\.rawValue)))
    table.constrain(.needs("keyring", "signers"))
    table.constrain(.needs("signers", "keyring"))
    table.constrain(.notBoth("version", "version-from"))
    for kind in [Kind.git, .folder] { table.constrain(.notBoth("sha256", kind.rawValue)) }
    let given = places.compactMapValues { $0 }
    guard given.count == 1, let (kind, place) = given.first else {
      table.report("source '\(name)' must have exactly one of kernel, git, folder, archive")
      return nil
    }
    self.kind = kind
    self.place = place
  }
}

extension Manifest.VersionFrom {
  fileprivate init?(_ table: inout TableReader) {
    tags = table.optional(
      "tags", .array(.versionPattern, atLeast: 1), default: [], "its tags, as v{version}: the first that fits counts")
    file = table.optional("file", .path, "a file of the source that holds it, where no tag does")
    line = table.optional("line", .versionPattern, "how the line of that file begins, as VERSION={version}")
    location = table.location
    table.constrain(.needs("file", "line"))
    table.constrain(.needs("line", "file"))
    table.constrain(.anyOf(["tags", "file"]))
    if (file == nil) != (line == nil) {
      table.report("'file' and 'line' belong together: the one says which file, the other which line of it")
    }
    if tags.isEmpty && file == nil { table.report("'version-from' must have tags, or file and line") }
  }
}
