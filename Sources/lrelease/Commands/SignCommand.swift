// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Operations
import Packagers
import Releases
import SystemPackage

struct SignCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Sign a release, so that others can see who made it.",
    discussion: """
      Writes two files into the release folder: SHA256SUMS.asc, which signs the list of all files, and \
      NAME-VERSION.tar.sign, which signs the uncompressed tar, as kernel.org does it. For a tarball alone, it writes \
      the second file beside it. The release is checked first, and its files do not change. Existing signatures stay, \
      and the exit status is 5; --replace replaces them.

        lrelease sign releases/ceph-6.12.117 --key release@example.org
        lrelease verify releases/ceph-6.12.117 --keyring example.gpg

      gpg signs, with a key in its own keyring. Its agent asks for the passphrase: on the terminal, or as you have \
      set it up. lrelease never sees the key or the passphrase, and takes neither as an argument or from the \
      environment.

      A signature inside an .rpm changes that file, so it can only be made with the release: see 'lrelease cut \
      --sign'.
      """)

  @Argument(help: "A release folder, or a tarball.", completion: .file())
  var release: String

  @Option(
    help: ArgumentHelp(
      "The key, as gpg finds it: a fingerprint, a key ID or an address. With ! at the end, exactly that subkey.",
      valueName: "id"))
  var key: String

  @Flag(help: "Replace existing signatures.")
  var replace = false

  @OptionGroup var console: ConsoleOptions

  func run() async throws {
    try await Console.run(console) { console in
      let key = try await SigningKey(key)
      let opened = try await Release(opening: FilePath(release), progress: console.progress)
      let unsigned = try opened.artifacts.filter { [.rpm, .srpm].contains($0.kind) }.map(\.name)
        .filter { try !RPMSigning.isSigned(opened.path.appending($0)) }
      let report = try await ReleaseSigning(key, progress: console.progress)
        .sign(opened, replacing: replace, notSigned: unsigned)
      try console.output(report) {
        console.print("\(console.bold(report.release)) signed by \(report.signedBy)")
        for signature in report.signatures { console.print("  \(signature)") }
        if !report.notSigned.isEmpty {
          console.print("not signed: \(report.notSigned.joined(separator: ", ")); 'lrelease cut --sign' signs them too")
        }
      }
    }
  }
}
