// SPDX-License-Identifier: GPL-2.0-only

import Files
import FoundationEssentials
import Glibc
import Operations
import Processes
import SystemPackage
import TestSupport
import Testing

/// `lrelease rebuild` as a vendor uses it: with a release and nothing else.
@Suite struct RebuildTests {
  private let name = "sample-7.2.1"
  private let sources = ["linux", "companion", "extra-trace", "extra-mark"].map { name in
    (name.replacing("extra-", with: ""), Workshop.root.appending("Examples/sample/\(name)"))
  }

  private func source(_ name: String) -> [String] {
    sources.filter { $0.0 == name }.flatMap { ["--source", "\($0.0)=\($0.1)"] }
  }

  private func tarball(_ workshop: Workshop, _ name: String = "sample-7.2.1") -> String {
    workshop.output.appending(name).appending("\(name).tar.xz").string
  }

  private func sums(_ folder: FilePath, _ name: String) throws -> String {
    String(decoding: try Files.read(folder.appending(name).appending("SHA256SUMS")), as: UTF8.self)
  }

  private func rebuild(_ workshop: Workshop, _ tarball: String, _ more: [String] = []) async throws -> Command.Outcome {
    try await workshop.run(["rebuild", "--quiet", tarball, "--output", workshop.output.string] + more)
  }

  /// A patch to the released sample, in `patches/series`.
  static func writeSeries(_ workshop: Workshop, _ file: String = "samplenet/samplenet.c") async throws {
    let source = Workshop.root.appending("Examples/sample/linux/net/sample/samplenet.c")
    let lines = String(decoding: try Files.read(source), as: UTF8.self).split(separator: "\n").prefix(3)
    let hunk = "@@ -1,3 +1,4 @@\n+/* Changed by acme. */\n" + lines.map { " \($0)\n" }.joined()
    try workshop.write("patches/fix.patch", "--- a/\(file)\n+++ b/\(file)\n\(hunk)")
    try workshop.write("patches/new.patch", "--- /dev/null\n+++ b/sample/acme.h\n@@ -0,0 +1 @@\n+#define ACME 1\n")
    try workshop.write("patches/series", "fix.patch\nnew.patch # adds a file\n")
  }

  private func cutSample(_ workshop: Workshop, _ more: [String] = []) async throws {
    let outcome = try await workshop.cutSample(more)
    #expect(outcome.succeeded, "\(outcome.errors)")
  }

  // MARK: unchanged

  /// Another user, umask, folder and time zone, no network, and no programs but xz and bwrap.
  @Test(arguments: [[], ["--with", "trace"], ["--with", "mark"]])
  func withoutChangesEveryFileIsTheSame(more: [String]) async throws {
    try await Workshop.use { workshop in
      try await cutSample(workshop, more)
      let name = more.last.map { "sample-7.2.1+and.\($0)" } ?? name
      try await workshop.shell(
        """
        mkdir bin alone && ln -s $(command -v xz) $(command -v bwrap) bin/
        cp -L \(Workshop.lrelease) lrelease
        cp -r out received && cp out/\(name)/*.tar.xz alone/
        chown -R 65534:65534 .
        """)
      func away(_ tarball: String, to output: String) async throws -> Command.Outcome {
        try await Command(
          "/usr/bin/unshare",
          [
            "-n", "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/env", "-i",
            "PATH=\(workshop.folder)/bin", "TMPDIR=\(workshop.temporary)", "TZ=Asia/Tokyo", "LC_ALL=C", "HOME=/nowhere",
            "/bin/sh", "-c", "umask 077; cd / && exec \"$@\"", "sh", workshop.folder.appending("lrelease").string,
            "rebuild", tarball, "--output", workshop.folder.appending(output).string,
          ]
        ).run(doing: "rebuilding")
      }
      let outcome = try await away("\(workshop.folder)/received/\(name)/\(name).tar.xz", to: "again")
      #expect(outcome.succeeded && outcome.text.contains("identical: every file"), "\(outcome.errors)\(outcome.text)")
      let made = try sums(workshop.folder.appending("again"), name)
      #expect(made == (try sums(workshop.output, name)))
      #expect(made.split(separator: "\n").count == (more.last == "mark" ? 10 : 8), "\(made)")

      // With nothing beside it, only the tarball can be compared, and that is what is said.
      let alone = try await away("\(workshop.folder)/alone/\(name).tar.xz", to: "third")
      #expect(
        alone.succeeded && alone.text.contains("there is no SHA256SUMS beside it"), "\(alone.errors)\(alone.text)")
      #expect(try sums(workshop.folder.appending("third"), name) == made)
    }
  }

  @Test(arguments: ["gz", "zst"])
  func theCompressionIsKept(suffix: String) async throws {
    try await Workshop.use { workshop in
      try await cutSample(workshop, ["--compression", suffix])
      let outcome = try await workshop.run([
        "rebuild", "out/\(name)/\(name).tar.\(suffix)", "--output", "again", "--json", "--quiet",
      ])
      #expect(outcome.succeeded && outcome.text.contains("\"isUnchanged\" : true"), "\(outcome.errors)")
      #expect(try sums(workshop.folder.appending("again"), name) == sums(workshop.output, name))
    }
  }

  @Test func aReleaseThatIsThereIsCheckedOnly() async throws {
    try await Workshop.use { workshop in
      try await cutSample(workshop)
      let outcome = try await workshop.run(["rebuild", tarball(workshop), "--output", workshop.output.string])
      #expect(outcome.succeeded && outcome.text.contains("already exists; all files verified"), "\(outcome.errors)")
      try Files.replace(workshop.output.appending("\(name)/plan.json"), with: [1])
      let copy = workshop.folder.appending("\(name).tar.xz")
      try Files.copy(FilePath(tarball(workshop)), to: copy)
      workshop.expectRefusal(
        try await rebuild(workshop, copy.string), 5, "other content", "another --output", leaves: [name])
    }
  }

  // MARK: a vendor's

  @Test func aVendorsPatchesMakeAReleaseOfItsOwn() async throws {
    try await Workshop.use { workshop in
      try await cutSample(workshop)
      try await Self.writeSeries(workshop)
      let change = ["--vendor", "acme", "--patches", "patches/series"]
      let outcome = try await rebuild(workshop, tarball(workshop), change)
      #expect(outcome.succeeded, "\(outcome.errors)")
      let made = "sample-7.2.1+by.acme.1"
      let verified = try await workshop.run(["verify", tarball(workshop, made)])
      #expect(verified.succeeded, "\(verified.errors)")
      let shown = try await workshop.run(["show", tarball(workshop, made)]).text
      #expect(shown.contains("← linux:net/sample/samplenet.c + by.acme.1/fix.patch\n"))
      #expect(shown.contains("sample/acme.h  ← by.acme.1 + by.acme.1/new.patch\n"))

      // It says what it was made from, and the packages hold it.
      let recorded = try #require(try RebuiltPlan(workshop.output.appending("\(made)/plan.json")).rebuilds.first)
      #expect(recorded.vendor == "acme" && recorded.number == 1)
      let (digest, _) = try Files.digest(FilePath(tarball(workshop)))
      let (planDigest, _) = try Files.digest(workshop.output.appending("\(name)/plan.json"))
      #expect(
        recorded.basedOn == [
          "name": "sample", "version": "7.2.1", "tarball": digest.hex, "plan": planDigest.hex,
        ])
      try await workshop.shell(
        """
        cd out/\(made)
        dpkg-deb -x sample-dkms_7.2.1+by.acme.1-1_all.deb ../../root
        cd ../../root/usr/src/sample-7.2.1.0.1
        grep -q 'Changed by acme' samplenet/samplenet.c
        grep -q 'PACKAGE_VERSION="7.2.1.0.1"' dkms.conf
        grep -q 'SAMPLE_RELEASE := 7.2.1+by.acme.1' Kbuild
        rpm -qp --changelog ../../../../out/\(made)/sample-dkms-*.noarch.rpm | grep -q 'rebuilt by acme from 7.2.1'
        zcat ../../share/doc/sample-dkms/changelog.Debian.gz | grep -q 'rebuilt by acme from 7.2.1'
        for order in '7.2.1 lt 7.2.1+by.acme.1' '7.2.1+by.acme.1 lt 7.2.1+r1' '7.2.1+by.acme.1 lt 7.2.2'; do
          set -- $order
          dpkg --compare-versions $1-1 lt $3-1
          test "$(rpm --eval "%{lua:print(rpm.vercmp('$1', '$3'))}")" = -1
          test "$(printf '%s\\n' $3 $1 | sort -V | head -n 1)" = $1
        done
        """)

      // Once more from the outcome: the same bytes; and another one on top.
      let again = try await workshop.run(["rebuild", "--quiet", tarball(workshop, made), "--output", "again"])
      #expect(again.succeeded, "\(again.errors)")
      #expect(try sums(workshop.folder.appending("again"), made) == sums(workshop.output, made))
      try workshop.write("more/series", "more.patch\n")
      try workshop.write(
        "more/more.patch",
        "--- a/sample/acme.h\n+++ b/sample/acme.h\n@@ -1 +1 @@\n-#define ACME 1\n+#define ACME 2\n")
      let next = try await rebuild(
        workshop, tarball(workshop, made), ["--vendor", "acme", "--patches", "more/series"])
      #expect(next.succeeded, "\(next.errors)")
      let second = "sample-7.2.1+by.acme.2"
      #expect(
        try await workshop.run(["show", tarball(workshop, second)]).text
          .contains("← by.acme.1 + by.acme.1/new.patch, by.acme.2/more.patch"))
      // From the sources and the plan, the same comes out.
      let cut = try await workshop.run(
        ["cut", "--quiet", "--plan", "out/\(second)/plan.json", "--output", "cut", "--cache", workshop.cache.string]
          + source("linux") + source("companion"))
      #expect(cut.succeeded, "\(cut.errors)")
      #expect(try sums(workshop.folder.appending("cut"), second) == sums(workshop.output, second))

      let all = [name, made, second]
      // dpkg, rpm and sort -V all put "and" before "by": that is said.
      let late = try await rebuild(
        workshop, tarball(workshop, made),
        ["--vendor", "acme", "--with", "trace", "--output", "late"] + source("trace"))
      #expect(late.succeeded && late.errors.contains("sorts before 7.2.1+by.acme.1"), "\(late.errors)")
      let other = try await rebuild(workshop, tarball(workshop, made), ["--vendor", "bolt"])
      workshop.expectRefusal(other, 2, "it is acme's rebuild, not bolt's", leaves: all)
      let same = try await rebuild(workshop, tarball(workshop, made), ["--vendor", "acme", "--number", "1"])
      workshop.expectRefusal(same, 2, "it already has the number 1", "--number 2", leaves: all)
      // A release of this name with other content is there.
      let conflict = try await rebuild(workshop, tarball(workshop), ["--vendor", "acme"])
      workshop.expectRefusal(conflict, 5, "other content", "--number", leaves: all)
      #expect(try await rebuild(workshop, tarball(workshop), change).succeeded)
    }
  }

  /// One that adds to a package, and one with a package and a generated file of its own.
  @Test(arguments: ["trace", "mark"]) func anExtraIsAddedFromItsSource(extra: String) async throws {
    try await Workshop.use { workshop in
      try await cutSample(workshop)
      let refusals: [(arguments: [String], status: Int32, words: [String])] = [
        (["--with", extra], 3, ["adding the extra '\(extra)'", "the source '\(extra)'", "--source \(extra)=PLACE"]),
        (["--with", "trase"], 2, ["did you mean 'trace'?"]),
        (source(extra), 2, ["no extra that is added takes files from the source '\(extra)'"]),
        (["--with", extra, "--source", "\(extra)=/nowhere"], 3, ["there is no /nowhere"]),
      ]
      for refusal in refusals {
        let outcome = try await rebuild(workshop, tarball(workshop), ["--vendor", "acme"] + refusal.arguments)
        workshop.expectRefusal(outcome, refusal.status, refusal.words[0], refusal.words.last ?? "", leaves: [name])
      }
      let outcome = try await rebuild(
        workshop, tarball(workshop), ["--vendor", "acme", "--with", extra] + source(extra))
      #expect(outcome.succeeded, "\(outcome.errors)")
      let made = "sample-7.2.1+and.\(extra)+by.acme.1"
      let cut = try await workshop.run(
        ["cut", "--quiet", "--plan", "out/\(made)/plan.json", "--output", "cut", "--cache", workshop.cache.string]
          + source("linux") + source("companion") + source(extra))
      #expect(cut.succeeded, "\(cut.errors)")
      #expect(try sums(workshop.folder.appending("cut"), made) == sums(workshop.output, made))
      let twice = try await rebuild(
        workshop, tarball(workshop, made), ["--vendor", "acme", "--with", extra] + source(extra))
      workshop.expectRefusal(twice, 2, "already has the extra '\(extra)'", leaves: [name, made].sorted())
    }
  }

  /// What a prepare step made is kept when a patch is all that changes, and made again for an extra.
  @Test func prepareStepsRunAgainForAnExtraOnly() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(
        """
        [[prepare]]
        run = ["sh", "count.sh"]
        tools = ["bash"]
        [[tree]]
        from = "linux:count.sh"
        [extras.more]
        summary = "more"
        license = "GPL-2.0-only"
        tree = [{ from = "linux:more", to = "fs" }]
        [extras.bad]
        summary = "bad"
        license = "GPL-2.0-only"
        tree = [{ from = "linux:bad" }]
        """)
      try workshop.write("linux/count.sh", "ls fs > listed\n")
      try workshop.write("linux/more/b.c", "int b;\n")
      try workshop.write("linux/bad/fs", "in the way of a folder\n")
      try await workshop.shell("find linux -exec touch -d 2026-11-01 {} +")
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"]))
      #expect(cut.succeeded, "\(cut.errors)")
      let tarball = tarball(workshop, "demo-7.4")
      try workshop.write("p/series", "a.patch\n")
      try workshop.write("p/a.patch", "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1 +1 @@\n-int a;\n+int aa;\n")
      // There is no bash: the step does not run.
      try await workshop.shell("mkdir bin; ln -s $(command -v xz) $(command -v patch) $(command -v bwrap) bin/")
      let without = ["/usr/bin/env", "PATH=\(workshop.folder)/bin", "TMPDIR=\(workshop.temporary)", Workshop.lrelease]
      func run(_ arguments: [String]) async throws -> Command.Outcome {
        try await Command(
          without[0],
          Array(without.dropFirst()) + ["rebuild", "-q", tarball, "--output", "out", "--vendor", "acme"] + arguments,
          directory: workshop.folder
        ).run(doing: "rebuilding")
      }
      let patched = try await run(["--patches", "p/series"])
      #expect(patched.succeeded, "\(patched.errors)")
      let made = ["demo-7.4", "demo-7.4+by.acme.1"]
      try workshop.write("m/series", "m.patch\n")
      try workshop.write("m/m.patch", "--- /dev/null\n+++ b/fs/a.m4\n@@ -0,0 +1 @@\n+a\n")
      let warned = try await rebuild(
        workshop, tarball, ["--vendor", "acme", "--patches", "m/series", "--output", "warned"])
      #expect(warned.succeeded && warned.errors.contains("fs/a.m4 is patched, and 'sh count.sh' is not run again"))
      let extra = ["--with", "more", "--source", "linux=linux"]
      workshop.expectRefusal(try await run(extra), 7, "bash is not installed", leaves: made)
      let outcome = try await rebuild(workshop, tarball, ["--vendor", "acme"] + extra)
      #expect(outcome.succeeded, "\(outcome.errors)")
      let name = "demo-7.4+and.more+by.acme.1"
      let listed = try await Command(
        "tar", ["-xOf", self.tarball(workshop, name), "\(name)/listed"]
      ).check(doing: "listing")
      #expect(listed.text == "a.c\nb.c\n")

      let all = [name] + made
      let bad = try await rebuild(
        workshop, tarball, ["--vendor", "acme", "--with", "bad", "--source", "linux=linux"])
      workshop.expectRefusal(bad, 2, "makes fs a file", leaves: all.sorted())
      try workshop.write("linux/fs/a.c", "int other;\n")
      let other = try await rebuild(workshop, tarball, ["--vendor", "acme", "--number", "3"] + extra)
      workshop.expectRefusal(other, 4, "it is not the one that the release was made from", leaves: all.sorted())
    }
  }

  /// The keyring and the patches of a source that the release was made without are in its plan.
  @Test func theSourceOfAnExtraNeedsItsSignature() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest(
        """
        [sources.more]
        archive = "more.tar.xz"
        keyring = "keys.gpg"
        signers = ["\(String(repeating: "A", count: 40))"]
        patches = "p/series"
        [extras.more]
        summary = "more"
        license = "GPL-2.0-only"
        tree = [{ from = "more:", to = "more" }]
        """)
      try workshop.write("keys.gpg", [0x99, 0, 1, 2])
      try workshop.write("p/series", "b.patch\n")
      try workshop.write("p/b.patch", "--- a/b.c\n+++ b/b.c\n@@ -1 +1 @@\n-int b;\n+int c;\n")
      try workshop.write("more/b.c", "int b;\n")
      try await workshop.shell("find linux more -exec touch -d 2026-11-01 {} +; tar -cJf away.tar.xz more")
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"]))
      #expect(cut.succeeded, "\(cut.errors)")
      try await workshop.shell("rm -r keys.gpg p linux demo.toml")
      let extra = ["--vendor", "acme", "--with", "more", "--source", "more=away.tar.xz"]
      let unsigned = try await rebuild(workshop, tarball(workshop, "demo-7.4"), extra)
      workshop.expectRefusal(unsigned, 4, "there is no signature beside it", "--allow-unsigned", leaves: ["demo-7.4"])
      let outcome = try await rebuild(workshop, tarball(workshop, "demo-7.4"), extra + ["--allow-unsigned"])
      #expect(outcome.succeeded && outcome.errors.contains("'more' is not signed"), "\(outcome.errors)")
      let shown = try await workshop.run(["show", tarball(workshop, "demo-7.4+and.more+by.acme.1")]).text
      #expect(shown.contains("rebuild  by.acme.1, of demo 7.4\n"))
      #expect(shown.contains("more/b.c  ← more:b.c + b.patch, unsigned\n"), "\(shown)")
    }
  }

  // MARK: refusals

  @Test func whatIsNoWholeReleaseIsRefused() async throws {
    try await Workshop.use { workshop in
      try await cutSample(workshop)
      let repack = { (name: String, script: String) in
        try await workshop.shell(
          """
          mkdir w && cd w && tar -xf ../out/sample-7.2.1/sample-7.2.1.tar.xz && cd sample-7.2.1
          \(script)
          cd .. && tar -cJf ../\(name).tar.xz sample-7.2.1 && cd .. && rm -r w
          """)
      }
      try await repack("foreign", "rm -r lrelease")
      try await repack("changed", "echo >> sample/super.c; rm README; echo x > sample/x.c")
      try await repack("one", "echo >> sample/super.c")
      // Whoever changes the plan can change the list as well.
      try await repack(
        "stranger",
        """
        sed -i 's|"name" : "sample",|"name" : "../../sample",|' lrelease/plan.json
        sum=$(sha256sum lrelease/plan.json | cut -c1-64)
        sed -i '/plan.json/s/"sha256":"[0-9a-f]*/"sha256":"'$sum'/' lrelease/origins.jsonl
        """)
      try workshop.write("text.tar.xz", "no tarball\n")
      let refusals: [(name: String, status: Int32, words: [String])] = [
        ("foreign", 3, ["foreign.tar.xz", "holds no lrelease/plan.json", "not a release made by lrelease"]),
        ("changed", 6, ["sample/super.c is changed", "README is missing", "sample/x.c is not in the list"]),
        ("one", 6, ["one.tar.xz", "sample/super.c is changed", "--patches SERIES --vendor NAME"]),
        ("stranger", 4, ["stranger.tar.xz", "its plan says ../../sample", "its manifest sample"]),
        ("text", 3, ["text.tar.xz", "not a tarball", "give a .tar.xz"]),
        ("missing", 3, ["missing.tar.xz", "No such file", ""]),
      ]
      for refusal in refusals {
        let outcome = try await rebuild(workshop, "\(refusal.name).tar.xz")
        workshop.expectRefusal(
          outcome, refusal.status, refusal.words[0], refusal.words[1], refusal.words[2], leaves: [name])
      }
      // A tarball that is good in itself, but not the one that the list beside it speaks of.
      try Files.replace(
        workshop.output.appending("\(name)/SHA256SUMS"),
        with: Array("\(String(repeating: "0", count: 64))  \(name).tar.xz\n".utf8))
      let outcome = try await workshop.run(["rebuild", "-q", tarball(workshop), "--output", "again"])
      workshop.expectRefusal(outcome, 6, "not the tarball that the SHA256SUMS beside it lists", leaves: [name])
    }
  }

  @Test func wrongChangesAreRefused() async throws {
    try await Workshop.use { workshop in
      try await cutSample(workshop)
      try await Self.writeSeries(workshop)
      let old = "--- a/sample/super.c\n+++ b/sample/super.c\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
      try workshop.write("old/series", "old.patch\n")
      try workshop.write("old/old.patch", old)
      try workshop.write("gone/series", "gone.patch\n")
      try workshop.write("gone/gone.patch", old.replacing("super.c", with: "gone.c"))
      try workshop.write("rules/series", "rules.patch\n")
      try workshop.write("rules/rules.patch", old.replacing("sample/super.c", with: "debian/rules"))
      try workshop.write("own/series", "own.patch\n")
      try workshop.write("own/own.patch", "--- /dev/null\n+++ b/lrelease/dkms/new\n@@ -0,0 +1 @@\n+new\n")
      try workshop.write("lost/series", "lost.patch\n")
      let patches = { (folder: String) in ["--vendor", "acme", "--patches", "\(folder)/series"] }
      let refusals: [(arguments: [String], status: Int32, words: [String])] = [
        (["--patches", "patches/series"], 2, ["a changed release is a new one", "--vendor NAME"]),
        (["--vendor", "Acme Inc"], 2, ["'Acme Inc' is not allowed in a version", "lower-case"]),
        (["--vendor", "../x"], 2, ["'../x' is not allowed in a version", "lower-case"]),
        (["--vendor", "acme", "--number", "0"], 2, ["number 0", "between 1 and"]),
        (patches("old"), 3, ["old.patch", "sample/super.c: hunk #1 does not apply"]),
        (patches("gone"), 3, ["gone.patch", "sample/gone.c"]),
        (patches("rules"), 2, ["rules.patch", "debian/rules, which lrelease makes"]),
        (patches("own"), 2, ["own.patch", "lrelease/dkms/new, which lrelease makes"]),
        (patches("lost"), 2, ["lost/lost.patch", "No such file"]),
        (patches("none"), 2, ["none/series", "No such file"]),
      ]
      for refusal in refusals {
        let outcome = try await rebuild(workshop, tarball(workshop), refusal.arguments)
        workshop.expectRefusal(outcome, refusal.status, refusal.words[0], refusal.words[1], leaves: [name])
      }
    }
  }

  @Test func aFullDiskLeavesNothing() async throws {
    try await Workshop.use { start in
      try await cutSample(start)
      try await Self.writeSeries(start)
      let tarball = tarball(start)
      var workshop = start
      workshop.output = start.folder.appending("mount")
      let box = workshop
      _ = try await withTmpfs(workshop.output, "size=40k") {
        let outcome = try await box.run([
          "rebuild", "-q", tarball, "--vendor", "acme", "--patches", "patches/series", "--output", box.output.string,
        ])
        box.expectRefusal(outcome, 1, "No space left on device", "--output")
      }
    }
  }
}

/// The part of a plan that a rebuild adds, as any program reads it.
private struct RebuiltPlan: Decodable {
  struct Rebuild: Decodable {
    var vendor: String
    var number: Int
    var basedOn: [String: String]
  }
  var rebuilds: [Rebuild]

  init(_ path: FilePath) throws {
    self = try JSONDecoder().decode(RebuiltPlan.self, from: Data(try Files.read(path)))
  }
}
