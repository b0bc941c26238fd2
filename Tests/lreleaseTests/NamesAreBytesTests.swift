// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// Two names that look the same are two files, from the source to the packages.
@Suite struct NamesAreBytesTests {
  private static let names = ["de\u{301}/x.h", "d\u{e9}/x.h", "e\u{301}.h", "\u{e9}.h"]

  private func lines(_ program: String, _ arguments: [String]) async throws -> [[UInt8]] {
    try await Command(program, arguments).check(doing: "running \(program)").output.split(separator: 0x0a).map {
      Array($0)
    }
  }

  @Test func bothNamesAreInEveryOutput() async throws {
    try await Workshop.use { workshop in
      let linux = workshop.folder.appending("linux")
      _ = try await Command("cp", ["-rL", Workshop.root.appending("Examples/sample/linux").string, linux.string])
        .check(doing: "copying the sample")
      for name in Self.names {
        let path = linux.appending("fs/sample").pushing(FilePath(name))
        try Files.makeFolder(path.removingLastComponent())
        try Files.write(Array("// \(name.utf8.count)\n".utf8), to: path)
      }
      let manifest = Workshop.root.appending("manifests/sample.toml").string
      let cut = try await workshop.run(workshop.cutArguments(manifest, ["--source", "linux=\(linux)"]))
      #expect(cut.succeeded, "\(cut.errors)")
      let folder = workshop.output.appending("sample-7.2.1")
      func file(_ name: String) -> String { folder.appending(name).string }
      // Neither tar nor rpm quotes what it prints here.
      let tar = try await lines("tar", ["--quoting-style=literal", "-tf", file("sample-7.2.1.tar.xz")])
      let deb = try await lines("dpkg-deb", ["-c", file("sample-dkms_7.2.1-1_all.deb")])
      let rpm = try await lines("rpm", ["-qlp", file("sample-dkms-7.2.1-1.noarch.rpm")])
      for name in Self.names {
        #expect(tar.contains(Array("sample-7.2.1/sample/\(name)".utf8)), "\(name)")
        #expect(deb.contains { $0.suffix(name.utf8.count + 7) == Array("sample/\(name)".utf8)[...] }, "\(name)")
        #expect(rpm.contains(Array("/usr/src/sample-7.2.1/sample/\(name)".utf8)), "\(name)")
      }
      let show = try await workshop.run(["show", file("sample-7.2.1.tar.xz")])
      for name in Self.names {
        #expect(show.output.firstRange(of: Array("linux:fs/sample/\(name)".utf8)) != nil, "\(name)")
      }
      let verify = try await workshop.run(["verify", folder.string])
      #expect(verify.succeeded, "\(verify.errors)")

      // One of the two is changed: it is told from the other.
      let first = linux.appending("fs/sample").pushing(FilePath(Self.names[3]))
      try Files.replace(first, with: Array("// changed\n".utf8))
      let again = try await workshop.run([
        "cut", "--quiet", manifest, "--source", "linux=\(linux)", "--respin", "1", "--output",
        workshop.output.string, "--cache", workshop.cache.string,
      ])
      #expect(again.succeeded, "\(again.errors)")
      let diff = try await workshop.run(["diff", folder.string, workshop.output.appending("sample-7.2.1+r1").string])
      #expect(diff.output.firstRange(of: Array("sample/\(Self.names[3])".utf8)) != nil)
      #expect(diff.output.firstRange(of: Array("sample/\(Self.names[2])".utf8)) == nil)
    }
  }
}
