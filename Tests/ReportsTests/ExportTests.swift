// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import SystemPackage
import TestSupport
import Testing
import Verdicts

@testable import Reports

/// What is made of verdicts, read by the parsers that others read it with.
@Suite struct ExportTests {
  /// Everything that a log may hold and a document must not.
  static let hostile =
    "</code><script>alert(\"x\")</script> & 'y' ]]> \u{1b}[31mred\u{0} ‘größe’ 内核 \u{fffe}|*_[a](javascript:b)"

  static func verdict(
    _ result: Verdict.Result = .pass, on target: String = "debian-12", _ kernel: String = "6.1.0-56-amd64",
    release: String = "sample-7.2.1", variant: String = "modules", at step: Verdict.Step.Name? = nil,
    reason: String? = nil, change: String? = nil, steps: [Verdict.Step.Name]? = nil, started: Int64 = 1_795_287_004
  ) -> Verdict {
    let all: [Verdict.Step.Name] = [
      .root, .install, .modules, .probe, .packages, .guest, .boot, .load, .unload, .smoke, .unload, .log,
    ]
    let passed = steps ?? step.flatMap { all.firstIndex(of: $0) }.map { Array(all[..<$0]) } ?? all
    var told = passed.map { Verdict.Step(name: $0, seconds: 10.25, passed: true) }
    if let step, steps == nil { told.append(Verdict.Step(name: step, seconds: 1.5, passed: false)) }
    return Verdict(
      release: release, plan: SHA256Digest(of: Array(release.utf8)), variant: variant, target: target, kernel: kernel,
      architecture: "amd64", level: .mount, isLife: step == .life, result: result, step: step, reason: reason,
      change: change, steps: told,
      seconds: told.reduce(1) { $0 + $1.seconds }, started: started, moduleBytes: 35720, accelerator: "tcg",
      logs: "logs/\(target).\(kernel).\(variant)",
      inputs: SHA256Digest(of: Array("\(release) \(target) \(kernel) \(variant) \(started)".utf8)))
  }

  /// One of each kind.
  static var mixed: [Verdict] {
    [
      verdict(),
      verdict(.fail, on: "debian-13", "6.12.9+deb13-amd64", at: .install, reason: hostile, change: "a & b < c"),
      verdict(.fail, on: "debian-13", "6.12.117+deb13-amd64", at: .load, reason: "Oops"),
      verdict(.skipped, on: "debian-13", "7.3-rc2-amd64", at: .install, reason: "kernel 7.3-rc2-amd64 is skipped"),
      verdict(.notRun, on: "debian-sid", "linux-headers-7.4", at: .root, reason: "no room"),
      // A guest that was gone: the step that the verdict names never came to its end.
      verdict(
        .fail, on: "debian-sid", "7.2.4-amd64", at: .boot, reason: "gone", change: "a & b < c", steps: [.root, .guest]),
      // Interrupted before anything began.
      verdict(.notRun, on: "debian-sid", "7.2.5-amd64", reason: "what?", steps: []),
      verdict(release: "sample-7.2.1+r1", variant: "server"),
    ]
  }

  /// Keeps verdicts as qualify does, by release, with logs.
  func withQualifications<R>(
    _ verdicts: [Verdict], _ body: ([FilePath], FilePath) async throws -> R
  ) async throws -> R {
    try await withScratch { scratch in
      var folders: [FilePath] = []
      for verdict in verdicts {
        let folder = scratch.appending("\(verdict.release).qualification")
        if !folders.contains(folder) { folders.append(folder) }
        for place in [folder.appending("verdicts"), folder.pushing(FilePath(verdict.logs))] {
          try Files.makeFolder(place)
        }
        let name = "\(verdict.caseName).\(verdict.started).json"
        try Files.write(JSON.encode(verdict), to: folder.appending("verdicts").appending(name))
        for log in ["install", "console"] {
          let text = (1...300).map { "\(log) line \($0) of \(verdict.release)\n" }.joined()
          try Files.replace(folder.pushing(FilePath(verdict.logs)).appending("\(log).log"), with: Array(text.utf8))
        }
      }
      return try await body(folders, scratch)
    }
  }

  /// The folder of a release keeps what was found out about another of the same name.
  @Test func anotherReleaseOfTheSameName() async throws {
    var old = Self.verdict(on: "debian-11", "5.10.0-46-amd64", started: 1_795_287_000)
    old.plan = SHA256Digest(of: Array("another".utf8))
    try await withQualifications([Self.verdict(), old]) { folders, _ in
      let report = try QualificationReport(reading: folders)
      #expect(report.rows.map(\.target) == ["debian-12"])
      #expect(report.leftOut.map(\.count) == [1] && report.leftOut.map(\.folder) == folders)
    }
    // Those of another release alone, beside the release that is there now.
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let folder = workshop.output.appending("sample-7.2.1.qualification")
      try Files.makeFolder(folder.appending("verdicts"))
      try Files.write(try JSON.encode(old), to: folder.appending("verdicts/a.json"))
      let refused = try await workshop.run(["export", "table", folder.string])
      #expect(refused.status == .exited(3) && refused.text.isEmpty, "\(refused.errors)")
      #expect(refused.errors.contains("holds only those of another release of this name"), "\(refused.errors)")
      var own = Self.verdict()
      own.plan = try Plan(reading: workshop.output.appending("sample-7.2.1/plan.json")).identity
      try Files.write(try JSON.encode(own), to: folder.appending("verdicts/b.json"))
      let table = try await workshop.run(["export", "table", folder.string])
      #expect(table.succeeded && table.text.contains("debian-12") && !table.text.contains("debian-11"))
      #expect(table.errors.contains("a verdict is left out"), "\(table.errors)")
      // The page of a release that is there says what it claims, and how that is known.
      let page = QualificationPage(try QualificationReport(reading: [folder]), places: .asNamed).html
      let text = String(decoding: page, as: UTF8.self)
      for line in ["kernels 5.10 to 6.0: untried", "kernels 6.1: proven", "kernels 6.2 to 7.3: untried"] {
        #expect(text.contains("<li>\(line)</li>"), "\(text)")
      }
    }
  }

  /// What a release says of its kernels counts, not only what its manifest does.
  @Test func theKernelsOfAReleaseThatWasQualifiedBefore() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample(["--claim", "6.0-6.2"]).succeeded)
      var own = Self.verdict()
      own.plan = try Plan(reading: workshop.output.appending("sample-7.2.1/plan.json")).identity
      let folder = workshop.output.appending("sample-7.2.1.qualification")
      try Files.makeFolder(folder.appending("verdicts"))
      try Files.write(try JSON.encode(own), to: folder.appending("verdicts/a.json"))
      let page = QualificationPage(try QualificationReport(reading: [folder]), places: .asNamed).html
      let lines = String(decoding: page, as: UTF8.self).matches(of: /<li>(kernels [^<]*)<\/li>/).map { String($0.1) }
      #expect(lines == ["kernels 6.0: untried", "kernels 6.1: proven", "kernels 6.2: untried"])
    }
  }

  /// Runs a script of Python on a document, and demands that it finds no fault.
  func python(
    _ script: String, on document: [UInt8], _ arguments: [String] = [], path: FilePath? = nil
  ) async throws -> String {
    try await withScratch { scratch in
      let file = scratch.appending("document")
      try Files.write(document, to: file)
      var environment = Command.plainEnvironment
      environment["PYTHONPATH"] = path?.string
      let outcome = try await Command(
        "python3", ["-c", script, file.string] + arguments, environment: environment
      ).run(doing: "reading a document")
      #expect(outcome.succeeded, "\(outcome.errors)")
      return outcome.text
    }
  }

  // MARK: order

  @Test func namesAreInTheOrderOfPeople() {
    let versions = [
      "5.10.0-9-amd64", "5.10.0-49-amd64", "5.14.0-570.el9.x86_64", "5.14.0-570.12.1.el9.x86_64", "6.1.0", "6.12.9",
      "6.12.117", "7.2~rc3", "7.2~rc10", "7.2", "7.2+by.acme.1", "7.2+r1", "7.2.1",
    ]
    #expect(versions.shuffled().sorted { NaturalOrder($0) < NaturalOrder($1) } == versions)
    let targets = [
      "debian-11", "debian-12", "debian-12-6.12", "debian-13-backports", "debian-sid", "rocky-8", "rocky-10",
    ]
    #expect(
      targets.shuffled().sorted { NaturalOrder($0, wordsLast: true) < NaturalOrder($1, wordsLast: true) } == targets)
    #expect(NaturalOrder("6.01") != NaturalOrder("6.1"), "what differs must have an order")
    #expect(NaturalOrder("6.01") < NaturalOrder("6.1") || NaturalOrder("6.1") < NaturalOrder("6.01"))
  }

  @Test func theOrderOfFoldersChangesNothing() async throws {
    // Found twice, at the same time even: one of them counts, and always the same.
    let again = Self.verdict(.fail, at: .smoke, reason: "late", started: 1_795_287_005)
    try await withQualifications(Self.mixed + [again]) { folders, scratch in
      let copy = scratch.appending("copy")
      try Files.makeFolder(copy.appending("verdicts"))
      var twin = Self.verdict(.fail, at: .smoke, reason: "twin", started: 1_795_287_005)
      twin.inputs = SHA256Digest(of: [])
      try Files.write(JSON.encode(twin), to: copy.appending("verdicts").appending("a.json"))
      let one = try QualificationReport(reading: folders + [copy])
      let other = try QualificationReport(reading: ([copy] + folders).reversed())
      let third = try QualificationReport(reading: [copy] + folders)
      for report in [other, third] {
        #expect(JUnitReport(one, places: .asNamed).xml == JUnitReport(report, places: .asNamed).xml)
        #expect(
          QualificationPage(one, places: .relative(to: scratch)).html
            == QualificationPage(report, places: .relative(to: scratch)).html)
        #expect(SupportTable(one).markdown == SupportTable(report).markdown)
        #expect(
          try KCIDBReport(one, origin: "a", published: nil).json
            == KCIDBReport(report, origin: "a", published: nil).json)
      }
      let reason = one.entries.compactMap(\.verdict.reason).first { ["late", "twin"].contains($0) }
      #expect(reason == (again.inputs > twin.inputs ? "late" : "twin"))
    }
  }

  // MARK: the page

  /// What a browser and a screen reader rely on.
  private static let readsPage = #"""
    import html.parser, sys
    void = {"meta", "input", "wbr"}
    class Page(html.parser.HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.ids, self.links, self.text, self.rows = [], [], [], "", []
        def handle_starttag(self, tag, attributes):
            a = dict(attributes)
            assert len(a) == len(attributes), attributes
            assert tag not in {"script", "link", "img", "iframe", "base", "object"}, tag
            assert not any(n.startswith("on") or n in {"src", "srcset"} for n in a), a
            if tag not in void: self.open.append(tag)
            if "id" in a: self.ids.append(a["id"])
            if tag == "a": self.links.append(a["href"])
            if tag == "th": assert a["scope"] in {"col", "row", "rowgroup"}, a
            if tag == "tr": self.rows.append(0)
            if tag in {"th", "td"}: self.rows[-1] += int(a.get("colspan", 1))
        def handle_endtag(self, tag):
            assert self.open.pop() == tag, (tag, self.getpos())
        def handle_data(self, data):
            if self.open[-1:] != ["style"]: self.text += data
            else: assert "url(" not in data and "@import" not in data and "<" not in data
    page = Page()
    page.feed(open(sys.argv[1], encoding="utf-8").read())
    page.close()
    assert page.open == [], page.open
    assert len(set(page.ids)) == len(page.ids), page.ids
    for link in page.links:
        assert not link.startswith("#") or link[1:] in page.ids, link
    assert len(set(page.rows)) == 1, page.rows
    print("\n".join(l for l in page.links if not l.startswith("#")))
    print(page.text)
    """#

  @Test func aPageIsWholeAndHoldsTextAsText() async throws {
    try await withQualifications(Self.mixed) { folders, scratch in
      let report = try QualificationReport(reading: folders)
      let page = QualificationPage(report, places: .relative(to: scratch.appending("site")))
      let text = try await python(Self.readsPage, on: page.html)
      let visible = Self.hostile.replacing("\u{1b}", with: "").replacing("\u{0}", with: "")
        .replacing("\u{fffe}", with: "")
      for words in [
        visible, "sample on Linux kernels", "Kernel change a & b < c", "skipped", "not run, stopped at root",
        "see 1", "../sample-7.2.1.qualification/logs/debian-13.6.12.9+deb13-amd64.modules/install.log",
      ] {
        #expect(text.contains(words), "\(words)")
      }
      let published = QualificationPage(report, places: .published("https://example.org/q")).html
      #expect(
        try await python(Self.readsPage, on: published).contains(
          "https://example.org/q/sample-7.2.1+r1.qualification/logs/debian-12.6.1.0-56-amd64.server/console.log"))
    }
  }

  /// The legend is fixed text, and the marks and words that it explains are not.
  @Test func theLegendExplainsWhatTheTableSays() {
    let page = Markup(file: PackageResources.page_html).source
    for result in [Verdict.Result.pass, .fail, .skipped, .notRun] {
      let term: Markup = "<dt class=\"\(result.styleClass)\">\(result.mark) \(result.word)</dt>"
      #expect(page.contains("\n\(term.source)\n"))
    }
  }

  @Test func placeholdersTakeTextAsText() {
    let text = "<&{{b}}{{#c}}"
    let filled = Markup(
      file: Array("licence\n{{a}}{{#b}}[{{b}}]{{/b}}{{^b}}none{{/b}}{{#c}}[{{c}}]{{/c}} {{^c}}x{{/c}}".utf8)
    )
    .filled(with: ["a": "\(text)", "b": nil, "c": "<b>"])
    #expect(filled.source == "&lt;&amp;{{b}}{{#c}}none[<b>] ")
  }

  /// Names that would break out of a link or of a path.
  @Test func linksAreEncoded() async throws {
    try await withQualifications([Self.verdict(on: "a b", "6.1\"><x>%#?é")]) { folders, scratch in
      let report = try QualificationReport(reading: folders)
      let page = QualificationPage(report, places: .relative(to: scratch)).html
      #expect(
        try await python(Self.readsPage, on: page).contains(
          "sample-7.2.1.qualification/logs/a%20b.6.1%22%3E%3Cx%3E%25%23%3F%C3%A9.modules/install.log"))
    }
  }

  @Test func onlyWhatWasMountedIsCalledSo() async throws {
    let verdicts = [
      Self.verdict(),
      Self.verdict(on: "debian-13", steps: [.root, .install, .modules, .guest, .boot, .load, .unload, .log]),
      Self.verdict(on: "rocky-9", steps: [.root, .install, .modules]),
    ]
    try await withQualifications(verdicts) { folders, _ in
      let report = try QualificationReport(reading: folders)
      #expect(report.entries.map(\.verdict.proven) == [.mount, .load, .build])
    }
  }

  /// It has a row of its own beside the same kernel's.
  @Test func theLifeOfASiteIsAnotherMatter() async throws {
    var life = Self.verdict(.fail, at: .life, reason: "an update: it is gone", steps: [.root, .life])
    life.logs = "logs/debian-12.life.modules"
    try await withQualifications([Self.verdict(), life]) { folders, _ in
      let report = try QualificationReport(reading: folders)
      #expect(report.rows.map(\.isLife) == [false, true] && report.entries.count == 2)
      let table = String(decoding: SupportTable(report).markdown, as: UTF8.self)
      #expect(table.contains("| debian-12 | 6.1.0-56-amd64, life of a site | **fail** at life |"), "\(table)")
    }
  }

  // MARK: Markdown

  /// docs/kernels.md says what the verdicts in docs/verdicts say.
  @Test func theTablesInTheDocumentationAreThoseOfTheVerdicts() throws {
    let docs = Workshop.root.appending("docs")
    let page = String(decoding: try Files.read(docs.appending("kernels.md")), as: UTF8.self)
    let folders = try Files.names(in: docs.appending("verdicts")).map {
      docs.appending("verdicts").appending(bytes: $0)
    }
    #expect(!folders.isEmpty)
    for folder in folders {
      let table = SupportTable(try QualificationReport(reading: [folder])).markdown
      #expect(
        page.contains(String(decoding: table, as: UTF8.self)),
        "docs/kernels.md: put in what 'lrelease export table \(folder)' prints")
    }
  }

  @Test func aTableIsOneLineARow() async throws {
    try await withQualifications(Self.mixed) { folders, _ in
      let report = try QualificationReport(reading: folders)
      let text = String(decoding: SupportTable(report).markdown, as: UTF8.self)
      #expect(
        text == """
          | Target | Kernel | 7.2.1+r1 server | 7.2.1 modules |
          |---|---|---|---|
          | debian-12 | 6.1.0-56-amd64 | pass, mount | pass, mount |
          | debian-13 | 7.3-rc2-amd64 |  | skipped |
          | debian-13 | 6.12.117+deb13-amd64 |  | **fail** at load |
          | debian-13 | 6.12.9+deb13-amd64 |  | **fail** at install ([1](#kernel-changes)) |
          | debian-sid | 7.2.5-amd64 |  | not run |
          | debian-sid | 7.2.4-amd64 |  | **fail** at boot ([1](#kernel-changes)) |
          | debian-sid | linux-headers-7.4 |  | not run |

          ### Kernel changes

          1. a &amp; b &lt; c

          """)
    }
  }

  /// Of landmarks, each has a name of its own; what opens says so; names end lines where they may.
  @Test func thePageTellsItsPartsApart() async throws {
    try await withQualifications(Self.mixed) { folders, scratch in
      let report = try QualificationReport(reading: folders)
      let page = String(
        decoding: QualificationPage(report, places: .relative(to: scratch)).html, as: UTF8.self)
      let text = try await python(
        """
        import re, sys
        page = open(sys.argv[1], encoding="utf-8").read()
        heads = dict(re.findall(r'<h2 id="([a-z]+)">([^<]*)', page))
        names = [heads[i] for i in re.findall(r'<section aria-labelledby="([a-z]+)"', page)]
        names += re.findall(r'role="region" aria-label="([^"]*)"', page)
        assert len(names) == len(set(names)) == 4, names
        print(", ".join(names))
        """, on: Array(page.utf8))
      #expect(text == "Kernels, Problems, Legend, Table of kernels\n")
      #expect(page.contains("summary::after { content: \" ▸\""))
      #expect(page.contains("6.12.117<wbr>+deb13-amd64") && !page.contains("overflow-wrap: anywhere; }\n.bar"))
      #expect(page.contains(" that kernel was booted to load and use them. "))
    }
    try await withQualifications([Self.verdict(steps: [.root, .install, .modules])]) { folders, scratch in
      let page = QualificationPage(try QualificationReport(reading: folders), places: .relative(to: scratch)).html
      let text = String(decoding: page, as: UTF8.self)
      #expect(text.contains(" No kernel was booted. ") && !text.contains("was booted to load"))
    }
  }
}
