// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Distributions
import Files
import Glibc
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

private let lustreRepository = environmentVariable("LRELEASE_LUSTRE_GIT").map { FilePath($0) }

/// Lustre itself, from the git repository that `LRELEASE_LUSTRE_GIT` names: `make test-lustre LUSTRE_GIT=…`.
@Suite(.serialized, .enabled(if: lustreRepository != nil, "LRELEASE_LUSTRE_GIT names no repository of Lustre"))
struct LustreTests {
  private let repository = lustreRepository ?? ""
  private let kernel = "6.12.1"

  private func git(_ arguments: [String]) async throws -> Command.Outcome {
    try await Command("git", ["-C", repository.string] + arguments).check(doing: "reading Lustre")
  }

  /// The state that Lustre is heading for: what mainline holds lies in a kernel release, the rest in the companion.
  private func mainlineTarball(in folder: FilePath) async throws -> FilePath {
    let tree = folder.appending("linux")
    // What mainline holds is what the companion's rule leaves out.
    let manifest = try Manifest(
      parsing: Files.read(Workshop.root.appending("manifests/lustre-mainline.toml")), file: "lustre-mainline.toml"
    ) { try Files.read(Workshop.root.appending("manifests/\($0)")) }
    let fromKernel = manifest.rules.filter { $0.source == "linux" }
    let companion = try #require(manifest.rules.first { $0.source != "linux" })
    let listed = try await git(["ls-tree", "-r", "--name-only", "HEAD"]).text.split(separator: "\n").map(String.init)
    for path in listed where companion.destination(of: path) == nil && !path.hasSuffix(".bz2") {
      guard let rule = fromKernel.first(where: { path.hasPrefix($0.to + "/") }) else { continue }
      let file = tree.pushing(FilePath(rule.from + path.dropFirst(rule.to.count)))
      try Files.makeFolder(file.removingLastComponent())
      try Files.write(try await git(["cat-file", "blob", "HEAD:\(path)"]).output, to: file)
    }
    let makefile = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n"
    try Files.write(Array(makefile.utf8), to: tree.appending("Makefile"))
    let tarball = folder.appending("linux-\(kernel).tar.xz")
    _ = try await Command(
      "tar", ["-cJf", tarball.string, "--mtime=2024-12-01", "--transform=s,^linux,linux-\(kernel),", "linux"],
      directory: folder
    ).check(doing: "packing the kernel tree")
    return tarball
  }

  @Test func theMainlineStateMakesTheSameModuleSourcesAndAllOfThemBuild() async throws {
    try await withScratch { folder in
      let today = folder.appending("today")
      let mainline = folder.appending("mainline")
      let source = ["--source", "lustre-release=\(repository)"]
      try await Built.cut("lustre.toml", into: today, ["--kernel", kernel] + source)
      let tarball = try await mainlineTarball(in: folder)
      try await Built.cut(
        "lustre-mainline.toml", into: mainline, ["--source", "linux=\(tarball)", "--allow-unsigned"] + source)
      let deb = "lustre-\(kernel)/lustre-client-modules-dkms_\(kernel)-1_all.deb"
      for release in [today, mainline] {
        _ = try await Command(
          "dpkg-deb", ["-x", release.pushing(FilePath(deb)).string, release.appending("unpacked").string]
        ).check(doing: "unpacking")
      }
      let difference = try await Command(
        "diff", ["-r"] + [today, mainline].map { $0.appending("unpacked/usr/src").string }
      ).run(doing: "comparing")
      #expect(difference.succeeded, "\(difference.text.prefix(2000))")

      try await TestRoot.bookworm().use { session in
        let kernels = try await TestRoot.kernels(session)
        #expect(kernels.count == 2)
        let start = ContinuousClock.now
        let installed = try await TestRoot.sh(session, "apt-get install -y /mnt/mainline/\(deb)", folder)
        #expect(installed.succeeded, "\(installed.text.suffix(2000)) \(installed.errors)")
        print("lustre: installed for \(kernels.count) kernels in \(Int((ContinuousClock.now - start).seconds)) s")
        for kernel in kernels {
          let probed = ContinuousClock.now
          let probe = try await TestRoot.sh(
            session,
            "cp -r /usr/src/lustre-client-\(self.kernel) /b; cd /b; sh dkms/pre-build \(kernel) /lib/modules/\(kernel)/build; rm -r /b",
            folder)
          #expect(probe.succeeded, "\(probe.errors)")
          print("lustre: PRE_BUILD for \(kernel) takes \(Int((ContinuousClock.now - probed).seconds)) s")
          let found = try await TestRoot.sh(
            session, "dkms autoinstall -k \(kernel) >&2; find /lib/modules/\(kernel)/updates -name '*.ko*' | wc -l",
            folder)
          #expect(found.text.trimmed == "17", "\(kernel): \(found.errors.suffix(2000))")
          let version = try await TestRoot.sh(session, "modinfo -k \(kernel) -F version lustre", folder)
          #expect(version.text.trimmed == self.kernel)
        }
        let purged = try await TestRoot.sh(session, "apt-get purge -y lustre-client-modules-dkms", folder)
        #expect(purged.succeeded, "\(purged.errors)")
        let left = try await TestRoot.sh(
          session, "find /lib/modules/*/updates /usr/src /var/lib/dkms -ipath '*lustre*' -not -path '*/linux-*'", folder
        )
        #expect(left.text.isEmpty, "\(left.text)")
      }
    }
  }

  /// The branch has another layout, and a version of its own.
  @Test func theMaintenanceBranchBuildsItsClient() async throws {
    try await withScratch { folder in
      try await Built.cut("lustre-2.17.toml", into: folder, ["--source", "lustre-release=\(repository)"])
      let name = try #require(
        Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.first { $0.hasPrefix("lustre-2.17.") })
      let version = name.dropFirst("lustre-".count)
      try await TestRoot.bookworm().use { session in
        let installed = try await TestRoot.sh(
          session, "apt-get install -y /mnt/\(name)/lustre-client-modules-dkms_\(version)-1_all.deb", folder)
        #expect(installed.succeeded, "\(installed.text.suffix(2000)) \(installed.errors)")
        for kernel in try await TestRoot.kernels(session) {
          let found = try await TestRoot.sh(
            session,
            "find /lib/modules/\(kernel)/updates -name '*.ko*' | wc -l; modinfo -k \(kernel) -F version lustre", folder)
          #expect(found.text == "17\n\(version)\n", "\(kernel): \(found.text) \(installed.text.suffix(2000))")
        }
      }
    }
  }

  // MARK: packages in place of others

  private let release = "lustre-6.12.1"

  /// Builds programs, and modules for a kernel, as somebody does who has only the tarball, into `debs` and `rpms`.
  private func build(for kernel: String, in folder: FilePath) async throws {
    let control = try await Command(
      "tar", ["-xOf", folder.appending(release).appending("\(release).tar.xz").string, "\(release)/debian/control"]
    ).check(doing: "reading debian/control").text
    let source = String(control[..<(try #require(control.firstRange(of: "\nPackage:"))).lowerBound]) + "\n"
    try await TestRoot.builder(for: kernel, dependencies: source).use { session in
      let builder = Machine(session: session, folder: folder.appending(release), name: "lustre")
      try await builder.run(
        """
        mkdir -p /build/debs /build/rpms; cd /build
        tar -xf /mnt/\(release).tar.xz; cd \(release)
        debian/rules control KERNELS=\(kernel)
        DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc)" dpkg-buildpackage -us -uc -b
        cd ..; mv *.deb debs
        rpmbuild -tb --nodeps --define '_topdir /build' --with modules --define 'kernel \(kernel)' /mnt/\(release).tar.xz
        mv RPMS/*/*.rpm rpms
        """)
      for format in ["debs", "rpms"] {
        try Files.move(session.written("/build/\(format)"), to: folder.appending(format))
      }
    }
  }

  /// What a machine holds of ours with the package for dkms, where no kernel has headers.
  private var dkms: [String] {
    ["/usr/src/lustre-client-\(kernel)", "/var/lib/dkms/lustre-client", "/var/lib/dkms/lustre-client/\(kernel)"]
  }

  private func modules(_ kernel: String, _ folder: String, _ machine: Machine) async throws -> [String] {
    let script = "cd /lib/modules/\(kernel); find \(folder) -name '*.ko*' | sed 's/\\.ko.*//'"
    let found = try await machine.run(script).text.split(separator: "\n").map { "\(kernel) \($0) \(self.kernel)" }
    #expect(found.count == 17)
    return found
  }

  @Test func packagesTakeThePlaceOfOneAnotherAndOfLustre2() async throws {
    try await withScratch { folder in
      try await Built.cut(
        "lustre.toml", into: folder, ["--kernel", kernel, "--source", "lustre-release=\(repository)"])
      let root = try await TestRoot.bookworm(with: [
        "libkeyutils1", "libmount1", "libnl-genl-3-200", "libselinux1", "libssl3", "libyaml-0-2", "perl", "python3",
        "sg3-utils", "systemd", "zlib1g",
      ])
      let newest = try await root.use { session in
        try #require(try await TestRoot.kernels(session).first { $0.hasPrefix("6.12") })
      }
      try await build(for: newest, in: folder)
      for old in ["2.15.8", "2.17.0"] {
        try await root.use { try await debs(LustreTwo(version: old), newest, in: $0, folder) }
        try await root.use { try await rpms(LustreTwo(version: old), newest, in: $0, folder) }
      }
    }
  }

  private func debs(_ old: LustreTwo, _ newest: String, in session: ChrootSession, _ folder: FilePath) async throws {
    let machine = Machine(session: session, folder: folder, name: "lustre")
    let place = folder.appending(old.version)
    for (name, packages) in [
      ("client", old.clientDebs), ("server", old.serverDebs), ("modules", [old.modulesDeb(newest)]),
    ] {
      for package in packages {
        try Files.makeFolder(place.appending(name))
        try await package.write(to: place.appending(name).appending(package.fileName))
      }
    }
    let ours = "./debs/lustre-client-utils_*.deb ./debs/lib*.deb ./debs/lustre-dev_*.deb ./debs/lustre-iokit_*.deb"
    let dkmsPackage = "./\(release)/lustre-client-modules-dkms_*.deb"
    let modulesPackage = "./debs/lustre-client-modules-\(newest)_*.deb"
    let etc = ["/etc/lustre", "/etc/sysconfig/dkms-lustre"]

    // The old module is there for a kernel with headers; ours is not built for kernels that have none.
    try await machine.run("apt-get install -y ./\(old.version)/client/*.deb")
    try await machine.run("modinfo -k \(newest) -F version lustre | grep -qx \(old.version); rm /lib/modules/*/build")
    try await machine.run("apt-get install -y \(ours) \(dkmsPackage)")
    try await machine.expect(dkms + etc)
    try await machine.run("test ! -e /etc/request-key.d/lgssc.conf; lfs --version | grep -F \(kernel)")

    // Ready-built modules instead, of ours and of Lustre 2, and back.
    try await machine.run("apt-get install -y \(modulesPackage)")
    let built = try await modules(newest, "updates/lustre", machine)
    try await machine.expect(built + etc)
    try await machine.run("modinfo -k \(newest) -F vermagic lustre | grep '^\(newest) '")
    try await machine.run("apt-get install -y \(dkmsPackage)")
    try await machine.expect(dkms + etc)
    try await machine.run("apt-get purge -y lustre-dev; apt-get install -y ./\(old.version)/modules/*.deb")
    try await machine.run("apt-get install -y \(dkmsPackage)")
    try await machine.expect(dkms + etc)

    // Nothing stays behind, of either.
    try await machine.run("apt-get purge -y 'lustre-*' liblustreapi1 liblnetconfig4")
    try await machine.expect([])

    // A server.
    try await machine.run("apt-get install -y ./\(old.version)/server/*.deb")
    try await machine.run("apt-get install -y ./debs/lustre-server-utils_*.deb ./debs/lib*.deb")
    try await machine.expect(etc)
    try await machine.run("apt-get purge -y 'lustre-*' liblustreapi1 liblnetconfig4")
    try await machine.expect([])
  }

  private func rpms(_ old: LustreTwo, _ newest: String, in session: ChrootSession, _ folder: FilePath) async throws {
    let machine = Machine(session: session, folder: folder, name: "lustre")
    // What ours require of the distribution.
    let required = try await machine.run(
      """
      rpm -qp --requires rpms/*.rpm \(release)/*.noarch.rpm | sed '/^rpmlib/d; /^config(/d; /lustre/d; /^dkms/d' | sort -u
      """
    ).text.split(separator: "\n").joined(separator: " ")
    try await TestRoot.tellRPM(session, provides: required)
    try Files.write(Array(old.spec(kernel: newest).utf8), to: folder.appending("\(old.version).spec"))
    try await machine.run("rpmbuild -bb --define '_topdir /old' \(old.version).spec")
    let before = "/old/RPMS/*/lustre-client{,-devel}-2*.rpm /old/RPMS/*/lustre*-iokit-*.rpm"
    let ours = "rpms/lustre-client-6*.rpm rpms/lustre-devel-*.rpm rpms/lustre-iokit-*.rpm"
    let dkmsPackage = "\(release)/lustre-client-dkms-*.rpm"
    let driver = "kmod-lustre-client-lnet-in-kernel-o2iblnd"
    let modulesPackage = "rpms/kmod-lustre-client-6*.rpm rpms/\(driver)-6*.rpm"
    let etc = ["/etc/lustre"]
    let settings = ["/etc/sysconfig/dkms-lustre"]
    func rpm(_ arguments: String) async throws {
      try await machine.run("bash -ec 'rpm \(arguments)'")
    }

    try await rpm("-i \(before) /old/RPMS/*/lustre-client-dkms-*.rpm /old/RPMS/*/kmod-lustre-client-devel-*.rpm")
    try await machine.run("modinfo -k \(newest) -F version lustre | grep -qx \(old.version); rm /lib/modules/*/build")
    try await rpm("-U \(ours) \(dkmsPackage)")
    try await machine.expect(dkms + etc + settings)
    try await machine.run(
      "LD_LIBRARY_PATH=/usr/lib64 lfs --version | grep -F \(kernel); rpm -V lustre-client lustre-devel lustre-iokit")

    // Ready-built modules instead, of ours and of Lustre 2, and back.
    try await machine.refuses("rpm -i \(modulesPackage)", "conflicts with")
    try await rpm("-e lustre-client-dkms && rpm -i \(modulesPackage)")
    let built = try await modules(newest, "extra", machine)
    try await machine.expect(built + etc)
    try await machine.refuses("rpm -i \(dkmsPackage)", "conflicts with")
    try await machine.refuses("rpm -U --oldpackage /old/RPMS/*/kmod-lustre-client-2*.rpm", "is needed by")
    try await rpm("-e \(driver) && rpm -U --oldpackage /old/RPMS/*/kmod-lustre-client-2*.rpm")
    try await machine.refuses("rpm -i \(dkmsPackage)", "conflicts with")
    try await rpm("-U \(modulesPackage)")
    try await machine.expect(built + etc)
    try await rpm("-e kmod-lustre-client \(driver) && rpm -i \(dkmsPackage)")
    try await machine.expect(dkms + etc + settings)
    try await rpm("-e lustre-client lustre-devel lustre-iokit lustre-client-dkms")
    try await machine.expect([])
  }
}
