// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage
import Testing

@testable import Packagers

@Suite struct DebPackageTests {
  static func sample(_ codec: Codec = .xz) -> DebPackage {
    DebPackage(
      name: "sample-dkms", version: "7.4~rc2-1",
      fields: [
        ("Section", "kernel"), ("Priority", "optional"), ("Maintainer", "Zoë Müller <zoe@example.org>"),
        ("Depends", "dkms (>= 3.0.10), gcc, make"), ("Recommends", "linux-headers-amd64 | linux-headers"),
        ("Description", "sample file system\nModules as source.\n\nBuilt by DKMS."),
      ],
      conffiles: ["etc/sample.conf"], maintainerScripts: ["postinst": Array("#!/bin/sh\nset -e\n".utf8)],
      files: [
        PackageFile(path: "etc/sample.conf", content: .file(Array("a=1\n".utf8))),
        PackageFile(path: "usr/src/sample-7.3.999.2/Grüße-日本.c", content: .file(Array("int x;\n".utf8))),
        PackageFile(path: "usr/src/sample-7.3.999.2/configure", content: .file(Array("#!/bin/sh\n".utf8)), mode: 0o755),
        PackageFile(path: "usr/src/sample-7.3.999.2/empty", content: .file([])),
        PackageFile(path: "usr/src/sample-7.3.999.2/link", content: .link("configure")),
        PackageFile(
          path: "usr/src/sample-7.3.999.2/" + String(repeating: "long/", count: 40) + "name",
          content: .file([UInt8](repeating: 7, count: 5000))),
      ], codec: codec, sourceDate: 1_700_000_000)
  }

  @Test(arguments: Codec.allCases) func dpkgReadsIt(codec: Codec) async throws {
    try await withScratch { scratch in
      let package = Self.sample(codec)
      let path = scratch.appending(package.fileName)
      try await package.write(to: path)
      #expect(package.fileName == "sample-dkms_7.4~rc2-1_all.deb")
      func dpkg(_ arguments: String...) async throws -> String {
        try await Command("dpkg-deb", arguments).check(doing: "running dpkg-deb").text
      }
      let info = try await dpkg("-f", path.string)
      #expect(info.contains("Maintainer: Zoë Müller <zoe@example.org>\nInstalled-Size: "))
      #expect(info.contains("Description: sample file system\n Modules as source.\n .\n Built by DKMS.\n"))
      #expect(try await dpkg("-I", path.string, "conffiles") == "/etc/sample.conf\n")
      #expect(try await dpkg("-I", path.string, "postinst") == "#!/bin/sh\nset -e\n")
      #expect(try await !dpkg("-I", path.string, "md5sums").contains("etc/"))
      let list = try await dpkg("-c", path.string)
      #expect(list.contains("drwxr-xr-x root/root         0 2023-11-14 22:13 ./usr/src/\n"))
      #expect(list.contains("-rwxr-xr-x root/root        10 2023-11-14 22:13 ./usr/src/sample-7.3.999.2/configure\n"))
      #expect(list.contains("lrwxrwxrwx"))

      let target = scratch.appending("target")
      _ = try await dpkg("-x", path.string, target.string)
      for file in package.files where !file.isLink {
        #expect(try Files.read(target.appending(bytes: Array(file.path.utf8))) == file.content.readFile())
      }
      let control = scratch.appending("control")
      _ = try await dpkg("-e", path.string, control.string)
      _ = try await Command("md5sum", ["--strict", "-c", "\(control)/md5sums"], directory: target)
        .check(doing: "checking md5sums")
      let again = scratch.appending("again.deb")
      try await package.write(to: again)
      #expect(try Files.read(again) == Files.read(path))
    }
  }

  @Test func refusalsAreOneClearLine() async {
    func refusal(_ change: (inout DebPackage) -> Void) async -> String {
      var package = Self.sample()
      change(&package)
      let changed = package
      let error = await #expect(throws: ReleaseError.self) {
        try await withScratch { try await changed.write(to: $0.appending("refused.deb")) }
      }
      #expect(error?.code == .input)
      let line = error?.description ?? ""
      #expect(!line.contains("\n"))
      return line
    }
    #expect(await refusal { $0.version = "2.15.0_5_gabc" }.contains("invalid character in version number"))
    #expect(await refusal { $0.name = "Sample dkms" }.contains("'Package' field"))
    #expect(await refusal { $0.fields.append(("Conflicts", "lustre (")) }.contains("'Conflicts' field"))
    #expect(await refusal { $0.fields.append(("Section", "net")) }.contains("'Section'"))
    #expect(await refusal { $0.fields.removeAll { $0.name == "Maintainer" } }.contains("'Maintainer'"))
    #expect(await refusal { $0.fields.append(("A b", "x")) }.contains("'A b' cannot be the name of a field"))
    #expect(await refusal { $0.conffiles = ["etc/none"] }.contains("etc/none"))
    #expect(await refusal { $0.maintainerScripts["postint"] = [] }.contains("postint"))
    #expect(await refusal { $0.files[0].path = "../etc/x" }.contains("../etc/x"))
    #expect(await refusal { $0.files[0].path = "usr/src" }.contains("is a file and a folder"))
    #expect(await refusal { $0.files.append($0.files[0]) }.contains("is there twice"))
  }
}
