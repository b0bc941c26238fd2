// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// What befalls machines of sites, with the real package managers and the real dkms: packages come and go all the same, and
/// say what they could not do.
@Suite(.serialized) struct SiteTests {
  /// What a machine holds with the package for dkms.
  private func dkms(_ versions: [String: String], sources: String, more: [String] = []) -> [String] {
    let modules = versions.flatMap { kernel, version in
      ["samplefs", "samplenet"].map { "\(kernel) updates/dkms/\($0) \(version)" }
    }
    let links = versions.keys.map { "/var/lib/dkms/sample/kernel-\($0)-x86_64" }
    let folders = Set(versions.values).union([sources]).map { "/var/lib/dkms/sample/\($0)" }
    let others = ["/usr/src/sample-\(sources)", "/var/lib/dkms/sample", "/etc/modprobe.d/sample.conf"]
    return (modules + links + folders + others + more).sorted()
  }

  private let deb = "./sample-7.2.1/sample-dkms_7.2.1-1_all.deb"
  private let rpm = "sample-7.2.1/sample-dkms-7.2.1-1.noarch.rpm"

  private func use(
    _ cuts: [[String]] = [[]], _ body: (Machine, [String]) async throws -> Void
  ) async throws {
    try await withScratch { folder in
      let source = Workshop.root.appending("Examples/sample/linux")
      for arguments in cuts {
        try await Built.cut("sample.toml", into: folder, ["--source", "linux=\(source)"] + arguments)
      }
      try await TestRoot.bookworm().use { session in
        let machine = Machine(session: session, folder: folder, name: "sample")
        // dkms knows which kernel runs, and would leave out others.
        try await machine.run("echo autoinstall_all_kernels=yes >>/etc/dkms/framework.conf")
        try await body(machine, TestRoot.kernels(session).sorted())
      }
    }
  }

  @Test func aPackageLeavesWhateverIsGone() async throws {
    try await use { machine, kernels in
      let installed = dkms(
        Dictionary(uniqueKeysWithValues: kernels.map { ($0, "7.2.1") }), sources: "7.2.1")
      let half = "/var/lib/dkms/sample/7.2.1/\(kernels[0])/x86_64/module"
      // Root's environment reaches neither dkms nor the probe.
      try await machine.run("CDPATH=.:/usr MAKEFLAGS=-k GREP_OPTIONS=-v apt-get install -y \(deb)")
      try await machine.expect(installed)
      // Links of weak-modules(8) in another kernel lead nowhere afterwards.
      let weak = "/lib/modules/\(kernels[1])/weak-updates"
      try await machine.run(
        """
        mkdir -p \(weak)/dkms; ln -s /lib/modules/\(kernels[0])/updates/dkms/samplefs.ko* \(weak)/dkms
        ln -s /lib/modules/\(kernels[0])/updates/dkms/samplenet.ko* \(weak)
        rm -r /usr/src/sample-7.2.1; apt-get remove -y sample-dkms; rmdir \(weak)
        """)
      try await machine.expect(["/etc/modprobe.d/sample.conf"])

      // Half a tree, as when dkms was killed while it stored.
      try await machine.run("apt-get install -y \(deb); rm -r \(half); echo 0 >\(half.dropLast(6))log/make.log")
      try await machine.run("apt-get install -y --reinstall \(deb)")
      try await machine.expect(installed)
      try await machine.run("rm -r \(half) /var/lib/dkms/sample/7.2.1/source; TMPDIR=/gone dpkg --purge sample-dkms")
      try await machine.expect([])

      // A kernel's own module, and one of somebody else, are not ours to take.
      let foreign = "/lib/modules/\(kernels[0])/kernel/fs/samplefs.ko"
      try await machine.run("apt-get install -y \(deb)")
      try await machine.run(
        """
        mkdir -p $(dirname \(foreign)); cp /usr/src/sample-7.2.1/Kbuild \(foreign)
        mkdir -p /var/lib/dkms/other/1/\(kernels[0])/x86_64/module
        cp \(foreign) /var/lib/dkms/other/1/\(kernels[0])/x86_64/module/samplenet.ko
        ln -s 1/\(kernels[0])/x86_64 /var/lib/dkms/other/kernel-\(kernels[0])-x86_64
        cp \(foreign) /lib/modules/\(kernels[0])/updates/dkms/samplenet.ko
        rm -r /usr/src/sample-7.2.1; dpkg --purge sample-dkms
        rm \(foreign) /lib/modules/\(kernels[0])/updates/dkms/samplenet.ko
        rm -r /var/lib/dkms/other; rmdir -p /lib/modules/\(kernels[0])/updates/dkms 2>/dev/null || :
        depmod \(kernels[0])
        """)
      try await machine.expect([])
    }
  }

  /// What dkms calls installed is looked at; and what keeps it from building is what is said.
  @Test func whatCouldNotBeDoneIsSaid() async throws {
    try await use { machine, kernels in
      let installed = dkms(
        Dictionary(uniqueKeysWithValues: kernels.map { ($0, "7.2.1") }), sources: "7.2.1")
      let updates = "/lib/modules/\(kernels[0])/updates"
      // dkms 3.0.10 copies into nowhere, and calls that installed.
      try await machine.run("echo >\(updates)")
      try await machine.refuses("apt-get install -y \(deb)", "and could not be installed: samplefs is not there")
      try await machine.run("rm \(updates); dpkg --configure -a")
      try await machine.expect(installed)

      // Where nothing may be executed, dkms sees no file that may be.
      // And a key that cannot be used is a reason, and folders that are no kernels are none.
      let noexec = try await machine.run(
        """
        mkdir -p '/lib/modules/6.1 old/kernel' /lib/modules/lost+found/kernel
        echo source_tree=/srv >>/etc/dkms/framework.conf
        printf 'mok_signing_key=/etc/passwd\\nmok_certificate=/etc/group\\n' >>/etc/dkms/framework.conf
        sed -i 's|cp -a "$source_dir/" "$build_dir"|&; chmod -R a-x,u+X "$build_dir"|' /usr/sbin/dkms
        apt-get install -y -o Dpkg::Use-Pty=0 --reinstall \(deb) 2>&1
        rm -r '/lib/modules/6.1 old' /lib/modules/lost+found
        """)
      #expect(!noexec.text.contains("kernel old") && !noexec.text.contains("lost+found"), "\(noexec.text)")
      #expect(noexec.text.contains("the modules are not signed ("), "\(noexec.text)")
      #expect(!noexec.text.contains("not executable"), "\(noexec.text)")
      try await machine.expect(installed)

      // Half a source tree is no kernel that is not supported.
      let torn = try await machine.run("rm /usr/src/sample-7.2.1/dkms/pre-build; dpkg-reconfigure sample-dkms 2>&1")
      let words = "\(kernels[0]): /usr/src/sample-7.2.1 is not whole; install the package again; those that it has stay"
      #expect(torn.text.contains(words) && !torn.text.contains("is skipped"), "\(torn.text)")
      try await machine.expect(installed)

      // The folder of dkms itself may be gone.
      try await machine.run("mv /var/lib/dkms /root; apt-get install -y --reinstall \(deb); rm -r /root/dkms")
      try await machine.expect(installed)

      // In a chroot a failed build is no error of apt's, and the modules that were there stay.
      let header = "/lib/modules/\(kernels[0])/source/include/linux/fs.h"
      let failed = try await machine.run(
        "mv \(header) /root; apt-get install -y -o Dpkg::Use-Pty=0 --reinstall \(deb) 2>&1")
      let line = failed.text.split(separator: "\n").filter { $0.contains("could not be built") }
      #expect(line.count == 1 && line[0].contains("sample: Linux \(kernels[0]): cannot compile"), "\(failed.text)")
      #expect(line.first?.hasSuffix("; those that it has stay") == true, "\(failed.text)")
      try await machine.expect(installed)
      // dkms itself says so too, though it goes on after PRE_BUILD.
      try await machine.refuses(
        """
        dkms uninstall sample/7.2.1 -k \(kernels[0]); dkms unbuild sample/7.2.1 -k \(kernels[0])
        dkms build sample/7.2.1 -k \(kernels[0]) || { cat /var/lib/dkms/sample/7.2.1/build/make.log; exit 1; }
        """, "*** sample: Linux \(kernels[0]): cannot compile")
      try await machine.run("mv /root/fs.h \(header); touch /etc/dkms/no-autoinstall")
      let told = try await machine.run("apt-get install -y -o Dpkg::Use-Pty=0 --reinstall \(deb) 2>&1")
      #expect(told.text.contains("nothing is built, as /etc/dkms/no-autoinstall is there"), "\(told.text)")
    }
  }

  private static let busybox = FilePath("/bin/busybox")

  /// A busybox that is /bin/sh runs programs of its own in place of modinfo, depmod and rpm.
  @Test(.enabled(if: Files.exists(busybox), "busybox is not installed: apt-get install busybox-static"))
  func aBusyboxIsAShell() async throws {
    try await use { machine, kernels in
      _ = try await Command("cp", [Self.busybox.string, machine.folder.string]).check(doing: "copying busybox")
      func with(_ script: String) -> String { "ln -sf /mnt/busybox /bin/sh; \(script); ln -sf dash /bin/sh" }
      let own = try await machine.run(
        with("apt-get install -y \(deb); sh -c 'modinfo --version 2>/dev/null || echo a modinfo of its own'"))
      try #require(own.text.hasSuffix("a modinfo of its own\n"))
      try await machine.expect(
        dkms(Dictionary(uniqueKeysWithValues: kernels.map { ($0, "7.2.1") }), sources: "7.2.1"))
      try await machine.run(with("rm -r /usr/src/sample-7.2.1; apt-get purge -y sample-dkms"))
      try await machine.expect([])
    }
  }

  /// Nothing is taken away before the new package is there, and a kernel that it does not support keeps what it has.
  @Test func modulesStayUntilThereAreNewOnes() async throws {
    try await use([[], ["--with", "trace"]]) { machine, kernels in
      try await TestRoot.tellRPM(machine.session)
      let installed = dkms(
        Dictionary(uniqueKeysWithValues: kernels.map { ($0, "7.2.1") }), sources: "7.2.1")
      try await machine.run("rpm -i \(rpm)")
      // A folder where the other package has a file.
      try await machine.refuses(
        """
        mkdir -p /usr/src/sample-7.2.1-and.trace/extras/trace/sampletrace.c/folder
        rpm -U sample-7.2.1+and.trace/*.noarch.rpm
        """, "unpacking of archive failed")
      try await machine.run("rm -rf /usr/src/sample-7.2.1-and.trace")
      try await machine.expect(installed)

      // The release that follows leaves one kernel out.
      let next = machine.folder.appending("next")
      let copied = ["manifests", "Examples", "debian", "specs"].map { Workshop.root.appending($0).string }
      try Files.makeFolder(next)
      _ = try await Command("cp", ["-r"] + copied + [next.string]).check(doing: "copying")
      let manifest = next.appending("manifests/sample.toml")
      let text = String(decoding: try Files.read(manifest), as: UTF8.self)
      let narrowed = text.replacing("min = \"5.10\"", with: "min = \"6.12\"")
      try #require(narrowed != text)
      try Files.replace(manifest, with: Array(narrowed.utf8))
      _ = try await Command(
        Workshop.lrelease,
        [
          "cut", manifest.string, "--source", "linux=\(next)/Examples/sample/linux", "--respin", "1", "--output",
          machine.folder.string,
        ]
      ).check(doing: "cutting a narrower release")
      let old = try #require(kernels.first { $0.hasPrefix("6.1.") })
      let expected = dkms(
        Dictionary(uniqueKeysWithValues: kernels.map { ($0, $0 == old ? "7.2.1" : "7.2.1.1") }), sources: "7.2.1.1")
      let line =
        "sample 7.2.1+r1: kernel \(old) is skipped: supported are 6.12 to 7.3; those of 7.2.1, which it has, stay\n"
      let upgraded = try await machine.run("rpm -U sample-7.2.1+r1/*.noarch.rpm 2>&1")
      #expect(upgraded.text.split(separator: line.dropLast()).count == 2, "\(upgraded.text)")
      try await machine.expect(expected)
      try await machine.run("dkms autoinstall -k \(old) 2>&1; rpm -U --replacepkgs sample-7.2.1+r1/*.noarch.rpm")
      try await machine.expect(expected)
      try await machine.run("rpm -e sample-dkms")
      try await machine.expect([])

      try await machine.run("apt-get install -y \(deb)")
      let apt = try await machine.run("apt-get install -y -o Dpkg::Use-Pty=0 ./sample-7.2.1+r1/*.deb 2>&1")
      #expect(apt.text.contains(line), "\(apt.text)")
      try await machine.expect(expected)
      try await machine.run("apt-get purge -y sample-dkms")
      try await machine.expect([])
    }
  }

  /// An upgrade to a release that knows nothing of EL 9 takes nothing away from a node of EL 9.
  @Test func aNodeOfAnotherFamilyKeepsItsModules() async throws {
    try await use { machine, kernels in
      try await TestRoot.tellRPM(machine.session)
      let elder = machine.folder.appending("elder")
      let copied = ["manifests", "Examples", "debian", "specs"].map { Workshop.root.appending($0).string }
      try Files.makeFolder(elder)
      _ = try await Command("cp", ["-r"] + copied + [elder.string]).check(doing: "copying")
      let manifest = elder.appending("manifests/sample.toml")
      let text = String(decoding: try Files.read(manifest), as: UTF8.self)
      let families = text.replacing(
        #"kernels = { min = "5.10", max = "7.3" }"#,
        with: #"kernels = [{ family = "el9", min = "5.14.0-611", max = "5.14.0-611" }]"#)
      try #require(families != text)
      try Files.replace(manifest, with: Array(families.utf8))
      for (version, place) in [
        ("-r0", manifest.string), ("-r1", Workshop.root.appending("manifests/sample.toml").string),
      ] {
        _ = try await Command(
          Workshop.lrelease,
          [
            "cut", place, "--source", "linux=\(Workshop.root.appending("Examples/sample/linux"))", "--output",
            machine.folder.appending("out\(version)").string,
          ] + (version == "-r1" ? ["--respin", "1"] : [])
        ).check(doing: "cutting \(version)")
      }
      // A kernel of Debian under the name of one of EL 9, and no other.
      let old = try #require(kernels.first { $0.hasPrefix("6.1.") })
      let node = "5.14.0-611.1.el9_7.x86_64"
      try await machine.run(
        """
        cp -a /lib/modules/\(old) /lib/modules/\(node)
        cp -a "$(readlink -f /lib/modules/\(old)/build)" /usr/src/linux-headers-\(node)
        ln -sfn /usr/src/linux-headers-\(node) /lib/modules/\(node)/build
        cd /usr/src/linux-headers-\(node)/include
        sed -i 's/\(old)/\(node)/' generated/utsrelease.h config/kernel.release
        for kernel in \(kernels.joined(separator: " ")); do rm -r /lib/modules/$kernel; done
        """)
      try await machine.run("rpm -i out-r0/sample-7.2.1/*.noarch.rpm")
      try await machine.expect(dkms([node: "7.2.1"], sources: "7.2.1"))
      let upgraded = try await machine.run("rpm -U out-r1/sample-7.2.1+r1/*.noarch.rpm 2>&1")
      #expect(
        upgraded.text.contains(
          "sample 7.2.1+r1: kernel \(node) is skipped: it is one of el9, of which none is supported; supported are 5.10 to 7.3; "
            + "those of 7.2.1, which it has, stay\n"), "\(upgraded.text)")
      try await machine.expect(dkms([node: "7.2.1"], sources: "7.2.1.1"))
      try await machine.run("rpm -e sample-dkms")
      try await machine.expect([])
    }
  }
}
