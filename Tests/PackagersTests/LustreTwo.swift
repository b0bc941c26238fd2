// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import Releases
import SystemPackage

@testable import Packagers

/// Packages with the names, places and relations of those that Lustre 2 makes of itself, and next to nothing in them.
struct LustreTwo {
  let version: String

  /// A module that says nothing but its version, as a source tree for dkms.
  private func moduleSources(_ package: String) -> [String: String] {
    [
      "Kbuild": "obj-m := lustre.o\n",
      "lustre.c": """
      #include <linux/module.h>
      MODULE_LICENSE("GPL");
      MODULE_DESCRIPTION("stands for Lustre \(version)");
      MODULE_VERSION("\(version)");

      """,
      "dkms.conf": """
      PACKAGE_NAME="\(package)"
      PACKAGE_VERSION="\(version)"
      BUILT_MODULE_NAME[0]="lustre"
      DEST_MODULE_LOCATION[0]="/updates/kernel/fs/lustre"
      AUTOINSTALL="yes"

      """,
    ]
  }

  private func install(_ package: String) -> String {
    """
    dkms add -m \(package) -v \(version)
    for kernel in /lib/modules/*; do dkms install -m \(package) -v \(version) -k "${kernel##*/}" || :; done
    """
  }

  /// Configuration of programs; until 2.15 udev's rules are part of it, and with GSS a rule of its own.
  private func configuration(ofServer isServer: Bool) -> [String] {
    var paths = ["etc/lnet.conf", "etc/lnet_routes.conf", "etc/modprobe.d/ko2iblnd.conf"]
    if isServer { paths.append("etc/ha.d/resource.d/Lustre.ha_v2") }
    if version.hasPrefix("2.15") {
      paths += ["etc/udev/rules.d/99-lustre.rules", "etc/request-key.d/lgssc.conf"]
      if isServer { paths.append("etc/udev/rules.d/99-lustre-server.rules") }
    } else {
      paths += [
        "etc/lnet-sysctl.conf", "etc/lustre/mount.client.params", "etc/projid", "etc/sysconfig/dkms-lustre",
      ]
    }
    return paths
  }

  private let programs = [
    "lib/systemd/system/lnet.service", "sbin/mount.lustre", "usr/bin/lfs", "usr/bin/llstat", "usr/sbin/ko2iblnd-probe",
    "usr/sbin/lctl", "usr/sbin/lnetctl", "usr/share/bash-completion/completions/lfs",
    "usr/share/man/man1/lfs-setstripe.1.gz", "usr/share/man/man7/llapi.7.gz", "usr/share/man/man8/lctl.8.gz",
  ]
  private let serverPrograms = [
    "usr/bin/lustre_req_history", "usr/lib/lustre/mount_osd_ldiskfs.so",
    "usr/libexec/lustre/haconfig", "usr/sbin/mkfs.lustre",
  ]
  private let headers = ["usr/include/linux/lnet/lnetctl.h", "usr/include/linux/lustre/lustre_user.h"]
  private let development = ["usr/include/lustre/lustreapi.h"]
  private let measurements = ["usr/bin/iokit-config", "usr/bin/sgpdd-survey"]

  // MARK: Debian

  private func deb(
    _ name: String, _ paths: [String], etc: [String] = [], scripts: [String: String] = [:],
    sources: [String: String] = [:], _ relations: [(name: String, value: String)] = []
  ) -> DebPackage {
    let maintainer = "Lustre Developers <lustre-devel@lists.lustre.org>"
    var files = (paths + etc).map { PackageFile(path: $0, content: .file(Array("\(name) \(version)\n".utf8))) }
    files += sources.map {
      PackageFile(path: "usr/src/lustre-client-modules-\(version)/\($0.key)", content: .file(Array($0.value.utf8)))
    }
    return DebPackage(
      name: name, version: "\(version)-1", architecture: "amd64",
      fields: [("Maintainer", maintainer)] + relations + [("Description", "Lustre \(version), which was before")],
      conffiles: etc, maintainerScripts: scripts.mapValues { Array("#!/bin/sh\nset -e\n\($0)\n".utf8) }, files: files,
      sourceDate: 1_700_000_000)
  }

  private var exactly: String { "(= \(version)-1)" }

  /// A client with modules by dkms.
  var clientDebs: [DebPackage] {
    [
      deb(
        "lustre-client-utils",
        programs + ["usr/lib/liblnetconfig.so.4.0.0", "usr/lib/liblustreapi.so.1.0.0"]
          + ["usr/share/man/man3/llapi_layout_get_by_fd.3.gz"], etc: configuration(ofServer: false)),
      deb(
        "lustre-client-modules-dkms", headers,
        scripts: [
          "postinst": install("lustre-client-modules"),
          "prerm": "dkms remove -m lustre-client-modules -v \(version) --all || true",
        ], sources: moduleSources("lustre-client-modules"), [("Provides", "lustre-client-modules")]),
      deb(
        "lustre-dev", development + ["usr/lib/liblustreapi.so", "usr/lib/pkgconfig/lustre.pc"],
        [("Depends", "lustre-client-utils \(exactly)")]),
      deb("lustre-iokit", measurements, [("Depends", "lustre-client-utils \(exactly)")]),
    ]
  }

  /// Ready-built modules, with headers as Lustre packs them beside these.
  func modulesDeb(_ kernel: String) -> DebPackage {
    deb(
      "lustre-client-modules-\(kernel)", ["lib/modules/\(kernel)/updates/kernel/fs/lustre/lustre.ko"] + headers,
      [("Provides", "lustre-client-modules")])
  }

  /// A server's programs.
  var serverDebs: [DebPackage] {
    [
      deb(
        "lustre-server-utils", programs + serverPrograms + ["usr/lib/liblustreapi.so.1.0.0"],
        etc: configuration(ofServer: true),
        [
          ("Provides", "lustre-server-utils, lustre-client-utils \(exactly)"), ("Conflicts", "lustre-client-utils"),
          ("Replaces", "lustre-client-utils"),
        ])
    ]
  }

  // MARK: RPM

  /// A spec for rpmbuild that makes a client's packages, with modules by dkms and ready-built ones.
  func spec(kernel: String) -> String {
    let etc = configuration(ofServer: false).filter { !$0.hasSuffix("dkms-lustre") }
    func list(_ paths: [String]) -> String { paths.map { "/\($0)" }.joined(separator: "\n") }
    // Where the root's /sbin and /lib are links to /usr, as everywhere by now.
    let files = programs.map { $0.hasPrefix("lib/") ? "usr/\($0)" : $0 } + ["%{_libdir}/liblustreapi.so.1.0.0"]
    let iokit = version.hasPrefix("2.15") ? "-n lustre-iokit" : "iokit"
    let module = "lib/modules/\(kernel)/extra/lustre-client/fs/lustre.ko"
    let sources = moduleSources("lustre-client").map {
      "cat >%{buildroot}/usr/src/lustre-client-\(version)/\($0.key) <<'END'\n\($0.value)END"
    }
    return """
      %global debug_package %{nil}
      Name: lustre-client
      Version: \(version)
      Release: 1
      Summary: Lustre before
      License: GPL-2.0-only
      Requires: kmod-lustre-client = %{version}
      %description
      Lustre before.
      %package devel
      Summary: Lustre before
      Provides: lustre-devel = %{version}
      Requires: lustre-client = %{version}
      %description devel
      Lustre before.
      %package \(iokit)
      Summary: Lustre before
      %description \(iokit)
      Lustre before.
      %package -n kmod-lustre-client
      Summary: Lustre before
      Provides: lustre-modules = %{version}
      %description -n kmod-lustre-client
      Lustre before.
      %package -n kmod-lustre-client-devel
      Summary: Lustre before
      %description -n kmod-lustre-client-devel
      Lustre before.
      %package dkms
      Summary: Lustre before
      BuildArch: noarch
      Requires: dkms >= 2.2
      Provides: kmod-lustre-client = %{version}
      Provides: lustre-modules = %{version}
      %description dkms
      Lustre before.
      %install
      for file in \((files + etc + headers + development + measurements + [module]).joined(separator: " ")); do
        mkdir -p "$(dirname %{buildroot}/$file)"
        echo %{version} >%{buildroot}/$file
      done
      mkdir -p %{buildroot}%{_libdir}/pkgconfig %{buildroot}/etc/sysconfig %{buildroot}/usr/src/lustre-client-\(version)
      echo %{version} >%{buildroot}%{_libdir}/pkgconfig/lnet.pc
      echo %{version} >%{buildroot}%{_libdir}/pkgconfig/lustre.pc
      echo %{version} >%{buildroot}/etc/sysconfig/dkms-lustre
      \(sources.joined(separator: "\n"))
      %post dkms
      \(install("lustre-client"))
      %preun dkms
      dkms remove -m lustre-client -v %{version} --all --rpm_safe_upgrade
      exit 0
      %files
      \(files.map { $0.hasPrefix("%") ? $0 : "/\($0)" }.joined(separator: "\n"))
      \(etc.map { "%config(noreplace) /\($0)" }.joined(separator: "\n"))
      %files devel
      \(list(headers + development))
      %{_libdir}/pkgconfig/lustre.pc
      %files \(iokit)
      \(list(measurements))
      %files -n kmod-lustre-client
      /\(module)
      %files -n kmod-lustre-client-devel
      %{_libdir}/pkgconfig/lnet.pc
      %files dkms
      /usr/src/lustre-client-\(version)
      %config(noreplace) /etc/sysconfig/dkms-lustre

      """
  }
}
