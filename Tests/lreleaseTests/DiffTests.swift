// SPDX-License-Identifier: GPL-2.0-only

import Files
import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

/// `lrelease diff` of real releases of the sample.
@Suite struct DiffTests {
  /// What --json prints.
  private struct Report: Decodable {
    struct Section: Decodable {
      struct Change: Decodable {
        var name: String
        var before: String?
        var after: String?
        var note: String?
      }
      var title: String
      var onlyVersion: Bool
      var changes: [Change]
    }
    var before: String
    var after: String
    var sections: [Section]
    var patch: String?

    func names(_ title: String) -> [String] { sections.first { $0.title == title }?.changes.map(\.name) ?? [] }
    func change(_ title: String, _ name: String) -> Section.Change? {
      sections.first { $0.title == title }?.changes.first { $0.name == name }
    }
  }

  private func diff(
    _ workshop: Workshop, _ before: String, _ after: String, _ more: [String] = []
  ) async throws -> Report {
    let outcome = try await workshop.run(["diff", "--json", "--quiet", "out/\(before)", "out/\(after)"] + more)
    let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output))
    #expect(outcome.status == .exited(report.sections.isEmpty ? 0 : 6) && outcome.errors.isEmpty, "\(outcome.errors)")
    return report
  }

  @Test func theSameReleaseDiffersInNothing() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let name = "sample-7.2.1"
      for pair in [(name, name), (name, "\(name)/\(name).tar.xz")] {
        #expect(try await diff(workshop, pair.0, pair.1, ["--patch"]).sections.isEmpty)
      }
      let outcome = try await workshop.run(["diff", "out/\(name)", "out/\(name)"])
      #expect(outcome.succeeded && outcome.text == "\(name) and \(name) are the same\n")
    }
  }

  @Test func aRespinWithAChangedSourceIsSeenInEverySection() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      try await workshop.shell(
        """
        cp -r \(Workshop.root)/Examples/sample/companion companion
        echo '/* changed */' >> companion/sample_compat/core.h
        rm companion/tests/smoke.sh
        mv companion/utils/samplectl.8 companion/sample_compat/moved
        """)
      #expect(try await workshop.cutSample(["--respin", "1", "--source", "companion=companion"]).succeeded)
      let report = try await diff(workshop, "sample-7.2.1", "sample-7.2.1+r1", ["--patch"])
      #expect(report.before == "sample-7.2.1" && report.after == "sample-7.2.1+r1")
      #expect(report.names("release") == ["version"])
      #expect(report.names("sources") == ["companion"])
      #expect(report.names("extras").isEmpty && report.names("modules").isEmpty && report.names("patches").isEmpty)
      let files = [
        "sample_compat/core.h", "sample_compat/moved", "tests/smoke.sh", "utils/samplectl.8",
      ]
      #expect(report.names("files") == files)
      #expect(report.names("files, only the version differs") == ["Kbuild"])
      #expect(report.change("files", "tests/smoke.sh")?.after == nil)
      #expect(report.change("files", "sample_compat/core.h")?.note == "← companion:sample_compat/core.h")
      #expect(report.names("packaging, only the version differs").contains("debian/changelog"))
      #expect(report.change("fields of sample-dkms (deb)", "Version")?.after == "7.2.1+r1-1")
      #expect(
        report.change("fields of sample-dkms (rpm)", "Requires")?.before == "config(sample-dkms) = 7.2.1-1")
      #expect(report.names("files of sample-dkms (rpm)").contains("usr/src/sample-*/sample_compat/core.h"))
      #expect(!report.names("files of sample-dkms (rpm)").contains("usr/src/sample-*/sample_compat/fs.h"))

      let only = report.sections.filter { $0.onlyVersion }.map(\.title)
      #expect(only.count == 4 && only.allSatisfy { $0.hasSuffix(", only the version differs") }, "\(only)")
      let ofDeb = report.names("files of sample-dkms (deb), only the version differs")
      #expect(ofDeb.contains("usr/share/doc/sample-dkms/changelog.Debian.gz"))
      #expect(ofDeb.contains("usr/src/sample-*/Kbuild") && !ofDeb.contains("usr/src/sample-*/sample_compat/core.h"))

      // The patch is one: on the old tree it makes the new one.
      try workshop.write("changes.patch", report.patch ?? "")
      try await workshop.shell(
        """
        tar -xf out/sample-7.2.1/sample-7.2.1.tar.xz
        tar -xf out/sample-7.2.1+r1/sample-7.2.1+r1.tar.xz
        patch -s -E -p1 -d sample-7.2.1 < changes.patch
        rm -r sample-7.2.1/lrelease sample-7.2.1+r1/lrelease
        diff -r sample-7.2.1 sample-7.2.1+r1
        """)
    }
  }

  @Test func aVendorsRebuildWithAnExtraIsSeen() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      try await RebuildTests.writeSeries(workshop)
      let trace = Workshop.root.appending("Examples/sample/extra-trace")
      let rebuilt = try await workshop.run([
        "rebuild", "-q", "out/sample-7.2.1/sample-7.2.1.tar.xz", "--output", "out", "--vendor", "acme", "--patches",
        "patches/series", "--with", "trace", "--source", "trace=\(trace)",
      ])
      #expect(rebuilt.succeeded, "\(rebuilt.errors)")
      let name = "sample-7.2.1+and.trace+by.acme.1"
      let report = try await diff(workshop, "sample-7.2.1", name)
      #expect(report.names("release") == ["rebuild by.acme.1", "version"])
      #expect(report.change("release", "rebuild by.acme.1")?.after == "of sample 7.2.1")
      #expect(report.names("sources") == ["trace"] && report.names("extras") == ["trace"])
      #expect(
        report.names("patches") == ["by.acme.1/fix.patch", "by.acme.1/new.patch", "trace/listeners.patch"])
      #expect(report.names("modules") == ["modules/sampletrace"])
      #expect(report.names("files").contains("sample/acme.h"))
      #expect(report.patch == nil)

      let shown = try await workshop.run(["diff", "out/sample-7.2.1", "out/\(name)", "--color", "never"])
      let lines = shown.text.split(separator: "\n").map(String.init)
      #expect(lines.first == "sample-7.2.1 → \(name)")
      #expect(lines.contains { $0.hasPrefix("  patches ") && $0.hasSuffix("  3 added") })
      #expect(lines.contains("  + sample/acme.h  ← by.acme.1 + by.acme.1/new.patch"))
      #expect(!lines.contains("tools"))
    }
  }

  @Test func whatIsNoReleaseIsRefused() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let leaves = ["sample-7.2.1"]
      try workshop.write("empty/file", "x")
      let refusals = [
        ("empty", "opening the release empty: it holds no SHA256SUMS"), ("nowhere", "reading nowhere"),
        ("empty/file", ""),
      ]
      for (place, words) in refusals {
        let outcome = try await workshop.run(["diff", "-q", "out/sample-7.2.1", place])
        workshop.expectRefusal(outcome, 3, words, leaves: leaves)
      }
      // One that was changed is no release any more, which is another status than a difference.
      try await workshop.shell("cp -r out/sample-7.2.1 changed; echo >> changed/sample_7.2.1-1.dsc")
      let outcome = try await workshop.run(["diff", "-q", "out/sample-7.2.1", "changed"])
      workshop.expectRefusal(outcome, 3, "changed", "sample_7.2.1-1.dsc is not what was released", leaves: leaves)
    }
  }
}
