// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Groundwork
import SystemPackage
import Testing

@testable import Packagers

/// Packages installed with the real package managers, in roots in which only what the packages need is installed.
@Suite(.serialized) struct InstallTests {
  /// Ceph's modules from the Linux release in Debian's linux-source-6.12: what a site does with a release from mainline.
  @Test func aptInstallsAndRemovesCeph() async throws {
    let source = FilePath("/usr/src/linux-source-6.12.tar.xz")
    guard Files.exists(source) else {
      Issue.record("no \(source): apt-get install linux-source-6.12")
      return
    }
    try await withScratch { folder in
      try await Built.cut("ceph.toml", into: folder, ["--source", "linux=\(source)", "--allow-unsigned"])
      let release = try #require(try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.first)
      let version = String(release.dropFirst("ceph-".count))
      try await TestRoot.bookworm().use { session in
        let kernel = try #require(try await TestRoot.kernels(session).first { $0.hasPrefix("6.12") })
        let installed = try await TestRoot.sh(session, "apt-get install -y /mnt/\(release)/*.deb", folder)
        #expect(installed.succeeded, "\(installed.text) \(installed.errors)")
        let status = try await TestRoot.sh(session, "dkms status", folder)
        #expect(status.text.contains("ceph/\(version), \(kernel), x86_64: installed"), "\(status.text)")
        for module in ["libceph", "ceph"] {
          let shown = try await TestRoot.sh(
            session,
            """
            modinfo -k \(kernel) -F version \(module); modinfo -k \(kernel) -F vermagic \(module)
            modinfo -k \(kernel) -F filename \(module)
            """, folder)
          let lines = shown.text.split(separator: "\n").map(String.init)
          try #require(lines.count == 3, "\(shown.text)")
          #expect(lines[0] == version)
          #expect(lines[1].hasPrefix("\(kernel) "))
          #expect(lines[2].contains("/updates/dkms/"))
        }
        // The kernel below the supported range was left alone, and that was said in one line.
        #expect(!status.text.contains(", 6.1.0"), "\(status.text)")
        let purged = try await TestRoot.sh(session, "apt-get purge -y 'ceph*-dkms'", folder)
        #expect(purged.succeeded, "\(purged.errors)")
        let left = try await TestRoot.sh(
          session, "find /lib/modules/*/updates /usr/src /var/lib/dkms -ipath '*ceph*' -not -path '*/linux-*'", folder)
        #expect(left.text.isEmpty, "\(left.text)")
        let own = try await TestRoot.sh(session, "modinfo -k \(kernel) -F filename ceph", folder)
        #expect(own.text.contains("/kernel/fs/ceph/"), "the kernel's own module is not found again: \(own.text)")
      }
    }
  }

  /// Modules are there, or gone, at each step of a package's life with rpm.
  @Test func rpmInstallsUpgradesReinstallsAndErases() async throws {
    try await withScratch { folder in
      let linux = "linux=\(Built.repository.appending("Examples/sample/linux"))"
      try await Built.cut("sample.toml", into: folder, ["--source", linux])
      try await Built.cut("sample.toml", into: folder, ["--source", linux, "--respin", "1"])
      try await TestRoot.bookworm().use { session in
        let kernels = try await TestRoot.kernels(session)
        #expect(kernels.count == 2)
        func modules() async throws -> [String] {
          try await TestRoot.sh(session, "find /lib/modules -name 'sample*.ko*' | sort", folder).text
            .split(separator: "\n").map(String.init)
        }
        /// dkms is in the root by apt, not by rpm, which therefore cannot see it.
        func rpm(_ arguments: String) async throws {
          let outcome = try await TestRoot.sh(session, "cd /mnt && rpm --nodeps \(arguments)", folder)
          #expect(outcome.succeeded, "rpm \(arguments): \(outcome.text) \(outcome.errors)")
          #expect(!outcome.errors.contains("scriptlet failed"), "rpm \(arguments): \(outcome.errors)")
        }
        func version() async throws -> Set<String> {
          var versions: Set<String> = []
          for kernel in kernels {
            versions.insert(
              try await TestRoot.sh(session, "modinfo -k \(kernel) -F version samplefs", folder).text.trimmed)
          }
          return versions
        }
        try await rpm("-i sample-7.2.1/sample-dkms-7.2.1-1.noarch.rpm")
        #expect(try await modules().count == 4)
        #expect(try await version() == ["7.2.1"])
        try await rpm("-U sample-7.2.1+r1/sample-dkms-7.2.1+r1-1.noarch.rpm")
        #expect(try await modules().count == 4)
        let upgraded = try await version()
        #expect(upgraded.count == 1 && upgraded != ["7.2.1"])
        try await rpm("-U --replacepkgs sample-7.2.1+r1/sample-dkms-7.2.1+r1-1.noarch.rpm")
        #expect(try await modules().count == 4)
        #expect(try await version() == upgraded)
        try await rpm("-e sample-dkms")
        #expect(try await modules().isEmpty)
        let left = try await TestRoot.sh(
          session, "find /usr/src /var/lib/dkms /etc/modprobe.d -iname '*sample*' -not -path '*/linux-headers-*'",
          folder)
        #expect(left.text.isEmpty, "\(left.text)")
      }
    }
  }
}
