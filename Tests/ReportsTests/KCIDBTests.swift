// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing
import Verdicts

@testable import Reports

// Verdicts as KCIDB takes them.
extension ExportTests {
  /// The validator that KCIDB itself uses, of the schema's newest version.
  private enum KCIDBValidator {
    static let folder = FilePath(environmentVariable("LRELEASE_TEST_CACHE") ?? "/var/tmp/lrelease-tests")
      .appending("kcidb-io-141")

    /// Installs it beside the test roots, once.
    static func isThere() async throws -> Bool {
      func works() async throws -> Bool {
        let environment = Command.plainEnvironment.merging(["PYTHONPATH": folder.string]) { $1 }
        return try await Command("python3", ["-c", "import kcidb_io"], environment: environment)
          .run(doing: "looking for kcidb-io").succeeded
      }
      if try await works() { return true }
      _ = try await Command("python3", ["-m", "pip", "install", "-q", "--target", folder.string, "kcidb-io==141"])
        .run(doing: "installing kcidb-io")
      return try await works()
    }
  }

  @Test(.enabled("kcidb-io 141 cannot be installed from PyPI", { try await KCIDBValidator.isThere() }))
  func kcidbTakesTheReport() async throws {
    try await withQualifications(Self.mixed) { folders, _ in
      let report = try QualificationReport(reading: folders)
      for published in [nil, "https://example.org/q"] {
        let json = try KCIDBReport(report, origin: "a_1", published: published).json
        let text = try await python(
          """
          import json, sys
          from kcidb_io import schema
          data = json.load(open(sys.argv[1], encoding="utf-8"))
          schema.LATEST.validate(data)
          kinds = {"checkouts": None, "builds": "checkout_id", "tests": "build_id"}
          ids = {kind: [x["id"] for x in data[kind]] for kind in data if kind != "version"}
          for kind in ids:
              assert len(ids[kind]) == len(set(ids[kind])) > 0, kind
          assert all(b["checkout_id"] in ids["checkouts"] for b in data["builds"])
          assert all(t["build_id"] in ids["builds"] for t in data["tests"])
          for i in data["incidents"]:
              assert i["issue_id"] in ids["issues"]
              assert i["build_id"] in ids["builds"] if "build_id" in i else i["test_id"] in ids["tests"]
          urls = [x["log_url"] for kind in ("builds", "tests") for x in data[kind] if "log_url" in x]
          assert bool(urls) == (sys.argv[2] != ""), urls
          print(schema.LATEST.major, schema.LATEST.minor)
          """, on: json, [published ?? ""], path: KCIDBValidator.folder)
        #expect(text == "5 3\n", "the schema has a newer version: look at what changed")
      }
    }
  }

  @Test(arguments: [
    (Self.verdict(), ["PASS"], ["boot PASS", "guest PASS", "load PASS", "log PASS", "packages PASS", "smoke PASS"]),
    (Self.verdict(.fail, at: .install, reason: "x"), ["FAIL"], []),
    (Self.verdict(.skipped, at: .install, reason: "x"), ["SKIP"], []),
    (Self.verdict(.notRun, at: .root, reason: "x"), ["MISS"], []),
    (Self.verdict(.notRun, reason: "x", steps: []), ["MISS"], []),
    (Self.verdict(.notRun, at: .guest, reason: "x"), ["PASS"], ["guest MISS", "packages PASS"]),
    (Self.verdict(.fail, at: .boot, reason: "x", steps: [.root, .guest]), ["PASS"], ["boot FAIL", "guest PASS"]),
  ])
  func statusesOfKCIDB(_ verdict: Verdict, builds: [String], tests: [String]) async throws {
    try await withQualifications([verdict]) { folders, _ in
      let report = KCIDBReport(try QualificationReport(reading: folders), origin: "a", published: nil)
      #expect(report.builds.map(\.status.rawValue) == builds)
      let found = report.tests.map { "\($0.path.dropFirst("sample.".count)) \($0.status.rawValue)" }
      #expect(found.filter { !$0.hasPrefix("unload") }.sorted() == tests)
    }
  }
}
