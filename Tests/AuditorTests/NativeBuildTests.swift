// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Auditor

/// Headers of a kernel that are installed here.
private let headers: FilePath? = {
  let names = (try? Files.names(in: "/usr/src")) ?? []
  return names.map { FilePath("/usr/src").appending(bytes: $0) }.last {
    ($0.lastComponent?.string.hasPrefix("linux-headers-") ?? false) && Files.exists($0.appending("Module.symvers"))
  }
}()

/// A whole kernel source, configured and prepared: `make test-native KERNEL_TREE=…`.
private let kernelTree = environmentVariable("LRELEASE_KERNEL_TREE").map { FilePath($0) }

/// Real kernels and their real make.
@Suite(.serialized) struct NativeBuildTests {
  private static let manifest = """
    \(Demo.manifestHead())
    [[tree]]
    from = "linux:fs/demo"
    to = "demo"
    [[tree]]
    from = "linux:include/linux/demo"
    to = "include/linux/demo"
    [audit]
    includes = ["demo_compat"]
    [audit.probes]
    prefix = "HAVE_"
    [audit.build]
    options = ["DEMO_FS", "DEMO_FLAG=y"]
    """

  private func tree(
    _ changes: [String: String?] = [:], manifest text: String = NativeBuildTests.manifest
  ) throws -> AuditedTree {
    let files: [String: String] = [
      "demo/Makefile": """
      obj-$(CONFIG_DEMO_FS) += demo.o
      demo-y := good.o compat.o old.o header.o gone.o arguments.o
      obj-$(CONFIG_DEMO_NEVER) += never.o

      """,
      "demo/Kconfig": "config DEMO_FS\n\ttristate \"Demo\"\n\nconfig DEMO_FLAG\n\tbool \"Flag\"\n",
      "demo/good.c": """
      #include <linux/module.h>
      #include <linux/demo/demo.h>
      #ifndef CONFIG_DEMO_FLAG
      #error "the flag is not set"
      #endif
      void nobody_has_this(void);
      void demo_in_gone(void);
      int demo(void);
      int demo(void) { nobody_has_this(); demo_in_gone(); return DEMO; }
      MODULE_LICENSE("GPL");
      MODULE_DESCRIPTION("demo");

      """,
      "demo/compat.c": "#include <demo_compat/fs.h>\n",
      "demo/old.c": """
      #include <linux/fs.h>
      #ifdef HAVE_NEW
      int a;
      #else
      int a = this_is_long_gone;
      #endif

      """,
      "demo/header.c": "#ifdef HAVE_HEADER\n#include <linux/fs.h>\n#else\n#include <none.h>\n#endif\n",
      "demo/gone.c": "#include <linux/string.h>\nvoid demo_in_gone(void);\nvoid demo_in_gone(void) { strgone(); }\n",
      "demo/arguments.c": "#include <linux/cred.h>\nvoid f(void);\nvoid f(void) { free_uid(); }\n",
      "demo/never.c": "int never;\n", "include/linux/demo/demo.h": "#define DEMO 1\n",
    ]
    return try AuditedTree(
      name: "demo", manifest: Manifest(parsing: Array(text.utf8), file: "demo.toml"),
      files: ByPath(
        files.merging(changes.compactMapValues { $0 }) { $1 }.filter { changes[$0.key] != .some(nil) }
          .map { ($0.key, Array($0.value.utf8)) }))
  }

  private func check(_ pass: NativeBuild.Pass) {
    #expect(pass.compiled == 1)
    #expect(pass.notBuilt == ["fs/demo/never.c"])
    let found = pass.failures.mapValues { "\($0.cause.rawValue): \($0.subject ?? "-")" }
    #expect(
      found == [
        "fs/demo/compat.c": "header of the compatibility layer: demo_compat/fs.h",
        "fs/demo/old.c": "answer of a probe missing: HAVE_NEW",
        "fs/demo/header.c": "answer of a probe missing: HAVE_HEADER", "fs/demo/gone.c": "unknown function: strgone",
        "fs/demo/arguments.c": "wrong arguments: free_uid",
      ], "\(pass.failures)")
    #expect(pass.failures["fs/demo/old.c"]?.message.hasPrefix("fs/demo/old.c:5: ") == true)
    #expect(
      pass.causes == ["unknown function": 1, "wrong arguments": 1, Cause.compat.rawValue: 1, Cause.probe.rawValue: 2])
  }

  @Test(.enabled(if: headers != nil, "no kernel headers are installed below /usr/src"))
  func modulesWithHeaders() async throws {
    let build = try await NativeBuild(tree(), in: KernelTree(try #require(headers)), progress: .silent)
    #expect(build.kind == .headers && build.passes.map(\.value) == ["m"])
    check(build.passes[0])
    #expect(build.passes[0].compiledAsModule == 1)
    #expect(
      build.passes[0].lacks == [
        "unknown function": ["strgone": 1], "unknown name": ["this_is_long_gone": 1],
        "wrong arguments": ["free_uid": 1],
      ])
    // The file that would define demo_in_gone() does not compile.
    #expect(build.passes[0].undefined == ["nobody_has_this"])

    let good = try tree([
      "demo/Makefile": "obj-$(CONFIG_DEMO_FS) += demo.o\ndemo-y := good.o\n",
      "demo/good.c": """
      #include <linux/module.h>
      #include <demo_compat/module.h>
      #include <linux/demo/demo.h>
      void nobody_has_this(void);
      static int __init demo_init(void) { nobody_has_this(); return 0; }
      module_init(demo_init);
      MODULE_LICENSE("GPL");

      """,
    ])
    let linked = try await NativeBuild(
      good, in: KernelTree(try #require(headers)), emptyCompat: true, progress: .silent)
    #expect(linked.passes[0].failures.isEmpty && linked.passes[0].undefined == ["nobody_has_this"])
  }

  @Test(
    .enabled(if: kernelTree != nil, "LRELEASE_KERNEL_TREE names no prepared kernel source"), .timeLimit(.minutes(30)))
  func bothWaysInAKernelTree() async throws {
    let path = try #require(kernelTree)
    let before = try await listing(path)
    let build = try await NativeBuild(tree(), in: KernelTree(path), progress: .silent)
    #expect(build.kind == .source && build.passes.map(\.value) == ["m", "y"])
    for pass in build.passes { check(pass) }
    #expect(build.passes.map(\.compiledAsModule) == [1, 0])

    // Options that this kernel cannot have are no option that a file was built without.
    let impossible = try tree(["demo/Kconfig": "config DEMO_FS\n\ttristate \"Demo\"\n\tdepends on DEMO_NEVER\n"])
    await #expect {
      try await NativeBuild(impossible, in: KernelTree(path), progress: .silent)
    } throws: { "\($0)".contains("CONFIG_DEMO_FS is not set, not m, in this kernel") }
    #expect(try await listing(path) == before)
  }

  /// Every file with its time.
  private func listing(_ path: FilePath) async throws -> [UInt8] {
    try await Command("find", [path.string, "-printf", "%P %s %T@\\n"]).run(limit: 1 << 30, doing: "listing").output
  }

  @Test func whatIsNoKernel() async throws {
    try await withScratch { folder in
      func make(_ name: String, _ files: String...) throws -> FilePath {
        let path = folder.appending(name)
        for file in files {
          try Files.makeFolder(path.pushing(FilePath(file)).removingLastComponent())
          try Files.write(Array("x\n".utf8), to: path.pushing(FilePath(file)))
        }
        return path
      }
      let base = ["Makefile", "scripts/x"]
      for (path, words) in [
        (folder.appending("none"), "there is no such folder"), (folder, "it is neither a kernel tree nor headers"),
        (try make("bare", base[0], base[1]), "it is not configured"),
        (try make("configured", base[0], base[1], ".config"), "it is not prepared for building modules"),
        (
          try make("a:b", base[0], base[1], ".config", "include/generated/autoconf.h", "include/config/kernel.release"),
          "a path with a colon, comma or backslash cannot be used for an overlay"
        ),
      ] {
        #expect(performing: { try KernelTree(path) }, throws: { "\($0)".contains(words) && !"\($0)".contains("\n") })
      }

      // A kernel whose make does nothing but fail.
      let broken = try make(
        "broken", "scripts/x", ".config", "include/generated/autoconf.h", "include/config/kernel.release")
      try Files.write(
        Array("modules:\n\t@echo 'Error: this is no kernel' >&2; exit 1\n".utf8), to: broken.appending("Makefile"))
      for (tree, words) in [
        (try tree(), "no file was compiled: Error: this is no kernel"),
        (try tree(["demo/Makefile": nil]), "none of fs/demo, include/linux/demo has a Makefile"),
        (
          try tree(
            manifest: NativeBuildTests.manifest.replacing("[audit.build]", with: "").replacing("options =", with: "# ")),
          "[audit] does not say how it is configured"
        ),
      ] {
        await #expect {
          try await NativeBuild(tree, in: KernelTree(broken), progress: .silent)
        } throws: { "\($0)".contains(words) && !"\($0)".contains("\n") }
      }
    }
  }
}
