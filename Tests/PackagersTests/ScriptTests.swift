// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// The shell scripts that lrelease runs or releases, as files and with the values of the sample.
@Suite struct ScriptTests {
  @Test func valuesArePutIn() throws {
    let script = Script(
      Array(
        """
        #!/bin/sh
        #@ For readers.
        # shellcheck disable=SC2034
        #@if SAID
        echo @SAID@ '@NAME@' @not@ a@b @WORDS@
        #@end
        #@LINES@
        exit 0

        """.utf8))
    func filled(_ more: [String: Script.Value]) throws -> String {
      try script.filled(["NAME": .plain("a-1.2+b"), "LINES": .verbatim("")].merging(more) { $1 }, doing: "testing")
    }
    #expect(try filled([:]) == "#!/bin/sh\nexit 0\n")
    let more: [String: Script.Value] = [
      "SAID": .word("it's $HOME @NAME@"), "WORDS": .verbatim("$HOME *"), "LINES": .verbatim("one\ntwo"),
    ]
    #expect(
      try filled(more)
        == #"#!/bin/sh\#necho 'it'\''s $HOME @NAME@' 'a-1.2+b' @not@ a@b $HOME *\#none\#ntwo\#nexit 0\#n"#)
    for text in ["", "a b", "a'b", "a\nb", "$(a)", "ä"] {
      #expect(throws: ReleaseError.self) { try filled(more.merging(["NAME": .plain(text)]) { $1 }) }
    }
    #expect(throws: ReleaseError.self) { try filled(["SAID": .plain("a")]) }
  }

  @Test(arguments: ["plain-1.0+b:/c_d", "", "a b", "it's", "$HOME `id` \"\\\" *", "a\nb", "-n", "~", "ä"])
  func aQuotedWordIsOneWord(word: String) async throws {
    let outcome = try await Command("sh", ["-c", "printf '<%s>' \(Script.quote(word))"]).check(doing: "quoting")
    #expect(outcome.text == "<\(word)>")
  }

  /// What lays out the packages reads a list of names with tar, to which some names are options or hold escapes.
  @Test func namesThatAreOptionsToTar() async throws {
    try await Workshop.use { workshop in
      let root = Workshop.root
      let names = ["--checkpoint=1", "--checkpoint-action=exec=touch pwned", "-x", #"a\tb"#, "--files-from"]
      try await workshop.shell("cp -r \(root)/Examples/sample/companion companion")
      for name in names { try workshop.write("companion/\(name)", "x") }
      let cut = try await workshop.cutSample(["--source", "companion=companion"])
      try #require(cut.succeeded, "\(cut.errors)")
      try await workshop.shell(
        """
        tar -xf out/*/sample-*.tar.xz --exclude='*debian*' --strip-components=1 --one-top-level=tree
        sh tree/lrelease/dkms/install deb laid
        ! find . -name pwned | grep .
        dpkg-deb -x out/*/sample-dkms_*.deb packed
        diff -r laid/sample-dkms/usr/src packed/usr/src
        """)
      for name in names {
        #expect(
          Files.exists(workshop.folder.appending("packed/usr/src/sample-7.2.1").appending(bytes: Array(name.utf8))))
      }
    }
  }

  /// All scripts as they stand, by the shell that they are for.
  private static func scripts() throws -> [(shell: String, files: [FilePath])] {
    let sources = Workshop.root.appending("Sources")
    let folders = try Files.names(in: sources).map { sources.appending(bytes: $0).appending("Scripts") }
    let files = try folders.filter { Files.isFolder($0) }.flatMap { folder in
      try Files.names(in: folder).map { folder.appending(bytes: $0) }
    }
    #expect(files.allSatisfy { ["sh", "bash"].contains($0.extension) }, "\(files)")
    return ["sh", "bash"].map { shell in (shell, files.filter { $0.extension == shell }) }
  }

  /// Cuts the sample with a package that has a probe and one that has none, and gives what is released of scripts.
  private func released(_ body: ([(shell: String, files: [FilePath])]) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      let outcome = try await workshop.cutSample(["--with", "mark"])
      try #require(outcome.succeeded, "\(outcome.errors)")
      try await workshop.shell("tar -xf out/*/sample-*mark.tar.xz --strip-components=1 --one-top-level=tree")
      let folder = workshop.folder.appending("tree/lrelease/dkms")
      let trees = ["modules", "mark"].map { folder.appending($0).appending("tree") }
      for tree in trees { try #require(Files.exists(tree.appending("dkms/pre-build"))) }
      let programs = trees.flatMap { tree in
        ["dkms/pre-build", "dkms/post-install", "dkms/key"].map { tree.appending($0) }
      }
      try await body([
        ("sh", [folder.appending("install")] + programs.filter { Files.exists($0) }),
        ("bash", trees.map { $0.appending("dkms.conf") }),
      ])
    }
  }

  /// Of root's environment only what would make the build go elsewhere is an error; the rest does not reach the probe.
  @Test func whatPreBuildTakesFromTheEnvironment() async throws {
    try await released { scripts in
      let mark = try #require(scripts[0].files.first { $0.string.hasSuffix("mark/tree/dkms/pre-build") })
      let build = mark.removingLastComponent().removingLastComponent().string
      func run(_ environment: String) async throws -> Command.Outcome {
        let script =
          "cd \(build) && mkdir -p extras/mark && : >Makefile && env \(environment) sh dkms/pre-build 6.12.1 \(build)"
        return try await Command("sh", ["-c", script]).run(doing: "calling pre-build")
      }
      for harmless in ["A=1", "CDPATH=.:/usr MAKEFLAGS=k ARCH=arm64 GREP_OPTIONS=-v ENV=/none", "sub_make_done="] {
        let outcome = try await run(harmless)
        #expect(outcome.succeeded && outcome.errors.isEmpty, "\(outcome.errors)")
      }
      for (environment, names) in [
        ("KBUILD_OUTPUT=/x", "KBUILD_OUTPUT"), ("sub_make_done=1", "sub_make_done"),
        ("KBUILD_OUTPUT=/x sub_make_done=1", "KBUILD_OUTPUT sub_make_done"),
      ] {
        let outcome = try await run(environment)
        #expect(!outcome.succeeded && outcome.errors.contains("environment has \(names) of a kernel build"))
        // dkms before 3.1.7 goes on to make.
        let stops = try await Command("grep", ["-rlF", "--include=Makefile", "$(error ", build]).run(
          doing: "looking for what stops make")
        #expect(stops.text.contains("extras/mark/Makefile"), "\(stops.text)")
      }
    }
  }

  private func parse(_ scripts: [(shell: String, files: [FilePath])]) async throws {
    for (shell, files) in scripts {
      #expect(!files.isEmpty)
      for file in files {
        let outcome = try await Command(shell, ["-n", file.string]).run(doing: "reading \(file)")
        #expect(outcome.succeeded, "\(outcome.errors)")
        let bytes = try Files.read(file)
        #expect(bytes.last == 0x0a && !bytes.contains("\r".utf8), "\(file)")
      }
    }
  }

  /// What dpkg runs as root on a stranger's machine.
  @Test func maintainerScriptsAreForEveryShell() async throws {
    try await Workshop.use { workshop in
      let outcome = try await workshop.cutSample()
      try #require(outcome.succeeded, "\(outcome.errors)")
      try await workshop.shell("dpkg-deb -e out/*/sample-dkms_*.deb control")
      let folder = workshop.folder.appending("control")
      let scripts = ["preinst", "postinst", "prerm", "postrm"].map { folder.appending($0) }
      try await parse([("sh", scripts), ("bash", scripts)])
      for script in scripts {
        let text = String(decoding: try Files.read(script), as: UTF8.self)
        #expect(text.firstMatch(of: /@[A-Z_]+@/) == nil && !text.contains("#@"), "\(script)")
      }
      guard Self.hasShellcheck else { return }
      // SC2034, SC2317: each script has what all share, and calls a part of it.
      try await check([("sh", scripts)], ["sh": ["--exclude", "SC2034,SC2317"]])
    }
  }

  @Test func everyScriptParses() async throws { try await parse(Self.scripts()) }

  @Test func everyReleasedScriptParses() async throws {
    try await released { scripts in
      #expect(scripts[0].files.count == 6)
      try await parse(scripts)
      for file in scripts.flatMap(\.files) {
        let text = String(decoding: try Files.read(file), as: UTF8.self)
        #expect(!text.contains("#@") && !text.contains("# shellcheck"), "\(file)")
        #expect(text.firstMatch(of: /@[A-Z_]+@/) == nil, "\(file)")
      }
    }
  }

  // MARK: shellcheck

  private static let hasShellcheck = (Command.plainEnvironment["PATH"] ?? "").split(separator: ":").contains {
    access("\($0)/shellcheck", X_OK) == 0
  }

  private func check(_ scripts: [(shell: String, files: [FilePath])], _ options: [String: [String]] = [:]) async throws
  {
    for (shell, files) in scripts {
      let outcome = try await Command(
        "shellcheck", ["--shell", shell] + (options[shell] ?? []) + files.map(\.string)
      ).run(doing: "checking scripts")
      #expect(outcome.succeeded, "\(outcome.text)\(outcome.errors)")
    }
  }

  @Test(.enabled(if: hasShellcheck, "shellcheck is not installed: apt-get install shellcheck"))
  func shellcheckFindsNothing() async throws { try await check(Self.scripts()) }

  @Test(.enabled(if: hasShellcheck, "shellcheck is not installed: apt-get install shellcheck"))
  func shellcheckFindsNothingInReleasedScripts() async throws {
    // SC2034, SC2154: which variables of dkms.conf are used and which are set is up to dkms. SC2317: what maintainer
    // scripts share with post-install.
    try await released {
      try await check($0, ["bash": ["--exclude", "SC2034,SC2154"], "sh": ["--exclude", "SC2034,SC2317"]])
    }
  }
}
