// SPDX-License-Identifier: GPL-2.0-only

import Testing

@testable import Reports

// Verdicts as JUnit.
extension ExportTests {
  /// The rules of junit-10.xsd for what is used here, and that the numbers are those of the cases.
  private static let readsJUnit = #"""
    import re, sys, xml.dom.minidom
    top = xml.dom.minidom.parse(sys.argv[1]).documentElement
    allowed = {
        "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
        "testsuite": ({"name", "tests", "failures", "errors", "time", "skipped", "timestamp"}, {"properties", "testcase"}),
        "properties": (set(), {"property"}), "property": ({"name", "value"}, set()),
        "testcase": ({"name", "time", "classname"}, {"skipped", "error", "failure", "system-out"}),
        "skipped": ({"type", "message"}, set()), "error": ({"type", "message"}, set()),
        "failure": ({"type", "message"}, set()), "system-out": (set(), set()),
    }
    required = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}, "property": {"name", "value"}}
    def children(node): return [c for c in node.childNodes if c.nodeType == c.ELEMENT_NODE]
    def check(node):
        names = set(node.attributes.keys())
        attributes, elements = allowed[node.tagName]
        assert names <= attributes and required.get(node.tagName, set()) <= names, (node.tagName, names)
        if "time" in names:
            assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", node.getAttribute("time"))
        for child in children(node):
            assert child.tagName in elements, (node.tagName, child.tagName)
            check(child)
    check(top)
    assert top.tagName == "testsuites"
    def count(node, kind): return str(len(node.getElementsByTagName(kind)))
    for node in [top] + list(top.getElementsByTagName("testsuite")):
        assert node.getAttribute("tests") == count(node, "testcase")
        assert node.getAttribute("failures") == count(node, "failure")
        assert node.getAttribute("errors") == count(node, "error")
    for suite in top.getElementsByTagName("testsuite"):
        assert suite.getAttribute("skipped") == count(suite, "skipped")
        cases = [c.getAttribute("classname") + c.getAttribute("name") for c in suite.getElementsByTagName("testcase")]
        assert len(cases) == len(set(cases)) > 0, cases
        for case in suite.getElementsByTagName("testcase"):
            outcome = [c for c in children(case) if c.tagName != "system-out"]
            if outcome:
                print(suite.getAttribute("name") + ": " + case.getAttribute("name") + ": " + outcome[0].tagName + ": "
                      + outcome[0].getAttribute("message"))
    """#

  @Test func junitIsWhatItsReadersTake() async throws {
    try await withQualifications(Self.mixed) { folders, _ in
      let xml = JUnitReport(try QualificationReport(reading: folders), places: .asNamed).xml
      let visible = Self.hostile.replacing("\u{1b}", with: "").replacing("\u{0}", with: "")
        .replacing("\u{fffe}", with: "")
      let start = "sample-7.2.1 modules on debian-"
      #expect(
        try await python(Self.readsJUnit, on: xml).split(separator: "\n").map(String.init) == [
          "\(start)13, 7.3-rc2-amd64: install: skipped: kernel 7.3-rc2-amd64 is skipped",
          "\(start)13, 6.12.117+deb13-amd64: load: failure: Oops",
          "\(start)13, 6.12.9+deb13-amd64: install: failure: \(visible)",
          "\(start)sid, 7.2.5-amd64: qualify: error: what?", "\(start)sid, 7.2.4-amd64: boot: failure: gone",
          "\(start)sid, linux-headers-7.4: root: error: no room",
        ])
      let text = String(decoding: xml, as: UTF8.self)
      // The end of the log, the longer where something is wrong; what is not there is the start.
      let failed = try #require(text.firstRange(of: "message=\"Oops\"")?.upperBound)
      let log = text[failed...].prefix(20_000)
      #expect(log.contains("modules/console.log\nconsole line 101 of sample-7.2.1\n"))
      #expect(log.contains("\nconsole line 300 of sample-7.2.1</system-out>"))
      #expect(text.contains("modules/install.log\ninstall line 281 of sample-7.2.1\n"))
      #expect(!text.contains("line 100 of"))
    }
  }

  /// Readers know a case by its class and name alone.
  @Test func noTwoCasesAreTheSame() async throws {
    var other = Self.verdict()
    other.architecture = "arm64"
    other.logs += "-arm64"
    var dotted = Self.verdict(on: "debian_12")
    dotted.logs = "logs/dotted"
    let twin = Self.verdict(on: "debian.12")
    let all = Self.mixed + [other, dotted, twin, Self.verdict(release: "sample-7.2.2")]
    try await withQualifications(all) { folders, _ in
      let xml = JUnitReport(try QualificationReport(reading: folders), places: .asNamed).xml
      let names = try await python(
        """
        import sys, xml.dom.minidom
        cases = xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("testcase")
        names = [c.getAttribute("classname") + " " + c.getAttribute("name") for c in cases]
        assert len(names) == len(set(names)), sorted(names)
        print("\\n".join(names))
        """, on: xml)
      for name in [
        "sample-7_2_1.debian-12.6_1_0-56-amd64.modules.amd64 boot",
        "sample-7_2_1.debian-12.6_1_0-56-amd64.modules.arm64 boot",
        "sample-7_2_2.debian-12.6_1_0-56-amd64.modules boot",
      ] {
        #expect(names.contains("\(name)\n"), "\(names)")
      }
    }
  }
}
