// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Packagers
import Releases

/// Checks who signed a release: the list of its files, the tar in its tarball, and its .rpm files.
package struct SignatureVerification: Sendable {
  package struct Report: Sendable, Encodable {
    package struct Signed: Sendable, Encodable {
      /// The signed file: `SHA256SUMS`, `sample-7.4.tar` or a package.
      package var name: String
      /// The fingerprint of the key.
      package var signer: String
    }
    package var signed: [Signed] = []
    /// The files without a signature of their own.
    package var notSigned: [String] = []
    /// The signatures that could not be checked, and why.
    package var notChecked: [String] = []
  }

  private let trust: Trust
  private let progress: Progress

  package init(_ trust: Trust, progress: Progress) {
    self.trust = trust
    self.progress = progress
  }

  /// The signatures beside a release, reported as not checked.
  package static func unchecked(_ release: Release) -> Report {
    let beside = ReleaseSignatures(of: release)
    return Report(notChecked: [beside.list, beside.tar].compactMap { $0?.name })
  }

  /// Checks the signatures of an opened, and therefore verified, release.
  ///
  /// - Throws: `Diagnostics` or `ReleaseError` with code `unverified` if a signature is wrong, or if a file has none.
  package func check(_ release: Release) async throws -> Report {
    let beside = ReleaseSignatures(of: release)
    var report = Report()
    var wrong: [ReleaseError] = []
    func attempt(_ name: String, _ check: () async throws -> String?) async throws -> Bool {
      do {
        guard let signer = try await check() else {
          report.notSigned.append(name)
          return false
        }
        report.signed.append(Report.Signed(name: name, signer: signer))
        return true
      } catch let error as ReleaseError where error.code == .unverified {
        wrong.append(error)
        return false
      }
    }

    let isListed =
      release.listing == nil ? false : try await attempt(ReleaseFolder.checksums) { try await beside.checkList(trust) }
    let isTarSigned = try await attempt(beside.tarName) { try await beside.checkTar(trust, progress: progress) }
    var covered: Set<String> = []
    for package in release.artifacts where package.kind == .rpm || package.kind == .srpm {
      let path = release.path.appending(package.name)
      let isSigned = try await attempt(package.name) { try await RPMSigning.signer(of: path, trust) }
      guard isSigned, !isListed else { continue }
      do {
        try await RPMSigning.checkDigests(of: path)
        covered.insert(package.name)
      } catch let error as ReleaseError where error.code == .missingTool {
        report.notChecked.append("\(package.name): \(error.reason)")
      } catch let error as ReleaseError where error.code == .unverified {
        wrong.append(error)
      }
    }
    guard wrong.isEmpty else { throw Diagnostics(wrong) }
    if !isListed { try demandCover(release, report, isTarSigned: isTarSigned, covered: covered) }
    return report
  }

  /// If the list of files is not signed, each file needs its own signature: whoever removes the signature of the list
  /// could also change the files.
  private func demandCover(
    _ release: Release, _ report: Report, isTarSigned: Bool, covered: Set<String>
  ) throws {
    let doing = "checking who signed \(release.path)"
    func refused(_ reason: String) -> ReleaseError {
      ReleaseError(
        .unverified, doing: doing, reason: reason, advice: "get its signatures from the project that released it")
    }
    guard !report.signed.isEmpty else {
      let names = (release.listing == nil ? [] : [ReleaseFolder.signature]) + [signatureName(of: release.tarball.name)]
      throw refused("it is not signed: there is no \(names.joined(separator: " and no "))")
    }
    // The tar contains the plan, and the tarball of the source packages is often the same file.
    let open = release.artifacts.filter { artifact in
      !covered.contains(artifact.name)
        && !(isTarSigned && (artifact.sha256 == release.sha256 || artifact.kind == .plan))
    }
    guard open.isEmpty else {
      throw refused(
        "there is no \(ReleaseFolder.signature), and no other signature covers \(open.map(\.name).shortened)")
    }
  }
}
