// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// What was found out about one package of a release on one kernel.
package struct Verdict: Sendable, Codable, Equatable {
  package enum Result: String, Sendable, Codable {
    case pass
    /// The release fails on this kernel: `step` and `reason` say how.
    case fail
    /// The package does not claim this kernel, and says so.
    case skipped
    /// Nothing can be said about the release: the case was interrupted, or the machine lacks something.
    case notRun = "not run"
  }

  /// How far a package is tried; each includes those before it.
  package enum Level: String, Sendable, Codable, CaseIterable, Comparable {
    /// Compiled for another architecture than that of the machine: nothing was installed.
    case compiled
    case build, load, mount

    package static func < (a: Self, b: Self) -> Bool {
      (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
    }
  }

  /// One thing that was tried.
  package struct Step: Sendable, Codable, Equatable {
    package enum Name: String, Sendable, Codable {
      /// The root of the target, and the packages that are tried in it.
      case root, packages
      /// What PRE_BUILD has found out about the kernel's headers is kept.
      case probe
      case install, modules
      /// The modules are compiled for another architecture, without dkms.
      case compile
      /// The guest is put together, and what is tried in it.
      case guest, boot, load, unload, smoke
      /// What the kernel has logged since.
      case log
      /// What happens to a package in the life of a site.
      case life
      /// The other release of a pair: its package in a root, then what its guest did.
      case other
      /// A guest of a pair waits for the other one.
      case wait
      /// The service starts or stops; the client uses it.
      case service, client
    }
    package var name: Name
    package var seconds: Double
    package var passed: Bool
    /// More information, such as the number of modules.
    package var note: String?

    package init(name: Name, seconds: Double, passed: Bool, note: String? = nil) {
      self.name = name
      self.seconds = seconds
      self.passed = passed
      self.note = note
    }
  }

  /// The chroot in which it was tried.
  package struct Root: Sendable, Codable, Equatable {
    /// Its name in the cache, which its recipe decides.
    package var name: String
    /// Identifies what was in it.
    package var packages: SHA256Digest

    package init(name: String, packages: SHA256Digest) {
      self.name = name
      self.packages = packages
    }
  }

  /// The other release of a pair of guests, and what this one was beside it.
  package struct Against: Sendable, Codable, Hashable {
    package enum Role: String, Sendable, Codable, CaseIterable {
      case client, service

      package var other: Role { self == .client ? .service : .client }
    }
    /// What the release of the verdict was.
    package var role: Role
    /// `sample-7.2.0`.
    package var release: String
    /// Identifies the other release: `Plan.identity`.
    package var plan: SHA256Digest

    package init(role: Role, release: String, plan: SHA256Digest) {
      self.role = role
      self.release = release
      self.plan = plan
    }

    /// `client of sample-7.2.0`.
    package var inWords: String { role == .client ? "client of \(release)" : "service for \(release)" }
  }

  /// `sample-7.2.1`.
  package var release: String
  /// Identifies the code of the release and how it is packaged: `Plan.identity`.
  package var plan: SHA256Digest
  package var variant: String
  package var target: String
  /// The release of the kernel as `uname -r` prints it, or the package that should bring it.
  package var kernel: String
  package var architecture: String
  package var level: Level
  /// It is about what happens in the life of a site, and not about one kernel.
  package var isLife: Bool
  /// It is about two releases in two guests.
  package var against: Against?
  package var result: Result
  /// The step that failed.
  package var step: Step.Name?
  /// Why it failed or was skipped: the first line that says so.
  package var reason: String?
  /// The most bytes of a reason; more is cut out of its middle.
  package static let longestReason = 1000
  /// The change in the kernel behind it, where the manifest knows it.
  package var change: String?
  package var steps: [Step]
  package var seconds: Double
  /// Seconds since 1970.
  package var started: Int64
  /// Bytes of the modules as they are installed.
  package var moduleBytes: Int64?
  /// `kvm` or `tcg`.
  package var accelerator: String?
  /// The folder of its logs, relative to the qualification.
  package var logs: String
  /// What the modules' probe found, for packages made later: the name that the probe gives to exactly these headers.
  package var probeKey: String?
  /// nil where there was none yet.
  package var root: Root?
  /// Identifies what decided the verdict: with the same inputs there is no need to try again.
  package var inputs: SHA256Digest

  package init(
    release: String, plan: SHA256Digest, variant: String, target: String, kernel: String, architecture: String,
    level: Level, isLife: Bool, against: Against? = nil, result: Result, step: Step.Name? = nil, reason: String? = nil,
    change: String? = nil,
    steps: [Step], seconds: Double, started: Int64, moduleBytes: Int64? = nil, accelerator: String? = nil, logs: String,
    probeKey: String? = nil, root: Root? = nil, inputs: SHA256Digest
  ) {
    self.release = release
    self.plan = plan
    self.variant = variant
    self.target = target
    self.kernel = kernel
    self.architecture = architecture
    self.level = level
    self.isLife = isLife
    self.against = against
    self.result = result
    self.step = step
    self.reason = reason
    self.change = change
    self.steps = steps
    self.seconds = seconds
    self.started = started
    self.moduleBytes = moduleBytes
    self.accelerator = accelerator
    self.logs = logs
    self.probeKey = probeKey
    self.root = root
    self.inputs = inputs
  }

  /// The note of a failed step `root` whose chroot is damaged.
  package static let damaged = "damaged"

  /// The name of the chroot that must be made anew before anything can be said of the release; nil if none must.
  package var damagedChroot: String? {
    guard let last = steps.last, last.name == .root, last.note == Verdict.damaged else { return nil }
    return root?.name
  }

  /// Whether it is about this package on one kernel, by itself: then it has a level, and counts for what the package
  /// supports.
  package var isOfPackageAlone: Bool { !isLife && against == nil }

  /// How far the package got. A file system was mounted only if a smoke script ran, not merely because it was
  /// requested.
  package var proven: Level? {
    guard result == .pass else { return nil }
    func hasPassed(_ name: Step.Name) -> Bool { steps.contains { $0.name == name && $0.passed } }
    return hasPassed(.smoke) ? .mount : hasPassed(.load) ? .load : isCompiledOnly ? .compiled : .build
  }

  /// Whether the modules were compiled for another architecture, and not installed by dkms.
  package var isCompiledOnly: Bool { step == .compile || steps.contains { $0.name == .compile } }

  /// What this verdict says at a level that may be another; nil if it says nothing.
  ///
  /// A package that loaded was built, but a failure to mount says nothing of loading beyond what passed before it.
  package func answer(at wanted: Level) -> Verdict? {
    switch result {
    case .notRun: return nil
    case .skipped: return self
    case .pass: return level >= wanted ? self : nil
    case .fail: break
    }
    if !isOfPackageAlone || failed <= wanted { return self }
    // All that belongs to building has passed. Whether loading has is not known: the kernel's log was read at the end.
    guard wanted <= .build else { return nil }
    var answer = self
    answer.level = .build
    answer.result = .pass
    (answer.step, answer.reason, answer.change, answer.accelerator) = (nil, nil, nil, nil)
    answer.steps.removeAll { !Verdict.stepsOfBuild.contains($0.name) }
    return answer
  }

  private static let stepsOfBuild: Set<Step.Name> = [.root, .install, .modules, .probe]

  /// The lowest level at which the step that failed is tried.
  private var failed: Level {
    switch step {
    case .boot, .load: .load
    case .unload: steps.contains { $0.name == .smoke } ? .mount : .load
    case .packages, .smoke, .other, .wait, .service, .client: .mount
    // What these look at depends on the level.
    case .guest, .log: level
    case .root, .install, .compile, .modules, .probe, .life, nil: .compiled
    }
  }

  /// `6.12.117`, of `6.12.117+deb12-amd64`.
  package var kernelNumber: String {
    String(kernel.prefix { $0.isASCII && $0.isNumber || $0 == "." }.drop { $0 == "." })
      .split(separator: ".").joined(separator: ".")
  }
}
