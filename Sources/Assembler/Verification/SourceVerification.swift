// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Releases
import SystemPackage

/// How sources are verified: by a signer, a pinned hash, the plan, or the user's permission.
extension Planner {
  func warnOfUnsigned(_ plan: Plan) {
    for (name, pin) in plan.sources.sorted(by: { $0.key < $1.key }) where pin.isUnsigned == true {
      progress.warning("the source '\(name)' is not signed: --allow-unsigned was given, and the release records it")
    }
  }

  /// For a manifest that names signers: accepts a source whose content is the one that a plan pins. An available
  /// signature was checked again; otherwise the hash in the plan is used, with a warning.
  func checkVerification(_ name: String, planned: SourcePin, found: SourcePin) throws {
    guard let source = manifest.sources[name], !source.signers.isEmpty else { return }
    let doing = "opening the source '\(name)'"
    if let signer = planned.signedBy {
      guard source.signers.contains(signer), found.signedBy == nil || found.signedBy == signer else {
        throw ReleaseError(
          .unverified, doing: doing,
          reason: "the plan says that \(signer) signed it, but "
            + (found.signedBy.map { "\($0) did" } ?? "that is not one of the signers of the manifest"),
          advice: "the plan was changed: make a new one")
      }
      if found.signedBy == nil {
        progress.warning(
          "the signature of the source '\(name)' is not available: the hash in the plan is used instead "
            + "(signed by \(signer) when the plan was made)")
      }
    } else if planned.isUnsigned != true, planned.isPinned != true, found.signedBy == nil, !request.allowsUnsigned {
      throw ReleaseError(
        .unverified, doing: doing,
        reason: "the manifest names signers, and the plan says neither who signed it nor that it is not signed",
        advice: "the plan was changed: make a new one")
    }
  }

  mutating func trust(_ source: Manifest.Source) throws -> Trust? {
    guard let keyring = source.keyring, !source.signers.isEmpty else { return nil }
    let bytes = try recipe.read(keyring, at: source.location)
    let path = FilePath(keyring)
    return Trust(
      keyring: recipe.folder?.pushing(path) ?? path, signers: source.signers, bytes: bytes,
      allowsSHA1: source.allowsSHA1)
  }

  /// The SHA-256 that the tarball of a source must have, from the command line, the plan or the manifest.
  func hash(_ name: String, _ source: Manifest.Source) throws -> SHA256Digest? {
    let planned = planned[name].flatMap { $0.isPinned == true ? $0.sha256 : nil }
    let asked = request.hashes[name] ?? planned
    if let asked, let pinned = source.sha256, asked != pinned {
      throw ReleaseError(
        .input, at: source.location, doing: "pinning the source '\(name)'",
        reason: "the manifest says that its SHA-256 is \(pinned), the command line or the plan \(asked)")
    }
    return asked ?? source.sha256
  }

  /// A folder has neither signature nor hash: if the manifest requires one, the user must allow it.
  ///
  /// - Parameter isChecked: whether its signature is checked elsewhere.
  func isUnsigned(
    _ name: String, _ source: Manifest.Source, kind: String, isChecked: Bool
  ) throws -> Bool? {
    let doing = "opening the source '\(name)'"
    if request.hashes[name] != nil {
      throw ReleaseError(.input, doing: doing, reason: "--sha256 is the hash of a tarball, and this is \(kind)")
    }
    guard !isChecked, !source.signers.isEmpty || source.sha256 != nil else { return nil }
    guard request.allowsUnsigned || planned[name] != nil else {
      throw ReleaseError(
        .unverified, at: source.location, doing: doing,
        reason: "the manifest asks for \(source.signers.isEmpty ? "a hash" : "a signature"), and \(kind) has none",
        remedy: AssemblerRemedy.giveSignedTarball)
    }
    return true
  }
}
