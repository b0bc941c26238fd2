// SPDX-License-Identifier: GPL-2.0-only

import Files
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
}
