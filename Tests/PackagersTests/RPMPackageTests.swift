// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import Releases
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

@Suite struct RPMPackageTests {
  static func sample(spec change: (String) -> String = { $0 }) -> RPMPackage {
    let spec = """
      Name: sample-dkms
      Version: 7.4~rc2
      Release: 1
      Summary: Sample file system — Grüße
      License: GPL-2.0-only
      BuildArch: noarch
      Source0: sample-7.4~rc2.tar.xz
      Requires: dkms >= 3.0.11, gcc, make
      Provides: sample-source

      %description
      Modules as source.

      %files
      %config(noreplace) /etc/sample.conf
      /usr/src/sample-7.3.999.2

      """
    return RPMPackage(
      spec: change(spec), files: DebPackageTests.sample().files, sourceDate: 1_700_000_000,
      worker: RPMWorker(program: FilePath(Workshop.lrelease)))
  }

  @Test func rpmReadsIt() async throws {
    try await withScratch { scratch in
      let package = Self.sample()
      let path = scratch.appending("sample.rpm")
      try await package.write(to: path, name: "sample-dkms")
      func rpm(_ arguments: String...) async throws -> String {
        try await Command("rpm", ["--dbpath", "\(scratch)/db"] + arguments + [path.string])
          .check(doing: "running rpm").text
      }
      #expect(try await rpm("-qp", "--requires").contains("dkms >= 3.0.11\n"))
      let info = try await rpm("-qp", "--qf", "%{NEVRA} %{BUILDTIME} %{BUILDHOST} %{PAYLOADCOMPRESSOR}")
      #expect(info == "sample-dkms-7.4~rc2-1.noarch 1700000000 reproducible zstd")
      #expect(try await rpm("-Kv").contains("Payload SHA256 digest: OK"))
      #expect(try await rpm("-qpc") == "/etc/sample.conf\n")
      let list = try await rpm("-qlp")
      for file in package.files { #expect(list.contains("/\(file.path)\n")) }
      let owners = try await rpm("-qp", "--qf", "[%{FILEUSERNAME} %{FILEGROUPNAME} %{FILEMTIMES}\n]")
      #expect(Set(owners.split(separator: "\n")) == ["root root 1700000000"])

      let target = scratch.appending("target")
      try Files.makeFolder(target)
      _ = try await Command(
        "bash", ["-c", "set -o pipefail; rpm2cpio \"$0\" | cpio -id --quiet", path.string],
        directory: target
      ).check(doing: "unpacking")
      for file in package.files where !file.isLink {
        #expect(try Files.read(target.appending(bytes: Array(file.path.utf8))) == file.content.readFile())
      }
      var status = stat()
      #expect(stat("\(target)/usr/src/sample-7.3.999.2/link", &status) == 0 && status.st_mode & 0o777 == 0o755)

      let header = try RPMPackage.header(of: path)
      #expect(header.hasPrefix("Name: sample-dkms\nVersion: 7.4~rc2\nRelease: 1\nArchitecture: noarch\n"))
      #expect(header.contains("Summary: Sample file system — Grüße\nRequires: "))
      #expect(header.contains("\nProvides: sample-source\n"))
    }
  }

  /// Programs and modules without ldiskfs and ZFS never come to a server of Lustre 2 that needs them, by an upgrade neither.
  @Test(
    arguments: [
      ("lustre-osd-ldiskfs-mount", ""), ("lustre-osd-zfs-mount", ""), ("kmod-lustre-osd-ldiskfs", ""),
      ("kmod-lustre-osd-zfs", ""), ("lustre-osd-ldiskfs-kmp-default", "lustre-osd-ldiskfs-kmp = 2.15.8"),
      ("lustre-osd-zfs-kmp-default", "lustre-osd-zfs-kmp = 2.15.8"),
      ("lustre-all-dkms", "lustre-osd-ldiskfs = 2.15.8"), ("lustre-zfs-dkms", "lustre-osd-zfs = 2.15.8"),
    ], ["lustre", "kmod-lustre"])
  func aServerWithAnotherBackEndStaysAsItIs(_ backEnd: (name: String, provides: String), _ package: String) async throws
  {
    let (name, provides) = backEnd
    let packages = try await SpecReading.enterpriseLinux[1].packages(
      ReadyBuiltSpecs.text("lustre"), name: "lustre", with: ModulesChoice.server.with)
    let relations = try #require(packages[package]).compactMap { line -> String? in
      for (word, tag) in ["conflicts ": "Conflicts: ", "obsoletes ": "Obsoletes: "] where line.hasPrefix(word) {
        return tag + line.dropFirst(word.count)
      }
      return nil
    }
    try await withScratch { scratch in
      #expect(relations.count > 8)
      func make(_ name: String, _ version: String, _ relations: String) async throws -> String {
        let spec = """
          Name: \(name)
          Version: \(version)
          Release: 1
          Summary: stands for it
          License: GPL-2.0-only
          BuildArch: noarch
          \(relations)

          %description
          Stands for it.

          %files
          /usr/share/doc/\(name)
          """
        let path = scratch.appending("\(name)-\(version).rpm")
        let file = PackageFile(path: "usr/share/doc/\(name)", content: .file(Array("x\n".utf8)))
        try await RPMPackage(
          spec: spec, files: [file], sourceDate: 1_700_000_000,
          worker: RPMWorker(program: FilePath(Workshop.lrelease))
        ).write(to: path, name: name)
        return path.string
      }
      func rpm(_ arguments: [String]) async throws -> Command.Outcome {
        try await Command("rpm", ["--dbpath", "\(scratch)/db"] + arguments).run(doing: "running rpm")
      }
      let client = try await make(package, "2.15.8", "")
      let server = try await make(name, "2.15.8", provides.isEmpty ? "" : "Provides: \(provides)")
      let ours = try await make(package, "6.12.1", relations.joined(separator: "\n"))
      let old = try await rpm(["-i", "--justdb", client, server])
      #expect(old.succeeded, "\(old.errors)")
      let upgrade = try await rpm(["-U", "--justdb", ours])
      #expect(!upgrade.succeeded && upgrade.errors.contains("conflicts with"), "\(upgrade.errors)")
      #expect(try await rpm(["-q", package]).text == "\(package)-2.15.8-1.noarch\n")
      #expect(try await rpm(["-e", "--justdb", name]).succeeded)
      let after = try await rpm(["-U", "--justdb", ours])
      #expect(after.succeeded, "\(after.errors)")
    }
  }

  @Test func twoWritesGiveTheSameBytes() async throws {
    func made() async throws -> [String: [UInt8]] {
      try await Self.sample().build(name: "sample-dkms") { files in
        Dictionary(uniqueKeysWithValues: try files.map { ($0.lastComponent?.string ?? "", try Files.read($0)) })
      }
    }
    let first = try await made()
    try await Task.sleep(for: .milliseconds(1100))
    #expect(first.keys.sorted() == ["sample-dkms-7.4~rc2-1.noarch.rpm"])
    #expect(try await first == made())
  }

  @Test(arguments: [
    ("Version: 7.4~rc2", "Version: 7.4-rc2", "Illegal char '-'"),
    ("License: GPL-2.0-only", "", "License field must be present"),
    ("Requires: dkms >= 3.0.11, gcc, make", "Requires: dkms >=", "Version required"),
    ("/etc/sample.conf", "/etc/none.conf", "File not found: /etc/none.conf"),
    ("%config(noreplace) /etc/sample.conf", "", "/etc/sample.conf"),
    ("%files\n", "%if 1\n%files\n", "%if"),
  ])
  func refusalsAreOneClearLine(old: String, new: String, words: String) async throws {
    let error = await #expect(throws: ReleaseError.self) {
      try await Self.sample { $0.replacing(old, with: new) }.build(
        name: "sample-dkms", { _ in })
    }
    #expect(error?.code == .input)
    let line = error?.description ?? ""
    #expect(line.contains(words) && !line.contains("\n"), "\(line)")
  }

  @Test func noPackageIsRefused() async throws {
    try await withScratch { scratch in
      let path = scratch.appending("x.rpm")
      try Files.write(Array("no package".utf8), to: path)
      let error = #expect(throws: ReleaseError.self) { try RPMPackage.header(of: path) }
      #expect(error?.code == .source)
    }
  }
}
