// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Model
import Processes
import SystemPackage
import TestSupport
import Testing
import Verdicts

/// The sample on a stand-in for a distribution in the manner of Enterprise Linux, as none can be had: `make test-sites`.
@Suite(.serialized, .enabled(if: environmentVariable("LRELEASE_TEST_SITES") != nil, "see make test-sites"))
struct StandInTests {
  @Test func theSampleRunsToTheEnd() async throws {
    try await StandIn.use { standIn in
      let folder = standIn.workshop.folder
      let (first, second) = (standIn.kernels[0], standIn.kernels[1])
      #expect(try await standIn.workshop.cutSample().succeeded)
      // The release before.
      let sample = Workshop.root.appending("Examples/sample/linux")
      try await standIn.workshop.shell(
        "cp -r '\(sample)' older; sed -i 's/^SUBLEVEL = 1$/SUBLEVEL = 0/' older/Makefile")
      #expect(try await standIn.workshop.cutSample(["--source", "linux=\(folder)/older"]).succeeded)
      let target = try standIn.target(
        """
        url           = "\(standIn.address)/repo"
        gpgkey        = ["key.asc"]
        repo-gpgcheck = true
        """)

      let built = try await standIn.build(target, ["--modules"])
      #expect(built.succeeded, "\(built.errors)")
      let names = try Files.names(in: folder.appending("out/sample-7.2.1.stand-in"))
        .map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasSuffix(".rpm") }.sorted()
      #expect(
        names == [
          "kmod-sample-7.2.1-1.el9.x86_64.rpm", "sample-7.2.1-1.el9.x86_64.rpm",
          "sample-devel-7.2.1-1.el9.noarch.rpm", "sample-dkms-7.2.1-1.el9.noarch.rpm",
        ])

      // Installed by dnf, built by dkms, booted and mounted; and the life of a site with a second kernel.
      let qualified = try await standIn.qualify(
        target, ["--level", "mount", "--life", "--previous", folder.appending("out/sample-7.2").string])
      #expect(qualified.succeeded, "\(qualified.errors)")
      let store = VerdictStore(standIn.workshop.output.appending("sample-7.2.1.qualification"))
      let verdicts = try store.all()
      #expect(verdicts.count == 2 && verdicts.allSatisfy { $0.result == .pass && $0.kernel == first }, "\(verdicts)")
      let mounted = try #require(verdicts.first { !$0.isLife })
      #expect(mounted.steps.map(\.name).suffix(6) == [.boot, .load, .unload, .smoke, .unload, .log])
      let life = try #require(verdicts.first { $0.isLife })
      let events = [
        "is installed", "another kernel arrives", "is upgraded", "is installed again", "the old kernel goes",
        "is removed", "nothing is left",
      ]
      #expect(life.steps.compactMap(\.note).suffix(7) == events[...], "\(life.steps)")

      // A kernel by its release: its packages have the names that the target says.
      let other = try await standIn.qualify(target, ["--level", "build", "--kernel", second])
      #expect(other.succeeded, "\(other.errors)")
      #expect(try store.all().contains { $0.kernel == second && $0.result == .pass && $0.level == .build })

      // What the repository serves: nothing is new to try.
      let cached = ["--targets", folder.string, "--cache", standIn.workshop.cache.string]
      let listed = try await standIn.workshop.run(["kernels", "--target", "stand-in", "--json"] + cached)
      #expect(listed.succeeded, "\(listed.errors)")
      let archive = try #require(
        try JSON.decode([ArchivedKernels].self, from: listed.output).first, "\(listed.output)")
      #expect(archive.kernels.map(\.release) == standIn.kernels && archive.date > 1_780_000_000)
      #expect(archive.kernels.allSatisfy { $0.hasHeaders && $0.hasImage && $0.version.hasPrefix("6.1.0-") })
      let all = try await standIn.qualify(target, ["--level", "build", "--all-kernels"])
      #expect(all.succeeded && !all.errors.contains("modules: pass, "), "\(all.errors)")

      // rpm of the chroots sees what dnf of this machine has put into them.
      let cache = standIn.workshop.cache.appending("roots")
      let kept = try await ChrootCache(cache).all()
      #expect(kept.contains { $0.kernels == [first] } && kept.contains { $0.kernels == [second] })
      for root in kept {
        let record = try #require(ChrootCache(cache).record(of: root.name))
        #expect(record.packages.contains { $0.hasPrefix("userland 0:9-1") || $0.hasPrefix("userland (none):9-1") })
      }
    }
  }

  @Test func whatCannotBeTrustedIsRefused() async throws {
    try await StandIn.use { standIn in
      #expect(try await standIn.workshop.cutSample().succeeded)
      try await standIn.makeBadRepositories()
      let url = "url = \"\(standIn.address)/repo\""
      let own = "gpgkey = [\"key.asc\"]"
      let list = "\(standIn.address)/empty.list"
      for (lines, words) in [
        ("\(url)\ngpgkey = [\"other.asc\"]", ["is not installed. Failing package", "(of the repository 'base')"]),
        ("\(url)\ngpgkey = [\"other.asc\"]\nrepo-gpgcheck = true", ["repo 'base': repomd.xml GPG signature"]),
        ("\(url)\ngpgkey = [\"/nowhere/key.asc\"]", ["/nowhere/key.asc, the file of keys that the target"]),
        ("\(url)\ngpgkey = [\"file:///nowhere/key.asc\"]", ["the key of the repository 'base' could not be fetched"]),
        (
          "url = \"\(standIn.address)/changed\"\n\(own)\nrepo-gpgcheck = true",
          ["repo 'base': repomd.xml GPG signature verification error"]
        ),
        (
          "url = \"\(standIn.address)/unsigned\"\n\(own)\nrepo-gpgcheck = true",
          ["repo 'base'", "GPG signature is not available"]
        ),
        (
          "mirrorlist = \"\(list)\"\n\(own)",
          ["repo 'base'", "No URLs in mirrorlist", "correct the list of mirrors in"]
        ),
        ("metalink = \"\(list)\"\n\(own)", ["repo 'base'", "correct the list of mirrors in"]),
        (
          "\(url)\n\(own)\n[[root.repositories]]\nname = \"more\"\nurl = \"\(standIn.address)/unsigned\"\n\(own)",
          ["Package tiny-1-1.noarch.rpm is not signed (of the repository 'more')"]
        ),
      ] {
        let more = lines.contains("\"more\"") ? "packages = [\"tiny\"]" : ""
        let outcome = try await standIn.build(try standIn.target(lines, more))
        let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
        #expect(outcome.status == .exited(1) && errors.count == 1, "\(lines): \(outcome.errors)")
        for word in words + ["stand-in.toml"] { #expect(errors.first?.contains(word) == true, "\(word): \(errors)") }
        // Nothing is left of a chroot.
        let roots = (try? Files.names(in: standIn.workshop.cache.appending("roots"))) ?? []
        #expect(roots.allSatisfy { String(decoding: $0, as: UTF8.self).hasSuffix(".lock") }, "\(roots)")
      }
      // Nor is what they serve listed; and not when it is older than what was seen.
      let cache = standIn.workshop.folder.appending("listing")
      func served(_ lines: String) async throws -> [String] {
        try await ArchivedKernels(of: Target(reading: standIn.target(lines)), cache: cache).kernels.map(\.release)
      }
      #expect(try await served("\(url)\n\(own)\nrepo-gpgcheck = true") == standIn.kernels)
      let error = await #expect(throws: ReleaseError.self) {
        try await served("\(url)\ngpgkey = [\"other.asc\"]\nrepo-gpgcheck = true")
      }
      #expect(error?.code == .unverified, "\(String(describing: error))")
      let seen = cache.appending("stand-in.json")
      let later = String(decoding: try Files.read(seen), as: UTF8.self)
        .replacing(/"base" : [0-9]+/, with: "\"base\" : 4000000000")
      try Files.replace(seen, with: Array(later.utf8))
      let old = await #expect(throws: ReleaseError.self) { try await served("\(url)\n\(own)") }
      #expect(old?.code == .unverified && old?.reason.hasPrefix("the metadata of base is of ") == true)

      let none = try await standIn.build(try standIn.target(url))
      #expect(none.status == .exited(2), "\(none.errors)")
      #expect(none.errors.contains("stand-in.toml:") && none.errors.contains("the repository 'base' names no key"))
      let mirrors = try await standIn.build(
        try standIn.target("mirrorlist = \"\(standIn.address)/good.list\"\n\(own)"))
      #expect(mirrors.succeeded, "\(mirrors.errors)")
    }
  }
}

/// A repository that is served on loopback, and what names it.
struct StandIn {
  let workshop: Workshop
  let address: String
  let kernels: [String]

  /// Made once for both tests: it takes a minute.
  static func use(_ body: (StandIn) async throws -> Void) async throws {
    let debian = try Target(reading: Workshop.root.appending("targets/debian-12.toml"))
    let served = try await ArchivedKernels(of: debian, cache: testCache.appending("kernels")).kernels
    let kernels = served.filter {
      $0.hasHeaders && $0.hasImage && $0.release.wholeMatch(of: /6\.1\.0-\d+-amd64/) != nil
    }
    .map(\.release).suffix(2)
    try #require(kernels.count == 2, "Debian 12 must serve two kernels 6.1.0-NUMBER-amd64")
    let made = testCache.appending("stand-in-\(kernels.joined(separator: "-"))")
    if !Files.exists(made) {
      var definition = debian.root
      definition.packages =
        ["dnf", "rpm", "gcc", "libc6-dev", "make", "dkms", "kmod", "xz-utils", "openssl", "zstd"]
        + kernels.flatMap { ["linux-headers-\($0)", "linux-image-\($0)"] }
      let root = try await testRoots.chroot(definition, progress: .silent)
      let part = FilePath("\(made).new")
      try? Files.remove(part)
      let script = Workshop.root.appending("Tests/stand-in/rpm").string
      _ = try await Command(script, [root.path.string, part.string] + kernels).check(doing: "making the stand-in")
      try Files.move(part, to: made)
    }
    try await Workshop.use { workshop in
      try await workshop.shell("mkdir site; cp \(made)/key.asc site; ln -s \(made)/repo site/repo")
      try workshop.write("server.py", server)
      let process = try Child(workshop, ["server.py", "site", "port"], program: "python3")
      #expect(try await process.wait { Files.exists(workshop.folder.appending("port")) })
      let port = String(decoding: try Files.read(workshop.folder.appending("port")), as: UTF8.self)
      try await body(StandIn(workshop: workshop, address: "http://127.0.0.1:\(port)", kernels: Array(kernels)))
      #expect(process.isRunning)
    }
  }

  static let server = """
    import functools, http.server, os, sys
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_): pass
    handler = functools.partial(Quiet, directory=sys.argv[1])
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    open(sys.argv[2] + ".new", "w").write(str(s.server_port)); os.rename(sys.argv[2] + ".new", sys.argv[2])
    s.serve_forever()
    """

  /// Writes `stand-in.toml`, beside which its key lies.
  func target(_ repository: String, _ root: String = "") throws -> FilePath {
    let (first, second) = (kernels[0], kernels[1])
    try workshop.write("key.asc", try Files.read(workshop.folder.appending("site/key.asc")))
    try workshop.write(
      "stand-in.toml",
      """
      distribution = "Stand-in"
      release      = "9"
      architecture = "x86_64"
      format       = "rpm"
      codec        = "zstd"
      kernels      = ["kernel-devel(\(first))", "kernel-core(\(first))"]
      images       = ["kernel-core(\(first))", "kernel-modules(\(first))"]
      later        = ["kernel-devel(\(second))", "kernel-core(\(second))"]
      [rpm]
      format    = "4"
      signature = "RSA/SHA256"
      digest    = "sha256"
      [kernel]
      headers = ["kernel-devel({kernel})", "kernel-core({kernel})"]
      images  = ["kernel-core({kernel})", "kernel-modules({kernel})"]
      [root]
      releasever = "9"
      \(root)
      [[root.repositories]]
      name = "base"
      \(repository)

      """)
    return workshop.folder.appending("stand-in.toml")
  }

  /// One whose metadata was changed, one with a package that nobody signed, lists of mirrors, and a key of another.
  func makeBadRepositories() async throws {
    try await workshop.shell(
      """
      export GNUPGHOME=$PWD/gnupg
      mkdir -m 700 gnupg
      gpg --batch --quiet --passphrase '' --quick-generate-key 'Other <other@example.org>' rsa3072 sign never
      gpg --batch --armor --export >other.asc
      gpgconf --kill all
      mkdir site/changed
      cp -r site/repo/repodata site/changed
      echo '<!-- -->' >>site/changed/repodata/repomd.xml
      printf 'Name: tiny\\nVersion: 1\\nRelease: 1\\nSummary: t\\nLicense: GPL\\nBuildArch: noarch\\n' >tiny.spec
      printf '%%description\\nt\\n%%files\\n' >>tiny.spec
      rpmbuild -bb --quiet --define "_topdir $PWD/build" --define "_rpmdir $PWD/site/unsigned" tiny.spec
      createrepo_c --quiet site/unsigned
      : >site/empty.list
      echo '\(address)/repo' >site/good.list
      """)
  }

  func build(_ target: FilePath, _ more: [String] = []) async throws -> Command.Outcome {
    try await workshop.run(
      [
        "build", workshop.output.appending("sample-7.2.1").string, "--target", target.string, "--cache",
        workshop.cache.string, "--targets", workshop.folder.string, "--output", workshop.output.string, "--quiet",
      ] + more, seconds: 900)
  }

  func qualify(_ target: FilePath, _ more: [String]) async throws -> Command.Outcome {
    try await workshop.run(
      [
        "qualify", workshop.output.appending("sample-7.2.1").string, "--target", target.string, "--cache",
        workshop.cache.string, "--targets", workshop.folder.string, "--quiet", "--jobs", "1",
      ] + more, seconds: 900)
  }
}
