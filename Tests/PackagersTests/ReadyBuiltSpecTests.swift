// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// The specs with `--with modules`, as the rpm of each distribution reads them: by rpmspec and stand-ins for its macros.
/// Nothing is built, so that this proves what the packages would say, not that they come about.
@Suite struct ReadyBuiltSpecTests {
  private static let sample = Task { try await cut("sample") { try await $0.cutSample() } }
  private static let lustre = Task {
    try await cut("lustre") { workshop in
      try workshop.writeLustre()
      return try await workshop.run(workshop.cutArguments("lustre.toml", ["--source", "linux=linux"]))
    }
  }

  /// The spec in the tarball of a release.
  private static func cut(
    _ name: String, _ cut: @Sendable (Workshop) async throws -> Command.Outcome
  ) async throws -> String {
    try await Workshop.use { workshop in
      let outcome = try await cut(workshop)
      try #require(outcome.succeeded, "\(outcome.errors)")
      let release = try #require(Files.names(in: workshop.output).first.map { String(decoding: $0, as: UTF8.self) })
      return try await Command(
        "tar",
        ["-xOf", workshop.output.appending(release).appending("\(release).tar.xz").string, "\(release)/\(name).spec"]
      ).check(doing: "reading the tarball").text
    }
  }

  private static func spec(_ name: String) async throws -> String {
    try await (name == "sample" ? sample : lustre).value
  }

  private let licence = "GPL-2.0-only AND GPL-2.0-only WITH Linux-syscall-note"

  // MARK: the sample

  @Test(arguments: SpecReading.kmods)
  func kmod(reading: SpecReading) async throws {
    let packages = try await reading.packages(Self.spec("sample"), name: "sample")
    #expect(packages.keys.sorted() == ["kmod-sample", "sample", "sample-devel", "sample-dkms"])
    #expect(
      packages["kmod-sample"]?.sorted()
        == ([
          "conflicts sample-dkms", "group System/Kernel", "is 7.2.1-1\(reading.dist)", "license \(licence)",
          "provides sample-modules = 7.2.1-1\(reading.dist)", "requires posttrans findutils", "requires posttrans kmod",
          "requires postun kmod", "requires preun findutils", "summary Kernel modules of the sample file system",
        ] + reading.requiredKernel).sorted())
    #expect(
      try await files(reading, "sample", of: "kmod-sample") == [
        "%license LICENSES/GPL-2.0 LICENSES/Linux-syscall-note.txt", "/lib/modules/\(reading.kernel)/extra/sample",
      ])
  }

  @Test(arguments: SpecReading.suse)
  func kmp(reading: SpecReading) async throws {
    let packages = try await reading.packages(Self.spec("sample"), name: "sample")
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
        try await files(reading, "sample", of: "sample-kmp-\(flavor.name)") == [
          "%defattr(-, root, root)", "%doc LICENSES/GPL-2.0 LICENSES/Linux-syscall-note.txt",
          "\(folder)/\(flavor.version)-\(flavor.name)",
        ])
    }
  }

  @Test(arguments: SpecReading.all, ["sample", "lustre"])
  func whatABuildNeeds(reading: SpecReading, name: String) async throws {
    let read = try await reading.rpmspec(Self.spec(name), name: name, ["-q", "--buildrequires"])
    #expect(read.succeeded && read.errors.isEmpty, "\(read.errors)")
    let plain = try await reading.rpmspec(Self.spec(name), name: name, ["-q", "--buildrequires"], with: [])
    #expect(plain.succeeded && plain.errors.isEmpty, "\(plain.errors)")
    let devel = ["kernel-devel-uname-r = \(reading.kernel)", "pkgconfig(libelf)"]
    let expected =
      if reading.isSUSE { ["kernel-syms", "kmod-compat"] } else if reading.files.contains("macros.el") {
        devel + ["kernel-rpm-macros", "kmod"]
      } else { devel }
    let lines = Set(plain.text.split(separator: "\n").map(String.init))
    #expect(Set(read.text.split(separator: "\n").map(String.init)).subtracting(lines) == Set(expected))
  }

  // MARK: Lustre

  @Test(arguments: SpecReading.all)
  func lustresModules(reading: SpecReading) async throws {
    let packages = try await reading.packages(Self.spec("lustre"), name: "lustre")
    let excluded = ["all", "client", "ldiskfs", "server", "zfs"].map { "conflicts lustre-\($0)-dkms" }
    let relations = excluded + ["conflicts lustre-dkms", "provides lustre-modules = 6.12.1"]
    let summary = "summary Lustre parallel file system, modules of a client"
    if reading.isSUSE {
      for flavor in reading.flavors {
        let version = "6.12.1_\(reading.version(flavor))"
        let found = packages["lustre-client-kmp-\(flavor.name)"]
        #expect(
          found?.sorted()
            == (relations + [
              summary, "conflicts lustre-kmp", "enhances kernel-\(flavor.name)", "group System/Kernel",
              "is \(version)-1", "license GPL-2.0-only", "provides lustre-client-kmp = 6.12.1",
              "provides lustre-client-kmp = \(version)", "provides multiversion(kernel)",
              "requires post suse-kernel-rpm-scriptlets",
              "supplements (kernel-\(flavor.name) and lustre-client)",
            ]).sorted())
      }
    } else {
      #expect(
        packages["kmod-lustre-client"]?.sorted()
          == (relations + [
            summary, "conflicts kmod-lustre", "group System/Kernel", "is 6.12.1-1\(reading.dist)",
            "license GPL-2.0-only", "requires posttrans findutils", "requires posttrans kmod", "requires postun kmod",
            "requires preun findutils",
          ] + reading.requiredKernel).sorted())
    }
    // Lustre 2 calls its own by the same names: ours take their place.
    #expect(
      packages.keys.filter { $0.hasPrefix("kmod-") || $0.contains("-kmp") }.sorted()
        == (reading.isSUSE ? reading.flavors.map { "lustre-client-kmp-\($0.name)" } : ["kmod-lustre-client"]).sorted())
  }

  /// Sources and build folder of a kernel are two on SUSE, and one elsewhere.
  @Test(arguments: SpecReading.all)
  func lustreIsConfiguredForTheKernel(reading: SpecReading) async throws {
    let scripts = try await reading.scripts(Self.spec("lustre"), name: "lustre").map(\.text).joined()
    let source =
      reading.isSUSE
      ? "$(readlink -e /usr/src/linux-${build##*/} || readlink -e /usr/src/linux)"
      : "$(readlink -e \"${build%/build}/source\" || echo \"$build\")"
    #expect(scripts.contains("--with-linux=\"\(source)\" --with-linux-obj=\"$build\"\n"))
    let flavors = reading.flavors.map(\.name).joined(separator: " ")
    let builds =
      reading.isSUSE
      ? "for flavor in \(flavors); do echo /usr/src/linux-obj/x86_64/$flavor; done"
      : "ls -d /usr/src/kernels/\(reading.kernel) 2>/dev/null || echo /lib/modules/\(reading.kernel)/build"
    #expect(scripts.ranges(of: "for build in $(\(builds)); do\n").count == 2)
    let folder = reading.isSUSE ? "updates" : "extra/lustre-client"
    #expect(scripts.contains(" INSTALL_MOD_DIR=\(folder) "))
  }

  // MARK: both

  /// A KMP has a version of its own. What follows it in the spec has that of the release.
  @Test(arguments: SpecReading.all, ["sample", "lustre"])
  func otherPackagesAreAsWithoutModules(reading: SpecReading, name: String) async throws {
    var with = try await reading.packages(Self.spec(name), name: name)
    with = with.filter { !$0.key.hasPrefix("kmod-") && !$0.key.contains("-kmp-") }
    let without = try await reading.packages(Self.spec(name), name: name, with: [])
    #expect(with == without)
    #expect(
      without["\(name == "sample" ? name : "lustre-client")-dkms"]?.contains { $0.hasPrefix("conflicts ") } == true)
  }

  /// What rpm runs of a spec, of which the distributions share most.
  @Test(arguments: ["sample", "lustre"])
  func scriptsAreShell(name: String) async throws {
    var judged: Set<String> = []
    for reading in SpecReading.all {
      let scripts = try await reading.scripts(Self.spec(name), name: name)
      // rpmspec 4.18 prints %build behind %prep, without its head.
      #expect(Set(scripts.map(\.name)).subtracting(["%build"]) == sections(reading, name), "\(reading)")
      for script in scripts where judged.insert(script.text).inserted {
        try await judge(script, of: reading)
      }
    }
    #expect(judged.count > 30)
  }

  private func sections(_ reading: SpecReading, _ name: String) -> Set<String> {
    let client = name == "sample" ? name : "lustre-client"
    var expected: Set = ["%prep", "%install", "%check"]
    for section in ["%post", "%preun", "%posttrans"] { expected.insert("\(section) -n \(client)-dkms") }
    for section in ["%preun", "%postun", "%posttrans"] where !reading.isSUSE {
      expected.insert("\(section) -n kmod-\(client)")
    }
    for flavor in reading.flavors { expected.insert("%post -n \(client)-kmp-\(flavor.name)") }
    if name == "lustre" {
      for section in ["%post", "%preun", "%postun"] { expected.formUnion([section, "\(section) -n lustre-client"]) }
    }
    return expected
  }

  /// The shells that would run a script, and a judge of scripts.
  private func judge(_ script: (name: String, text: String), of reading: SpecReading) async throws {
    try await withScratch { folder in
      let path = folder.appending("script").string
      try Files.write(Array("#!/bin/sh\n\(script.text)".utf8), to: FilePath(path))
      // rpm runs sections with -e; there may be one flavor only; the functions of a %post for dkms serve other scripts.
      var fine = "SC2043,SC2046,SC2164"
      if script.name.hasPrefix("%post "), script.name.hasSuffix("-dkms") { fine += ",SC2034" }
      for judge in [["bash", "-n"], ["dash", "-n"], ["shellcheck", "-s", "sh", "-S", "warning", "-e", fine]] {
        let outcome = try await Command(judge[0], judge.dropFirst() + [path]).run(doing: "judging a script")
        #expect(
          outcome.succeeded && !script.text.isEmpty,
          "\(reading.name), \(script.name), \(judge[0]): \(outcome.text)\(outcome.errors)")
      }
    }
  }

  /// Where SUSE's macros are not there yet, what brings them is what is missing, and no line of the spec is wrong.
  @Test(arguments: SpecReading.suse, ["sample", "lustre"])
  func withoutTheMacrosOfSUSE(reading: SpecReading, name: String) async throws {
    let read = try await reading.rpmspec(
      Self.spec(name), name: name, ["-q", "--buildrequires"], without: ["macros.suse"])
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
    let read = try await reading.rpmspec(Self.spec(name), name: name, ["-P"], macros: ["kernel": nil])
    #expect(!read.succeeded)
    #expect(read.errors.contains("which kernel to build modules for? Say --define \"kernel RELEASE\""))
  }

  /// kernel-rpm-macros makes a requirement of each symbol: of the kernel's `kernel(…)`, of others `ksym(…)`.
  @Test(arguments: ["sample", "lustre"])
  func onlySymbolsOfTheKernelAreRequired(name: String) async throws {
    let spec = try await Self.spec(name)
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

  /// The lines of `%files` of a package.
  private func files(_ reading: SpecReading, _ name: String, of package: String) async throws -> [String] {
    let text = try await reading.rpmspec(Self.spec(name), name: name, ["-P"]).text
    let lines = text.split(separator: "\n").map(String.init)
    let start = try #require(lines.firstIndex(of: "%files -n \(package)"))
    return lines[(start + 1)...].prefix { !$0.hasPrefix("%package") && $0 != "%prep" }.filter { !$0.isEmpty }
  }
}

extension Workshop {
  /// A manifest `lustre.toml` that takes a small tree through Lustre's own recipes.
  fileprivate func writeLustre() throws {
    let manifests = ["lustre", "lustre-client", "lustre-osd-wbcfs-mount", "lustre-devel", "lustre-iokit"]
    let programs = (manifests + ["lustre-resource-agents"]).map {
      "[[packaging.packages]]\nrpm = \"\($0)\"\nfiles = [\"/fs\"]\n"
    }.joined()
    try write("linux/Makefile", "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n")
    try write("linux/fs/a.c", "/* SPDX-License-Identifier: GPL-2.0 */\nint a;\n")
    try write("linux/fs/Kbuild", "obj-m := a.o\n")
    try write(
      "lustre.toml",
      """
      \(Demo.manifestHead().replacing("\"demo\"", with: "\"lustre\"").replacing(
        "summary = \"lustre\"", with: "summary = \"Lustre parallel file system\""))
      [[tree]]
      from = "linux:fs"
      to = "fs"
      [packaging]
      debian = "\(Workshop.root)/debian/sample"
      spec = "\(Workshop.root)/specs/lustre.spec"
      \(programs)
      [[packaging.packages]]
      rpm = "kmod-lustre-client"
      variant = "client"
      files = ["/fs"]
      [[packages]]
      kind = "dkms"
      variant = "client"
      module = "lustre-client"
      summary = "Lustre client kernel modules (DKMS)"
      kernels = { min = "6.1", max = "6.12" }
      make = "make M=$dkms_tree/$module/$module_version/build/fs"
      modules = [{ name = "a", path = "fs" }]
      [packages.deb]
      name = "lustre-client-modules-dkms"
      recipe = "\(Workshop.root)/debian/dkms"
      [packages.rpm]
      name = "lustre-client-dkms"
      recipe = "\(Workshop.root)/specs/dkms.spec"
      provides = ["kmod-lustre-client = %{version}", "lustre-modules = %{version}"]
      conflicts = ["kmod-lustre", "kmod-lustre-client", "lustre-kmp", "lustre-client-kmp"]
      """)
  }
}
