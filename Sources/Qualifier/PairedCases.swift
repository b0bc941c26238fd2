// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage
import Verdicts

/// The cases of two releases in two guests.
extension Qualification {
  /// This release as client of the other one, and as service for it.
  func pairs(
    of candidate: CandidateRelease, _ other: CandidateRelease, _ request: Request,
    _ place: (path: FilePath, target: Target),
    _ kernel: KernelToTry
  ) throws -> [Case] {
    let target = place.target
    return try Verdict.Against.Role.allCases.compactMap { role in
      let own = try candidate.package(as: role)
      let foreign = try other.package(as: role.other)
      let variant = own.package.variant
      guard request.variants.isEmpty || request.variants.contains(variant) else { return nil }
      // With itself, one of the two is enough.
      if role == .service, other.digest == candidate.digest { return nil }
      let inputs = Inputs(
        release: candidate.digest, package: try candidate.digest(of: own, target.format), target: target.digest,
        headers: kernel.headers, images: kernel.images, against: other.digest,
        otherPackage: try other.digest(of: foreign, target.format))
      return Case(
        id: "\(target.name)\(kernel.label).\(variant).\(role.rawValue)-\(other.name)", variant: variant,
        target: place.path.string, headers: kernel.headers, images: kernel.images, kernel: kernel.name, isLife: false,
        role: role,
        inputs: SHA256Digest(of: try JSON.encode(inputs)))
    }
  }

  /// The other release of a case.
  func otherRelease(_ one: Case, progress: Progress) async throws -> CaseRun.OtherRelease? {
    guard let role = one.role, let against else { return nil }
    return CaseRun.OtherRelease(
      release: try await CandidateRelease(FilePath(against), progress: progress),
      programs: otherPrograms?[one.target] ?? Programs(), role: role)
  }
}
