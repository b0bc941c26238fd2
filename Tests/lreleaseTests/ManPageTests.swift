// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// The man pages say what the program says of itself. 'make man-lint' has mandoc and groff judge them.
@Suite struct ManPageTests {
  @Test func pagesSayWhatTheProgramSays() async throws {
    try await Workshop.use { workshop in
      _ = try await Command(
        Workshop.root.pushing("packaging/man-pages").string, [Workshop.lrelease, "2026-11-27", "man"],
        environment: workshop.environment, directory: workshop.folder
      ).check(doing: "writing the man pages")
      let folder = workshop.folder.appending("man")
      let names = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
      #expect(names.contains("lrelease.1") && names.contains("lrelease-export-page.1") && names.count > 20)
      #expect(!names.contains { $0.contains("qualify-case") || $0.contains("help") }, "\(names)")
      var pages: [String: String] = [:]
      for name in names {
        let text = String(decoding: try Files.read(folder.appending(name)), as: UTF8.self)
        pages[name] = text
        #expect(text.contains(".Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\ndone\n"), "\(name)")
        // A line of text that roff took for a request would be lost.
        for line in text.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
          #expect(
            line.wholeMatch(of: /\.(Dd|Dt|Os|Sh|Nm|Nd|Op|Ar|Pp|Bd|Ed|Bl|It|El|Xr|Fl)( .*)?/) != nil, "\(name): \(line)")
        }
        #expect(text.utf8.allSatisfy { $0 < 0x80 }, "\(name)")
      }
      let cut = try #require(pages["lrelease-cut.1"])
      #expect(cut.contains("One of xz, zst and gz.\nThe default is xz."), "\(cut)")
      #expect(cut.contains("\n.It 5\n") && !cut.contains("\n.It 6\n"))
      let main = try #require(pages["lrelease.1"])
      #expect(main.contains(".It Xr lrelease-cut 1\nMake a release") && main.contains("\n.It 64\n"))
      #expect(main.contains("\n.Sh ENVIRONMENT\nXDG"))
      // A sentence may begin with a quote.
      let diff = try #require(pages["lrelease-diff.1"])
      #expect(diff.contains("'+' means only in the second one"))
    }
  }
}
