// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
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
    repositories: [
      .init(name: "base", url: "http://mirror/base", keys: [.init(name: "base.asc", bytes: [1, 2])]),
      .init(
        name: "more", metalink: "https://mirrors/more",
        keys: [.init(name: "https://keys/1"), .init(name: "more.asc", bytes: [3])], signsMetadata: true),
      .init(name: "epel", mirrorlist: "https://mirrors/epel", keys: [.init(name: "https://keys/2")]),
    ],
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
    #expect(bootstrapper.files(for: debian) == ["build-dependencies/debian/control": Array("Source: sample\n".utf8)])
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
    let files = bootstrapper.files(for: rocky)
    #expect(files.keys.sorted() == [".rpmmacros", "keys/base-1.asc", "keys/more-1.asc", "repos/lrelease.repo"])
    #expect(files["keys/base-1.asc"] == [1, 2] && files["keys/more-1.asc"] == [3])
    #expect(
      String(decoding: files["repos/lrelease.repo"] ?? [], as: UTF8.self) == """
        [base]
        name=base
        baseurl=http://mirror/base
        gpgcheck=1
        gpgkey=file:///proc/self/cwd/keys/base-1.asc

        [more]
        name=more
        metalink=https://mirrors/more
        gpgcheck=1
        gpgkey=file:///proc/self/cwd/keys/more-1.asc https://keys/1
        repo_gpgcheck=1

        [epel]
        name=epel
        mirrorlist=https://mirrors/epel
        gpgcheck=1
        gpgkey=https://keys/2

        """)
    var definition = rocky
    #expect(try await bootstrapper.commands(for: definition, in: "/c", scratch: "/s").map(\.program) == ["dnf", "rpm"])
    definition.later = ["kernel-devel"]
    let commands = try await bootstrapper.commands(for: definition, in: "/c", scratch: "/s")
    let common = [
      "dnf", "/c", "dnf", "--assumeyes", "--quiet", "--noplugins", "--setopt=skip_if_unavailable=False",
      "--installroot=/c", "--setopt=reposdir=/proc/self/cwd/repos", "--releasever=9",
      "--setopt=cachedir=/s/cache", "--setopt=install_weak_deps=False", "--setopt=keepcache=True", "install",
    ]
    #expect(commands.map { $0.words.prefix(2) } == [["sh", "-c"], ["sh", "-c"], ["sh", "-c"]])
    #expect(
      commands.map { Array($0.words.dropFirst(3)) } == [
        common + ["dkms", "dnf", "kmod", "rpm"], common + ["--downloadonly", "--destdir=/c/later", "kernel-devel"],
        ["rpm", "/c", "/.lrelease-rpmdb", "/s/cache"],
      ])
    #expect(commands.map(\.environment) == [["HOME": "/s"], ["HOME": "/s"], [:]])
    #expect(commands.allSatisfy { $0.input.isEmpty })
  }

  /// A chroot is the same wherever its target lies, and another one where the key is another.
  @Test func keysCountByWhatTheyHold() throws {
    var one = rocky
    one.file = "/a/rocky.toml"
    #expect(try one.key == rocky.key)
    one.repositories[0].keys = [.init(name: "base.asc", bytes: [1, 3])]
    #expect(try one.key != rocky.key)
    // What was recorded before there were keys is what it was.
    let record = try String(decoding: JSON.encode(debian), as: UTF8.self)
    #expect(!record.contains("keyring") && !record.contains("file"))
  }

  @Test func whatIsWrongWithSignaturesIsSaid() async throws {
    try await withScratch { cache in
      let packages = cache.appending("more-0123456789abcdef/packages")
      try Files.makeFolder(packages)
      try Files.write([], to: packages.appending("tiny-1-1.noarch.rpm"))
      func refusal(_ text: String) -> String? { BootstrapComplaint(text, of: rocky, cache: cache).refusal }
      #expect(
        refusal("Package tiny-1-1.noarch.rpm is not signed\nError: GPG check FAILED")
          == "Package tiny-1-1.noarch.rpm is not signed (of the repository 'more')")
      #expect(
        refusal("Status code: 404 for https://keys/2 (IP: 127.0.0.1)")
          == "the key of the repository 'epel' could not be fetched: Status code: 404 for https://keys/2 (IP: 127.0.0.1)"
      )
      let bad =
        "Error: Failed to download metadata for repo 'base': repomd.xml GPG signature verification error: Bad GPG signature"
      #expect(refusal("Importing GPG key 0x1:\n From       : https://keys/2\n\(bad)") == bad)
      let apt = "W: GPG error: http://x bookworm InRelease: The following signatures couldn't be verified: NO_PUBKEY 1"
      #expect(refusal("\(apt)\nE: The repository 'http://x bookworm InRelease' is not signed.") == apt)
      #expect(refusal("Error: Unable to find a match: gcc") == nil)
      let empty =
        "Error: Failed to download metadata for repo 'base': Cannot prepare internal mirrorlist: No URLs in mirrorlist"
      #expect(BootstrapComplaint(empty, of: rocky, cache: cache).isWithoutMirrors && refusal(empty) == nil)
    }
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
  func files(for definition: ChrootDefinition) -> [String: [UInt8]] { [:] }
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
  func relations(of file: FilePath, doing: String) async throws -> PackageRelations {
    file == "/a"
      ? PackageRelations(required: ["glibc", "b"], provided: ["a"]) : PackageRelations(required: [], provided: ["b"])
  }
  func fileName(of package: String, _ version: ReleaseVersion) -> String { "\(package).pkg.tar.zst" }
  func addBuildDependencies(_ packaging: ReleasePackaging, to definition: inout ChrootDefinition) {
    definition.packages.append("base-devel")
  }
  func choices(in packaging: ReleasePackaging) -> [PackagingChoice] { [] }
  func build(
    tarball: String, of packaging: ReleasePackaging, release: String, withModules: Bool, choices: [PackagingChoice],
    for target: Target
  ) -> [String] { ["makepkg"] }
  func buildEnvironment(for target: Target, cores: Int) -> [String: String] { [:] }
}
