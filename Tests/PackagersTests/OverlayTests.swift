// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// What `overlays/lustre` adds to a configured tree, with the kernel headers that are installed here.
struct OverlayTests {
  private let overlays = Workshop.root.appending("overlays/lustre")

  private func kernels() throws -> [FilePath] {
    let built = try Files.names(in: "/lib/modules")
      .map { FilePath("/lib/modules/\(String(decoding: $0, as: UTF8.self))/build") }
      .filter { Files.exists($0.appending("Makefile")) }
    if built.isEmpty { Issue.record("no kernel headers: apt-get install linux-headers-amd64") }
    return built
  }

  /// Runs `apply` in a tree that is configured for a kernel, with these overlays.
  private func apply(_ overlays: FilePath, in tree: FilePath, kernel: FilePath) async throws -> Command.Outcome {
    try Files.makeFolder(tree.appending("config"))
    try Files.write(Array("#define HAVE_THIS 1\n".utf8), to: tree.appending("config.h"))
    try Files.write(
      Array("CC = gcc\nLINUX_OBJ = \(kernel)\n".utf8), to: tree.appending("config/Makefile.exports"))
    _ = try await Command("cp", ["-r", overlays.string, tree.appending("lrelease-overlays").string])
      .check(doing: "copying")
    return try await again(in: tree)
  }

  private func again(in tree: FilePath) async throws -> Command.Outcome {
    try await Command("sh", ["lrelease-overlays/apply"], directory: tree).run(doing: "applying overlays")
  }

  /// Lustre as it is builds on these kernels. WQ_PERCPU has come to 6.12 by a stable update, and may be given there.
  @Test func theKernelsOfDebian12NeedNoneToBuild() async throws {
    try await withScratch { folder in
      for kernel in try kernels() {
        let tree = folder.appending(kernel.removingLastComponent().lastComponent?.string ?? "kernel")
        let outcome = try await apply(overlays, in: tree, kernel: kernel)
        let answers = ["none needed for this kernel", "needed for this kernel: workqueue"]
        #expect(
          answers.map { "overlays: \($0)\n" }.contains(outcome.text), "\(kernel): \(outcome.text) \(outcome.errors)")
      }
    }
  }

  @Test func everyOverlayHasItsProbe() throws {
    let names = try Files.names(in: overlays).map { String(decoding: $0, as: UTF8.self) }
    let headers = names.filter { $0.hasSuffix(".h") }.map { $0.dropLast(2) }
    #expect(!headers.isEmpty)
    #expect(names.filter { $0.hasSuffix(".c") }.map { $0.dropLast(2) }.sorted() == (headers + ["usable"]).sorted())
  }

  /// What compiles is included, at the end of config.h, once, however often it is asked.
  @Test func anOverlayIsIncludedWhereItsProbeCompiles() async throws {
    try await withScratch { folder in
      let kernel = try #require(try kernels().first)
      let own = folder.appending("own")
      try Files.makeFolder(own)
      for name in ["apply", "usable.c"] {
        try Files.write(Files.read(overlays.appending(name)), to: own.appending(name))
      }
      for (name, text) in [
        ("yes", "#include <linux/fs.h>\nint y(struct inode *i);\nint y(struct inode *i) { return i->i_flags; }\n"),
        ("no", "#include <linux/fs.h>\nint n(struct inode *i);\nint n(struct inode *i) { return i->i_nothing; }\n"),
        ("pointer", "#include <linux/fs.h>\nlong p(long *i);\nlong p(long *i) { return i_size_read(i); }\n"),
      ] {
        try Files.write(Array(text.utf8), to: own.appending("\(name).c"))
        try Files.write([], to: own.appending("\(name).h"))
      }
      let tree = folder.appending("tree")
      let outcome = try await apply(own, in: tree, kernel: kernel)
      #expect(outcome.text == "overlays: needed for this kernel: yes\n", "\(outcome.errors)")
      let expected = """
        #define HAVE_THIS 1
        /* lrelease-overlays */
        #ifdef __KERNEL__
        #include "lrelease-overlays/yes.h"
        #endif

        """
      func header() throws -> String { String(decoding: try Files.read(tree.appending("config.h")), as: UTF8.self) }
      #expect(try header() == expected)
      #expect(try await again(in: tree).succeeded)
      #expect(try header() == expected)

      // Where nothing compiles, nothing is known: that is an error, not "none needed".
      try Files.replace(tree.appending("lrelease-overlays/usable.c"), with: Array("#error broken\n".utf8))
      let broken = try await again(in: tree)
      #expect(!broken.succeeded)
      #expect(broken.errors.contains("overlays: cannot compile for the kernel of \(kernel):"), "\(broken.errors)")
      #expect(broken.errors.contains("#error broken"), "\(broken.errors)")
    }
  }

  @Test func aTreeThatIsNotConfiguredIsRefused() async throws {
    try await withScratch { folder in
      _ = try await Command("cp", ["-r", overlays.string, folder.appending("lrelease-overlays").string])
        .check(doing: "copying")
      let outcome = try await again(in: folder)
      #expect(!outcome.succeeded)
      #expect(outcome.errors.contains("overlays: this tree is not configured"), "\(outcome.errors)")
    }
  }

  /// The strncpy() of the overlay is that of the C library: same bytes, padding and what lies behind included.
  @Test func strncpyIsWhatCSays() async throws {
    try await withScratch { folder in
      // The C library's header in the place of the kernel's; the overlay takes its own name in it.
      let program = """
        #define strncpy libc_strncpy
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #undef strncpy
        #undef __always_inline
        #define __always_inline inline __attribute__((__always_inline__))
        #define strncpy overlay_strncpy
        #include "strncpy.h"
        #undef strncpy
        extern char *strncpy(char *, const char *, size_t);

        int main(void)
        {
          for (int round = 0; round < 100000; round++) {
            char from[40], ours[40], theirs[40];
            for (size_t i = 0; i < sizeof(from); i++) from[i] = rand() % 8 ? 'a' + rand() % 26 : 0;
            from[sizeof(from) - 1] = 0;
            memset(ours, '#', sizeof(ours));
            memset(theirs, '#', sizeof(theirs));
            size_t size = rand() % sizeof(ours), start = rand() % sizeof(from);
            if (overlay_strncpy(ours, from + start, size) != ours) return 2;
            strncpy(theirs, from + start, size);
            if (memcmp(ours, theirs, sizeof(ours))) return 1;
          }
          puts("same");
        }
        """
      try Files.makeFolder(folder.appending("linux"))
      try Files.write(Array("#include <string.h>\n".utf8), to: folder.appending("linux/string.h"))
      try Files.write(Array(program.utf8), to: folder.appending("compare.c"))
      let compare = folder.appending("compare").string
      _ = try await Command(
        "gcc",
        ["-O1", "-fno-builtin", "-I", folder.string, "-I", overlays.string, "-o", compare]
          + [folder.appending("compare.c").string]
      ).check(doing: "compiling")
      #expect(try await Command(compare, []).run(doing: "comparing").text == "same\n")
    }
  }
}
