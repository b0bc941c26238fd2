// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Releases
import SystemPackage
import TestSupport
import Testing

/// `lrelease export` as people run it: what is given wrongly, and a release for the Open Build Service.
@Suite struct ExportTests {
  private static let verdict = """
    {"architecture": "amd64", "inputs": "\(String(repeating: "ab", count: 32))", "kernel": "6.1.0-56-amd64",
     "isLife": false, "plan": "\(String(repeating: "cd", count: 32))", "level": "build",
     "logs": "logs/debian-12.modules", "release": "sample-7.2.1", "result": "pass", "seconds": 3,
     "started": 1795287004, "steps": [{"name": "install", "passed": true, "seconds": 2.5}], "target": "debian-12",
     "variant": "modules"}
    """

  private static let kinds = [
    ["page", "--output", "page.html"], ["kcidb", "--origin", "a"], ["junit"], ["table"],
  ]

  @Test func wrongVerdicts() async throws {
    try await Workshop.use { workshop in
      try workshop.write("empty/verdicts/notes.txt", "x")
      try workshop.write("torn/verdicts/a.json", String(Self.verdict.prefix(80)))
      try workshop.write("other/verdicts/a.json", "{}")
      try workshop.write("binary/verdicts/a.json", [0xff, 0x00])
      for (name, from, to) in [
        ("long", "\"seconds\": 3", "\"seconds\": 1e300"), ("late", "1795287004", "9223372036854775807"),
        ("early", "1795287004", "-1"), ("outside", "logs/debian-12.modules", "../../etc"),
        ("nameless", "debian-12\"", "\""), ("control", "sample-7.2.1", "sample\\u0000"),
      ] {
        try workshop.write("\(name)/verdicts/a.json", Self.verdict.replacing(from, with: to))
      }
      try await workshop.shell("mkdir folder; mkdir -p fifo/verdicts; mkfifo fifo/verdicts/a.json")
      for kind in Self.kinds {
        for (folder, status, words) in [
          ("none", 3, "none holds none; 'lrelease qualify' makes"), ("folder", 3, "folder holds none"),
          ("empty", 3, "empty holds none"), ("torn", 2, "torn/verdicts/a.json is none"),
          ("other", 2, "other/verdicts/a.json is none"), ("binary", 2, "a.json is none"),
          ("fifo", 2, "not a regular file"), ("long", 2, "in long is damaged"), ("late", 2, "in late is damaged"),
          ("early", 2, "in early is damaged"), ("outside", 2, "in outside is damaged"),
          ("nameless", 2, "in nameless is damaged"), ("control", 2, "in control is damaged"),
        ] {
          let outcome = try await workshop.run(["export"] + kind + ["--quiet", folder])
          workshop.expectRefusal(outcome, Int32(status), "reading ", words)
          #expect(!Files.exists(workshop.folder.appending("page.html")))
        }
      }
      for arguments in [
        ["page", "none"], ["page", "--output", "x"], ["kcidb", "none"], ["kcidb", "none", "--origin", "A b"],
        ["kcidb", "none", "--origin", ""], ["junit", "none", "--url", "javascript:x"],
        ["junit", "none", "--url", "https://a/\"><x>"], ["obs", "none"],
      ] {
        #expect(try await workshop.run(["export"] + arguments).status == .exited(64), "\(arguments)")
      }
    }
  }

  @Test func nothingIsReplacedUnasked() async throws {
    try await Workshop.use { workshop in
      try workshop.write("q/verdicts/a.json", Self.verdict)
      try workshop.write("page.html", "mine")
      for kind in Self.kinds {
        let output = kind[0] == "page" ? [] : ["--output", "page.html"]
        let arguments = ["export"] + kind + output + ["q"]
        workshop.expectRefusal(
          try await workshop.run(arguments), 5,
          "error: writing page.html: it already exists; give --replace or another --output\n")
        #expect(try Files.read(workshop.folder.appending("page.html")) == Array("mine".utf8))
      }
      #expect(try await workshop.run(["export", "page", "q", "--output", "page.html", "--replace"]).succeeded)
      let page = try Files.read(workshop.folder.appending("page.html"))
      #expect(String(decoding: page, as: UTF8.self).contains("<b>pass</b> <span>build</span>"))
      workshop.expectRefusal(
        try await workshop.run(["export", "table", "q", "--output", "nowhere/x"]), 2,
        "error: writing nowhere/x: there is no folder \(workshop.folder)/nowhere; create it first, or correct the path\n"
      )
      // What goes to standard output is the document, --quiet or not.
      for kind in [["junit"], ["table"], ["kcidb", "--origin", "a"]] {
        let loud = try await workshop.run(["export"] + kind + ["q"])
        let quiet = try await workshop.run(["export"] + kind + ["q", "--quiet"])
        #expect(loud.succeeded && loud.errors.isEmpty && !loud.output.isEmpty && loud.output == quiet.output)
        let json = try await workshop.run(["export"] + kind + ["q", "--json"])
        #expect(json.succeeded && json.text.hasPrefix("{") && (kind[0] == "kcidb") == (json.output == loud.output))
      }
    }
  }

  // MARK: Open Build Service

  @Test func aReleaseForOBSIsOneThatItsToolsTake() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let made = try await workshop.run(["export", "obs", "out/sample-7.2.1", "obs"])
      #expect(made.succeeded, "\(made.errors)")
      let names = try Files.names(in: workshop.folder.appending("obs")).map { String(decoding: $0, as: UTF8.self) }
      #expect(
        names == [
          "sample-7.2.1.tar.xz", "sample.changes", "sample.spec", "sample_7.2.1-1.debian.tar.xz", "sample_7.2.1-1.dsc",
          "sample_7.2.1.orig.tar.xz",
        ])
      // The .dsc with its files, checked by hash; the spec with what it names, which rpmbuild packs; what OBS would
      // look for that is not there; and the spec of the release, unchanged.
      try await workshop.shell(
        """
        cd obs
        dpkg-source --require-strong-checksums -x *.dsc ../unpacked >/dev/null
        grep -q '^sample (7.2.1-1)' ../unpacked/debian/changelog
        cmp sample.spec ../unpacked/sample.spec
        rpmspec --define "_sourcedir $PWD" -P sample.spec | grep -qx 'Source0: *sample-7.2.1.tar.xz'
        rpmbuild -bs --quiet --nodeps --define "_sourcedir $PWD" --define "_srcrpmdir $PWD/../srpm" sample.spec
        ls ../srpm/sample-7.2.1-1*.src.rpm >/dev/null
        [ ! -e _multibuild ] && [ ! -e _service ]
        for file in *.tar.xz *.dsc; do cmp $file ../out/sample-7.2.1/$file; done
        """)
      let changes = String(
        decoding: try Files.read(workshop.folder.appending("obs/sample.changes")), as: UTF8.self)
      #expect(
        changes == """
          \(String(repeating: "-", count: 67))
          Sun Nov  1 00:00:00 UTC 2026 - Lustre Developers <lustre-devel@lists.lustre.org>

          - Release 7.2.1


          """)

      // The same again is no error; a respin goes on with the changes.
      let again = try await workshop.run(["export", "obs", "out/sample-7.2.1", "obs"])
      #expect(again.succeeded && again.text.contains("already exists, unchanged"))
      #expect(try await workshop.cutSample(["--respin", "1"]).succeeded)
      let next = try await workshop.run(
        ["export", "obs", "--quiet", "out/sample-7.2.1+r1", "next", "--changes", "obs/sample.changes"])
      #expect(next.succeeded, "\(next.errors)")
      let joined = String(
        decoding: try Files.read(workshop.folder.appending("next/sample.changes")), as: UTF8.self)
      #expect(joined.hasSuffix(changes) && joined.contains("- Release 7.2.1+r1\n"))
      let same = try await workshop.run(
        ["export", "obs", "--quiet", "out/sample-7.2.1+r1", "next", "--changes", "next/sample.changes"])
      #expect(same.succeeded, "the entry is there once: \(same.errors)")
    }
  }

  /// A spec that OBS builds in flavours goes through a cut as it is.
  @Test func flavoursOfASpecAreForOBSToBuild() async throws {
    try await Workshop.use { workshop in
      try await workshop.shell(
        """
        cp -r \(Workshop.root)/manifests \(Workshop.root)/specs \(Workshop.root)/debian .
        cp -r \(Workshop.root)/Examples .
        { echo '%if "@BUILD_FLAVOR@" == "kmp"'; echo '%global _with_modules 1'; echo '%endif'; cat specs/sample.spec; } >new
        mv new specs/sample.spec
        """)
      let cut = try await workshop.run(
        workshop.cutArguments("manifests/sample.toml", ["--source", "linux=Examples/sample/linux"]))
      #expect(cut.succeeded, "\(cut.errors)")
      #expect(try await workshop.run(["export", "obs", "--quiet", "out/sample-7.2.1", "obs"]).succeeded)
      let flavours = try Files.read(workshop.folder.appending("obs/_multibuild"))
      #expect(
        String(decoding: flavours, as: UTF8.self) == "<multibuild>\n  <flavor>kmp</flavor>\n</multibuild>\n")
      try await workshop.shell(
        "python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse(\"obs/_multibuild\")'; grep -q @BUILD_FLAVOR@ obs/*.spec"
      )
    }
  }

  @Test func wrongReleasesForOBS() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      let left = ["sample-7.2.1"]
      try await workshop.shell(
        """
        mkdir folder full; echo x > full/mine
        cp -r out/sample-7.2.1 changed; echo >> changed/sample_7.2.1-1.dsc
        cp -r out/sample-7.2.1 part; cd part; rm *.orig.tar.xz; sed -i /orig/d SHA256SUMS; cd ..
        cp -r out/sample-7.2.1 plain; cd plain; rm *.dsc; sed -i /dsc/d SHA256SUMS; cd ..
        """)
      for (arguments, status, words) in [
        (["none", "new"], 3, "none: it holds no SHA256SUMS"),
        (["folder", "new"], 3, "name a folder that 'lrelease cut'"),
        (["changed", "new"], 6, "sample_7.2.1-1.dsc is not what was released"),
        (["part", "new"], 3, "it holds no sample_7.2.1.orig.tar.xz"), (["plain", "new"], 2, "no source packages"),
        (["out/sample-7.2.1", "full"], 5, "writing the OBS package"),
        (["out/sample-7.2.1", "new", "--changes", "full/mine"], 2, "67 dashes"),
        (["out/sample-7.2.1", "new", "--changes", "none"], 2, "reading the changes none: No such file"),
      ] {
        let outcome = try await workshop.run(["export", "obs", "--quiet"] + arguments)
        workshop.expectRefusal(outcome, Int32(status), words, leaves: left)
        #expect(!Files.exists(workshop.folder.appending("new")))
      }
      #expect(try Files.names(in: workshop.folder.appending("full")) == [Array("mine".utf8)])
    }
  }

  /// OBS learns what a build needs from the preamble of a spec alone.
  @Test(arguments: ["sample", "lustre"]) func specsSayInTheirPreambleWhatTheyNeed(name: String) throws {
    let spec = String(
      decoding: try Files.read(Workshop.root.appending("specs/\(name).spec")), as: UTF8.self)
    let start = try #require(spec.firstRange(of: "\n%description\n"))
    #expect(spec[..<start.lowerBound].contains("BuildRequires:"))
    #expect(!spec[start.upperBound...].contains("BuildRequires:"))
  }
}
