// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// Fetched tarballs, and the times of sources.
extension Planner {
  /// Fetches a tarball and its signature. kernel.org does not keep release candidates among the releases; another
  /// server may have the .tar.gz that git makes.
  func fetch(
    _ place: String, with fetcher: Fetcher, _ name: String, _ source: Manifest.Source
  ) async throws -> (place: String, path: FilePath, signature: FilePath?) {
    let isOurs = request.places[name] == nil
    let kernel = source.kind == .kernel && isOurs ? request.kernel.flatMap { KernelRelease($0) } : nil
    let isCandidate = kernel?.candidate != nil
    let pin = try hash(name, source) ?? planned[name]?.sha256
    // Offline, the hash in the plan is enough: see checkVerification.
    let needsSignature = source.keyring == nil ? nil : planned[name] == nil
    for place in isCandidate ? [place, String(place.dropLast(2)) + "gz"] : [place] {
      if let found = try await fetcher.tarball(place, pin: pin, signature: needsSignature, progress: progress) {
        return (place, found.path, found.signature)
      }
    }
    guard let kernel, isCandidate else { throw Fetcher.notFound(place) }
    throw ReleaseError(
      .source, doing: "fetching \(SourceAddress.shown(place))",
      reason: "the server has neither it nor linux-\(kernel).tar.gz: kernel.org keeps release candidates elsewhere",
      remedy: AssemblerRemedy.giveCandidate(name: name, release: kernel.text))
  }

  /// Checks that all output formats can state the times of the sources.
  func checkTimes(_ pins: [String: SourcePin]) throws {
    func wrong(_ name: String, _ pin: SourcePin, _ reason: String) -> ReleaseError {
      let source = manifest.sources[name]
      let time = Timestamp(seconds: pin.date)
      let text = Timestamp.releasable.contains(pin.date) ? time.iso8601 : "\(pin.date) seconds from 1970"
      let advice =
        switch (pin.kind, source?.kind) {
        case ("git", _): "the commit has a wrong time"
        case ("archive", .kernel), ("archive", .folder): "pack it again with the time of its release (tar --mtime)"
        default: "say when it was released with date = \"…\" in [sources.\(name)]"
        }
      return ReleaseError(
        .source, at: source?.location, doing: "reading the time of the source '\(name)'",
        reason: "it is \(text), \(reason)", advice: advice)
    }
    for (name, pin) in pins.sorted(by: { $0.key < $1.key }) where !Timestamp.releasable.contains(pin.date) {
      throw wrong(name, pin, "not a possible time of a release")
    }
    let makesRPMs = manifest.packaging != nil || manifest.packages(with: request.extras).contains { $0.rpm != nil }
    if makesRPMs, let (name, pin) = pins.max(by: { ($0.value.date, $0.key) < ($1.value.date, $1.key) }),
      !Timestamp.inRPM.contains(pin.date)
    {
      throw wrong(name, pin, "which no RPM package can state: they begin in 1990 and end in 2106")
    }
  }
}
