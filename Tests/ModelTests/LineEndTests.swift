// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import Testing

/// Texts with CRLF as line ends say what the same texts with LF say.
struct LineEndTests {
  @Test func theReleaseOfAKernelIsReadFromAMakefileWithCRLF() {
    let makefile = "# SPDX\nVERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 2\nEXTRAVERSION = -rc3\nNAME = x\n"
    for text in [makefile, makefile.replacing("\n", with: "\r\n"), makefile.replacing("7\n", with: "7\r\n")] {
      #expect(KernelRelease(makefile: Array(text.utf8))?.text == "7.4.2-rc3")
    }
  }

  @Test func aTemplateKeepsItsLineEnds() throws {
    func render(_ text: String, _ values: [String: String]) throws -> String {
      try Template(file: "t", bytes: Array(text.utf8)).render(values)
    }
    let values = ["A": "x", "EMPTY": ""]
    #expect(try render("1 @A@\r\n@EMPTY@\r\n2\r\n", values) == "1 x\r\n2\r\n")
    #expect(try render("1 @A@\n@EMPTY@\n2\n@A@\r\n", values) == "1 x\n2\nx\r\n")
    let wrong = #expect(throws: ReleaseError.self) { try render("1\r\n2\r\n  @B@\r\n", values) }
    #expect(wrong?.location == SourceLocation(file: "t", line: 3, column: 3))
  }

  /// Each message about a line of a manifest with CRLF names the right one.
  @Test func aManifestWithCRLFIsRead() throws {
    let manifest = """
      name = "demo"
      version = "1.0"
      summary = "demo"
      license = "GPL-2.0-only"
      homepage = "https://example.org/"
      maintainer = "A Person <a@example.org>"
      description = \"\"\"
      one
      two\"\"\"
      [sources.up]
      folder = "up"
      [[tree]]
      from = "up:"

      """
    func read(_ text: String) throws -> Manifest {
      try Manifest(parsing: Array(text.utf8), file: "m") { _ in [] }
    }
    let crlf = manifest.replacing("\n", with: "\r\n")
    #expect(Array(try read(crlf).description.utf8) == Array("one\ntwo".utf8))
    #expect(try read(crlf).rules.map(\.location.line) == read(manifest).rules.map(\.location.line))
    #expect(throws: (any Error).self) { try read(manifest.replacing("A Person", with: #"A\r\nPerson"#)) }
  }
}
