// SPDX-License-Identifier: GPL-2.0-only

import Processes
import SystemPackage
import TestSupport
import Testing

/// A wrong command line is told in one line, with what was meant and how it is used.
@Suite struct UsageTests {
  private static let cut = "Usage: lrelease cut [<options>] [<manifest>]; 'lrelease cut --help' tells more"
  private static let verify =
    "Usage: lrelease verify [<options>] <release> [<paths> ...]; 'lrelease verify --help' tells more"
  private static let top = "Usage: lrelease <subcommand>; 'lrelease --help' tells more"

  @Test(arguments: [
    (["ctu"], "there is no subcommand 'ctu'; did you mean 'cut'? \(top)"),
    (["help", "verfy"], "there is no subcommand 'verfy'; did you mean 'verify'? \(top)"),
    (["frobnicate"], "there is no subcommand 'frobnicate'. \(top)"),
    (
      ["export", "junti", "x"],
      "there is no subcommand 'junti'; did you mean 'junit'? Usage: lrelease export <subcommand>; "
        + "'lrelease export --help' tells more"
    ),
    (["cut", "--outptu", "x"], "unknown option '--outptu'; did you mean '--output'? \(cut)"),
    (["cut", "--foo"], "unknown option '--foo'. \(cut)"),
    (["cut", "a", "--vendor", "b"], "unknown option '--vendor'; it is an option of 'lrelease rebuild'. \(cut)"),
    (["--quiet", "cut", "a"], "unknown option '--quiet'; options follow the subcommand: lrelease cut --quiet. \(top)"),
    (["cut"], "give a manifest, or --plan FILE. \(cut)"),
    (["cut", "--respin", "x", "a"], "the value 'x' is invalid for '--respin <number>'. \(cut)"),
    (
      ["cut", "--compression", "bz2", "a"],
      "the value 'bz2' is invalid for '--compression <compression>'; it can be 'xz', 'zst' or 'gz'. \(cut)"
    ),
    (["verify"], "missing argument '<release>'. \(verify)"),
    (["verify", "a", "--signer"], "missing value for '--signer <fingerprint>'. \(verify)"),
    (["verify", "a", "--signer", "b"], "--signer needs --keyring. \(verify)"),
    (["cut", "-q\nerror: forged"], "unknown option '-, '. \(cut)"),
  ]) func aWrongCommandLineIsOneLine(arguments: [String], words: String) async throws {
    try await Workshop.use { workshop in
      let outcome = try await workshop.run(arguments)
      #expect(outcome.status == .exited(64) && outcome.output.isEmpty)
      #expect(outcome.errors == "error: \(words)\n")
    }
  }

  @Test func helpAndVersionAreNoErrors() async throws {
    try await Workshop.use { workshop in
      for arguments in [["--help"], ["help"], ["help", "cut"], ["cut", "--help"], ["--version"], ["export"]] {
        let outcome = try await workshop.run(arguments)
        #expect(outcome.succeeded && outcome.errors.isEmpty && !outcome.output.isEmpty, "\(arguments)")
      }
    }
  }
}

/// What bash offers, by the script that lrelease generates.
@Suite struct CompletionTests {
  @Test func targetsAndExtrasAreOffered() async throws {
    try await Workshop.use { workshop in
      #expect(try await workshop.cutSample().succeeded)
      try await workshop.shell("ln -s \(Workshop.root)/manifests \(Workshop.root)/targets .")
      let script = try await workshop.run(["--generate-completion-script", "bash"])
      #expect(script.succeeded)
      try workshop.write("completion.bash", script.output)
      for (words, offered) in [
        ("cut manifests/sample.toml --with ''", "mark trace"), ("cut manifests/sample.toml --with t", "trace"),
        ("rebuild out/sample-7.2.1 --with m", "mark"),
        ("rebuild out/sample-7.2.1/sample-7.2.1.tar.xz --with m", "mark"),
        ("qualify out/sample-7.2.1 --target rocky-1", "rocky-10"),
        ("build x --targets targets --target rocky-8", "rocky-8"),
        ("qualify out/sample-7.2.1 --variant ''", "modules"), ("cut none.toml --with ''", ""),
      ] {
        var bash = Command(
          "bash",
          [
            "-c",
            """
            source completion.bash
            COMP_WORDS=(lrelease \(words)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE="${COMP_WORDS[*]}"
            COMP_POINT=${#COMP_LINE}
            _lrelease lrelease "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            echo "${COMPREPLY[*]}"
            """,
          ])
        bash.directory = workshop.folder
        bash.environment = workshop.environment
        bash.environment["PATH"] =
          "\(FilePath(Workshop.lrelease).removingLastComponent()):\(bash.environment["PATH"] ?? "/usr/bin:/bin")"
        let outcome = try await bash.run(doing: "completing '\(words)'")
        #expect(outcome.text == offered + "\n", "\(words): \(outcome.errors)")
      }
    }
  }
}
