// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Auditor

/// Trees made here, in which every number is known.
@Suite struct AuditTests {
  static let manifest = """
    \(Demo.manifestHead())
    [[tree]]
    from = "linux:fs/demo"
    to = "demo"
    rename = { "old.c" = "new.c" }
    [audit]
    compat = ["/compat"]
    includes = ["demo_compat"]
    [audit.probes]
    prefix = "HAVE_"
    defined = ["/config/*.m4", "/config/defs.h"]
    files = ["/probes/*.c"]
    aliases = { IN_KERNEL_HAVE_ = "HAVE_" }
    """

  static let files: [String: String] = [
    "demo/a.c": """
    #include <demo_compat/fs.h>
    #include "demo_compat.h"
    #include <linux/fs.h>
    #ifdef HAVE_A
    int a;
    #else
    int b;
    int c;
    #endif
    #if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0) && defined(HAVE_B)
    #endif

    """,
    "demo/sub/b.h": "/* #ifdef HAVE_A */\n#if IS_ENABLED(HAVE_FILE) || defined(HAVE_NOWHERE)\n#endif\n",
    "demo/sub/c.c": "int none;\n",
    "demo/new.c": "int renamed;\n",
    "demo/Makefile": "obj-m += demo.o\n",
    "compat/fs.h": "#ifndef HAVE_A\nint a(void);\n#endif\n#include <demo_compat/more.h>\n",
    "utils/tool.c": "#ifdef HAVE_TOOL\n#endif\nint x = HAVE_MENTIONED;\n",
    "utils/Makefile": "ifdef HAVE_MADE\nendif\n",
    "probes/file.c": "int p;\n",
    "config/defs.h": "#define HAVE_HEADER\n#undef HAVE_UNDEF\n#define HAVE_OTHER HAVE_HEADER\n",
    "config/demo.m4": """
    dnl AC_DEFINE(HAVE_COMMENT, 1)
    # AC_DEFINE(HAVE_COMMENT, 1)
    AC_DEFINE(HAVE_A, 1, [a])
    AC_DEFINE([HAVE_B], [1])
    MY_TEST([title], [HAVE_UNUSED])
    AM_CONDITIONAL([HAVE_CONDITIONAL], [true])
    AC_DEFINE(HAVE_TOOL, 1) AC_DEFINE_UNQUOTED([HAVE_MENTIONED], 1) AC_DEFINE(HAVE_MADE)
    AC_DEFINE(HAVE_PROBED, 1)
    #ifdef HAVE_PROBED
    """,
  ]

  private func tree(_ changes: [String: String] = [:], manifest text: String = manifest) throws -> AuditedTree {
    let files = AuditTests.files.merging(changes) { $1 }
    return try AuditedTree(
      name: "demo", manifest: Manifest(parsing: Array(text.utf8), file: "demo.toml"),
      files: ByPath(files.map { ($0.key, Array($0.value.utf8)) }))
  }

  @Test func partsAndTheirPlaces() throws {
    let tree = try tree()
    #expect(tree.paths(.compat) == ["compat/fs.h"])
    #expect(
      tree.mainline == [
        "demo/a.c": "fs/demo/a.c", "demo/sub/b.h": "fs/demo/sub/b.h", "demo/sub/c.c": "fs/demo/sub/c.c",
        "demo/new.c": "fs/demo/old.c", "demo/Makefile": "fs/demo/Makefile",
      ])
    #expect(tree.part(of: "utils/tool.c") == .other)
  }

  @Test func counts() async throws {
    let audit = await SourceAudit(try tree())
    #expect(audit.files["demo/a.c"] == Counts(files: 1, probeTests: 2, versionTests: 1, compatIncludes: 1))
    #expect(audit.files["demo/sub/b.h"] == Counts(files: 1, probeTests: 1))
    #expect(audit.folders["demo/sub"] == Counts(files: 2, probeTests: 1))
    #expect(audit.total == Counts(files: 4, probeTests: 3, versionTests: 1, compatIncludes: 1))
    #expect(audit.total.places == 5)
    #expect(audit.probes == ["HAVE_A": 1, "HAVE_B": 1, "HAVE_FILE": 1, "HAVE_NOWHERE": 1])
  }

  @Test func probes() async throws {
    let tree = try tree()
    let probes = try #require(tree.audit.probes)
    let source = await SourceAudit(tree)
    func results(_ kernel: String, _ text: String) -> ProbeResults {
      ProbeResults(kernel: kernel, Array(text.utf8), probes)
    }
    let audit = ProbeAudit(
      tree, source,
      [
        results("6.1", "#define HAVE_A 1\n/* #undef HAVE_B */\n/* HAVE_FILE is not set */\n#define HAVE_ONE\n"),
        results("6.12", " # no\n#define HAVE_A 1\n/* #undef HAVE_B */\n#define HAVE_B 1\n#define HAVE_FILE 1\n"),
        results("7.2", "#define IN_KERNEL_HAVE_A 1\n/* #undef HAVE_A */\n#define HAVE_B\n#undef HAVE_FILE\n"),
      ])
    #expect(audit.kernels == ["6.1", "6.12", "7.2"] && audit.known == 3)
    #expect(
      audit.constant == [
        .init(name: "HAVE_A", isTrue: true, tests: ["upstream": 1, "compat": 1], deadLines: 3)
      ])
    #expect(audit.deadLines == 3)
    #expect(audit.unused == ["HAVE_OTHER", "HAVE_UNDEF", "HAVE_UNUSED"])
    #expect(audit.undefined == ["HAVE_NOWHERE"])

    let none = ProbeAudit(tree, source, [])
    #expect(none.constant.isEmpty && none.unused == audit.unused)
  }

  @Test func comparison() async throws {
    let old = AuditReport(try tree(), await SourceAudit(try tree()))
    let newTree = try tree(["demo/a.c": "#ifdef HAVE_A\n#endif\n", "demo/d/x.c": "#ifdef HAVE_D\n#endif\n"])
    let new = AuditReport(newTree, await SourceAudit(newTree))
    let moved = AuditComparison(old, new)
    #expect(moved.folders.map(\.name) == ["demo", "demo/d"])
    #expect(moved.folders.map(\.difference) == [-3, 1])
    #expect(moved.files.map(\.name) == ["demo/a.c", "demo/d/x.c"])
    #expect(moved.probes == [.init(name: "HAVE_B", before: 1), .init(name: "HAVE_D", after: 1)])
    #expect(moved.totals.map(\.name) == ["compat includes", "files", "tests of versions", "unused probes"])
    #expect(AuditComparison(old, old).isEmpty)
    // What is printed is read again, and stays the same bytes.
    let bytes = try JSON.encode(old)
    #expect(try JSON.encode(JSON.decode(AuditReport.self, from: bytes)) == bytes)
  }

  @Test func drift() async throws {
    try await withScratch { folder in
      for (path, text) in [
        ("Makefile", "VERSION = 7\nPATCHLEVEL = 4\n"), ("fs/demo/old.c", "int renamed;\n"),
        ("fs/demo/a.c", "int a;\nint b;\n"), ("fs/demo/sub/b.h", AuditTests.files["demo/sub/b.h"] ?? ""),
        ("fs/demo/Makefile", "obj-m += demo.o\n"), ("fs/demo/it's new.c", "1\n2\n3"), ("fs/other/x.c", "int x;\n"),
      ] {
        try Files.makeFolder(folder.pushing(FilePath(path)).removingLastComponent())
        try Files.write(Array(text.utf8), to: folder.pushing(FilePath(path)))
      }
      let drift = try await Drift(
        try tree(["demo/a.c": "int a;\nint c;\nint d;\n"]), against: folder, progress: .silent)
      #expect(drift.kernel == "7.4" && drift.unchanged == 3)
      #expect(
        drift.files == [
          .init(path: "fs/demo/a.c", releasePath: "demo/a.c", change: .changed, linesAdded: 1, linesRemoved: 2),
          .init(
            path: "fs/demo/it's new.c", releasePath: "demo/it's new.c", change: .added, linesAdded: 3, linesRemoved: 0),
          .init(path: "fs/demo/sub/c.c", releasePath: "demo/sub/c.c", change: .removed, linesAdded: 0, linesRemoved: 1),
        ])
    }
  }

  /// What lustre.toml calls upstream is what lustre-mainline.toml takes from mainline.
  @Test func theTwoManifestsOfLustreAgree() throws {
    let folder = Workshop.root
      .appending("manifests")
    let manifest = try Manifest(reading: folder.appending("lustre-mainline.toml"))
    let rules = manifest.rules.filter { $0.source == "linux" }.map { "\($0.from) → \($0.to)" }
    #expect(rules.count == 6)
    #expect(manifest.audit?.upstream.map { "\($0.from) → \($0.to)" } == rules)
  }
}
