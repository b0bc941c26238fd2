// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage
import Testing

@Suite struct FilesTests {
  @Test func aMissingProgramIsNamedWithItsPackage() async throws {
    let error = await #expect(throws: ReleaseError.self) {
      _ = try await Command("no-such-program-here", []).run(doing: "testing")
    }
    #expect(error?.code == .missingTool)
    #expect(error?.description.contains("no-such-program-here is not installed") == true)
  }

  @Test func aChildGetsOnlyItsOwnEnvironment() async throws {
    let outcome = try await Command("env", [], environment: ["PATH": "/usr/bin:/bin", "A": "1"]).run(doing: "testing")
    #expect(outcome.text.split(separator: "\n").sorted() == ["A=1", "PATH=/usr/bin:/bin"])
  }

  /// The first line that calls itself an error, without the advice behind it; else the last.
  @Test(arguments: [
    ("one\ntwo\n", "two"),
    (
      "Cloning\nfatal: Unable to create 'x.lock': File exists.\n\nremove the file manually to continue.\n",
      "fatal: Unable to create 'x.lock': File exists."
    ),
    ("warning: a\nerror: line 5: no such macro\nerror: bad spec\n", "error: line 5: no such macro"),
    ("E: Unable to locate package x\nnote\n", "E: Unable to locate package x"), ("", "it ended with status 3"),
  ])
  func theComplaint(text: String, line: String) async throws {
    let outcome = try await Command("sh", ["-c", "printf %s \"$1\" >&2; exit 3", "sh", text]).run(doing: "testing")
    #expect(!outcome.succeeded)
    #expect(outcome.complaint == line)
  }

  @Test func anErrorIsOneLine() {
    let error = ReleaseError(.source, doing: "reading a\nb", reason: "it\u{1b}[2J broke", advice: "mend it")
    #expect(error.description == "reading a\\nb: it\\u{1b}[2J broke; mend it")
  }

  /// What needs the command line's words is a value, and not in the text.
  @Test func anErrorSaysWhatItKnows() throws {
    let place = SourceLocation(file: "a.toml", line: 2, column: 3)
    let finding = ReleaseError(.input, at: place, doing: "", reason: "wrong", advice: "mend it")
    #expect(finding.description == "a.toml:2:3: error: wrong; mend it")
    let met = ReleaseError(.input, at: place, doing: "reading b", reason: "wrong", remedy: SystemRemedy.freeSpace)
    #expect(met.description == "a.toml:2:3: error: reading b: wrong")
    #expect(met.remedy is SystemRemedy)
    let told = met.told(of: "c")
    #expect(told.description == "c: a.toml:2:3: reading b: wrong" && told.remedy is SystemRemedy)
    #expect((told.cause as? ReleaseError)?.reason == "wrong")
    let full = ReleaseError(errno: ENOSPC, doing: "writing d")
    #expect(full.description == "writing d: No space left on device" && full.cause as? Errno == .noSpace)
  }

  @Test func aScratchFolderGoesWithAllThatIsInIt() async throws {
    let path = try await withScratch { folder in
      try Files.makeFolder(folder.appending("a").appending("b"))
      try Files.write([1, 2], to: folder.appending("a").appending("b").appending("c"), mode: 0o400)
      return folder
    }
    #expect(!Files.exists(path))
  }

  @Test func namesThatAreNotUTF8GoWithTheScratchFolder() async throws {
    let path = try await withScratch { folder in
      let script = "mkdir $(printf 'a\\377'); touch $(printf 'a\\377/b\\376'); chmod 0 $(printf 'a\\377')"
      _ = try await Command("sh", ["-ec", script], directory: folder).check(doing: "making names")
      #expect(try Files.names(in: folder) == [[0x61, 0xff]])
      return folder
    }
    #expect(!Files.exists(path))
  }

  @Test func theDigestOfAFileIsThatOfItsBytes() async throws {
    let bytes = [UInt8]("abc".utf8)
    #expect(SHA256Digest(of: bytes).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func theNearestNameIsFound() {
    #expect("kernal".nearest(in: ["kernel", "git"]) == "kernel")
    #expect("zebra".nearest(in: ["kernel", "git"]) == nil)
  }
}
