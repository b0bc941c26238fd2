// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Diagnostics
import Operations
import Releases
import SystemPackage

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check that a release folder or a tarball is unchanged, and who signed it.",
    discussion: """
      In a tarball, every file is compared with the list of origins in it. In a folder, every file is first compared \
      with SHA256SUMS, and plan.json with the plan in the tarball; signatures such as SHA256SUMS.asc may be there \
      too. The exit status is 6 if a file was changed, is missing, or is not in a list.

        lrelease verify releases/ceph-6.12.117
        lrelease verify ceph-6.12.117.tar.xz

      Or only single files: packages and other files of the folder, or paths in the tarball.

        lrelease verify releases/ceph-6.12.117 ceph-client-dkms_6.12.117-1_all.deb
        lrelease verify ceph-6.12.117.tar.xz fs/ceph/inode.c net/ceph

      Those lists are part of the release itself, so they do not tell who made it. With --keyring, signatures are \
      checked: of SHA256SUMS, of the uncompressed tar, and those in .rpm files. Every file must be covered by a \
      signature of a key in the keyring, or of a key that --signer names. If one is not, or if any signature is \
      wrong, the exit status is 4. Files without a signature of their own, and signatures that could not be checked, \
      are listed.

        lrelease verify releases/ceph-6.12.117 --keyring example.gpg
        lrelease verify ceph-6.12.117.tar.xz --keyring example.gpg \\
            --signer 09444409C6FF6DCB4C7AB072D0EA700971FDAA71
      """)

  @Argument(help: "A release folder, a tarball, or one file of a release folder.", completion: .file())
  var release: String

  @Argument(help: "Check only these files, and what is in these folders. (default: all)")
  var paths: [String] = []

  @Option(
    help: ArgumentHelp("Check signatures with these public keys, a file made by gpg --export.", valueName: "file"),
    completion: .file())
  var keyring: String?

  @Option(
    name: .customLong("signer"),
    help: ArgumentHelp(
      "Fingerprint of a key whose signatures count. May be repeated. (default: all keys in the keyring)",
      valueName: "fingerprint"))
  var signers: [String] = []

  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    if !signers.isEmpty && keyring == nil { throw ValidationError("--signer needs --keyring.") }
    if !paths.isEmpty && keyring != nil {
      throw ValidationError("--keyring checks whole releases: leave out the paths.")
    }
  }

  /// What was found, for JSON.
  private struct Report: Encodable {
    var files: Int
    var artifacts: Int?
    var changed: [String] = []
    var missing: [String] = []
    var unknown: [String] = []
    /// nil if nothing is signed and no check was requested.
    var signatures: SignatureVerification.Report?
  }

  func run() async throws {
    try await Console.run(console) { console in
      if keyring == nil, let part = try part() { return try await verify(part.paths, of: part.release, console) }
      // Report a wrong name before the long work.
      let keyring = if let keyring { try await Keyring(reading: FilePath(keyring)) } else { nil as Keyring? }
      if let keyring { _ = try keyring.trust(signers) }
      var files = 0
      let opened = try await Release(opening: FilePath(release), progress: console.progress) { result in
        files = result.files
        if result.isGood { return }
        try console.output(result) {}
        throw Diagnostics(
          result.findings.map { ReleaseError(.different, doing: "verifying \(release)", reason: $0) })
      }
      let artifacts = opened.folder == nil ? nil : opened.artifacts.count
      let signatures: SignatureVerification.Report
      if let keyring {
        signatures = try await SignatureVerification(keyring.trust(signers), progress: console.progress).check(opened)
      } else {
        signatures = SignatureVerification.unchecked(opened)
        if !signatures.notChecked.isEmpty {
          let names = signatures.notChecked.joined(separator: " and ")
          console.progress.warning("not checked, as there is no --keyring: \(names)")
        }
      }
      let isAsked = keyring != nil || !signatures.notChecked.isEmpty
      let report = Report(files: files, artifacts: artifacts, signatures: isAsked ? signatures : nil)
      try console.output(report) {
        if let artifacts {
          console.print("\(release): \(artifacts) artifacts, and \(files) files in the tarball, all as released")
        } else {
          console.print("\(release): \(files) files, all as released")
        }
        if let keyring { console.print(signatures, of: opened.name, keyring) }
      }
    }
  }

  /// What is to be checked of which release, unless it is all of it.
  private func part() throws -> (release: FilePath, paths: [String])? {
    let path = FilePath(release)
    guard paths.isEmpty else { return (path, paths) }
    return try PathVerification.listedFile(path).map { ($0.folder, [$0.name]) }
  }

  private func verify(_ paths: [String], of release: FilePath, _ console: Console) async throws {
    let report = try await PathVerification(of: paths, in: release, progress: console.progress)
    if !report.findings.isEmpty {
      try console.output(report) {}
      throw Diagnostics(
        report.findings.map { ReleaseError(.different, doing: "verifying \(release)", reason: $0) })
    }
    try console.output(report) {
      for file in report.files {
        console.print("\(file.path): as released" + (file.origin.map { "  ← \($0.summary)" } ?? ""))
      }
    }
  }
}

extension Console {
  /// Who signed what of a release.
  fileprivate func print(_ signatures: SignatureVerification.Report, of name: String, _ keyring: Keyring) {
    var signers: [String] = []
    for signer in signatures.signed.map(\.signer) where !signers.contains(signer) { signers.append(signer) }
    for signer in signers {
      let signed = signatures.signed.filter { $0.signer == signer }.map(\.name).joined(separator: ", ")
      print("\(bold(name)) signed by \(keyring.description(of: signer)): \(signed)")
    }
    if !signatures.notSigned.isEmpty { print("not signed: \(signatures.notSigned.joined(separator: ", "))") }
    for line in signatures.notChecked { print("not checked: \(line)") }
  }
}
