// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// Modules that a package builds only where a site has what they need, with the real dkms.
@Suite struct ConditionTests {
  /// A driver `fabric` for the kernel's own fabric, or for that of another package; and `base`, which needs neither.
  private static func write(to folder: FilePath) throws {
    func module(_ what: String) -> String {
      """
      #include <linux/module.h>
      MODULE_LICENSE("GPL");
      MODULE_DESCRIPTION("\(what)");
      """
    }
    let files = [
      "code/base/base.c": module("base"), "code/base/Kbuild": "obj-m := base.o\n",
      "code/inside/fabric.c": module("inside"), "code/inside/Kbuild": "obj-m := fabric.o\n",
      "code/outside/fabric.c": "#include \"fabric.h\"\n" + module("outside"),
      "code/outside/Kbuild": "obj-m := fabric.o\n",
      "code/Kbuild": "obj-m := base/\ninclude $(M)/site.mk\n",
      "code/dkms/conditions": """
      [ ! -r /etc/default/demo ] || . /etc/default/demo
      case ${FABRIC-} in
      no) ;;
      *)
        if [ -f "/srv/fabric/$1/fabric.h" ]; then
          echo "outside=/srv/fabric/$1"
        elif [ -d "$2/include" ] && [ "$3" = x86_64 ]; then
          echo inside
        fi
        ;;
      esac
      echo sample-setting

      """,
      "code/dkms/probe": """
      if [ "$1" = --results ]; then cat site.mk; exit; fi
      case " $SITE_HAS" in
      *' outside='*)
        folder=${SITE_HAS#*outside=}
        printf 'obj-m += outside/\\nsubdir-ccflags-y := -I%s\\n' "${folder%% *}" ;;
      *' inside '*) echo 'obj-m += inside/' ;;
      *) echo '# neither' ;;
      esac >site.mk

      """,
      "demo.toml": """
      name = "demo"
      version = "1.0"
      summary = "a demonstration"
      license = "GPL-2.0-only"
      homepage = "https://example.org/"
      maintainer = "A Demo <demo@example.org>"
      [sources.code]
      folder = "code"
      [[tree]]
      from = "code:"
      [modules]
      kernels       = { min = "6.1", max = "6.12" }
      make          = "make -C $kernel_source_dir M=$dkms_tree/$module/$module_version/build modules"
      probe         = "dkms/probe"
      conditions    = "dkms/conditions"
      build-depends = ["other", "another"]
      strip         = false
      keep          = ["Module.symvers", "site.mk"]
      list = [
        { name = "base", path = "base" },
        { name = "fabric", path = "outside", when = "outside" },
        { name = "fabric", path = "inside", when = "inside" },
      ]
      [[packages]]
      [packages.deb]
      recipe = "\(Workshop.root)/debian/dkms"
      """,
    ]
    for (path, text) in files {
      let file = folder.pushing(FilePath(path))
      try Files.makeFolder(file.removingLastComponent())
      try Files.replace(file, with: Array(text.utf8))
    }
  }

  private static func use(_ body: (Machine, [String]) async throws -> Void) async throws {
    try await withScratch { folder in
      try write(to: folder)
      _ = try await Command(
        Workshop.lrelease, ["cut", "demo.toml", "--quiet", "--output", folder.string], directory: folder
      ).check(doing: "cutting the demonstration")
      try await TestRoot.bookworm().use { session in
        let machine = Machine(session: session, folder: folder, name: "demo")
        try await machine.run("echo autoinstall_all_kernels=yes >>/etc/dkms/framework.conf")
        try await body(machine, TestRoot.kernels(session).sorted())
      }
    }
  }

  /// `KERNEL NAME DESCRIPTION` of each module that is installed.
  private static func modules(_ machine: Machine) async throws -> [String] {
    try await machine.run(
      """
      cd /lib/modules; for file in */updates/dkms/*.ko*; do
        [ ! -e "$file" ] || echo "${file%%/*} $(basename "${file%.ko*}") $(modinfo -F description "$file")"
      done
      """
    ).text.split(separator: "\n").map(String.init).sorted()
  }

  private let install = "apt-get install -y --reinstall ./demo-1.0/demo-dkms_1.0-1_all.deb 2>&1"

  @Test func aSiteBuildsWhatItHas() async throws {
    try await Self.use { machine, kernels in
      func each(_ lines: (String) -> [String]) -> [String] { kernels.flatMap(lines).sorted() }
      let inside = each { ["\($0) base base", "\($0) fabric inside"] }
      try await machine.run(install)
      #expect(try await Self.modules(machine) == inside)
      let kept = try await machine.run("cd /var/lib/dkms/demo/1.0; ls -d */x86_64/*.*; dkms status").text
      for kernel in kernels {
        #expect(kept.contains("\(kernel)/x86_64/Module.symvers\n\(kernel)/x86_64/site.mk\n"), "\(kept)")
        #expect(kept.contains("demo/1.0, \(kernel), x86_64: installed"), "\(kept)")
      }
      let sections = try await machine.run("objdump -h /lib/modules/\(kernels[0])/updates/dkms/base.ko").text
      #expect(sections.contains(".debug_info"))

      // The other package comes, for one of the kernels.
      let folder = "/srv/fabric/\(kernels[0])"
      try await machine.run("mkdir -p \(folder); echo '#define FABRIC 1' >\(folder)/fabric.h; \(install)")
      let mixed = each { ["\($0) base base", "\($0) fabric \($0 == kernels[0] ? "outside" : "inside")"] }
      #expect(try await Self.modules(machine) == mixed)

      // It goes: dkms removes what was built all the same.
      try await machine.run("rm -r /srv/fabric; dkms uninstall demo/1.0 -k \(kernels[0])")
      #expect(try await Self.modules(machine) == mixed.filter { !$0.hasPrefix(kernels[0]) })
      try await machine.run("dkms unbuild demo/1.0 -k \(kernels[0]); dkms install demo/1.0 -k \(kernels[0])")
      #expect(try await Self.modules(machine) == inside)

      // The site's settings want none: what was there goes.
      try await machine.run("echo FABRIC=no >/etc/default/demo; \(install)")
      #expect(try await Self.modules(machine) == each { ["\($0) base base"] })
      try await machine.run("rm /etc/default/demo; \(install)")
      #expect(try await Self.modules(machine) == inside)

      // The package goes, whatever the site has now.
      try await machine.run("echo FABRIC=no >/etc/default/demo; apt-get purge -y demo-dkms")
      try await machine.expect(["/etc/default/demo"])
    }
  }

  /// dkms waits for what the site has of other packages, and for nothing else.
  @Test func whatIsBuiltBefore() async throws {
    try await Self.use { machine, kernels in
      try await machine.run(
        "mkdir -p /var/lib/dkms/other/3; \(install.replacing("install -y", with: "install -y -o DPkg::Options::=--force-depends"))"
      )
      let configuration = try await machine.run(
        """
        bash -c 'dkms_tree=/var/lib/dkms kernelver=\(kernels[0]) kernel_source_dir=/lib/modules/\(kernels[0])/build arch=x86_64
        . /usr/src/demo-1.0/dkms.conf; echo "${BUILD_DEPENDS[*]}, $BUILD_DEPENDS_REBUILD, ${STRIP[0]}, ${BUILT_MODULE_LOCATION[*]}"'
        """)
      #expect(configuration.text == "other, yes, no, base/ inside/\n")
    }
  }

  /// Probe results are known by what the site has: one byte in a header of another package makes another key.
  @Test func theKeyHoldsWhatTheProbeSees() async throws {
    try await Self.use { machine, kernels in
      let folder = "/srv/fabric/\(kernels[0])"
      let key = """
        cd /usr/src/demo-1.0; b=/lib/modules/\(kernels[0])/build
        key() { SITE_HAS=$(sh dkms/conditions \(kernels[0]) $b x86_64 | tr '\\n' ' ') sh dkms/key \(kernels[0]) $b; }
        """
      try await machine.run(install)
      let keys = try await machine.run(
        """
        \(key)
        key; key
        mkdir -p \(folder); echo '#define FABRIC 1' >\(folder)/fabric.h; key
        ln -s fabric.h \(folder)/link.h; key
        echo '#define FABRIC 2' >\(folder)/fabric.h; key
        echo FABRIC=no >/etc/default/demo; key
        rm /etc/default/demo; rm -r \(folder); key
        """
      ).text.split(separator: "\n")
      #expect(keys.count == 7 && keys[0] == keys[1] && keys[0] == keys[6] && Set(keys).count == 5, "\(keys)")

      // What was found with another package's code is not for other sites.
      let results = try await machine.run(
        """
        cd /mnt; for kernel in \(kernels.joined(separator: " ")); do
          mkdir -p /srv/fabric/$kernel; touch /srv/fabric/$kernel/fabric.h
        done
        DKMS_PROBE_RESULTS=/root/results \(install); cat /root/results.key; ls /root/results || :
        """
      ).text
      #expect(
        results.contains("of this site: outside=/srv/fabric/\(kernels[1]) sample-setting"), "\(results.suffix(500))")
      #expect(!results.contains("\n/root/results\n"))
    }
  }
}
