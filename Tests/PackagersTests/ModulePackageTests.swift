// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// A kernel module package for SUSE, built from the tarball with the stand-in for SUSE's macros: a kernel of Debian is its
/// flavor `amd64`.
@Suite struct ModulePackageTests {
  @Test func theSampleForAFlavorOfTheKernel() async throws {
    try await withScratch { folder in
      try await Built.cut(
        "sample.toml", into: folder, ["--source", "linux=\(Workshop.root.appending("Examples/sample/linux"))"])
      let kernels = try await TestRoot.bookworm().use { try await TestRoot.kernels($0) }
      let kernel = try #require(kernels.first { $0.hasPrefix("6.1.") && $0.hasSuffix("-amd64") })
      let version = String(kernel.dropLast("-amd64".count))
      let place = folder.appending("sample-7.2.1")
      try Files.write(
        Files.read(Workshop.root.appending("Tests/Fixtures/rpm/macros.suse")), to: place.appending("macros.suse"))
      try await TestRoot.builder(for: kernel).use { session in
        let machine = Machine(session: session, folder: place, name: "sample")
        try await machine.run(
          """
          mkdir -p /build /usr/src/linux-obj/x86_64
          ln -s /usr/src/linux-headers-\(kernel) /usr/src/linux-obj/x86_64/amd64
          cd /build
          rpmbuild -tb --nodeps --load=/mnt/macros.suse --define '_topdir /build' --define 'suse_version 1500' \
            --define 'stand_in_flavors amd64=\(version)' --with modules /mnt/*.orig.tar.xz
          """)
        let full = "7.2.1_k\(version.replacing("-", with: "_"))-1"
        let built = try await machine.run("ls /build/RPMS/*").text.split(separator: "\n").filter {
          $0.hasSuffix(".rpm")
        }
        #expect(
          built == [
            "sample-devel-7.2.1-1.noarch.rpm", "sample-dkms-7.2.1-1.noarch.rpm", "sample-7.2.1-1.x86_64.rpm",
            "sample-kmp-amd64-\(full).x86_64.rpm",
          ])
        let package = "/build/RPMS/x86_64/sample-kmp-amd64-\(full).x86_64.rpm"
        let modules = "/lib/modules/\(kernel)"
        #expect(
          try await machine.run("rpm -qpl \(package) | grep -v /usr/share/doc").text == """
            \(modules)
            \(modules)/updates
            \(modules)/updates/sample
            \(modules)/updates/sample/samplefs.ko
            \(modules)/updates/samplenet
            \(modules)/updates/samplenet/samplenet.ko

            """)
        #expect(
          try await machine.run("rpm -qpd \(package) | xargs -n 1 basename").text == "GPL-2.0\nLinux-syscall-note.txt\n"
        )
        try await machine.refuses(
          "rpm -i --test \(package) /build/RPMS/noarch/sample-dkms-7.2.1-1.noarch.rpm", "conflicts with")
        try await machine.run("rpm -i --nodeps --noscripts \(package)")
        #expect(
          try await machine.run("grep -hao 'vermagic=[^ ]*' \(modules)/updates/*/*.ko").text
            == "vermagic=\(kernel)\nvermagic=\(kernel)\n")
        #expect(
          try await machine.run("rpm -qpi \(package) | sed '1,/^Description/d'").text.hasPrefix(
            "The kernel modules of the sample file system, ready built for the\nkernels of SUSE"))
      }
    }
  }
}
