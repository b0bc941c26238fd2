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
      Writes SHA256SUMS.asc, which signs the list of all files, and NAME-VERSION.tar.sign, which signs the uncompressed \
      tar as kernel.org has it, beside the files of the release folder; of a tarball alone, the second beside it. The \
      release is checked first, and its files do not change. Signatures that are there stay, with exit status 5, unless \
      --replace is given.

        lrelease sign releases/ceph-6.12.117 --key release@example.org
        lrelease verify releases/ceph-6.12.117 --keyring example.gpg

      gpg signs, with the key in its own keyring. Its agent asks for the passphrase: on the terminal, or as you have set \
      it up. lrelease sees neither key nor passphrase, and takes neither as an argument or from the environment.

      Signing an .rpm changes it, so that it must be signed before the release is made: see 'lrelease cut --sign'.
      """)

  @Argument(help: "A release folder, or a tarball.", completion: .file())
  var release: String

  @Option(
    help: ArgumentHelp(
      "The key, as gpg finds it: a fingerprint, a key ID or an address. With ! after it, a subkey.", valueName: "id"))
  var key: String

  @Flag(help: "Replace signatures that are there.")
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
