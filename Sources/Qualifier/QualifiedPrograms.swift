// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Model
import Packagers
import Releases
import SystemPackage

/// The programs that a release brings along for its guests.
extension Qualification {
  /// Builds the programs that scripts call in guests, for the targets of these cases.
  package mutating func buildPrograms(
    for cases: [Case], _ candidate: CandidateRelease, jobs: Int, progress: Progress
  ) async throws {
    guard level == .mount else { return }
    let alone = cases.filter { $0.role == nil }
    if candidate.manifest.qualify.smoke != nil {
      programs.merge(
        try await built(for: alone, candidate, in: folder.appending("packages"), jobs, progress),
        uniquingKeysWith: { $1 })
    }
    let pairs = cases.filter { $0.role != nil }
    guard !pairs.isEmpty, let against else { return }
    let other = try await CandidateRelease(FilePath(against), progress: progress)
    programs.merge(
      try await built(for: pairs, candidate, in: folder.appending("packages"), jobs, progress), uniquingKeysWith: { $1 }
    )
    // Two releases of one name have two folders.
    let place = folder.appending("against").appending("\(other.name).\(other.digest.hex.prefix(8))")
    otherPrograms = try await built(for: pairs, other, in: place, jobs, progress)
  }

  private func built(
    for cases: [Case], _ candidate: CandidateRelease, in output: FilePath, _ jobs: Int, _ progress: Progress
  ) async throws -> [String: Programs] {
    let qualify = candidate.manifest.qualify
    var programs: [String: Programs] = [:]
    let paths = Array(Set(cases.map(\.target))).sorted()
    let targets = try paths.map { try Target(reading: FilePath($0)) }.filter { target in
      !qualify.packages(target.format).isEmpty
    }
    guard !targets.isEmpty else { return [:] }
    var build = BinaryBuilder(output: output, chroots: chroots, buildsModules: false, jobs: jobs, progress: progress)
    build.replaces = true
    let outcomes = try await build.run(candidate.release, targets)
    for (path, target) in paths.map({ ($0, FilePath($0).stem) }) {
      guard let outcome = outcomes.first(where: { $0.target == target }) else { continue }
      let format = targets.first { $0.name == target }?.format ?? .deb
      var made = Programs(error: outcome.error, isFault: outcome.log != nil)
      if let folder = outcome.folder {
        let kind: Artifact.Kind = format == .deb ? .deb : .rpm
        let files = try qualify.packages(format).map { name in
          guard let file = outcome.files.first(where: { $0.kind == kind && $0.packageName == name }) else {
            throw ReleaseError(
              .input, doing: "qualifying on \(outcome.target)", reason: "the release builds no package '\(name)'",
              advice: "correct [qualify] of its manifest")
          }
          return FilePath(folder).appending(file.name)
        }
        made.files = files.map(\.string)
        made.dependencies = try await format.packageManager.dependencies(
          of: files, doing: "reading what the packages for \(outcome.target) need")
      }
      programs[path] = made
    }
    return programs
  }
}
