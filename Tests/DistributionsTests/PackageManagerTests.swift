// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import SystemPackage
import TestSupport
import Testing

@testable import Distributions

@Suite struct PackageManagerTests {
  @Test(arguments: Target.Format.allCases) func everyFormatHasItsPackageManager(format: Target.Format) throws {
    let manager = format.packageManager
    #expect(manager.format == format)
    for command in [
      manager.install(["/a/b"]), manager.reinstall(["/a/b"]), manager.remove(["b"]), manager.audit, manager.list,
      manager.owners(of: ["/lib"]),
    ] {
      // Words, not a line for a shell.
      #expect(command.count > 1 && command[0].allSatisfy { $0.isLetter || $0 == "-" }, "\(command)")
    }
    #expect(manager.install(["/a", "/b"]).suffix(2) == ["/a", "/b"])
    #expect(manager.remove(["a", "b"]).suffix(2) == ["a", "b"])
    let version = try ReleaseVersion("7.2.1")
    let file = manager.fileName(of: "sample-dkms", version)
    #expect(file.hasSuffix(".\(format.rawValue)"))
  }

  @Test func everyTargetHasAPackageManagerAndABootstrapperOfTheSameFormat() throws {
    for target in try Target.all(in: Workshop.root.appending("targets")) {
      let bootstrapper = try target.root.bootstrapper(doing: "testing")
      #expect(bootstrapper.packageManager.format == target.format, "\(target.name)")
    }
  }

  @Test func aptIsToldWhatToDo() {
    let apt = Apt()
    #expect(apt.install(["/r/a.deb"]) == ["apt-get", "install", "--yes", "--allow-downgrades", "/r/a.deb"])
    #expect(apt.reinstall(["/r/a.deb"]) == ["apt-get", "install", "--yes", "--reinstall", "/r/a.deb"])
    #expect(apt.remove(["a"]) == ["apt-get", "purge", "--yes", "a"])
    #expect(apt.audit == ["dpkg", "--audit"])
    #expect(apt.owners(of: ["/a", "/b"]) == ["dpkg-query", "--search", "/a", "/b"])
  }

  @Test func dnfIsToldWhatToDo() {
    let dnf = Dnf()
    #expect(dnf.install(["/r/a.rpm"]) == ["dnf", "install", "--assumeyes", "--disablerepo=*", "/r/a.rpm"])
    #expect(dnf.reinstall(["/r/a.rpm"]) == ["dnf", "reinstall", "--assumeyes", "--disablerepo=*", "/r/a.rpm"])
    #expect(dnf.remove(["a"]) == ["dnf", "remove", "--assumeyes", "--noautoremove", "a"])
    #expect(dnf.audit == ["rpm", "--verify", "--all", "--nofiles", "--nodigest"])
    #expect(dnf.owners(of: ["/a", "/b"]) == ["rpm", "--query", "--file", "/a", "/b"])
  }

  @Test func ownersAreReadFromWhatTheToolsPrint() {
    let dpkg = """
      dpkg-query: no path found matching pattern /usr/src/gone
      diversion by dash from: /bin/sh
      linux-image-6.1.0-49-amd64, linux-headers-6.1.0-49-amd64: /lib/modules/6.1.0-49-amd64
      linux-headers-6.1.0-49-amd64: /usr/src/linux-headers-6.1.0-49-amd64

      """
    #expect(Apt().owners(in: dpkg) == ["linux-headers-6.1.0-49-amd64", "linux-image-6.1.0-49-amd64"])
    let rpm = """
      kernel-modules-5.14.0-1.el9.x86_64
      kernel-core-5.14.0-1.el9.x86_64
      error: file /usr/src/gone: No such file or directory
      file /usr/src/mine is not owned by any package
      kernel-core-5.14.0-1.el9.x86_64

      """
    #expect(Dnf().owners(in: rpm) == ["kernel-core-5.14.0-1.el9.x86_64", "kernel-modules-5.14.0-1.el9.x86_64"])
    for manager in Target.Format.allCases.map(\.packageManager) { #expect(manager.owners(in: "") == []) }
  }

  @Test func relationsAreReadFromPackages() {
    let fields = """
      Package: sample-utils
      Provides: samplectl (= 7.2.1), sample-tools
      Pre-Depends: libc6 (>= 2.36)
      Depends: libyaml-0-2 | libyaml, perl:any, sample-tools

      """
    #expect(
      Apt.relations(inFields: fields)
        == PackageRelations(
          required: ["libc6", "libyaml-0-2", "perl", "sample-tools"],
          provided: ["sample-utils", "samplectl", "sample-tools"]))
    #expect(
      Dnf.relations(
        required: "libc.so.6()(64bit)\nrpmlib(CompressedFileNames) <= 3.0.4-1\nconfig(sample) = 7.2.1\n/bin/sh\n",
        provided: "sample = 7.2.1-1\nsample(x86-64) = 7.2.1-1\n")
        == PackageRelations(required: ["libc.so.6()(64bit)", "/bin/sh"], provided: ["sample", "sample(x86-64)"]))
  }

  @Test func dependenciesOnEachOtherAreNotTheDistributions() async throws {
    let needed = try await Pacman().dependencies(of: ["/a", "/b"], doing: "testing")
    #expect(needed == ["glibc"])
  }

  @Test func whatABuildNeedsIsAddedToTheRecipe() {
    let packaging = ReleasePackaging(
      name: "sample", debianControl: "Source: sample\n", debianRules: "",
      spec: "BuildRequires:  libyaml-devel\n%if 0\nBuildRequires: other\n%endif\n")
    var definition = ChrootDefinition(packages: ["dkms"])
    Apt().addBuildDependencies(packaging, to: &definition)
    #expect(definition.packages == ["dkms", "build-essential", "debhelper"])
    #expect(definition.buildDependencies == "Source: sample\n")
    definition = ChrootDefinition(packages: ["dkms"])
    Dnf().addBuildDependencies(packaging, to: &definition)
    #expect(definition.packages == ["dkms", "rpm-build", "gcc", "make", "libyaml-devel"])
    #expect(definition.buildDependencies == nil)
  }

  private let packaging = ReleasePackaging(
    name: "lustre", debianControl: "",
    debianRules: """
      # With the build profile pkg.lustre.servers, or pkg.lustre.noo2ib.
      servers := $(filter pkg.lustre.servers,$(DEB_BUILD_PROFILES)) $(filter pkg.other.more,) pkg.lustre.
      """,
    spec: "%bcond_with modules\n%bcond_with servers\n# %bcond_with no\n%bcond_without o2ib\n%bcond\ttests 0\n%bcond")

  @Test func whatThePackagingOffersIsReadFromIt() {
    #expect(Apt().choices(in: packaging).map(\.description) == ["--without o2ib", "--with servers"])
    #expect(
      Dnf().choices(in: packaging).map(\.description) == [
        "--without o2ib", "--with o2ib", "--without servers", "--with servers", "--without tests", "--with tests",
      ])
  }

  @Test func buildsGetValuesAsArguments() throws {
    let choices = [PackagingChoice("o2ib", isWanted: false), PackagingChoice("servers", isWanted: true)]
    let folder = Workshop.root.appending("targets")
    let debian = try Target(reading: folder.appending("debian-12.toml"))
    let deb = debian.packageManager.build(
      tarball: "s.tar.xz", of: packaging, release: "s", withModules: true, choices: choices, for: debian)
    #expect(
      deb[0] == "sh"
        && deb.suffix(5) == ["build", "s.tar.xz", "s", "modules", "pkg.lustre.noo2ib,pkg.lustre.servers"])
    #expect(
      debian.packageManager.buildEnvironment(for: debian, cores: 2)
        == ["DEB_BUILD_OPTIONS": "parallel=2", "DPKG_DEB_COMPRESSOR_TYPE": debian.codec])
    let rocky = try #require(try Target.all(in: folder).first { $0.format == .rpm })
    let rpm = rocky.packageManager.build(
      tarball: "s.tar.xz", of: packaging, release: "s", withModules: false, choices: choices, for: rocky)
    #expect(rpm.suffix(4) == ["--without", "o2ib", "--with", "servers"])
    #expect(rpm[0] == "sh" && rpm.count == 14 && rpm[3...6] == ["build", "s.tar.xz", "s", ""])
    #expect(rpm[7] == rocky.payload && ["8", "10"].contains(rpm[8]) && ["4", "6"].contains(rpm[9]))
  }
}
