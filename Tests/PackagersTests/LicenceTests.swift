// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import Operations
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// What a file says of itself, what goes together, and what licensecheck calls it.
@Suite struct LicenceRuleTests {
  @Test(arguments: [
    ("// SPDX-License-Identifier: GPL-2.0\n", "GPL-2.0-only"),
    ("#!/bin/sh\n# SPDX-License-Identifier: MIT\r\n", "MIT"),
    (
      "/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */\n",
      "GPL-2.0-only WITH Linux-syscall-note OR MIT"
    ),
    (".\\\" SPDX-License-Identifier: GPL-2.0+\n", "GPL-2.0-or-later"),
    ("<!-- SPDX-License-Identifier: MIT -->\n", "MIT"),
    ("dnl SPDX-License-Identifier: MIT\n", "MIT"),
    (".. SPDX-License-Identifier: MIT\n", "MIT"),
    ("SPDX-License-Identifier: MIT\n", "MIT"),
    ("/* Copyright 2020 A, SPDX-License-Identifier: ISC             *\n */", "ISC"),
    ("\u{feff}// SPDX-License-Identifier: MIT\n", "MIT"),
    // Each of two holds.
    ("/* SPDX-License-Identifier: MIT */\n/* SPDX-License-Identifier: ISC */\n", "ISC AND MIT"),
    ("// SPDX-License-Identifier: MIT", "MIT"),
  ])
  func tagsAreRead(_ text: String, _ expression: String) {
    #expect(LicenceTags(head: Array(text.utf8)).expression?.text == expression)
  }

  @Test(arguments: [
    "int a; // none\n", "puts(\"// SPDX-License-Identifier: MIT\");\n", "x = \"SPDX-License-Identifier: MIT\"\n",
    "echo SPDX-License-Identifier: MIT\n", "Valid-License-Identifier: GPL-2.0\n",
    "// Valid-SPDX-License-Identifier: MIT\n",
    "// SPDX-License-Identifier: <SPDX License Expression>\n", "# SPDX-License-Identifier: NOASSERTION\n",
    "// REUSE-IgnoreStart\n// SPDX-License-Identifier: MIT\n// REUSE-IgnoreEnd\n",
    String(repeating: "\n", count: 40) + "// SPDX-License-Identifier: MIT\n", "// SPDX-License-Identifier:\n", "",
  ])
  func whatIsNoTagSaysNothing(_ text: String) {
    let tags = LicenceTags(head: Array(text.utf8))
    #expect(tags.expression == nil && tags.unreadable == nil)
  }

  @Test func wrongTagsAndHoldersAreKept() {
    let tags = LicenceTags(
      head: Array("// SPDX-FileCopyrightText: 2020 A\u{1b}[1m <a@b.c>\n// SPDX-License-Identifier: GPLv2\n\u{ff}".utf8))
    #expect(tags.unreadable?.text == "GPLv2" && tags.expression == nil)
    #expect(tags.copyright == ["2020 A\\u{1b}[1m <a@b.c>"])
  }

  private static let opponents: [(String, [String], String?)] = [
    ("CDDL-1.0", ["GPL-2.0-only"], "GPL-2.0-only"), ("CDDL-1.0", ["GPL-2.0-or-later"], "GPL-2.0-or-later"),
    ("CDDL-1.0", ["MIT", "LGPL-2.1-only"], nil), ("Apache-2.0", ["GPL-2.0-only", "MIT"], "GPL-2.0-only"),
    ("Apache-2.0", ["GPL-2.0-or-later"], nil), ("Apache-2.0 OR MIT", ["GPL-2.0-only"], nil),
    ("Apache-2.0 AND MIT", ["GPL-2.0-only"], "GPL-2.0-only"), ("GPL-3.0-or-later", ["GPL-2.0-only"], "GPL-2.0-only"),
    ("GPL-3.0-or-later WITH Autoconf-exception-generic-3.0", ["GPL-2.0-only"], nil),
    ("Apache-2.0 WITH LLVM-exception", ["GPL-2.0-only"], nil), ("APSL-1.1", ["GPL-2.0-only OR MIT"], nil),
    ("MIT", ["GPL-2.0-only"], nil), ("GPL-2.0-or-later", ["GPL-2.0-only"], nil),
    ("EPL-2.0", ["GPL-2.0-only WITH Linux-syscall-note"], "GPL-2.0-only WITH Linux-syscall-note"),
  ]

  @Test(arguments: opponents)
  func whatCannotGoTogetherIsKnown(_ text: String, _ rest: [String], _ opponent: String?) throws {
    let found = LicenceConflicts.opponent(of: try SPDXExpression(text), in: try rest.map { try SPDXExpression($0) })
    #expect(found?.text == opponent)
  }

  private static let findings: [(String, String, [String])] = [
    ("GPL-2", "GPL-2.0-only", []), ("GPL-2+ and/or Expat", "GPL-2.0-or-later OR MIT", []), ("UNKNOWN", "MIT", []),
    ("LGPL-2.1", "GPL-2.0-only", ["LGPL-2.1"]), ("*No copyright* UNKNOWN", "MIT", []), ("GPL", "GPL-3.0-only", []),
    ("LGPL", "GPL-2.0-only", ["LGPL"]), ("BSD-3-Clause and/or CDDL-1.0", "BSD-3-Clause", ["CDDL-1.0"]),
    ("(FSFULLR and/or GPL-2) with Libtool-exception exception", "FSFULLR", ["GPL-2"]),
  ]

  @Test(arguments: findings)
  func namesOfLicensecheckAreCompared(_ finding: String, _ expression: String, _ found: [String]) throws {
    #expect(LicensecheckNames.found(in: finding, beyond: try SPDXExpression(expression)) == found)
  }
}

/// What packages say, out of the files that they hold.
@Suite struct LicenceTests {
  private static let extra = """
    [extras.more]
    summary = "more"
    license = "Zlib"
    tree = [{ from = "linux:more", to = "more" }]
    """

  private func write(_ workshop: Workshop, rules: String = "") throws {
    try workshop.write("linux/fs/Makefile", "obj-m := demo.o\n")
    try workshop.write("linux/fs/a.c", "// SPDX-License-Identifier: GPL-2.0\nint a;\n")
    try workshop.write("linux/fs/b.c", "int b;\n")
    try workshop.write(
      "linux/fs/bsd/x y.c",
      "// SPDX-License-Identifier: BSD-3-Clause\n// SPDX-FileCopyrightText: 2020 Someone\nint c;\n")
    try workshop.write("linux/fs/bsd/deep/z.c", "/* SPDX-License-Identifier: BSD-3-Clause */\n")
    try workshop.write("linux/fs/blob.bin", [0, 1, 2, 0x0a])
    try workshop.write("linux/fs/blob.bin.license", "SPDX-License-Identifier: CC0-1.0\n")
    try workshop.write("linux/fs/COPYING", "SPDX-License-Identifier: GPL-3.0-only\n")
    try workshop.write("linux/more/m.c", "int m;\n")
    let packages = Workshop.packages
    try workshop.writeManifest("\(Self.extra)\n\(rules)\n\(packages)")
  }

  private func cut(_ workshop: Workshop, _ more: [String] = []) async throws -> Command.Outcome {
    try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"] + more))
  }

  private func copyright(_ workshop: Workshop, _ release: String) async throws -> String {
    let deb = workshop.output.appending("demo-\(release)/demo-dkms_\(release)-1_all.deb").string
    let script = "dpkg-deb --fsys-tarfile \(deb) | tar -xO ./usr/share/doc/demo-dkms/copyright"
    return try await Command("sh", ["-ec", script]).check(doing: "unpacking").text
  }

  @Test func aPackageNamesWhatItsFilesSay() async throws {
    try await Workshop.use { workshop in
      try write(workshop)
      let outcome = try await cut(workshop)
      #expect(outcome.succeeded, "\(outcome.errors)")
      let text = try await copyright(workshop, "7.4")
      let stanzas = text.replacing("\n\n", with: "\u{1}").split(separator: "\u{1}").map(String.init)
      #expect(stanzas[0].contains("Upstream-Contact: A <a@example.org>"))
      #expect(stanzas[1].hasPrefix("Files: *\nCopyright: "))
      #expect(stanzas[1].hasSuffix("\nLicense: GPL-2.0-only"))
      #expect(stanzas[2] == "Files: fs/bsd/*\nCopyright: 2020 Someone\nLicense: BSD-3-Clause")
      #expect(stanzas[3].hasPrefix("Files: fs/blob.bin\n       fs/blob.bin.license\n"))
      #expect(stanzas[3].hasSuffix("\nLicense: CC0-1.0"))
      #expect(stanzas[4].hasPrefix("License: BSD-3-Clause\n Redistribution and use"))
      #expect(text.contains("/usr/share/common-licenses/GPL-2\""))
      #expect(!text.contains("GPL-3.0") && !text.contains("Zlib"))

      let rpm = workshop.output.appending("demo-7.4/demo-dkms-7.4-1.noarch.rpm").string
      let asked = try await Command("rpm", ["-qp", "--qf", "%{LICENSE}\n", rpm]).check(doing: "asking").text
      #expect(asked == "BSD-3-Clause AND CC0-1.0 AND GPL-2.0-only\n")
      let texts = try await Command("rpm", ["-qpL", rpm]).check(doing: "asking").text.split(separator: "\n")
      #expect(
        texts.map(String.init)
          == ["BSD-3-Clause", "CC0-1.0", "GPL-2.0-only"].map {
            "/usr/share/licenses/demo-dkms/\($0).txt"
          })

      let listed = try await Command("tar", ["-tf", workshop.output.appending("demo-7.4/demo-7.4.tar.xz").string])
        .check(doing: "listing").text.split(separator: "\n")
      let licences = listed.filter { $0.contains("/LICENSES/") && !$0.hasSuffix("/") }
      #expect(
        licences.map(String.init) == ["BSD-3-Clause", "CC0-1.0", "GPL-2.0-only"].map { "demo-7.4/LICENSES/\($0).txt" })

      let again = try await workshop.run(["rebuild", "--quiet", "out/demo-7.4", "--output", "again"])
      #expect(again.succeeded, "\(again.errors)")
    }
  }

  @Test func anExtraAddsItsOwn() async throws {
    try await Workshop.use { workshop in
      try write(workshop)
      let outcome = try await cut(workshop, ["--with", "more"])
      #expect(outcome.succeeded, "\(outcome.errors)")
      let text = try await copyright(workshop, "7.4+and.more")
      #expect(text.contains("\n\nFiles: more/*\n") && text.contains("\nLicense: Zlib\n"))
    }
  }

  /// An extra can put files beside those of others: these stay what they are, in the packages and in what is said of them.
  @Test func anExtraClaimsNothingOfOthers() async throws {
    try await Workshop.use { workshop in
      try workshop.write("linux/fs/b.c", "int b;\n")
      try workshop.write("linux/fs/none/n.c", "/* SPDX-License-Identifier: ISC */\n")
      try workshop.write("other/o.c", "int o;\n")
      try workshop.writeManifest(
        """
        [extras.beside]
        summary = "beside"
        license = "Zlib"
        copyright = ["2020 Other"]
        tree = [{ from = "other:", to = "fs" }]
        \(Workshop.packages.replacing("[packages.deb]", with: "exclude = [\"/fs/none\"]\n[packages.deb]"))
        """, source: "[sources.other]\nfolder = \"other\"\ndate = \"2026-11-01T00:00:00Z\"\n")
      let outcome = try await cut(workshop, ["--source", "other=other", "--with", "beside"])
      #expect(outcome.succeeded, "\(outcome.errors)")
      let text = try await copyright(workshop, "7.4+and.beside")
      #expect(text.contains("Files: fs/o.c\nCopyright: 2020 Other\nLicense: Zlib\n"), "\(text)")
      #expect(text.split(separator: "2020 Other").count == 2 && !text.contains("ISC"), "\(text)")
    }
  }

  @Test(arguments: [
    ("GPLv2", "", "fs/t.c says SPDX-License-Identifier: GPLv2, which is no SPDX expression"),
    ("CDDL-1.0", "", "CDDL-1.0 of fs/t.c cannot go together with GPL-2.0-only"),
    ("Sleepycat", "", "the text of Sleepycat, the licence of fs/t.c,"),
    ("MIT", "expression = \"ISC\"", "the rule says ISC, and fs/t.c says MIT"),
  ])
  func whatIsWrongStopsPlanAndCut(_ tag: String, _ rule: String, _ words: String) async throws {
    try await Workshop.use { workshop in
      let rules = rule.isEmpty ? "" : "[[licenses]]\npaths = [\"t.c\"]\n\(rule)"
      try workshop.write("linux/fs/t.c", "// SPDX-License-Identifier: \(tag)\n")
      try write(workshop, rules: rules)
      workshop.expectRefusal(try await cut(workshop), 2, words)
      let plan = try await workshop.run(["plan", "--quiet", "demo.toml", "--source", "linux=linux"])
      workshop.expectRefusal(plan, 2, words)
    }
  }

  @Test(arguments: [
    ("GPLv2", "expression = \"GPL-2.0-only\""),
    ("CDDL-1.0", "expression = \"CDDL-1.0\"\nwhy = \"a script by itself\""),
    ("Sleepycat", "expression = \"Sleepycat\"\ntext = \"text\""),
    ("LicenseRef-x", "expression = \"LicenseRef-x\"\ntext = \"text\""),
    ("MIT", "expression = \"ISC\"\nwhy = \"the author said so\""),
  ])
  func aRuleSaysWhatIsRight(_ tag: String, _ rule: String) async throws {
    try await Workshop.use { workshop in
      try workshop.write("linux/fs/t.c", "// SPDX-License-Identifier: \(tag)\n")
      try workshop.write("text", "Take it.\n\nReally.\n")
      try write(workshop, rules: "[[licenses]]\npaths = [\"t.c\"]\n\(rule)\ncopyright = [\"2001 T\"]")
      let outcome = try await cut(workshop)
      #expect(outcome.succeeded, "\(outcome.errors)")
      let text = try await copyright(workshop, "7.4")
      #expect(text.contains("Files: fs/t.c\nCopyright: 2001 T\n"))
      if rule.contains("text =") { #expect(text.contains("\n Take it.\n .\n Really.")) }
    }
  }

  /// A spec that does not list the texts gets none: rpm refuses files that nothing lists.
  @Test func aRecipeOfOlderReleasesStaysGood() async throws {
    try await Workshop.use { workshop in
      try write(workshop)
      try await workshop.shell(
        """
        grep -v '^%license' \(Workshop.root)/specs/dkms.spec >old.spec
        sed -i 's|^recipe = ".*dkms.spec"|recipe = "old.spec"|' demo.toml
        """)
      let outcome = try await cut(workshop)
      #expect(outcome.succeeded, "\(outcome.errors)")
      let rpm = workshop.output.appending("demo-7.4/demo-dkms-7.4-1.noarch.rpm").string
      #expect(try await Command("rpm", ["-qpL", rpm]).check(doing: "asking").text == "")
    }
  }

  @Test func aRuleForNothingIsTold() async throws {
    try await Workshop.use { workshop in
      try write(workshop, rules: "[[licenses]]\npaths = [\"nothing.c\"]\nexpression = \"MIT\"")
      let arguments = ["plan", "demo.toml", "--source", "linux=linux"]
      let plan = try await workshop.run(arguments)
      #expect(plan.errors.contains("the rule of [[licenses]] matches no file"), "\(plan.errors)")
    }
  }

  /// What a build of the tarball makes says what it is made of, and not what the whole source is.
  @Test func packagesOfABuildNameWhatTheyAreMadeOf() async throws {
    try await Workshop.use { workshop in
      let outcome = try await workshop.cutSample(["--with", "trace", "--with", "mark"])
      #expect(outcome.succeeded, "\(outcome.errors)")
      let name = "sample-7.2.1+and.mark.trace"
      let tarball = workshop.output.appending("\(name)/\(name).tar.xz").string
      func read(_ path: String) async throws -> [String] {
        let file = try await Command("tar", ["-xOf", tarball, "\(name)/\(path)"]).check(doing: "reading \(path)")
        return file.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      }
      let spec = try await read("sample.spec")
      let note = "GPL-2.0-only WITH Linux-syscall-note"
      let modules = "(BSD-2-Clause OR GPL-2.0-only) AND GPL-2.0-only AND \(note)"
      #expect(
        spec.filter { $0.hasPrefix("License:") }.map { String($0.dropFirst(16)) } == [
          "GPL-2.0-only AND \(note)", note,
          // The modules for SUSE, for others, and by dkms.
          modules, modules, modules, "BSD-2-Clause OR GPL-2.0-only",
        ])
      let texts = "LICENSES/GPL-2.0 LICENSES/Linux-syscall-note.txt"
      #expect(
        spec.filter { $0.hasPrefix("%license LICENSES") } == [
          "%license LICENSES/BSD-2-Clause.txt \(texts)", "%license \(texts)", "%license \(texts)",
        ])
      for file in texts.split(separator: " ") { #expect(try await read(String(file)).count > 5) }
      let whole = try await read("debian/copyright")
      let header = try await read("debian/sample-dev.copyright")
      #expect(whole.contains("License: BSD-2-Clause") && !header.contains("License: BSD-2-Clause"))
      #expect(header.contains("License: \(note.replacing(" WITH ", with: " with ")) exception"), "\(header)")
      #expect(header.contains { $0.hasPrefix("Upstream-Contact: ") })
      let again = try await workshop.run(["rebuild", "--quiet", "out/\(name)", "--output", "again"])
      #expect(again.succeeded, "\(again.errors)")
    }
  }

  @Test(arguments: [
    ("rpm = \"more\"\nfiles = [\"/nothing\"]", "no file of the release is what more is made of"),
    ("files = [\"/fs\"]", "a package must have 'rpm', 'deb' or both"),
    ("deb = \"more\"", "a package must have 'files', 'variant' or both"),
    ("rpm = \"demo\"\nfiles = [\"/fs\"]", "'packages' has 'demo' twice"),
  ])
  func aPackageMadeOfNothingIsRefused(_ package: String, _ words: String) async throws {
    try await Workshop.use { workshop in
      try workshop.write("debian/control", "Source: demo\n\nPackage: demo\n")
      try workshop.write("demo.spec", "License: @DEMO_LICENSE@\n")
      try write(
        workshop,
        rules: """
          [packaging]
          debian = "debian"
          spec = "demo.spec"
          [[packaging.packages]]
          rpm = "demo"
          variant = "modules"
          [[packaging.packages]]
          \(package)
          """)
      workshop.expectRefusal(try await cut(workshop), 2, "demo.toml:", words)
    }
  }

  /// The judge: licensecheck finds nothing in any file that is not named for it.
  @Test func licensecheckAgreesWithTheSample() async throws {
    try await Workshop.use { workshop in
      let outcome = try await workshop.cutSample(["--with", "trace", "--with", "mark"])
      #expect(outcome.succeeded, "\(outcome.errors)")
      let judged = try await workshop.run(["licenses", "--json", "out/sample-7.2.1+and.mark.trace"])
      #expect(judged.succeeded, "\(judged.text)\(judged.errors)")
      #expect(judged.text.contains("BSD-2-Clause OR GPL-2.0-only"))
      try workshop.write("linux/fs/f.c", "/* This file is licensed under the Apache License, Version 2.0 */\nint f;\n")
      try write(workshop)
      #expect(try await cut(workshop).succeeded)
      let found = try await workshop.run(["licenses", "out/demo-7.4"])
      #expect(found.status == .exited(6))
      #expect(found.text.contains("fs/f.c: licensecheck says Apache-2.0, the release GPL-2.0-only"), "\(found.text)")
    }
  }
}
