// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// Which packages of modules rpm lets on one machine: packages with the relations that rpmspec reads, and nothing in them.
@Suite struct ReadyBuiltRelationTests {
  /// The packages of one build, and of Lustre 2, as files by what they are called here.
  private struct Stubs {
    let workshop: Workshop
    private(set) var paths: [String: String] = [:]

    /// - Parameter lines: relations as ``SpecReading/packages(_:name:with:)`` gives them.
    mutating func add(_ name: String, _ version: String, _ lines: [String], called label: String) async throws {
      let parts = version.split(separator: "-")
      let words = ["provides": "Provides", "conflicts": "Conflicts", "obsoletes": "Obsoletes", "requires": "Requires"]
      let relations = lines.compactMap { line -> String? in
        let word = String(line.prefix { $0 != " " })
        let rest = line.dropFirst(word.count + 1)
        guard let tag = words[word] else { return nil }
        guard word == "requires" else { return "\(tag): \(rest)" }
        // Of what packages of modules require, only one another.
        let required = rest.split(separator: " ", maxSplits: 1)[1]
        let isOurs =
          required.hasPrefix("kmod-lustre") || required.contains("-kmp-") || required.hasPrefix("lustre-modules")
        return isOurs ? "\(tag): \(required)" : nil
      }
      let architecture = name.hasSuffix("-dkms") ? "noarch" : "x86_64"
      try workshop.write(
        "\(label).spec",
        """
        Name: \(name)
        Version: \(parts[0])
        Release: \(parts[1])
        Summary: stands for it
        License: GPL-2.0-only
        \(architecture == "noarch" ? "BuildArch: noarch" : "")
        \(relations.joined(separator: "\n"))
        %description
        Stands for it.
        %files
        """)
      try await workshop.shell(
        "rpmbuild -bb --quiet --target x86_64 --define \"_topdir $PWD/\(label)\" --undefine dist \(label).spec")
      paths[label] = "\(workshop.folder)/\(label)/RPMS/\(architecture)/\(name)-\(version).\(architecture).rpm"
    }

    /// Those of a build, `server:` before the names of a server's.
    mutating func add(_ choice: ModulesChoice, _ reading: SpecReading) async throws {
      let spec = try await ReadyBuiltSpecs.text("lustre")
      let packages = try await reading.packages(spec, name: "lustre", with: choice.with)
      let names = packages.keys.filter {
        $0.hasPrefix("kmod-") || $0.contains("-kmp")
          || (!choice.isServer && ["lustre-client-dkms", "lustre-devel"].contains($0))
      }
      for name in names.sorted() {
        let lines = packages[name] ?? []
        let version = try #require(lines.first { $0.hasPrefix("is ") }).dropFirst(3)
        try await add(name, String(version), lines, called: (choice.isServer ? "server:" : "") + name)
      }
    }

    func rpm(_ arguments: [String], _ labels: [String]) async throws -> Command.Outcome {
      let files = try labels.map { try #require(paths[$0], "\($0)") }
      return try await Command("rpm", ["--dbpath", "\(workshop.folder)/db"] + arguments + files).run(
        doing: "running rpm")
    }
  }

  /// Installs nothing: rpm only says whether it would.
  private func expect(_ labels: [String], _ stubs: Stubs, _ refusal: String? = nil) async throws {
    let tried = try await stubs.rpm(["-i", "--test"], labels)
    guard let refusal else {
      #expect(tried.succeeded, "\(labels): \(tried.errors)")
      return
    }
    #expect(!tried.succeeded && tried.errors.contains(refusal), "\(labels): \(tried.errors)")
  }

  @Test(arguments: [SpecReading.enterpriseLinux[1], SpecReading.suse[1]])
  func oneOfEachKind(reading: SpecReading) async throws {
    try await Workshop.use { workshop in
      var stubs = Stubs(workshop: workshop)
      try await stubs.add(.both, reading)
      try await stubs.add(.everything, reading)
      func name(_ package: String) -> String { reading.isSUSE ? "\(package)-kmp-default" : "kmod-\(package)" }
      func devel(_ name: String) -> String { reading.isSUSE ? "\(name)-kmp-devel" : "kmod-\(name)-devel" }
      let client = name("lustre-client")
      let ownRDMA = name("lustre-client-lnet-in-kernel-o2iblnd")
      let foreign = name("lustre-client-lnet-o2iblnd")
      let server = "server:\(name("lustre"))"
      let serverRDMA = "server:\(name("lustre-lnet-in-kernel-o2iblnd"))"
      let memory = "server:\(name("lustre-osd-wbcfs"))"

      try await expect([client, devel("lustre-client"), "lustre-devel"], stubs)
      try await expect([client, ownRDMA], stubs)
      try await expect([client, foreign], stubs)
      try await expect([client, ownRDMA, foreign], stubs, "conflicts with")
      try await expect([ownRDMA], stubs, "is needed by")
      try await expect(
        [server, serverRDMA, "server:\(name("lustre-lnet-kfilnd"))", memory, "server:\(devel("lustre"))"], stubs)
      try await expect([server, serverRDMA, "server:\(name("lustre-lnet-o2iblnd"))"], stubs, "conflicts with")
      try await expect([memory], stubs, "is needed by")
      try await expect([client, server], stubs, "conflicts with")
      try await expect([server, ownRDMA], stubs, "is needed by")
      try await expect([devel("lustre-client"), "server:\(devel("lustre"))"], stubs, "conflicts with")
      // The package for dkms provides kmod-lustre-client, and has all drivers itself.
      try await expect(["lustre-client-dkms"], stubs)
      try await expect([client, "lustre-client-dkms"], stubs, "conflicts with")
      try await expect([server, "lustre-client-dkms"], stubs, "conflicts with")
      try await expect([ownRDMA, "lustre-client-dkms"], stubs, "is needed by")
    }
  }

  /// SUSE keeps packages of modules for each kernel that it keeps.
  @Test func thoseOfAnOlderKernelStay() async throws {
    let reading = SpecReading.suse[1]
    try await Workshop.use { workshop in
      var stubs = Stubs(workshop: workshop)
      try await stubs.add(.server, reading)
      let now = stubs.paths.keys.filter { $0.contains("-kmp-default") }.sorted()
      let packages = try await reading.packages(
        ReadyBuiltSpecs.text("lustre").replacing("6.12.1", with: "6.11.9"), name: "lustre",
        with: ModulesChoice.server.with)
      for label in now {
        let name = String(label.dropFirst("server:".count))
        let lines = try #require(packages[name])
        let version = try #require(lines.first { $0.hasPrefix("is 6.11.9") }).dropFirst(3)
        try await stubs.add(name, String(version), lines, called: "older:\(name)")
      }
      #expect(now.count == 3)
      let older = try await stubs.rpm(["-i", "--justdb"], now.map { $0.replacing("server:", with: "older:") })
      #expect(older.succeeded, "\(older.errors)")
      let both = try await stubs.rpm(["-i", "--justdb"], now)
      #expect(both.succeeded, "\(both.errors)")
    }
  }

  /// Ours take the place of those of the same kind, and leave others alone.
  @Test func thoseOfLustre2() async throws {
    let reading = SpecReading.enterpriseLinux[1]
    try await Workshop.use { workshop in
      var stubs = Stubs(workshop: workshop)
      try await stubs.add(.client, reading)
      try await stubs.add(.server, reading)
      for (name, lines) in [
        ("kmod-lustre-client", []), ("kmod-lustre-client-devel", []), ("kmod-lustre", []),
        ("kmod-lustre-client-lnet-socklnd", ["provides lustre-client-lnet-socklnd = 2.17.0"]),
        ("kmod-lustre-client-lnet-o2iblnd", ["provides lustre-client-lnet-o2iblnd = 2.17.0"]),
        (
          "kmod-lustre-client-lnet-in-kernel-o2iblnd",
          [
            "provides lustre-client-lnet-in-kernel-o2iblnd = 2.17.0", "provides lustre-client-lnet-o2iblnd = 2.17.0",
          ]
        ), ("kmod-lustre-osd-ldiskfs", []), ("kmod-lustre-osd-wbcfs", ["provides lustre-osd-wbcfs = 2.17.0"]),
      ] {
        try await stubs.add(name, "2.17.0-1", lines, called: "old:\(name)")
      }
      let main = "kmod-lustre-client"
      let driver = "kmod-lustre-client-lnet-in-kernel-o2iblnd"
      // A driver of the one with modules of the other.
      try await expect([main, "old:kmod-lustre-client-lnet-o2iblnd"], stubs, "conflicts with")
      try await expect(["server:kmod-lustre", "old:kmod-lustre-client-lnet-socklnd"], stubs, "conflicts with")
      try await expect(["server:kmod-lustre", "old:kmod-lustre-osd-wbcfs"], stubs, "conflicts with")
      try await expect(["server:kmod-lustre", "old:kmod-lustre-osd-ldiskfs"], stubs, "conflicts with")
      try await expect(["old:\(main)", driver], stubs, "is needed by")

      // An upgrade, to all of ours.
      let old = [main, driver, "kmod-lustre-client-lnet-socklnd", "kmod-lustre-client-devel"].map { "old:\($0)" }
      let ours = [main, driver, "kmod-lustre-client-devel", "lustre-devel"]
      #expect(try await stubs.rpm(["-i", "--justdb"], old).succeeded)
      let alone = try await stubs.rpm(["-U", "--test"], [main])
      #expect(!alone.succeeded && alone.errors.contains("conflicts with"), "\(alone.errors)")
      let upgraded = try await stubs.rpm(["-U", "--justdb"], ours)
      #expect(upgraded.succeeded, "\(upgraded.errors)")
      let installed = try await stubs.rpm(["-qa", "--qf", "%{NAME} %{VERSION}\\n"], []).text
      #expect(installed.split(separator: "\n").sorted() == ours.map { "\($0) 6.12.1" }.sorted().map { Substring($0) })

      // lustre-devel takes the place of headers of Lustre 2, and leaves those of an earlier build of ours.
      #expect(try await stubs.rpm(["-e", "--justdb"] + ours, []).succeeded)
      try await stubs.add("kmod-lustre-client-devel", "6.12.0-1", [], called: "earlier")
      for (label, remains) in [("old:kmod-lustre-client-devel", false), ("earlier", true)] {
        #expect(try await stubs.rpm(["-i", "--justdb"], [label]).succeeded)
        #expect(try await stubs.rpm(["-U", "--justdb"], ["lustre-devel"]).succeeded)
        #expect(try await stubs.rpm(["-q", "kmod-lustre-client-devel"], []).succeeded == remains)
        #expect(try await stubs.rpm(["-e", "--justdb", "lustre-devel"], []).succeeded)
      }
    }
  }
}
