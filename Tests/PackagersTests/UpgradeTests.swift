// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// The life of a release's packages on a machine, with the real package managers: after each step there is exactly what
/// there should be, and at the end nothing.
@Suite(.serialized) struct UpgradeTests {
  /// A candidate, its final release, that with an extra, a vendor's rebuild and a respin, in the order of their age.
  private func cutAll(_ folder: FilePath) async throws {
    let examples = Workshop.root.appending("Examples/sample")
    let linux = folder.appending("linux")
    _ = try await Command("cp", ["-r", examples.appending("linux").string, linux.string]).check(doing: "copying")
    let makefile = linux.appending("Makefile")
    let text = String(decoding: try Files.read(makefile), as: UTF8.self)
    let candidate = text.replacing("EXTRAVERSION =", with: "EXTRAVERSION = -rc2")
    try #require(candidate != text)
    func cut(_ makefileText: String, _ arguments: [String] = []) async throws {
      try Files.replace(makefile, with: Array(makefileText.utf8))
      try await Built.cut("sample.toml", into: folder, ["--source", "linux=\(linux)"] + arguments)
    }
    try await cut(candidate)
    try await cut(text)
    try await cut(text, ["--with", "trace"])
    try await cut(text, ["--respin", "1"])
    _ = try await Command(
      Workshop.lrelease,
      ["rebuild", folder.appending("sample-7.2.1/sample-7.2.1.tar.xz").string, "--vendor", "acme"]
        + ["--output", folder.string]
    ).check(doing: "rebuilding")
  }

  private func deb(_ version: String) -> String { "./sample-\(version)/sample-dkms_\(version)-1_all.deb" }
  private func rpm(_ version: String) -> String { "sample-\(version)/sample-dkms-\(version)-1.noarch.rpm" }

  /// What a machine holds with the package for dkms.
  private func dkms(_ version: String, _ kernels: [String], more: [String] = []) -> [String] {
    let modules = kernels.flatMap { kernel in
      (["samplefs", "samplenet"] + more).map { "\(kernel) updates/dkms/\($0) \(version)" }
    }
    let links = kernels.map { "/var/lib/dkms/sample/kernel-\($0)-x86_64" }
    let folders = ["/usr/src/sample-\(version)", "/var/lib/dkms/sample", "/var/lib/dkms/sample/\(version)"]
    return (modules + links + folders + ["/etc/modprobe.d/sample.conf"]).sorted()
  }

  /// The newest kernel leaves with its packages, and dkms takes along what it has built for it.
  private func removeNewestKernel(_ machine: Machine, _ kernels: [String]) async throws -> [String] {
    let newest = try #require(kernels.first { $0.hasPrefix("6.12") })
    try await machine.run("apt-get purge -y linux-image-\(newest) linux-headers-\(newest)")
    return kernels.filter { $0 != newest }
  }

  @Test func debsComeAndGo() async throws {
    try await withScratch { folder in
      try await cutAll(folder)
      try await TestRoot.bookworm().use { session in
        let machine = Machine(session: session, folder: folder, name: "sample")
        @discardableResult
        func install(_ package: String, _ options: String = "") async throws -> String {
          try await machine.run("apt-get install -y \(options) \(package)").text
        }
        var kernels = try await TestRoot.kernels(session).sorted()
        #expect(kernels.count == 2)
        // dkms knows which kernel runs, and would leave out others.
        try await machine.run("echo autoinstall_all_kernels=yes >>/etc/dkms/framework.conf")
        try await install(deb("7.2.1~rc2"))
        try await machine.expect(dkms("7.2.0.999.2", kernels))
        kernels = try await removeNewestKernel(machine, kernels)
        try await machine.expect(dkms("7.2.0.999.2", kernels))
        let kernel = try #require(kernels.first)
        // Of this one there are headers only. What depmod goes by is in the package of the kernel itself.
        try await machine.run("touch /lib/modules/\(kernel)/modules.builtin /lib/modules/\(kernel)/modules.order")
        try await buildModules(
          for: kernel,
          """
          tar -xf /mnt/*.orig.tar.xz; cd sample-7.2.1
          debian/rules control KERNELS=\(kernel); dpkg-buildpackage -us -uc -b
          """, "sample-modules-\(kernel)_7.2.1-1_amd64.deb", in: folder)

        // Upgrades, an extra that comes and goes among them.
        try await install(deb("7.2.1"))
        try await machine.expect(dkms("7.2.1", kernels))
        try await install(deb("7.2.1+and.trace"))
        try await machine.expect(dkms("7.2.1-and.trace", kernels, more: ["sampletrace"]))
        try await install(deb("7.2.1+by.acme.1"))
        try await machine.expect(dkms("7.2.1.0.1", kernels))
        try await install(deb("7.2.1+r1"))
        try await machine.expect(dkms("7.2.1.1", kernels))

        try await machine.refuses("apt-get install -y \(deb("7.2.1"))", "--allow-downgrades")
        try await machine.expect(dkms("7.2.1.1", kernels))
        try await install(deb("7.2.1"), "--allow-downgrades")
        try await machine.expect(dkms("7.2.1", kernels))

        // Ready-built modules take the place of those that dkms builds, and the other way round.
        let built = ["sample/samplefs", "samplenet/samplenet"].map { "\(kernel) updates/\($0) 7.2.1" }
        let configuration = "/etc/modprobe.d/sample.conf"
        #expect(try await install("./modules.deb").contains("Removing sample-dkms "))
        try await machine.expect([configuration] + built)
        #expect(try await install(deb("7.2.1")).contains("Removing sample-modules-"))
        try await machine.expect(dkms("7.2.1", kernels))
        try await install("./modules.deb")
        try await machine.expect([configuration] + built)
        try await machine.run("apt-get purge -y 'sample-modules-*' sample-dkms")
        try await machine.expect([])
      }
    }
  }

  /// Builds the package with modules for a kernel as somebody does who has only the tarball, and puts it into `folder`.
  private func buildModules(for kernel: String, _ script: String, _ package: String, in folder: FilePath) async throws {
    try await TestRoot.builder(for: kernel).use { session in
      let builder = Machine(session: session, folder: folder.appending("sample-7.2.1"), name: "sample")
      try await builder.run("mkdir /build; cd /build; \(script)")
      try Files.move(
        session.written("/build").pushing(FilePath(package)), to: folder.appending("modules.\(package.suffix(3))"))
    }
  }

  @Test func rpmsComeAndGo() async throws {
    try await withScratch { folder in
      try await cutAll(folder)
      try await TestRoot.bookworm().use { session in
        let machine = Machine(session: session, folder: folder, name: "sample")
        var kernels = try await TestRoot.kernels(session).sorted()
        try await TestRoot.tellRPM(session)
        #expect(kernels.count == 2)
        try await machine.run("rpm -i \(rpm("7.2.1~rc2"))")
        try await machine.expect(dkms("7.2.0.999.2", kernels))
        kernels = try await removeNewestKernel(machine, kernels)
        try await machine.expect(dkms("7.2.0.999.2", kernels))

        try await machine.run("rpm -U \(rpm("7.2.1"))")
        try await machine.expect(dkms("7.2.1", kernels))
        // A reinstall runs %preun after %post.
        try await machine.run("rpm -U --replacepkgs \(rpm("7.2.1"))")
        try await machine.expect(dkms("7.2.1", kernels))
        try await machine.run("rpm -U \(rpm("7.2.1+and.trace"))")
        try await machine.expect(dkms("7.2.1-and.trace", kernels, more: ["sampletrace"]))
        try await machine.run("rpm -U \(rpm("7.2.1+by.acme.1"))")
        try await machine.expect(dkms("7.2.1.0.1", kernels))
        try await machine.run("rpm -U \(rpm("7.2.1+r1"))")
        try await machine.expect(dkms("7.2.1.1", kernels))

        try await machine.refuses("rpm -U \(rpm("7.2.1"))", "which is newer than sample-dkms-7.2.1-1")
        try await machine.expect(dkms("7.2.1.1", kernels))
        try await machine.run("rpm -U --oldpackage \(rpm("7.2.1"))")
        try await machine.expect(dkms("7.2.1", kernels))

        let kernel = try #require(kernels.first)
        try await buildModules(
          for: kernel,
          """
          rpmbuild -tb --nodeps --define '_topdir /build' --with modules --define 'kernel \(kernel)' /mnt/*.orig.tar.xz
          """, "RPMS/x86_64/kmod-sample-7.2.1-1.x86_64.rpm", in: folder)
        let built = ["sample/samplefs", "samplenet/samplenet"].map { "\(kernel) extra/sample/\($0) 7.2.1" }
        try await machine.refuses("rpm -i modules.rpm", "conflicts with")
        try await machine.run("rpm -e sample-dkms && rpm -i modules.rpm")
        try await machine.expect(built)
        try await machine.refuses("rpm -i \(rpm("7.2.1"))", "conflicts with")
        try await machine.run("rpm -U --replacepkgs modules.rpm")
        try await machine.expect(built)
        try await machine.run("rpm -e kmod-sample && rpm -i \(rpm("7.2.1"))")
        try await machine.expect(dkms("7.2.1", kernels))
        try await machine.run("rpm -e sample-dkms")
        try await machine.expect([])
      }
    }
  }
}
