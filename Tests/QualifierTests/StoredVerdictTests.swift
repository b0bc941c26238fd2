// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import SystemPackage
import TestSupport
import Testing
import Verdicts

/// The verdicts that are published in docs/verdicts are read by every later lrelease, and written as they are.
@Suite struct StoredVerdictTests {
  static var all: [FilePath] {
    get throws {
      let folder = Workshop.root.appending("docs/verdicts")
      return try Files.names(in: folder).flatMap { name in
        let verdicts = folder.appending(bytes: name).appending("verdicts")
        return try Files.names(in: verdicts).map { verdicts.appending(bytes: $0) }
      }
    }
  }

  @Test func aVerdictIsWrittenAsItWasRead() throws {
    let paths = try Self.all
    #expect(paths.count >= 20)
    for path in paths {
      let bytes = try Files.read(path)
      let verdict = try JSON.decode(Verdict.self, from: bytes)
      let made = try JSON.encode(verdict)
      #expect(String(decoding: made, as: UTF8.self) == String(decoding: bytes, as: UTF8.self), "\(path)")
      #expect(try JSON.decode(Verdict.self, from: made) == verdict, "\(path)")
    }
  }
}
