// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verdicts

@testable import Packagers
@testable import Qualifier

/// Which kernels a package may claim, by what it was seen to do.
@Suite struct ProofTests {
  private func verdict(_ kernel: String, _ result: Verdict.Result, _ level: Verdict.Level = .build) -> Verdict {
    let steps: [Verdict.Step.Name] =
      level == .compiled
      ? [.compile] : level == .build ? [.install] : level == .load ? [.install, .load] : [.load, .smoke]
    return Verdict(
      release: "sample-7.2.1", plan: SHA256Digest(of: []), variant: "modules", target: "t", kernel: kernel,
      architecture: level == .compiled ? "arm64" : "amd64", level: level, isLife: false, result: result,
      steps: steps.map { Verdict.Step(name: $0, seconds: 1, passed: result == .pass) }, seconds: 1, started: 0,
      logs: "logs/t", inputs: SHA256Digest(of: []))
  }

  /// What a package claims: a line each `FAMILY MIN MAX STATED`.
  private func claims(_ lines: [String]) throws -> KernelSupport {
    let entries = try lines.map { line in
      let words = line.split(separator: " ").map(String.init)
      let span = KernelSpan(try #require(KernelBuild(words[1])), try #require(KernelBuild(words[2])))
      return KernelSupport.Entry(
        family: words[0], span: span, standing: words.count > 3 ? .stated : .unknown,
        by: words.count > 3 ? words[3] : nil)
    }
    return KernelSupport(families: KernelFamily.known, entries: entries)
  }

  struct Proof: Sendable {
    var claims: [String]
    /// `+KERNEL` loaded, `=KERNEL` built, `-KERNEL` failed; `~KERNEL` compiled, `!KERNEL` not even that.
    var verdicts: [String]
    var lines: [String]
    var warnings: [String] = []
  }

  @Test(arguments: [
    // What lies between two lines that passed stays untried.
    Proof(
      claims: ["mainline 5.10 7.3"], verdicts: ["+6.1.0-56-amd64", "+6.12.117+deb12-amd64"],
      lines: [
        "kernels 5.10 to 6.0: untried", "kernels 6.1: proven", "kernels 6.2 to 6.11: untried", "kernels 6.12: proven",
        "kernels 6.13 to 7.3: untried",
      ]),
    // A failure closes its family up to the line that passed next.
    Proof(
      claims: ["mainline 5.4 7.3"], verdicts: ["-5.10.0-46-amd64", "+6.12.1", "+7.2.12+deb13-amd64"],
      lines: [
        "kernels 5.4 to 5.9: untried", "kernels 6.12: proven", "kernels 6.13 to 7.1: untried", "kernels 7.2: proven",
        "kernels 7.3: untried",
      ],
      warnings: ["the package 'modules' fails on 5.10.0-46-amd64: mainline from 5.10.0 up to 6.12 is left out"]),
    // And on to the end, where none did; within a line, from the build that failed.
    Proof(
      claims: ["mainline 6.1 7.3"], verdicts: ["+6.12.95+deb12-amd64", "-6.12.117+deb12-amd64"],
      lines: ["kernels 6.1 to 6.11: untried", "kernels 6.12 to 6.12.116: proven"],
      warnings: ["the package 'modules' fails on 6.12.117+deb12-amd64: mainline from 6.12.117 on is left out"]),
    // Never another's.
    Proof(
      claims: ["mainline 6.1 6.12", "el10 6.12.0-55 6.12.0-211 Lustre"],
      verdicts: ["-6.12.0-124.1.el10_1.x86_64", "+6.12.117+deb12-amd64"],
      lines: [
        "kernels 6.1 to 6.11: untried", "kernels 6.12: proven", "el10 6.12.0-55 to 6.12.0-124.0: stated by Lustre",
      ],
      warnings: ["the package 'modules' fails on 6.12.0-124.1.el10_1.x86_64: el10 from 6.12.0-124.1 on is left out"]),
    // A family that is not claimed is not closed, and a pass in it is of its line alone.
    Proof(
      claims: ["mainline 6.1 6.12"],
      verdicts: ["-6.12.0-55.43.1.el10_0.x86_64", "+5.14.0-611.55.1.el9_7.x86_64", "=6.1.0-56-amd64"],
      lines: [
        "kernels 6.1: builds, not loaded", "kernels 6.2 to 6.12: untried", "el9 5.14.0-611: proven",
      ]),
    // What failed and passed under one number has failed; a line that was not claimed is there when it passed.
    Proof(
      claims: ["mainline 6.1 6.6"], verdicts: ["+6.1.0-47-amd64", "-6.1.0-56-amd64", "+6.6.1", "+7.2.13", "+7.3.4"],
      lines: ["kernels 6.6, 7.2 to 7.3: proven"],
      warnings: ["the package 'modules' fails on 6.1.0-56-amd64: mainline from 6.1.0 up to 6.6 is left out"]),
    // A family that follows mainline has its own entry here, and what is seen on it is its own.
    Proof(
      claims: ["mainline 6.1 6.12", "debian 6.1 6.12"], verdicts: ["-6.1.0-50-amd64", "+6.1.0-56-amd64"],
      lines: [
        "kernels 6.1 to 6.12: untried", "debian 6.1 to 6.1.0-49: untried", "debian 6.1 since 6.1.0-56: proven",
        "debian 6.2 to 6.12: untried",
      ],
      warnings: ["the package 'modules' fails on 6.1.0-50-amd64: debian from 6.1.0-50 up to 6.1.0-56 is left out"]),
    // Only what is claimed of a line, and a hole that somebody stated.
    Proof(
      claims: ["mainline 6.1.20 6.1.49", "mainline 6.1.60 6.1"], verdicts: ["+6.1.70"],
      lines: ["kernels 6.1.20 to 6.1.49, 6.1 since 6.1.60: proven"]),
    // What was only compiled, for another architecture, proves and closes nothing: it is said of what nobody has tried.
    Proof(
      claims: ["mainline 6.1 6.12"],
      verdicts: ["+6.1.0-56-amd64", "~6.1.0-56-arm64", "~6.12.117+deb12-arm64", "~7.2.13+deb13-arm64"],
      lines: ["kernels 6.1: proven", "kernels 6.2 to 6.11: untried", "kernels 6.12: compiled, not installed"]),
    Proof(
      claims: ["mainline 6.1 6.6", "mainline 6.12 6.12 Lustre"],
      verdicts: ["=6.1.0-56-amd64", "!6.1.0-56-arm64", "~6.12.117+deb12-arm64"],
      lines: [
        "kernels 6.1: builds, not loaded", "kernels 6.2 to 6.6: untried", "kernels 6.12: stated by Lustre",
      ],
      warnings: [
        "the package 'modules' cannot be compiled for arm64 on 6.1.0-56-arm64: it stays as it is claimed"
      ]),
  ])
  func whatVerdictsSay(_ proof: Proof) throws {
    let warned = Mutex<[String]>([])
    let progress = Progress { event in
      if case .told(let warning) = event { warned.withLock { $0.append(warning.reason) } }
    }
    let verdicts = proof.verdicts.map { text in
      let levels: [Character: Verdict.Level] = ["=": .build, "~": .compiled, "!": .compiled]
      return verdict(
        String(text.dropFirst()), ["-", "!"].contains(text.prefix(1)) ? .fail : .pass,
        levels[text.first ?? " "] ?? .load)
    }
    let claimed = try claims(proof.claims)
    for order in [verdicts, verdicts.reversed()] {
      warned.withLock { $0 = [] }
      let support = QualifiedRange.support(
        order + [verdict("9.9.9", .skipped)], over: claimed, of: "modules", progress: progress)
      #expect(support.lines == proof.lines)
      #expect(warned.withLock { $0 } == proof.warnings)
      for verdict in verdicts where verdict.result == .fail && verdict.level > .compiled {
        #expect(!support.contains(verdict.kernel))
      }
      // What a plan holds of it reads the same.
      let plan = try JSON.decode([KernelSupport.Entry].self, from: JSON.encode(support.entries))
      #expect(plan == support.entries)
    }
  }

  @Test(
    arguments: [
      (
        ["6.1.0-56-amd64", "6.12.117+deb12-amd64"], [], "6.1 to 6.12",
        ["the package 'modules' claims Linux 6.1 to 6.12, of which 6.1, 6.12 were tried"]
      ),
      (
        ["5.10.0-30-amd64", "6.12.1", "7.2.12+deb13-amd64"], ["6.1.0-56-amd64"], "6.12 to 7.2",
        [
          "the package 'modules' claims Linux 6.12 to 7.2, of which 6.12, 7.2 were tried",
          "Linux 5.10 passed and is left out: a newer one between it and 7.2 failed",
        ]
      ),
      (["7.2.13", "7.3.4"], [], "7.2 to 7.3", []),
      (["5.10.1", "6.1.2"], ["6.1.3", "7.2.1"], "5.10 to 5.10", []),
      (["6.12.117-1.el10.x86_64"], [], "6.12 to 6.12", []),
      ([], ["6.1.1"], nil, []),
    ] as [([String], [String], String?, [String])])
  func forAnOldPlanTheRangeIsTheNewestKernelsThatPassed(
    passed: [String], failed: [String], text: String?, warnings: [String]
  ) throws {
    let verdicts = passed.map { verdict($0, .pass) } + failed.map { verdict($0, .fail) } + [verdict("9.9.9", .skipped)]
    let warned = Mutex<[String]>([])
    let progress = Progress { event in
      if case .told(let warning) = event { warned.withLock { $0.append(warning.reason) } }
    }
    #expect(try QualifiedRange.range(verdicts, of: "modules", progress: progress)?.text == text)
    #expect(warned.withLock { $0 } == warnings)
  }

  @Test(arguments: ["", "0123456789abcdef", "../../0123456789abcdef0123456789ab", "0123456789ABCDEF0123456789ABCDEF"])
  func whatIsNoKeyIsNoFileName(name: String) { #expect(!QualifiedRange.isKey(name)) }
}
