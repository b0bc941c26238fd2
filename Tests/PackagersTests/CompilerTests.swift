// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// A system with several compilers: modules are built by the one that built the kernel, with the real dkms.
@Suite struct CompilerTests {
  private static let package = "demo-1.0/demo-dkms_1.0-1_all.deb"

  private static func write(to folder: FilePath) throws {
    let files = [
      "code/demo.c": "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n", "code/Kbuild": "obj-m := demo.o\n",
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
      kernels = { min = "6.1", max = "6.1" }
      make    = "make -C $kernel_source_dir M=$dkms_tree/$module/$module_version/build modules"
      strip   = false
      list    = [{ name = "demo" }]
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

  /// GCC 12 built the kernel. It goes to various places, and `gcc` is 11, which does not know all of its options.
  @Test func theOneThatBuiltTheKernel() async throws {
    try await withScratch { folder in
      try Self.write(to: folder)
      _ = try await Command(
        Workshop.lrelease, ["cut", "demo.toml", "--quiet", "--output", folder.string], directory: folder
      ).check(doing: "cutting the demonstration")
      try await TestRoot.bookworm(with: ["gcc", "gcc-11"]).use { session in
        let machine = Machine(session: session, folder: folder, name: "demo")
        let kernel = try #require(try await TestRoot.kernels(session).sorted().first { $0.hasPrefix("6.1.") })
        // Debian's headers name the compiler, which those of others do not.
        try await machine.run(
          """
          echo autoinstall_all_kernels=yes >>/etc/dkms/framework.conf
          headers=/usr/src/linux-headers-\(kernel)
          sed -i '/^CC = /d' $headers/.kernelvariables
          sed -i 's/^CONFIG_CC_VERSION_TEXT=.*/CONFIG_CC_VERSION_TEXT="gcc (GCC) 12.2.0"/' $headers/.config
          sed -i 's/^CONFIG_CC_VERSION_TEXT=.*/CONFIG_CC_VERSION_TEXT=gcc (GCC) 12.2.0/' $headers/include/config/auto.conf
          ln -sf gcc-11 /usr/bin/gcc; rm /usr/bin/gcc-12
          """)
        func install() async throws -> (said: String, compiler: String) {
          let said = try await machine.run("apt-get install -y --reinstall ./\(Self.package) 2>&1").text
          let compiler = try await machine.run(
            """
            for file in /lib/modules/\(kernel)/updates/dkms/demo.ko*; do
              [ ! -e "$file" ] || { cp "$file" /root/; objdump -g /root/demo.ko | sed -n 's/.*DW_AT_producer.*GNU C[0-9]* \\([0-9]*\\).*/\\1/p' | sort -u; }
            done
            """
          ).text
          return (said, compiler)
        }

        let none = try await install()
        #expect(none.compiler == "")
        #expect(
          none.said.contains(
            "demo 1.0: the modules could not be built for kernel \(kernel): gcc: error: unrecognized command-line option"
          ),
          "\(none.said.suffix(2000))")
        #expect(
          none.said.contains(
            "(the kernel was built with gcc 12, and this system has gcc 11: install gcc-12 or gcc-toolset-12)"),
          "\(none.said.suffix(2000))")

        for (place, folder) in [("toolset", "/opt/rh/gcc-toolset-12/root/usr/bin/gcc"), ("path", "/usr/bin/gcc-12")] {
          try await machine.run("mkdir -p $(dirname \(folder)); ln -s /usr/bin/x86_64-linux-gnu-gcc-12 \(folder)")
          let (said, compiler) = try await install()
          #expect(compiler == "12\n", "\(place): \(said.suffix(2000))")
          try await machine.run("rm \(folder)")
        }
      }
    }
  }
}
