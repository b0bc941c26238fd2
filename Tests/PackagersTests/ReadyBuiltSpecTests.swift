// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// The specs with `--with modules`, as the rpm of each distribution reads them: by rpmspec and stand-ins for its macros.
/// Nothing is built, so that this proves what the packages would say, not that they come about.
@Suite struct ReadyBuiltSpecTests {
  private let licence = "GPL-2.0-only AND GPL-2.0-only WITH Linux-syscall-note"

  // MARK: the sample

  @Test(arguments: SpecReading.kmods)
  func kmod(reading: SpecReading) async throws {
    let packages = try await reading.packages(ReadyBuiltSpecs.text("sample"), name: "sample")
    #expect(packages.keys.sorted() == ["kmod-sample", "sample", "sample-devel", "sample-dkms"])
    #expect(
      packages["kmod-sample"]?.sorted()
        == ([
          "conflicts sample-dkms", "group System/Kernel", "is 7.2.1-1\(reading.dist)", "license \(licence)",
          "provides sample-modules = 7.2.1-1\(reading.dist)", "requires posttrans findutils", "requires posttrans kmod",
          "requires postun kmod", "requires preun findutils", "summary Kernel modules of the sample file system",
        ] + reading.requiredKernel).sorted())
    #expect(
      try await reading.files(ReadyBuiltSpecs.text("sample"), name: "sample", of: "kmod-sample") == [
        "%license LICENSES/GPL-2.0 LICENSES/Linux-syscall-note.txt", "/lib/modules/\(reading.kernel)/extra/sample",
      ])
  }

  @Test(arguments: SpecReading.suse)
  func kmp(reading: SpecReading) async throws {
    let packages = try await reading.packages(ReadyBuiltSpecs.text("sample"), name: "sample")
    let names = reading.flavors.map { "sample-kmp-\($0.name)" }
    #expect(packages.keys.sorted() == (["sample", "sample-devel", "sample-dkms"] + names).sorted())
    let folder = reading.name == "Tumbleweed" ? "/usr/lib/modules" : "/lib/modules"
    for flavor in reading.flavors {
      let version = "7.2.1_\(reading.version(flavor))"
      #expect(
        packages["sample-kmp-\(flavor.name)"]?.sorted() == [
          "conflicts sample-dkms", "enhances kernel-\(flavor.name)", "group System/Kernel", "is \(version)-1",
          "license \(licence)", "provides multiversion(kernel)", "provides sample-kmp = 7.2.1",
          "provides sample-kmp = \(version)", "provides sample-modules = 7.2.1-1",
          "requires post suse-kernel-rpm-scriptlets", "summary Kernel modules of the sample file system",
          "supplements (kernel-\(flavor.name) and sample)",
        ])
      #expect(
        try await reading.files(
          ReadyBuiltSpecs.text("sample"), name: "sample", of: "sample-kmp-\(flavor.name)") == [
            "%defattr(-, root, root)", "%doc LICENSES/GPL-2.0 LICENSES/Linux-syscall-note.txt",
            "\(folder)/\(flavor.version)-\(flavor.name)",
          ])
    }
  }

  @Test(arguments: SpecReading.all, ["sample", "lustre"])
  func whatABuildNeeds(reading: SpecReading, name: String) async throws {
    let read = try await reading.rpmspec(ReadyBuiltSpecs.text(name), name: name, ["-q", "--buildrequires"])
    #expect(read.succeeded && read.errors.isEmpty, "\(read.errors)")
    let plain = try await reading.rpmspec(ReadyBuiltSpecs.text(name), name: name, ["-q", "--buildrequires"], with: [])
    #expect(plain.succeeded && plain.errors.isEmpty, "\(plain.errors)")
    let devel = ["kernel-devel-uname-r = \(reading.kernel)", "pkgconfig(libelf)"]
    let expected =
      if reading.isSUSE { ["kernel-syms", "kmod-compat"] } else if reading.files.contains("macros.el") {
        devel + ["kernel-rpm-macros", "kmod"]
      } else { devel }
    let lines = Set(plain.text.split(separator: "\n").map(String.init))
    #expect(Set(read.text.split(separator: "\n").map(String.init)).subtracting(lines) == Set(expected))
  }

  // MARK: both

  /// A KMP has a version of its own. What follows it in the spec has that of the release.
  @Test(arguments: SpecReading.all, ["sample", "lustre"])
  func otherPackagesAreAsWithoutModules(reading: SpecReading, name: String) async throws {
    var with = try await reading.packages(ReadyBuiltSpecs.text(name), name: name)
    with = with.filter { !$0.key.hasPrefix("kmod-") && !$0.key.contains("-kmp-") }
    let without = try await reading.packages(ReadyBuiltSpecs.text(name), name: name, with: [])
    #expect(with == without)
    #expect(
      without["\(name == "sample" ? name : "lustre-client")-dkms"]?.contains { $0.hasPrefix("conflicts ") } == true)
  }

  /// What rpm runs of a spec, of which the distributions share most.
  @Test func scriptsAreShell() async throws {
    var judged: Set<String> = []
    for reading in SpecReading.all {
      let scripts = try await reading.scripts(ReadyBuiltSpecs.text("sample"), name: "sample")
      var expected: Set = ["%prep", "%install", "%check"]
      for section in ["%post", "%preun", "%posttrans"] { expected.insert("\(section) -n sample-dkms") }
      for section in ["%preun", "%postun", "%posttrans"] where !reading.isSUSE {
        expected.insert("\(section) -n kmod-sample")
      }
      for flavor in reading.flavors { expected.insert("%post -n sample-kmp-\(flavor.name)") }
      // rpmspec 4.18 prints %build behind %prep, without its head.
      #expect(Set(scripts.map(\.name)).subtracting(["%build"]) == expected, "\(reading)")
      for script in scripts where judged.insert(script.text).inserted {
        try await reading.judge(script)
      }
    }
    #expect(judged.count > 15)
  }

  /// Where SUSE's macros are not there yet, what brings them is what is missing, and no line of the spec is wrong.
  @Test(arguments: SpecReading.suse, ["sample", "lustre"])
  func withoutTheMacrosOfSUSE(reading: SpecReading, name: String) async throws {
    let read = try await reading.rpmspec(
      ReadyBuiltSpecs.text(name), name: name, ["-q", "--buildrequires"], without: ["macros.suse"])
    #expect(read.succeeded && read.errors.isEmpty, "\(read.errors)")
    #expect(read.text.split(separator: "\n").contains("kernel-syms"))
  }

  /// `rpmbuild -ta` has nothing but the tarball, and SUSE's macros read files that the spec writes.
  @Test(arguments: SpecReading.all)
  func theTarballIsEnough(reading: SpecReading) async throws {
    try await Workshop.use { workshop in
      let cut = try await workshop.cutSample()
      #expect(cut.succeeded, "\(cut.errors)")
      let loads = reading.files.map { "--load=\(Workshop.root.appending("Tests/Fixtures/rpm/\($0)"))" }
      let defines = reading.macros.map { "--define=\($0.key) \($0.value)" }
      let built = try await Command(
        "rpmbuild",
        ["-ts", "--quiet", "--nodeps", "--with", "modules", "--define=_topdir \(workshop.folder)/top"] + loads + defines
          + [workshop.output.appending("sample-7.2.1/sample-7.2.1.tar.xz").string]
      ).run(doing: "building a source package")
      #expect(built.succeeded, "\(built.errors)")
      #expect(
        try Files.names(in: workshop.folder.appending("top/SRPMS")) == [
          Array("sample-7.2.1-1\(reading.dist).src.rpm".utf8)
        ])
    }
  }

  @Test(arguments: SpecReading.kmods, ["sample", "lustre"])
  func withoutAKernel(reading: SpecReading, name: String) async throws {
    let read = try await reading.rpmspec(ReadyBuiltSpecs.text(name), name: name, ["-P"], macros: ["kernel": nil])
    #expect(!read.succeeded)
    #expect(read.errors.contains("which kernel to build modules for? Say --define \"kernel RELEASE\""))
  }

  /// kernel-rpm-macros makes a requirement of each symbol: of the kernel's `kernel(…)`, of others `ksym(…)`.
  @Test(arguments: ["sample", "lustre"])
  func onlySymbolsOfTheKernelAreRequired(name: String) async throws {
    let spec = try await ReadyBuiltSpecs.text(name)
    let line = try #require(spec.split(separator: "\n").first { $0.hasPrefix("%global __requires_exclude ") })
    try await Workshop.use { workshop in
      try workshop.write(
        "attrs/symbols.attr",
        """
        %__symbols_path ^/lib/modules/.*[.]ko$
        %__symbols_requires \(workshop.folder)/symbols
        """)
      try workshop.write(
        "symbols", "#!/bin/sh\ncat >/dev/null\necho 'kernel(kfree) = 0x1'\necho 'ksym(sample_send) = 0x2'\n")
      try workshop.write(
        "a.spec",
        """
        \(line)
        Name: a
        Version: 1
        Release: 1
        Summary: a
        License: GPL-2.0-only
        BuildArch: noarch
        %define debug_package %{nil}
        %define __os_install_post %{nil}
        %description
        a
        %install
        mkdir -p %{buildroot}/lib/modules/1/extra
        echo a >%{buildroot}/lib/modules/1/extra/a.ko
        %files
        /lib/modules/1/extra/a.ko
        """)
      try await workshop.shell(
        """
        chmod +x symbols
        rpmbuild -bb --quiet --load=attrs/symbols.attr --define "_topdir $PWD/top" --define "_fileattrsdir $PWD/attrs" a.spec
        rpm -qp --requires top/RPMS/noarch/a-1-1.noarch.rpm | grep -v '^rpmlib' >requires
        """)
      #expect(
        String(decoding: try Files.read(workshop.folder.appending("requires")), as: UTF8.self)
          == "kernel(kfree) = 0x1\n")
    }
  }
}
