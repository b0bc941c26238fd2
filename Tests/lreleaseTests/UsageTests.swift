// SPDX-License-Identifier: GPL-2.0-only

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
