// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage
import TestSupport
import Testing

@testable import Model

/// What stands in `targets/`, and what could.
@Suite struct TargetReadingTests {
  private func read(_ text: String) async throws -> Target {
    try await withScratch { folder in
      let path = folder.appending("t.toml")
      try Files.write(Array(text.utf8), to: path)
      return try Target(reading: path)
    }
  }

  @Test func theShippedTargetsAreGood() throws {
    let folder = Workshop.root.appending("targets")
    let files = try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
    #expect(files.count >= 15)
    for file in files { #expect(try "\(Target(reading: folder.appending(file)).name).toml" == file) }
  }

  @Test func whatIsLeftOutHasItsDefault() async throws {
    let target = try await read(
      """
      distribution = "Debian"
      release = "13"
      architecture = "amd64"
      format = "deb"
      codec = "xz"
      kernels = ["linux-headers-amd64"]
      root = { suites = ["trixie"] }
      """)
    #expect(target.name == "t" && target.format == .deb && target.codec == "xz")
    #expect(target.images.isEmpty && target.later.isEmpty && target.rpm == nil)
    #expect(target.root.components == ["main"] && target.root.mirror == nil && target.root.repositories.isEmpty)
    #expect(target.root.packages == ["linux-headers-amd64"])
  }

  @Test func aTargetMayCompileForAnotherArchitecture() async throws {
    let target = try Target(reading: Workshop.root.appending("targets/debian-12-arm64.toml"))
    let cross = try #require(target.cross)
    #expect(target.architecture == "arm64" && cross.machine == "aarch64" && cross.triplet == "aarch64-linux-gnu")
    #expect(Target.table([target]).contains("| arm64, compiled only |"))
    let error = await #expect(throws: Diagnostics.self) {
      try await read(
        """
        distribution = "Rocky Linux"
        release = "9"
        architecture = "aarch64"
        format = "rpm"
        codec = "zstd"
        [rpm]
        format = "4"
        signature = "RSA/SHA256"
        digest = "sha256"
        [cross]
        triplet = "aarch64-linux-gnu; reboot"
        machine = "aarch64"
        arch = "arm64"
        packages = ["gcc"]
        [[root.repositories]]
        name = "baseos"
        url = "https://example.org"
        """)
    }
    #expect(error?.description.contains("'cross.triplet'") == true, "\(String(describing: error))")
  }

  @Test func everyMistakeIsReportedAtItsPlace() async throws {
    let error = await #expect(throws: Diagnostics.self) {
      try await read(
        """
        distribution = ""
        architecture = "z80"
        format = "rpm"
        codec = "xz"
        [rpm]
        format = 4
        signature = "RSA/SHA256"
        [[root.repositories]]
        nam = "fedora"
        """)
    }
    let words = (error?.description ?? "").split(separator: "\n").map { line in
      line.split(separator: "/").last.map { String($0) } ?? ""
    }
    #expect(
      words == [
        "t.toml:1:1: error: 'distribution' must be text that is not empty, not ''",
        "t.toml:1:1: error: 'release' is missing (release of the distribution)",
        "t.toml:2:1: error: 'architecture' must be one of amd64, arm64, x86_64, aarch64, not 'z80'",
        "t.toml:5:1: error: 'rpm.digest' is missing (digest of files)",
        "t.toml:6:1: error: 'rpm.format' must be a string, not an integer",
        "t.toml:8:1: error: 'root.repositories[0].name' is missing (name of the repository)",
        "t.toml:9:1: error: unknown key 'root.repositories[0].nam'; did you mean 'name'?",
      ])
  }

  @Test func whatDoesNotGoTogetherIsReportedInOneRun() async throws {
    let error = await #expect(throws: Diagnostics.self) {
      try await read(
        """
        distribution = "Debian"
        release = "11"
        architecture = "amd64"
        format = "deb"
        codec = "zstd"
        [root]
        """)
    }
    #expect(error?.description.contains("t.toml:5:1: error: dpkg of Debian 11 cannot read zstd") == true)
    #expect(error?.description.contains("t.toml:6:1: error: a target for .deb needs root.suites") == true)
  }

  // MARK: names, keys and places

  private func rpm(_ repositories: String, _ more: String = "") -> String {
    """
    distribution = "Rocky Linux"
    release = "9"
    architecture = "x86_64"
    format = "rpm"
    codec = "zstd"
    \(more)
    [rpm]
    format = "4"
    signature = "RSA/SHA256"
    digest = "sha256"
    \(repositories)
    """
  }

  /// Reads a target beside which lies a key.
  private func readBesideKey(_ text: String) async throws -> Target {
    try await withScratch { folder in
      try Files.write(Array("-----BEGIN PGP PUBLIC KEY BLOCK-----\n".utf8), to: folder.appending("key.asc"))
      try Files.write([0x99, 1, 2], to: folder.appending("key.gpg"))
      try Files.write(Array(text.utf8), to: folder.appending("t.toml"))
      return try Target(reading: folder.appending("t.toml"))
    }
  }

  @Test func aRepositoryHasOnePlaceAndKeys() async throws {
    let target = try await readBesideKey(
      rpm(
        """
        [[root.repositories]]
        name = "base"
        url = "http://mirror/$basearch"
        gpgkey = ["key.asc", "https://keys/one"]
        repo-gpgcheck = true
        [[root.repositories]]
        name = "epel"
        metalink = "https://mirrors/epel?arch=$basearch"
        gpgkey = ["/nowhere/key.asc"]
        """))
    let base = target.root.repositories[0]
    #expect(base.url == "http://mirror/$basearch" && base.signsMetadata == true)
    #expect(base.keys?.map(\.name) == ["key.asc", "https://keys/one"])
    #expect(base.keys?[0].bytes?.count == 37 && base.keys?[1].bytes == nil)
    let epel = target.root.repositories[1]
    #expect(epel.metalink != nil && epel.url == nil && epel.signsMetadata == nil)
    // A file of this machine is asked for when it is used.
    #expect(epel.keys == [.init(name: "/nowhere/key.asc")])
  }

  @Test(arguments: [
    ("url = \"http://a\"", "t.toml:11:1: error: the repository 'base' names no key"),
    ("gpgkey = [\"key.asc\"]", "t.toml:11:1: error: the repository 'base' names no place"),
    (
      "url = \"http://a\"\nmirrorlist = \"http://b\"\ngpgkey = [\"key.asc\"]",
      "t.toml:11:1: error: the repository 'base' names 2 places"
    ),
    ("url = \"http://a b\"\ngpgkey = [\"key.asc\"]", "must be an address without spaces"),
    ("url = \"http://a\"\ngpgkey = [\"none.asc\"]", "must be a file that is there, or a URL, not 'none.asc'"),
    ("url = \"http://a\"\ngpgkey = []", "must hold at least 1 element"),
    ("url = \"http://a\"\ngpgkey = [\"key.gpg\"]", "is not a public key in text form"),
    ("url = \"http://a\"\ngpgkey = [\"http://keys/one\"]", "comes over a connection that proves nothing"),
  ])
  func aRepositoryThatCannotBeTrustedIsRefused(lines: String, words: String) async throws {
    let error = await #expect(throws: Diagnostics.self) {
      try await readBesideKey(rpm("[[root.repositories]]\nname = \"base\"\n\(lines)"))
    }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func aKeyringGoesWithAnArchiveOfItsOwn() async throws {
    func text(_ root: String) -> String {
      """
      distribution = "Ubuntu"
      release = "24.04"
      architecture = "amd64"
      format = "deb"
      codec = "zstd"
      root = { suites = ["noble"], \(root) }
      """
    }
    let target = try await readBesideKey(text("mirror = \"http://a\", keyring = \"key.gpg\""))
    #expect(target.root.keyring == .init(name: "key.gpg", bytes: [0x99, 1, 2]))
    for (root, words) in [
      ("keyring = \"key.gpg\"", "keyring needs mirror"),
      ("mirror = \"http://a\", keyring = \"none.gpg\"", "must be a file that is there"),
      ("mirror = \"http://a\", keyring = \"https://a/b\"", "the keyring must be a file"),
    ] {
      let error = await #expect(throws: Diagnostics.self) { try await readBesideKey(text(root)) }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test func packagesOfAKernelHaveTheNamesOfTheirDistribution() throws {
    let folder = Workshop.root.appending("targets")
    func names(_ target: String, _ kernel: String) throws -> KernelNames {
      try Target(reading: folder.appending("\(target).toml")).kernelNames.of(kernel)
    }
    let debian = try names("debian-12", "6.1.0-49-amd64")
    #expect(debian.headers == ["linux-headers-6.1.0-49-amd64"] && debian.images == ["linux-image-6.1.0-49-amd64"])
    #expect(debian.folders == ["/lib/modules/6.1.0-49-amd64", "/usr/src/linux-headers-6.1.0-49-amd64"])
    let rocky = try names("rocky-9", "5.14.0-1.el9.x86_64")
    #expect(rocky.headers == ["kernel-devel-5.14.0-1.el9.x86_64", "kernel-core-5.14.0-1.el9.x86_64"])
    #expect(rocky.images == ["kernel-core-5.14.0-1.el9.x86_64", "kernel-modules-5.14.0-1.el9.x86_64"])
    #expect(rocky.folders == ["/lib/modules/5.14.0-1.el9.x86_64", "/usr/src/kernels/5.14.0-1.el9.x86_64"])
    let suse = try names("sles-15", "6.4.0-150600.23.25-default")
    #expect(suse.headers == ["kernel-default-devel-6.4.0-150600.23.25*", "kernel-default-6.4.0-150600.23.25*"])
    #expect(suse.folders.last == "/usr/src/linux-6.4.0-150600.23.25-obj")
  }

  /// Each key begins a row, below the heading of its table, and goes on in bold when it must be there.
  @Test func theReferenceHasEveryKey() throws {
    let text = String(decoding: try Files.read(Workshop.root.appending("docs/targets.md")), as: UTF8.self)
    var documented: Set<String> = []
    var table = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("### ") { table = line.dropFirst(4) == "top level" ? "" : "\(line.dropFirst(4))." }
      guard line.hasPrefix("| `"), line.split(separator: "|").count == 2 else { continue }
      let cells = line.split(separator: "|").map(\.trimmed)
      let key = "\(table)\(cells[0].filter { $0 != "`" })"
      #expect(documented.insert(cells[1].hasPrefix("**") ? "\(key) *" : key).inserted, "\(key) is there twice")
    }
    func keys(_ schema: Schema, _ table: String) -> [String] {
      switch schema {
      case .array(let element, _): keys(element, table)
      case .table(let fields, _):
        fields.flatMap { field -> [String] in
          let path = TableReader.join(table, field.name)
          return [field.isRequired ? "\(path) *" : path] + keys(field.schema(), path)
        }
      default: []
      }
    }
    let declared = Set(keys(Target.shape.schema(), ""))
    #expect(declared.count > 25 && declared.symmetricDifference(documented).sorted() == [])
  }

  /// Two definitions have one chroot only if they are made of the same: a layer that had the name of its base would wait
  /// for it for ever.
  @Test func everythingInADefinitionNamesItsChroot() throws {
    let plain = ChrootDefinition(suites: ["bookworm"], packages: ["hello"])
    let changes: [(inout ChrootDefinition) -> Void] = [
      { $0.suites = ["trixie"] }, { $0.components = ["contrib"] }, { $0.mirror = "http://a" },
      { $0.keyring = .init(name: "a.asc", bytes: [1]) }, { $0.keyring = .init(name: "a.asc", bytes: [2]) },
      { $0.repositories = [.init(name: "a", url: "http://a")] },
      { $0.repositories = [.init(name: "a", url: "http://a", keys: [.init(name: "b")])] },
      { $0.repositories = [.init(name: "a", url: "http://a", signsMetadata: true)] }, { $0.releasever = "9" },
      { $0.packages = ["hello", "tree"] }, { $0.buildDependencies = "Source: a" }, { $0.layers = [["tree"]] },
      { $0.layers = [["tree"], []] }, { $0.foreign = .init(architecture: "arm64", standsFor: []) },
      { $0.later = ["tree"] },
    ]
    // Another property than these needs a line above.
    #expect(Mirror(reflecting: plain).children.count == 12)
    var keys: Set<String> = [try plain.key]
    for change in changes {
      var changed = plain
      change(&changed)
      #expect(keys.insert(try changed.key).inserted, "\(changed)")
      #expect(try JSON.decode(ChrootDefinition.self, from: JSON.encode(changed)).key != plain.key)
    }
    // For messages alone.
    var named = plain
    named.file = "a.toml"
    #expect(try named.key == plain.key)
  }
}
