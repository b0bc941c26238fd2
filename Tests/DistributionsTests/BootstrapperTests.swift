// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import Model
import SystemPackage
import Testing

@testable import Distributions

@Suite struct BootstrapperTests {
  private let debian = ChrootDefinition(
    suites: ["bookworm", "bookworm-security"], components: ["main", "contrib"], mirror: "http://mirror/debian",
    packages: ["kmod", "dkms"], buildDependencies: "Source: sample\n")
  private let rocky = ChrootDefinition(
    repositories: [.init(name: "base", url: "http://mirror/base"), .init(name: "more", url: "http://mirror/more")],
    releasever: "9", packages: ["kmod", "dkms"])

  @Test func eachDefinitionHasExactlyOneBootstrapper() throws {
    for definition in [debian, rocky] {
      #expect(ChrootDefinition.bootstrappers.filter { $0.makes(definition) }.count == 1)
      _ = try definition.bootstrapper(doing: "testing")
    }
    let error = #expect(throws: ReleaseError.self) { try ChrootDefinition(packages: []).bootstrapper(doing: "testing") }
    #expect(error?.code == .input)
  }

  @Test func mmdebstrapIsToldWhatToMake() async throws {
    let bootstrapper = try debian.bootstrapper(doing: "testing")
    #expect(bootstrapper.files(for: debian) == ["build-dependencies/debian/control": "Source: sample\n"])
    var definition = debian
    definition.later = ["linux-headers-amd64", "it's"]
    let commands = try await bootstrapper.commands(for: definition, in: "/cache/a", scratch: "/tmp/a b")
    let hook = "--customize-hook="
    #expect(commands.count == 1)
    #expect(
      commands[0].words == [
        "mmdebstrap", "--verbose", "--mode=root", "--variant=apt", "--format=directory",
        "--aptopt=APT::Install-Recommends \"false\"", "--aptopt=Acquire::Retries \"1\"", "--include=dkms,kmod",
        hook + "copy-in '/tmp/a b/build-dependencies' /tmp",
        hook + "chroot \"$1\" apt-get build-dep --yes --quiet /tmp/build-dependencies",
        hook + "rm -r \"$1/tmp/build-dependencies\"",
        hook + "mkdir -p \"$1/later/partial\"",
        hook + "chroot \"$1\" apt-get install --yes --quiet --download-only -o Dir::Cache::archives=/later "
          + #"linux-headers-amd64 'it'\''s'"#,
        hook + "rm -rf \"$1/later/partial\" \"$1/later/lock\"",
        "bookworm", "/cache/a", "-",
      ])
    #expect(
      String(decoding: commands[0].input, as: UTF8.self) == """
        deb http://mirror/debian bookworm main contrib
        deb http://mirror/debian bookworm-security main contrib

        """)
  }

  @Test func dnfIsToldWhatToMake() async throws {
    let bootstrapper = try rocky.bootstrapper(doing: "testing")
    #expect(
      bootstrapper.files(for: rocky) == [
        "repos/lrelease.repo": """
        [base]
        name=base
        baseurl=http://mirror/base
        gpgcheck=1

        [more]
        name=more
        baseurl=http://mirror/more
        gpgcheck=1

        """
      ])
    var definition = rocky
    #expect(try await bootstrapper.commands(for: definition, in: "/c", scratch: "/s").count == 1)
    definition.later = ["kernel-devel"]
    let commands = try await bootstrapper.commands(for: definition, in: "/c", scratch: "/s")
    let common = [
      "dnf", "--assumeyes", "--quiet", "--installroot=/c", "--setopt=reposdir=/proc/self/cwd/repos", "--releasever=9",
    ]
    #expect(
      commands.map(\.words) == [
        common + ["--setopt=install_weak_deps=False", "--setopt=cachedir=/s/cache", "install", "dkms", "kmod"],
        common + ["download", "--resolve", "--destdir=/c/later", "kernel-devel"],
      ])
    #expect(commands.allSatisfy { $0.input.isEmpty })
  }

  /// Another distribution needs a file like this, and its name where one is chosen.
  @Test func aThirdBootstrapperNeedsNothingElse() async throws {
    let definition = ChrootDefinition(mirror: "http://mirror/arch", packages: ["base"])
    let chosen = try definition.bootstrapper(among: ChrootDefinition.bootstrappers + [Pacstrap()], doing: "testing")
    let commands = try await chosen.commands(for: definition, in: "/c", scratch: "/s")
    #expect(commands == [BootstrapCommand(words: ["pacstrap", "/c", "base"])])
    for definition in [debian, rocky] {
      let chosen = try definition.bootstrapper(among: ChrootDefinition.bootstrappers + [Pacstrap()], doing: "testing")
      #expect(!(chosen is Pacstrap))
    }
    #expect(chosen.packageManager.list == ["pacman", "--query"])
  }
}

/// A bootstrapper and a package manager that lrelease does not have.
struct Pacstrap: Bootstrapper {
  var packageManager: any PackageManager { Pacman() }
  func makes(_ definition: ChrootDefinition) -> Bool { definition.suites.isEmpty && definition.mirror != nil }
  func files(for definition: ChrootDefinition) -> [String: String] { [:] }
  func commands(for definition: ChrootDefinition, in chroot: FilePath, scratch: FilePath) async throws
    -> [BootstrapCommand]
  {
    [BootstrapCommand(words: ["pacstrap", chroot.string] + definition.packages)]
  }
}

struct Pacman: PackageManager {
  var format: Target.Format { .rpm }
  func install(_ files: [String]) -> [String] { ["pacman", "--upgrade"] + files }
  func reinstall(_ files: [String]) -> [String] { install(files) }
  func remove(_ names: [String]) -> [String] { ["pacman", "--remove"] + names }
  var audit: [String] { ["pacman", "--database", "--check"] }
  var verification: [String] { ["pacman", "--query", "--check", "--check"] }
  var list: [String] { ["pacman", "--query"] }
  func owners(of paths: [String]) -> [String] { ["pacman", "--query", "--owns", "--quiet"] + paths }
  func owners(in output: String) -> [String] { output.split(separator: "\n").map(String.init) }
  func packages(ofKernel kernel: String) -> KernelPackages { KernelPackages(headers: ["linux-headers"], images: []) }
  func relations(of file: FilePath, doing: String) async throws -> PackageRelations {
    file == "/a"
      ? PackageRelations(required: ["glibc", "b"], provided: ["a"]) : PackageRelations(required: [], provided: ["b"])
  }
  func fileName(of package: String, _ version: ReleaseVersion) -> String { "\(package).pkg.tar.zst" }
  func addBuildDependencies(_ dependencies: BuildDependencies, to definition: inout ChrootDefinition) {
    definition.packages.append("base-devel")
  }
  func build(tarball: String, release: String, withModules: Bool, for target: Target) -> [String] { ["makepkg"] }
  func buildEnvironment(for target: Target, cores: Int) -> [String: String] { [:] }
}
