// SPDX-License-Identifier: GPL-2.0-only

import Files
import SystemPackage
import TestSupport
import Testing

/// What Lustre's `conditions` says of sites, as dkms.conf reads it with bash and PRE_BUILD runs it with sh.
@Suite struct LustreConditionTests {
  private static let kernel = "5.14.0-687.1.1.el9.x86_64"
  private static let modules = "/lib/modules/\(kernel)"
  private static let ofed = "/usr/src/ofa_kernel"

  /// One step after the other in one root: what changes, and what is found then.
  private static let steps = [
    ("", ""),
    ("mkdir -p /srv/include/config; touch /srv/include/config/INFINIBAND_ADDR_TRANS", "o2ib-in-kernel"),
    ("echo \"LUSTRE_DKMS_CONFIGURE_EXTRA='--enable-gss --with-o2ib=no'\" >/etc/sysconfig/dkms-lustre", ""),
    ("echo LUSTRE_DKMS_ENABLE_GSS_KEYRING=y >/etc/sysconfig/dkms-lustre", "gss\no2ib-in-kernel"),
    ("echo LUSTRE_DKMS_ENABLE_GSS=n >/etc/sysconfig/dkms-lustre", "o2ib-in-kernel"),
    // OFED for an unknown kernel, where packages are built: no modules are here.
    (
      "mkdir -p \(ofed)/default/include/rdma; touch \(ofed)/default/include/rdma/rdma_cm.h", "o2ib-in-kernel"
    ),
    ("touch \(ofed)/default/Module.symvers", "o2ib-external=\(ofed)/default"),
    // This kernel has only its own drivers, until weak-modules links those of OFED.
    ("mkdir -p \(modules)/kernel", "o2ib-in-kernel"),
    (
      "cd \(modules); mkdir -p weak-updates/mlnx-ofa_kernel/drivers/infiniband/core; "
        + "touch weak-updates/mlnx-ofa_kernel/drivers/infiniband/core/ib_core.ko", "o2ib-external=\(ofed)/default"
    ),
    ("rm -r \(modules)/weak-updates", "o2ib-in-kernel"),
    ("mkdir -p \(modules)/updates/dkms; touch \(modules)/updates/dkms/ib_core.ko.zst", "o2ib-external=\(ofed)/default"),
    ("rm -r \(modules)/updates", "o2ib-in-kernel"),
    // OFED says for which kernel it was built.
    ("echo KVERSION=\(kernel) >\(ofed)/default/configure.mk.kernel", "o2ib-external=\(ofed)/default"),
    ("echo KVERSION=5.14.0-427.1.1.el9.x86_64 >\(ofed)/default/configure.mk.kernel", "o2ib-in-kernel"),
    ("rm -r \(modules)/kernel", "o2ib-in-kernel"),
    (
      "cd \(modules); mkdir -p extra/mlnx-ofa_kernel/drivers/infiniband/core; "
        + "touch extra/mlnx-ofa_kernel/drivers/infiniband/core/ib_core.ko.xz", "o2ib-external=\(ofed)/default"
    ),
    // A folder of this kernel's own goes before.
    (
      "mkdir -p \(ofed)/x86_64; cp -r \(ofed)/default \(ofed)/x86_64/\(kernel)",
      "o2ib-external=\(ofed)/x86_64/\(kernel)"
    ),
    (
      "rm -r \(ofed); mkdir -p /usr/src/kfabric/default; touch /usr/src/kfabric/default/Module.symvers",
      "o2ib-in-kernel\nkfi=/usr/src/kfabric/default"
    ),
  ]

  @Test func eachSiteGetsItsDrivers() async throws {
    try await withScratch { folder in
      let script = try Files.read(Workshop.root.appending("manifests/lustre/conditions"))
      try Files.write(script, to: folder.appending("conditions"))
      try await TestRoot.bookworm().use { session in
        let machine = Machine(session: session, folder: folder, name: "lustre")
        try await machine.run("mkdir -p /etc/sysconfig \(Self.modules)")
        for (step, expected) in Self.steps {
          try await machine.run(step.isEmpty ? ":" : step)
          for shell in ["bash", "dash"] {
            let found = try await machine.run("\(shell) conditions \(Self.kernel) /srv x86_64")
            #expect(
              found.errors.isEmpty && found.text == (expected.isEmpty ? "" : expected + "\n"), "\(shell): \(step)")
          }
        }
      }
    }
  }
}
