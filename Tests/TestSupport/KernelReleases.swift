// SPDX-License-Identifier: GPL-2.0-only

/// Releases of real kernels, as `uname -r` prints them, and what is to be known of each.
package struct KernelReleaseCase: Sendable, CustomStringConvertible {
  package var release: String
  package var family: String
  /// The numbers that the family compares.
  package var numbers: [Int]
  /// Whether a package with `manifest` supports it.
  package var isSupported: Bool

  package var description: String { release }

  private init(_ release: String, _ family: String, _ numbers: [Int], _ isSupported: Bool) {
    self.release = release
    self.family = family
    self.numbers = numbers
    self.isSupported = isSupported
  }

  /// What the packages claim that the table is for.
  package static let manifest = """
    kernels = [
      { family = "mainline", min = "6.1", max = "6.12", except = ["6.7", "6.9 to 6.10", "6.6.50 to 6.6.59"] },
      { family = "el8", min = "4.18.0-553", max = "4.18.0-553", stated = "the ChangeLog of 2.17.90" },
      { family = "el9", min = "5.14.0-611", max = "5.14.0-687", except = ["5.14.0-650", "5.14.0-611.55.2 to 5.14.0-611.57"] },
      { family = "el10", min = "6.12.0-124", max = "6.12.0-211.47.1" },
      { family = "sles15", min = "5.14.21-150500", max = "5.14.21-150500" },
      { family = "sles15", min = "6.4.0-150600", max = "6.4.0-150700" },
      { family = "ubuntu", min = "6.8.0-35", max = "6.8.0-110" },
      { family = "openeuler", min = "5.10.0-60.94", max = "5.10.0-153" },
      { family = "uek", min = "5.15.0-302", max = "5.15.0-399" },
      { family = "site", min = "6.6.1", max = "6.6.99" },
    ]
    """
  /// A family of the manifest's own.
  package static let families = """
    [kernel-families.site]
    release = "[+]site[0-9]+$"
    line = 2
    """

  package static let all: [KernelReleaseCase] = kernelOrg + enterprise + others

  private static let kernelOrg: [KernelReleaseCase] = [
    .init("6.1.0", "mainline", [6, 1, 0], true), .init("6.1", "mainline", [6, 1], true),
    .init("6.0.19", "mainline", [6, 0, 19], false), .init("6.12.95", "mainline", [6, 12, 95], true),
    .init("6.13.0", "mainline", [6, 13, 0], false), .init("6.120.1", "mainline", [6, 120, 1], false),
    .init("6.6.13", "mainline", [6, 6, 13], true), .init("6.6.49", "mainline", [6, 6, 49], true),
    .init("6.6.50", "mainline", [6, 6, 50], false), .init("6.6.59-gentoo", "mainline", [6, 6, 59], false),
    .init("6.6.60", "mainline", [6, 6, 60], true), .init("6.6.5", "mainline", [6, 6, 5], true),
    .init("6.6.590", "mainline", [6, 6, 590], true), .init("6.7.2", "mainline", [6, 7, 2], false),
    .init("6.8.12", "mainline", [6, 8, 12], true), .init("6.9.0", "mainline", [6, 9, 0], false),
    .init("6.10.14", "mainline", [6, 10, 14], false), .init("6.11.0-rc3", "mainline", [6, 11, 0], true),
    .init("7.4.0-rc3", "mainline", [7, 4, 0], false), .init("5.4.136", "mainline", [5, 4, 136], false),
    .init("6.12.1-arch1-1", "mainline", [6, 12, 1], true), .init("6.12.95-1-lts", "mainline", [6, 12, 95], true),
    .init("6.6.54-2-MANJARO", "mainline", [6, 6, 54], false),
    .init("6.12.47-gentoo-dist", "mainline", [6, 12, 47], true),
    .init("6.6.87.2-microsoft-standard-WSL2", "mainline", [6, 6, 87, 2], true),
    .init("6.8.0-060800-generic", "mainline", [6, 8, 0], true),
    .init("6.11.0-061100rc1-generic", "mainline", [6, 11, 0], true),
    .init("6.6.51+rpt-rpi-v8", "mainline", [6, 6, 51], false), .init("6.6.43-talos", "mainline", [6, 6, 43], true),
    .init("6.1.112+", "mainline", [6, 1, 112], true), .init("6.1.15-flatcar", "mainline", [6, 1, 15], true),
    .init("6.1.36_lustre", "mainline", [6, 1, 36], true), .init("6.12.0-55", "mainline", [6, 12, 0], true),
    .init("6.12.1-1.el9.elrepo.x86_64", "elrepo", [6, 12, 1, 1], true),
    .init("6.9.3-1.el8.elrepo.x86_64", "elrepo", [6, 9, 3, 1], false),
    .init("6.1.0-56-amd64", "debian", [6, 1, 0, 56], true), .init("6.1.0-56-rt-amd64", "debian", [6, 1, 0, 56], true),
    .init("6.1.0-56-cloud-amd64", "debian", [6, 1, 0, 56], true),
    .init("6.1.0-0.deb11.21-amd64", "debian", [6, 1, 0, 0], true),
    .init("6.12.95+deb12-cloud-amd64", "debian", [6, 12, 95], true),
    .init("6.12.117+deb13-arm64-16k", "debian", [6, 12, 117], true),
    .init("7.3.4+deb13-amd64", "debian", [7, 3, 4], false), .init("6.1.0-56-arm64", "debian", [6, 1, 0, 56], true),
    .init("5.10.0-46-amd64", "debian", [5, 10, 0, 46], false), .init("6.10.11-amd64", "debian", [6, 10, 11], false),
    .init("6.1.0-21-686-pae", "debian", [6, 1, 0, 21, 686], true),
    .init("6.19.14-108.fc42.x86_64", "fedora", [6, 19, 14, 108], false),
    .init("6.11.8-300.fc41.aarch64", "fedora", [6, 11, 8, 300], true),
    .init("7.4.0-0.rc3.20260801git.fc45.x86_64", "fedora", [7, 4, 0, 0], false),
    .init("6.8.9-300.fc40.x86_64+debug", "fedora", [6, 8, 9, 300], true),
    .init("6.11.3-1-default", "opensuse", [6, 11, 3, 1], true),
    .init("6.6.57.1-7.azl3", "azurelinux", [6, 6, 57, 1, 7], false),
    .init("6.1.83-3.ph5", "photon", [6, 1, 83, 3], true),
  ]

  private static let enterprise: [KernelReleaseCase] = [
    .init("3.10.0-1160.119.1.el7.x86_64", "el7", [3, 10, 0, 1160, 119, 1], false),
    .init("4.18.0-553.155.1.el8_10.x86_64", "el8", [4, 18, 0, 553, 155, 1], true),
    .init("4.18.0-553.155.1.el8_10.x86_64+debug", "el8", [4, 18, 0, 553, 155, 1], true),
    .init("4.18.0-553.rt7.342.el8_10.x86_64", "el8", [4, 18, 0, 553], true),
    .init("4.18.0-553.6.1.lve.el8.x86_64", "el8", [4, 18, 0, 553, 6, 1], true),
    .init("4.18.0-513.9.1.el8_lustre.x86_64", "el8", [4, 18, 0, 513, 9, 1], false),
    .init("4.18.0-552.el8.x86_64", "el8", [4, 18, 0, 552], false),
    .init("5.14.0-611.55.1.el9_7.x86_64", "el9", [5, 14, 0, 611, 55, 1], true),
    .init("5.14.0-611.55.2.el9_7.x86_64", "el9", [5, 14, 0, 611, 55, 2], false),
    .init("5.14.0-611.57.99.el9_7.x86_64", "el9", [5, 14, 0, 611, 57, 99], false),
    .init("5.14.0-611.58.el9_7.x86_64", "el9", [5, 14, 0, 611, 58], true),
    .init("5.14.0-611.el9.x86_64", "el9", [5, 14, 0, 611], true),
    .init("5.14.0-687.39.1.el9_8.x86_64", "el9", [5, 14, 0, 687, 39, 1], true),
    .init("5.14.0-687.39.1.el9_8.aarch64+64k", "el9", [5, 14, 0, 687, 39, 1], true),
    .init("5.14.0-650.1.1.el9_8.x86_64", "el9", [5, 14, 0, 650, 1, 1], false),
    .init("5.14.0-688.1.el9.x86_64", "el9", [5, 14, 0, 688, 1], false),
    .init("5.14.0-6110.1.el9.x86_64", "el9", [5, 14, 0, 6110, 1], false),
    .init("5.14.0-427.42.1.el9_4.aarch64", "el9", [5, 14, 0, 427, 42, 1], false),
    .init("5.14.0-427.31.1_lustre.el9.x86_64", "el9", [5, 14, 0, 427, 31, 1], false),
    .init("6.12.0-55.43.1.el10_0.x86_64", "el10", [6, 12, 0, 55, 43, 1], false),
    .init("6.12.0-124.56.1.el10_1.x86_64+rt", "el10", [6, 12, 0, 124, 56, 1], true),
    .init("6.12.0-211.47.1.el10_2.x86_64", "el10", [6, 12, 0, 211, 47, 1], true),
    .init("6.12.0-211.47.2.el10_2.x86_64", "el10", [6, 12, 0, 211, 47, 2], false),
    .init("6.12.0-211.46.el10_2.ppc64le", "el10", [6, 12, 0, 211, 46], true),
    .init("5.15.0-302.167.6.el9uek.x86_64", "uek", [5, 15, 0, 302, 167, 6], true),
    .init("6.12.0-100.28.2.el9uek.x86_64", "uek", [6, 12, 0, 100, 28, 2], false),
    .init("5.4.17-2136.330.7.5.el8uek.aarch64", "uek", [5, 4, 17, 2136, 330, 7, 5], false),
    .init("6.4.0-150700.53.66-default", "sles15", [6, 4, 0, 150700, 53, 66], true),
    .init("6.4.0-150600.23.25-default", "sles15", [6, 4, 0, 150600, 23, 25], true),
    .init("6.4.0-150700.20.6-azure", "sles15", [6, 4, 0, 150700, 20, 6], true),
    .init("5.14.21-150500.55.65-default", "sles15", [5, 14, 21, 150500, 55, 65], true),
    .init("5.14.21-150500.55.65_13.0.73-cray_shasta_c", "sles15", [5, 14, 21, 150500, 55, 65], true),
    .init("5.14.21-150400.24.100-default", "sles15", [5, 14, 21, 150400, 24, 100], false),
    .init("5.3.18-150300.59.93-default", "sles15", [5, 3, 18, 150300, 59, 93], false),
    .init("5.3.18-24.52-default", "sles15", [5, 3, 18, 24, 52], false),
    .init("4.12.14-197.89-default", "sles15", [4, 12, 14, 197, 89], false),
    .init("4.12.14-122.37-default", "sles12", [4, 12, 14, 122, 37], false),
    .init("6.12.0-160000.5-default", "sles16", [6, 12, 0, 160000, 5], false),
  ]

  private static let others: [KernelReleaseCase] = [
    .init("6.8.0-35-generic", "ubuntu", [6, 8, 0, 35], true),
    .init("6.8.0-106-generic", "ubuntu", [6, 8, 0, 106], true),
    .init("6.8.0-34-generic", "ubuntu", [6, 8, 0, 34], false),
    .init("6.8.0-111-generic", "ubuntu", [6, 8, 0, 111], false),
    .init("6.8.0-38-lowlatency", "ubuntu", [6, 8, 0, 38], true),
    .init("6.8.0-40-generic-64k", "ubuntu", [6, 8, 0, 40], true),
    .init("5.15.0-1070-aws", "ubuntu", [5, 15, 0, 1070], false),
    .init("6.11.0-1018-azure", "ubuntu", [6, 11, 0, 1018], false),
    .init("6.8.0-1014-gcp", "ubuntu", [6, 8, 0, 1014], false),
    .init("6.5.0-1022-oem", "ubuntu", [6, 5, 0, 1022], false),
    .init("5.4.0-48-generic", "ubuntu", [5, 4, 0, 48], false),
    .init("6.8.0-1008-nvidia-64k", "ubuntu", [6, 8, 0, 1008], false),
    .init("6.10.0-15-generic", "ubuntu", [6, 10, 0, 15], false),
    .init("7.0.0-15-generic", "ubuntu", [7, 0, 0, 15], false),
    .init("6.8.12-4-pve", "proxmox", [6, 8, 12, 4], false), .init("6.5.13-5-pve", "proxmox", [6, 5, 13, 5], false),
    .init("6.1.115-126.197.amzn2023.x86_64", "amazon", [6, 1, 115, 126, 197], false),
    .init("5.10.227-219.884.amzn2.x86_64", "amazon", [5, 10, 227, 219, 884], false),
    .init("5.10.0-60.94.0.118.oe2203", "openeuler", [5, 10, 0, 60, 94, 0, 118], true),
    .init("5.10.0-60.18.0.50.oe2203.x86_64", "openeuler", [5, 10, 0, 60, 18, 0, 50], false),
    .init("5.10.0-136.32.0.108.oe2203sp1.x86_64", "openeuler", [5, 10, 0, 136, 32, 0, 108], true),
    .init("5.10.0-153.19.0.95.oe2203sp2.aarch64", "openeuler", [5, 10, 0, 153, 19, 0, 95], true),
    .init("6.6.0-72.0.0.76.oe2403.x86_64", "openeuler", [6, 6, 0, 72, 0, 0, 76], false),
    .init("4.19.90-2003.4.0.0036.oe1.x86_64", "openeuler", [4, 19, 90, 2003, 4, 0, 36], false),
    .init("4.19.90-52.22.v2207.ky10.x86_64", "kylin", [4, 19, 90, 52, 22], false),
    .init("5.10.134-16.1.al8.x86_64", "anolis", [5, 10, 134, 16, 1], false),
    .init("5.4.119-19.0009.tl3.x86_64", "tencentos", [5, 4, 119, 19, 9], false),
    .init("6.6.40+site3", "site", [6, 6, 40], true), .init("6.6.55+site3", "site", [6, 6, 55], true),
    .init("6.8.1+site3", "site", [6, 8, 1], false),
  ]
}
