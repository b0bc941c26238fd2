// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// A system with several compilers: modules are built by the one that built the kernel, with the real dkms.
@Suite struct CompilerTests {
  /// GCC 12 built the kernel. It goes to various places, and `gcc` is 11, which does not know all of its options.
  @Test func theOneThatBuiltTheKernel() async throws {
    try await Workshop.use { workshop in
      try workshop.write("linux/fs/demo.c", "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n")
      let packages = Workshop.packages.replacing("\"make ", with: "\"make -C $kernel_source_dir ")
        .replacing("min = \"7.0\", max = \"7.9\"", with: "min = \"6.1\", max = \"6.1\"")
        .replacing("module = \"demo\"", with: "module = \"demo\"\nstrip = false")
      try workshop.writeManifest(packages)
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"]))
      try #require(cut.succeeded, "\(cut.errors)")
      try await TestRoot.bookworm(with: ["gcc", "gcc-11"]).use { session in
        let machine = Machine(session: session, folder: workshop.output, name: "demo")
        let kernel = try #require(try await TestRoot.kernels(session).sorted().first { $0.hasPrefix("6.1.") })
        // Debian's headers name the compiler, which those of others do not.
        try await machine.run(
          """
          echo autoinstall_all_kernels=yes >>/etc/dkms/framework.conf
          headers=/usr/src/linux-headers-\(kernel)
          sed -i '/^CC = /d' $headers/.kernelvariables
          sed -i 's/^\\(CONFIG_CC_VERSION_TEXT=\\)\\("*\\)[^ ]*/\\1\\2gcc/' $headers/.config $headers/include/config/auto.conf
          ln -sf gcc-11 /usr/bin/gcc; rm /usr/bin/gcc-12
          """)
        func install() async throws -> (said: String, compiler: String) {
          let said = try await machine.run("apt-get install -y --reinstall ./demo-7.4/demo-dkms_*.deb 2>&1").text
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
            "demo 7.4: the modules could not be built for kernel \(kernel): gcc: error: unrecognized command-line option"
          ),
          "\(none.said.suffix(2000))")
        #expect(
          none.said.contains(
            "(the kernel was built with gcc 12, and this system has gcc 11: install gcc-12 or gcc-toolset-12)"),
          "\(none.said.suffix(2000))")

        func expect12(_ place: String) async throws {
          let (said, compiler) = try await install()
          #expect(compiler == "12\n", "\(place): \(said.suffix(2000))")
        }
        for place in ["/opt/rh/gcc-toolset-12/root/usr/bin/gcc", "/usr/bin/gcc-12"] {
          try await machine.run("mkdir -p $(dirname \(place)); ln -s /usr/bin/x86_64-linux-gnu-gcc-12 \(place)")
          try await expect12(place)
          try await machine.run("rm \(place)")
        }
        // As Ubuntu has it: dkms tells the environment, of which the kernel's Makefile takes nothing.
        try await machine.run(
          """
          cd /usr/src/linux-headers-\(kernel)
          sed -i '/^CONFIG_CC_VERSION_TEXT=/s/gcc/x86_64-linux-gnu-gcc-12/' .config include/config/auto.conf
          """)
        try await expect12("the environment")
      }
    }
  }

  /// Headers of Linux 6.12 as clang makes them, with its linker and with that of binutils. dkms 3.0.10 says CC and LD to
  /// make itself, and older ones nothing: what decides is what the package says.
  @Test func clangBuiltTheKernel() async throws {
    let source = FilePath("/usr/src/linux-source-6.12.tar.xz")
    try #require(Files.exists(source), "no \(source): apt-get install linux-source-6.12")
    try await Workshop.use { workshop in
      try workshop.write("linux/fs/demo.c", "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n")
      try workshop.writeManifest(
        Workshop.packages.replacing("\"make ", with: "\"make -C $kernel_source_dir ")
          .replacing("min = \"7.0\", max = \"7.9\"", with: "min = \"6.12\", max = \"6.12\""))
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"]))
      try #require(cut.succeeded, "\(cut.errors)")
      try Files.copy(source, to: workshop.output.appending("linux.tar.xz"))
      let packages = ["bc", "bison", "clang", "flex", "gcc", "libelf-dev", "lld", "llvm"]
      try await TestRoot.bookworm(with: packages).use { session in
        let machine = Machine(session: session, folder: workshop.output, name: "demo")
        func build(_ variables: String) async throws -> String {
          try await machine.run(
            """
            cd /linux
            make -s mrproper
            make -s \(variables) KCONFIG_ALLCONFIG=/root/modules allnoconfig >&2
            make -s \(variables) -j2 modules_prepare >&2
            kernel=$(cat include/config/kernel.release)
            mkdir -p /lib/modules/$kernel
            ln -sfn /linux /lib/modules/$kernel/build
            touch /lib/modules/$kernel/modules.order /lib/modules/$kernel/modules.builtin
            cp -r /usr/src/demo-7.4 /tree
            cd /tree
            sh dkms/pre-build $kernel /linux
            make -s -C /linux M=/tree/fs modules $(cat dkms/compiler) >&2
            readelf -p .comment fs/demo.ko | sed -n 's/.*\\(clang\\|GCC\\).*/\\1/p' | sort -u
            cat dkms/compiler dkms/hint
            rm -r /tree
            """
          ).text
        }
        try await machine.run(
          """
          mkdir /linux
          echo CONFIG_MODULES=y >/root/modules
          tar -xf /mnt/linux.tar.xz -C /linux --strip-components=1
          apt-get install -y ./demo-7.4/demo-dkms_*.deb
          """)
        #expect(try await build("LLVM=1") == "clang\nLLVM=1\n")
        #expect(try await build("CC=clang") == "clang\nCC=clang\n")
        // The real dkms does as much.
        try await machine.run(
          """
          cd /linux
          make -s LLVM=1 KCONFIG_ALLCONFIG=/root/modules allnoconfig && make -s LLVM=1 -j2 modules_prepare
          kernel=$(cat include/config/kernel.release)
          dkms install demo/7.4 -k $kernel
          modinfo -k $kernel demo
          """)
        // Its compiler is gone, and what is said names it.
        let said = try await machine.run(
          """
          rm /usr/bin/clang
          echo autoinstall_all_kernels=yes >>/etc/dkms/framework.conf
          apt-get install -y --reinstall ./demo-7.4/demo-dkms_*.deb 2>&1
          """
        ).text
        #expect(said.contains("demo 7.4: the modules could not be built for kernel 6.12."), "\(said.suffix(2000))")
        #expect(
          said.contains(
            "(the kernel was built with clang 14, and this system has none: install clang, lld and llvm 14)"),
          "\(said.suffix(2000))")
      }
    }
  }
}
