// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Model
import Processes
import SystemPackage
import TestSupport
import Testing
import Verdicts

@testable import Packagers
@testable import Qualifier

/// Modules that are compiled for arm64 where nothing of it can run.
@Suite(.serialized) struct CompiledTests {
  private func qualify(
    _ workshop: Workshop, _ release: FilePath, _ more: [String]
  ) async throws -> Command.Outcome {
    try await workshop.run(
      [
        "qualify", release.string, "--cache", testCache.string, "--targets",
        Workshop.root.appending("targets").string, "--quiet", "--jobs", "1",
      ] + more, seconds: 3000)
  }

  /// A target for the kernel of Linux 6.12 that Debian 12 has too.
  private func newer(_ workshop: Workshop) throws -> String {
    let text = String(
      decoding: try Files.read(Workshop.root.appending("targets/debian-12-arm64.toml")), as: UTF8.self)
    try workshop.write(
      "debian-12-6.12-arm64.toml", text.replacing("\"linux-headers-arm64\"", with: "\"linux-headers-6.12-arm64\""))
    return workshop.folder.appending("debian-12-6.12-arm64.toml").string
  }

  @Test func theSampleIsCompiledAndNoMoreIsSaid() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let release = workshop.output.appending("sample-7.2.1")
      let targets = ["--target", "debian-12-arm64", "--target", try newer(workshop)]
      let outcome = try await qualify(workshop, release, targets + ["--level", "compiled"])
      #expect(outcome.succeeded, "\(outcome.errors)")
      let folder = FilePath("\(release).qualification")
      let verdicts = try VerdictStore(folder).all()
      #expect(verdicts.count == 2)
      #expect(
        Set(verdicts.map { $0.kernelNumber.prefix(3) }) == ["6.1"] && verdicts.contains { $0.kernel.hasPrefix("6.12.") }
      )
      for verdict in verdicts {
        #expect(verdict.result == .pass && verdict.proven == .compiled && verdict.architecture == "arm64", "\(verdict)")
        #expect(verdict.steps.map(\.name) == [.root, .compile, .modules] && verdict.probeKey == nil)
        let place = folder.pushing(FilePath(verdict.logs))
        let log = String(decoding: try Files.read(place.appending("modules.log")), as: UTF8.self)
        #expect(log.contains("samplefs") && log.contains("\(verdict.kernel) SMP") && log.contains("aarch64"), "\(log)")
      }

      // With nothing changed, nothing is tried; and no more than was asked for is said of it.
      let again = try await qualify(workshop, release, targets + ["--level", "compiled"])
      #expect(again.succeeded, "\(again.errors)")
      #expect(try VerdictStore(folder).all() == verdicts)
      let table = try await workshop.run(["export", "table", folder.string])
      #expect(table.text.contains("| pass, compiled |"), "\(table.text)")
      let page = try await workshop.run(["export", "page", folder.string, "--output", "page.html"])
      #expect(page.succeeded, "\(page.errors)")
      let html = String(decoding: try Files.read(workshop.folder.appending("page.html")), as: UTF8.self)
      #expect(html.contains("<b>compiled</b>: the modules are compiled for another architecture"))
      let rebuilt = try await workshop.run([
        "rebuild", release.string, "--qualified", folder.string, "--output", workshop.folder.appending("again").string,
      ])
      #expect(rebuilt.errors.contains("the package 'modules' passed on no kernel"), "\(rebuilt.errors)")
    }
  }

  @Test(arguments: [["--level", "build"], [], ["--level", "compiled", "--life"]])
  func aHigherLevelIsRefused(options: [String]) async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let release = workshop.output.appending("sample-7.2.1")
      let outcome = try await qualify(workshop, release, ["--target", "debian-12-arm64"] + options)
      workshop.expectRefusal(
        outcome, 2, "debian-12-arm64 only compiles for arm64: nothing is installed or booted there",
        "qualify it with --level compiled", leaves: ["sample-7.2.1"])
    }
  }

  @Test func whatDoesNotCompileFails() async throws {
    try await Workshop.use { workshop in
      let tree = workshop.folder.appending("linux")
      _ = try await Command(
        "cp", ["-a", Workshop.root.appending("Examples/sample/linux").string, tree.string]
      ).check(doing: "copying the sample")
      let file = tree.appending("fs/sample/super.c")
      let code = String(decoding: try Files.read(file), as: UTF8.self)
      try Files.replace(file, with: Array((code + "#ifdef CONFIG_ARM64\n#error not for this\n#endif\n").utf8))
      let cut = try await workshop.run(
        workshop.cutArguments(
          Workshop.root.appending("manifests/sample.toml").string, ["--source", "linux=\(tree)"]))
      #expect(cut.succeeded, "\(cut.errors)")
      let release = workshop.output.appending("sample-7.2.1")
      let outcome = try await qualify(workshop, release, ["--target", "debian-12-arm64", "--level", "compiled"])
      #expect(!outcome.succeeded)
      let verdict = try #require(try VerdictStore(FilePath("\(release).qualification")).all().first)
      #expect(verdict.result == .fail && verdict.step == .compile, "\(verdict)")
      #expect(verdict.reason?.contains("#error not for this") == true, "\(verdict)")
      // It is known, and not tried again.
      _ = try await qualify(workshop, release, ["--target", "debian-12-arm64", "--level", "compiled"])
      #expect(try VerdictStore(FilePath("\(release).qualification")).all() == [verdict])
    }
  }
}

/// Lustre's client, from the git repository that `LRELEASE_LUSTRE_GIT` names.
@Suite(
  .serialized,
  .enabled(if: environmentVariable("LRELEASE_LUSTRE_GIT") != nil, "LRELEASE_LUSTRE_GIT names no repository of Lustre"))
struct LustreCompiledTests {
  @Test func theClientIsCompiledForArm64() async throws {
    try await Workshop.use { workshop in
      let git = try #require(environmentVariable("LRELEASE_LUSTRE_GIT"))
      let cut = try await workshop.run(
        workshop.cutArguments(
          Workshop.root.appending("manifests/lustre.toml").string,
          ["--kernel", "6.12.117", "--source", "lustre-release=\(git)"]))
      try #require(cut.succeeded, "\(cut.errors)")
      let release = workshop.output.appending("lustre-6.12.117")
      let outcome = try await workshop.run(
        [
          "qualify", release.string, "--target", "debian-12-arm64", "--variant", "client", "--level", "compiled",
          "--cache", testCache.string, "--targets", Workshop.root.appending("targets").string, "--quiet",
        ], seconds: 3600)
      #expect(outcome.succeeded, "\(outcome.errors)")
    }
  }
}
