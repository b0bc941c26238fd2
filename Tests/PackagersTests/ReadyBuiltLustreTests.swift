// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// What to build of Lustre's modules.
struct ModulesChoice: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let options: [String]
  var isServer: Bool { options.contains("servers") }
  var hasOFED: Bool { options.contains { $0.hasPrefix("--define=ofed") } }
  var hasKfabric: Bool { options.contains { $0.hasPrefix("--define=kfabric") } }
  var hasOwnRDMA: Bool { !options.contains("o2ib") }
  var with: [String] { ["--with", "modules"] + options }

  /// `lustre` or `lustre-client`, and which of these it is not.
  var name: String { isServer ? "lustre" : "lustre-client" }
  var other: String { isServer ? "lustre-client" : "lustre" }

  /// The packages of modules, without `kmod-` or `-kmp-FLAVOR`.
  var packages: [String] {
    [name] + (hasOwnRDMA ? ["\(name)-lnet-in-kernel-o2iblnd"] : []) + (hasOFED ? ["\(name)-lnet-o2iblnd"] : [])
      + (hasKfabric ? ["\(name)-lnet-kfilnd"] : []) + (isServer ? ["lustre-osd-wbcfs"] : [])
  }

  static let client = ModulesChoice(testDescription: "client", options: [])
  static let server = ModulesChoice(testDescription: "server", options: ["--with", "servers"])
  static let both = ModulesChoice(testDescription: "client, OFED", options: ["--define=ofed /usr/src/ofa_kernel"])
  static let everything = ModulesChoice(
    testDescription: "server, OFED, Slingshot",
    options: ["--with", "servers", "--define=ofed /usr/src/ofa_kernel", "--define=kfabric /usr/src/kfabric"])
  static let withoutRDMA = ModulesChoice(testDescription: "client, no RDMA", options: ["--without", "o2ib"])
  static let foreignAlone = ModulesChoice(
    testDescription: "client, OFED alone", options: ["--without", "o2ib", "--define=ofed /usr/src/ofa_kernel"])
  static let all = [client, server, both, everything, withoutRDMA, foreignAlone]
}

/// Lustre's spec with `--with modules`, and with what that can be combined with: see ``ReadyBuiltSpecTests``.
@Suite struct ReadyBuiltLustreTests {
  private func spec() async throws -> String { try await ReadyBuiltSpecs.text("lustre") }

  /// A package as the distribution calls it: one, or one for each flavor.
  private func names(_ package: String, _ reading: SpecReading) -> [String] {
    reading.isSUSE ? reading.flavors.map { "\(package)-kmp-\($0.name)" } : ["kmod-\(package)"]
  }

  private func develName(_ name: String, _ reading: SpecReading) -> String {
    reading.isSUSE ? "\(name)-kmp-devel" : "kmod-\(name)-devel"
  }

  // MARK: names and relations

  /// Lustre 2 calls its own by the same names: ours take their place.
  @Test(arguments: SpecReading.all, ModulesChoice.all)
  func names(reading: SpecReading, choice: ModulesChoice) async throws {
    let packages = try await reading.packages(spec(), name: "lustre", with: choice.with)
    let found = packages.keys.filter { $0.hasPrefix("kmod-") || $0.contains("-kmp") }
    let expected = choice.packages.flatMap { names($0, reading) } + [develName(choice.name, reading)]
    #expect(found.sorted() == expected.sorted())
  }

  private let noOtherModules = ["all", "client", "ldiskfs", "server", "zfs"].map { "conflicts lustre-\($0)-dkms" }
  private let noOtherTargets = ["ldiskfs", "zfs"].flatMap {
    ["kmod-lustre-osd-\($0)", "lustre-osd-\($0)", "lustre-osd-\($0)-kmp", "lustre-osd-\($0)-mount"]
  }.map { "conflicts \($0)" }

  /// What the main package says everywhere.
  private func relations(of choice: ModulesChoice) -> [String] {
    let (name, other) = (choice.name, choice.other)
    var lines = noOtherModules + ["conflicts lustre-dkms", "provides lustre-modules = 6.12.1"]
    lines += ["gnilnd", "kfilnd", "o2iblnd"].map { "conflicts \(name)-lnet-\($0) < 3" }
    lines += ["gnilnd", "kfilnd", "o2iblnd", "socklnd"].map { "conflicts \(other)-lnet-\($0)" }
    lines.append("provides \(name)-lnet-socklnd = 6.12.1")
    if choice.hasOwnRDMA {
      lines.append("recommends \(name)-lnet-in-kernel-o2iblnd")
    } else if choice.hasOFED {
      lines.append("recommends \(name)-lnet-o2iblnd")
    }
    if choice.isServer {
      lines += noOtherTargets + ["recommends lustre-osd", "conflicts lustre-osd-wbcfs < 3"]
    }
    return lines
  }

  /// What other packages provide and exclude, and how both kinds of packages say it.
  private func relations(of package: String, _ choice: ModulesChoice, _ reading: SpecReading) -> [String] {
    let name = choice.name
    let kernelsOwn = "\(name)-lnet-in-kernel-o2iblnd"
    let foreign = "\(name)-lnet-o2iblnd"
    switch package {
    case kernelsOwn:
      return [
        "provides ko2iblnd = 6.12.1", "provides \(kernelsOwn) = 6.12.1", "provides \(foreign) = 6.12.1",
        reading.isSUSE ? "conflicts \(foreign)-kmp" : "conflicts kmod-\(foreign)",
      ]
    case foreign:
      return [
        "provides ko2iblnd = 6.12.1", "provides \(foreign) = 6.12.1", "conflicts \(kernelsOwn)",
        "requires manual "
          + (reading.isSUSE ? "mlnx-ofa_kernel-kmp" : "(kmod-mlnx-ofa_kernel or mlnx-ofa_kernel-modules)"),
      ]
    case "lustre-osd-wbcfs":
      return [
        "provides lustre-osd = 6.12.1", "provides lustre-osd-wbcfs = 6.12.1",
        "requires manual lustre-osd-wbcfs-mount >= 6.12.1",
      ]
    default: return ["provides \(package) = 6.12.1"]
    }
  }

  private func summary(of package: String, _ choice: ModulesChoice) -> String {
    let words =
      switch package {
      case choice.name: "modules of a \(choice.isServer ? "server" : "client")"
      case "\(choice.name)-lnet-in-kernel-o2iblnd": "InfiniBand"
      case "\(choice.name)-lnet-o2iblnd": "InfiniBand with OFED or DOCA"
      case "\(choice.name)-lnet-kfilnd": "Slingshot"
      default: "targets in memory, modules"
      }
    return "summary Lustre parallel file system, \(words)"
  }

  @Test(arguments: SpecReading.kmods, ModulesChoice.all)
  func kmods(reading: SpecReading, choice: ModulesChoice) async throws {
    let found = try await reading.packages(spec(), name: "lustre", with: choice.with)
    let name = choice.name
    for package in choice.packages {
      var expected =
        reading.requiredKernel + [
          summary(of: package, choice), "group System/Kernel", "is 6.12.1-1\(reading.dist)", "license GPL-2.0-only",
          "requires posttrans findutils", "requires posttrans kmod", "requires postun kmod", "requires preun findutils",
        ]
      if package == name {
        expected += relations(of: choice)
        expected += [
          "conflicts kmod-\(choice.other)", "provides kmod-\(name)-lnet-socklnd = 6.12.1-1\(reading.dist)",
          "obsoletes kmod-\(name)-lnet-socklnd < 6.12.1",
        ]
      } else {
        expected += relations(of: package, choice, reading)
        expected.append("requires manual kmod-\(name)(x86-64) = 6.12.1-1\(reading.dist)")
      }
      #expect(found["kmod-\(package)"]?.sorted() == expected.sorted(), "\(package)")
    }
  }

  @Test(arguments: SpecReading.suse, ModulesChoice.all)
  func kmps(reading: SpecReading, choice: ModulesChoice) async throws {
    let found = try await reading.packages(spec(), name: "lustre", with: choice.with)
    let name = choice.name
    for package in choice.packages {
      for flavor in reading.flavors {
        let version = "6.12.1_\(reading.version(flavor))"
        var expected = [
          "summary Lustre parallel file system, kernel modules", "enhances kernel-\(flavor.name)",
          "group System/Kernel", "is \(version)-1", "license GPL-2.0-only", "provides \(package)-kmp = 6.12.1",
          "provides \(package)-kmp = \(version)", "provides multiversion(kernel)",
          "requires post suse-kernel-rpm-scriptlets", "supplements (kernel-\(flavor.name) and \(package))",
        ]
        if package == name {
          expected += relations(of: choice)
          expected += [
            "conflicts \(choice.other)-kmp", "obsoletes \(name)-lnet-socklnd-kmp-\(flavor.name) < 6.12.1",
          ]
        } else {
          expected += relations(of: package, choice, reading)
          expected += ["requires manual \(name)-kmp-\(flavor.name)", "requires manual lustre-modules = 6.12.1"]
        }
        #expect(found["\(package)-kmp-\(flavor.name)"]?.sorted() == expected.sorted(), "\(package)")
      }
    }
  }

  @Test(arguments: SpecReading.all, [ModulesChoice.client, .server])
  func headers(reading: SpecReading, choice: ModulesChoice) async throws {
    let package = develName(choice.name, reading)
    let found = try await reading.packages(spec(), name: "lustre", with: choice.with)
    #expect(
      found[package]?.sorted() == [
        "conflicts \(develName(choice.other, reading))", "group System/Kernel", "is 6.12.1-1\(reading.dist)",
        "license GPL-2.0-only", "requires posttrans /usr/sbin/update-alternatives",
        "requires preun /usr/sbin/update-alternatives",
        "summary Lustre parallel file system, headers for kernel modules",
      ])
    #expect(
      try await reading.files(spec(), name: "lustre", of: package, with: choice.with)
        == ["%license COPYING LICENSES/GPL-2.0-only.txt", "/usr/src/lustre-6.12.1"])
    // Those of Lustre 2 go, ours stay whatever release the programs are of.
    #expect(
      found["lustre-devel"]?.filter { $0.hasPrefix("obsoletes ") && !$0.hasSuffix("6.12.1") }
        == ["kmod-lustre-client", "kmod-lustre", "lustre-client-kmp", "lustre-kmp"].map { "obsoletes \($0)-devel < 3" })
  }

  @Test(arguments: SpecReading.all, ModulesChoice.all)
  func files(reading: SpecReading, choice: ModulesChoice) async throws {
    for package in choice.packages {
      for name in names(package, reading) {
        let found = try await reading.files(spec(), name: "lustre", of: name, with: choice.with)
        let licence = "COPYING LICENSES/GPL-2.0-only.txt"
        guard let flavor = reading.flavors.first(where: { name.hasSuffix("-kmp-\($0.name)") }) else {
          #expect(found == ["%license \(licence)", "/lib/modules/\(reading.kernel)/extra/\(package)"])
          continue
        }
        let root = reading.name == "Tumbleweed" ? "/usr/lib/modules" : "/lib/modules"
        let folder = "\(root)/\(flavor.version)-\(flavor.name)"
        #expect(
          found == [
            "%defattr(-, root, root)", "%doc \(licence)", "%dir \(folder)", "%dir \(folder)/updates",
            "\(folder)/updates/\(package)",
          ])
      }
    }
  }

  // MARK: scripts

  /// Sources and build folder of a kernel are two on SUSE, and one elsewhere.
  @Test(arguments: SpecReading.all, ModulesChoice.all)
  func lustreIsConfiguredForTheKernel(reading: SpecReading, choice: ModulesChoice) async throws {
    let scripts = try await reading.scripts(spec(), name: "lustre", with: choice.with).map(\.text).joined()
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
    let folder = reading.isSUSE ? "updates" : "extra"
    #expect(scripts.contains(" INSTALL_MOD_DIR=\"\(folder)/$2\" "))
    #expect(scripts.contains("install_modules \"\" \(choice.name)\n"))
    #expect(
      scripts.contains("\n    install_modules /lnet/klnds/o2iblnd \(choice.name)-lnet-o2iblnd\n") == choice.hasOFED)
    // The options by which configure chooses what to build.
    let configured = try #require(scripts.firstMatch(of: /ac_cv_path_FLEX=: ([^\n]*) \\\n *([^\n]*?) *\\\n/)?.output)
    #expect(configured.1 == (choice.isServer ? "--enable-server --disable-ldiskfs --without-zfs" : "--disable-server"))
    let o2ib =
      switch (choice.hasOwnRDMA, choice.hasOFED) {
      case (true, true): "--with-o2ib=\"$ofed\" --enable-multiple-lnds"
      case (true, false): "--with-o2ib=yes --enable-multiple-lnds"
      case (false, true): "--with-o2ib=\"$ofed\""
      case (false, false): "--with-o2ib=no"
      }
    let kfabric = choice.hasKfabric ? ["--with-kfi=\"$kfabric\""] : []
    #expect(
      configured.2.split(separator: " ") == ([o2ib] + kfabric).joined(separator: " ").split(separator: " "))
  }

  @Test(arguments: SpecReading.all)
  func scriptsAreShell(reading: SpecReading) async throws {
    var judged: Set<String> = []
    for choice in ModulesChoice.all {
      let scripts = try await reading.scripts(spec(), name: "lustre", with: choice.with)
      // rpmspec 4.18 prints %build behind %prep, without its head.
      #expect(Set(scripts.map(\.name)).subtracting(["%build"]) == sections(reading, choice), "\(choice)")
      for script in scripts where judged.insert(script.text).inserted { try await reading.judge(script) }
    }
    #expect(judged.count > 20)
  }

  private func sections(_ reading: SpecReading, _ choice: ModulesChoice) -> Set<String> {
    var expected: Set = ["%prep", "%install", "%check"]
    for section in ["%post", "%preun", "%posttrans"] { expected.insert("\(section) -n lustre-client-dkms") }
    for section in ["%post", "%preun", "%postun"] { expected.formUnion([section, "\(section) -n lustre-client"]) }
    for section in ["%preun", "%posttrans"] { expected.insert("\(section) -n \(develName(choice.name, reading))") }
    for package in choice.packages.flatMap({ names($0, reading) }) {
      for section in reading.isSUSE ? ["%post"] : ["%preun", "%postun", "%posttrans"] {
        expected.insert("\(section) -n \(package)")
      }
    }
    return expected
  }

  // MARK: refusals

  /// Whether the build folder lacks what is asked for is known when the build begins.
  @Test(arguments: [
    (
      ModulesChoice.client, "CONFIG_MODULES=y\n",
      "has no RDMA for ko2iblnd (CONFIG_INFINIBAND_ADDR_TRANS): build --without o2ib"
    ),
    (.client, "CONFIG_INFINIBAND_ADDR_TRANS=y\n", ""),
    (.withoutRDMA, "CONFIG_MODULES=y\n", ""),
    (
      .both, "CONFIG_INFINIBAND_ADDR_TRANS=m\n",
      "/usr/src/ofa_kernel is not a tree of ofa_kernel: it lacks include/rdma/rdma_cm.h or Module.symvers"
    ),
  ])
  func aKernelWithoutRDMA(choice: ModulesChoice, configuration: String, error: String) async throws {
    let scripts = try await SpecReading.enterpriseLinux[0].scripts(spec(), name: "lustre", with: choice.with)
    let build = try #require(scripts.map(\.text).first { $0.contains("\nstop() {\n") })
    let start = try #require(build.range(of: "\nstop() {\n")).lowerBound
    let end = try #require(build.range(of: "    copy \"build$build\"\n")).lowerBound
    try await Workshop.use { workshop in
      try workshop.write("kernel/include/config/auto.conf", configuration)
      let lines = build[start..<end].split(separator: "\n").map {
        $0.hasPrefix("for build in ") ? "for build in \(workshop.folder)/kernel; do" : String($0)
      }
      let ran = try await Command("sh", ["-ec", (lines + [":", "done"]).joined(separator: "\n")]).run(doing: "building")
      #expect(ran.succeeded == error.isEmpty)
      #expect(error.isEmpty ? ran.errors.isEmpty : ran.errors.contains(error), "\(ran.errors)")
    }
  }

  @Test(arguments: SpecReading.all)
  func serversAreModules(reading: SpecReading) async throws {
    let read = try await reading.rpmspec(spec(), name: "lustre", ["-P"], with: ["--with", "servers"])
    #expect(!read.succeeded && read.errors.contains("--with servers chooses which modules to build, so it needs"))
  }
}
