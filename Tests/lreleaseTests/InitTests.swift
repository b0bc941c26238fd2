// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

/// What `lrelease init` makes of the folders of strangers: a manifest that a first cut accepts, or one line that says why
/// not.
@Suite struct InitTests {
  private static let code = """
    // SPDX-License-Identifier: GPL-2.0-only
    #include <linux/module.h>
    MODULE_DESCRIPTION("Does nothing");
    MODULE_LICENSE("GPL");

    """

  /// Runs init in the folder `code` of the workshop.
  private func begin(_ workshop: Workshop, _ arguments: [String] = ["code"]) async throws -> Command.Outcome {
    try await workshop.run(["init"] + arguments)
  }

  private func manifest(_ workshop: Workshop, _ name: String) throws -> (text: String, manifest: Manifest) {
    let path = workshop.folder.appending("release").appending("\(name).toml")
    let bytes = try Files.read(path)
    return (String(decoding: bytes, as: UTF8.self), try Manifest(parsing: bytes, file: path.string))
  }

  /// The manifest, and every file of it, is what a cut takes.
  private func expectCut(
    _ workshop: Workshop, _ name: String, _ more: [String] = [],
    _ location: Testing.SourceLocation = #_sourceLocation
  ) async throws {
    let check = try await workshop.run(["manifest", "check", "release/\(name).toml"])
    #expect(check.succeeded, "\(check.errors)", sourceLocation: location)
    let cut = try await workshop.run(workshop.cutArguments("release/\(name).toml", more))
    #expect(cut.succeeded && cut.errors.isEmpty, "\(cut.errors)", sourceLocation: location)
  }

  private func commit(_ workshop: Workshop, _ more: String = "") async throws {
    try await workshop.shell(
      """
      cd code && git init -q . && git add . && git -c user.name=A -c user.email=a@example.org commit -qm x
      \(more)
      """)
  }

  @Test(arguments: [
    // (files, what the modules are, the make command)
    (["Kbuild": "obj-m += one.o\n"], ["one"], ""),
    (
      [
        "Makefile":
          "ifneq ($(KERNELRELEASE),)\nobj-m := two.o\ntwo-y := a.o \\\n  b.o\nelse\nall:\n\tmake -C x\nendif\n"
      ],
      ["two"], ""
    ),
    (["Makefile": "NAME = three\nobj-m := $(NAME).o\n${NAME}-objs := main.o\n"], ["three"], ""),
    (
      ["Kbuild": "obj-m += sub/\n", "sub/Makefile": "obj-$(CONFIG_FOUR) += four.o\n"], ["four @sub"],
      "build CONFIG_FOUR=m modules"
    ),
    (
      ["src/Kbuild": "obj-m = five.o six.o # seven.o\n", "Makefile": "all:\n\t$(MAKE) -C src\n"],
      ["five @src", "six @src"],
      "build/src modules"
    ),
    (["a/Makefile": "obj-m+=eight.o\n", "b/Makefile": "obj-m+=nine.o\n"], ["eight @a", "nine @b"], ""),
    (["Kbuild": "CONFIG_TEN ?= m\nobj-$(CONFIG_TEN) += ten.o\r\n"], ["ten"], ""),
    (["Kbuild": "MODS := e f\nobj-m := $(MODS:%=%.o) g.o\n"], ["g"], ""),
    (["Kbuild": "SRCS = h.c i.c\nobj-m := $(SRCS:.c=.o)\n"], ["h", "i"], ""),
  ])
  func modulesAreFoundInMakefiles(files: [String: String], modules: [String], make: String) async throws {
    try await Workshop.use { workshop in
      for (path, text) in files { try workshop.write("code/\(path)", text) }
      try workshop.write("code/x.c", Self.code)
      let outcome = try await begin(workshop)
      try #require(outcome.succeeded, "\(outcome.errors)")
      let (text, manifest) = try manifest(workshop, "code")
      let found = manifest.packages[0].modules.map { $0.name + ($0.path == "." ? "" : " @\($0.path)") }
      #expect(found == modules, "\(text)")
      #expect(text.contains("make = ") == !make.isEmpty && (make.isEmpty || text.contains(make)), "\(text)")
      try await expectCut(workshop, "code")
    }
  }

  @Test func whatGitAndTheCodeSayIsTaken() async throws {
    try await Workshop.use { workshop in
      try workshop.write("code/Kbuild", "obj-m += demo-mod.o\n")
      try workshop.write(
        "code/demo-mod.c",
        Self.code.replacing("GPL-2.0-only", with: "GPL-2.0+") + "MODULE_VERSION(\"3.1\");\n")
      try workshop.write("code/debian/control", "Source: x\n")
      try workshop.write("code/demo.spec", "Name: x\n")
      try workshop.write("code/smoke.sh", "exit 1\n")
      try workshop.write(".gitconfig", "[user]\n\tname = A Person\n\temail = a@example.org\n")
      try await commit(
        workshop, "git tag demo-1.2\ngit remote add origin https://user:secret@git.example.org/a/demo.git")
      let outcome = try await begin(workshop, ["code", "--name", "demo", "--kernels", "5.10-6.12"])
      try #require(outcome.succeeded, "\(outcome.errors)")
      #expect(!outcome.text.contains("secret") && outcome.text.contains("the code's debian/ is left out"))
      let (text, manifest) = try manifest(workshop, "demo")
      #expect(manifest.maintainer == "A Person <a@example.org>" && manifest.license == "GPL-2.0-or-later")
      #expect(manifest.homepage == "https://git.example.org/a/demo" && !text.contains("secret"))
      #expect(manifest.version == "{code}" && manifest.sources["code"]?.ref == "demo-1.2")
      #expect(
        manifest.packages[0].modules[0].hasOwnVersion && manifest.packages[0].kernels.claims[0].span.max.text == "6.12")
      #expect(manifest.qualify.smoke == "lrelease-smoke.sh" && !text.contains("CHANGE"))
      try await expectCut(workshop, "demo")
      #expect(Files.exists(workshop.output.appending("demo-1.2/demo-1.2.tar.xz")))
    }
  }

  @Test func whatIsNotThereIsSaid() async throws {
    try await Workshop.use { workshop in
      try workshop.write("code/Makefile", "obj-m += demo.o\n")
      try workshop.write("code/demo.c", "int a;\n")
      try workshop.write("code/demo.o", "built\n")
      let outcome = try await begin(workshop)
      try #require(outcome.succeeded, "\(outcome.errors)")
      let (text, _) = try manifest(workshop, "code")
      for key in ["version", "license", "homepage", "maintainer"] {
        #expect(outcome.text.contains("\n  - \(key): not found"), "\(outcome.text)")
        #expect(text.lines.contains { $0.hasPrefix(key) && $0.contains("# CHANGE: ") }, "\(text)")
      }
      try await expectCut(workshop, "code")
      let listed = try await Command(
        "tar", ["-tf", workshop.output.appending("code-0.1/code-0.1.tar.xz").string]
      ).check(doing: "listing")
      #expect(listed.text.contains("demo.c") && !listed.text.contains("demo.o"))
    }
  }

  /// A part of a repository, one without a commit, and names that packages cannot have.
  @Test func repositoriesOfAllKindsAreTaken() async throws {
    try await Workshop.use { workshop in
      try workshop.write("My Code!/kernel/src/Makefile", "obj-m += demo.o\n")
      try workshop.write("My Code!/kernel/src/demo.c", Self.code)
      try workshop.write("My Code!/README", "more\n")
      try await workshop.shell("mv 'My Code!' code && cd code && git init -q .")
      let unborn = try await begin(workshop)
      #expect(unborn.succeeded && unborn.text.contains("no commit yet"), "\(unborn.text)\(unborn.errors)")
      try await expectCut(workshop, "code")

      try await workshop.shell("mv code 'My Code!' && ln -s 'My Code!' code && rm -r release out")
      try await commit(workshop)
      let part = try await begin(workshop, ["My Code!/kernel"])
      try #require(part.succeeded, "\(part.errors)")
      let (text, manifest) = try manifest(workshop, "kernel")
      #expect(manifest.rules[0].text == "code:kernel" && manifest.packages[0].modules[0].path == "src", "\(text)")
      #expect(manifest.sources["code"]?.ref == "HEAD" && part.text.contains("tag what you release"))
      try await expectCut(workshop, "kernel")

      let whole = try await begin(workshop, ["My Code!", "--output", "other"])
      #expect(whole.succeeded && Files.exists(workshop.folder.appending("other/my-code.toml")), "\(whole.text)")
      let bare = try await workshop.run(["init", "My Code!/.git", "--output", "bare"])
      #expect(
        bare.succeeded && Files.exists(workshop.folder.appending("bare/my-code.toml")), "\(bare.text)\(bare.errors)")
    }
  }

  /// A repository that came in a tarball, with a configuration of its own: nothing that it names is run.
  @Test func aRepositoryRunsNothing() async throws {
    try await Workshop.use { workshop in
      try workshop.write("code/Kbuild", "obj-m += demo.o\n")
      try workshop.write("code/demo.c", Self.code)
      try workshop.write("code/.gitattributes", "*.c filter=x\n")
      try await commit(workshop)
      try await workshop.shell(
        """
        cd code && for key in filter.x.clean filter.x.process core.fsmonitor core.pager core.hooksPath; do
          git config $key "touch '$PWD/../ran-$key'; cat"
        done
        sed -i s/Does/DOES/ demo.c
        """)
      let outcome = try await begin(workshop)
      #expect(outcome.succeeded, "\(outcome.errors)")
      let ran = try Files.names(in: workshop.folder).map { String(decoding: $0, as: UTF8.self) }
        .filter { $0.hasPrefix("ran") }
      #expect(ran.isEmpty, "\(ran)")
    }
  }

  @Test func nothingIsOverwritten() async throws {
    try await Workshop.use { workshop in
      try workshop.write("code/Kbuild", "obj-m += demo.o\n")
      try workshop.write("code/demo.c", Self.code)
      #expect(try await begin(workshop).succeeded)
      try workshop.write("release/code.toml", "mine\n")
      let again = try await begin(workshop)
      #expect(again.status == .exited(5) && again.errors.contains("give --replace"), "\(again.errors)")
      #expect(
        String(decoding: try Files.read(workshop.folder.appending("release/code.toml")), as: UTF8.self) == "mine\n")
      #expect(try await begin(workshop, ["code", "--replace"]).succeeded)
      try await expectCut(workshop, "code")
      // What is a person's own does not make way.
      try workshop.write("release/notes/own.txt", "mine\n")
      let refused = try await begin(workshop, ["code", "--replace"])
      #expect(refused.status == .exited(5) && refused.errors.contains("it holds notes/own.txt"), "\(refused.errors)")
    }
  }

  @Test(arguments: [
    (["nowhere"], 3, "there is no such folder"), (["code/x.c"], 3, "it is not a folder"), (["empty"], 3, "no Kbuild"),
    (["code", "--name", "A B"], 2, "reading --name"), (["code", "--release", "v1"], 2, "reading --release"),
    (["code", "--license", "GPL-2.0"], 2, "write GPL-2.0-only"), (["code", "--maintainer", "me"], 2, "Name <address>"),
    (["code", "--module-folder", "srcs"], 3, "did you mean 'src'?"),
    (["code", "--kernels", "6.12-5.10"], 2, "6.12 to 5.10"),
    (["--source", "linux=none", "--module-folder", "fs/x"], 3, "no such file or folder"),
    (["--source", "linux=linux"], 2, "give the folders of the modules with --module-folder"),
    (["--source", "linux=linux", "--module-folder", "fs/nix"], 3, "Linux 7.4 has no fs/nix"),
    (["--source", "linux=code", "--module-folder", "src"], 3, "states no kernel release"),
    (["--source", "linux=https://example.org/linux.tar.xz"], 2, "reads what is on this machine"),
  ])
  func refusalsAreOneLine(arguments: [String], status: Int32, words: String) async throws {
    try await Workshop.use { workshop in
      try workshop.write("code/Kbuild", "obj-m += x.o\n")
      try workshop.write("code/src/Kbuild", "obj-m += y.o\n")
      try workshop.write("code/x.c", Self.code)
      try workshop.write("empty/README", "nothing\n")
      try workshop.write("linux/Makefile", "VERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 0\nEXTRAVERSION =\n")
      try workshop.write("linux/fs/x/Makefile", "obj-$(CONFIG_X) += x.o\n")
      let outcome = try await begin(workshop, arguments)
      workshop.expectRefusal(outcome, status, words)
      #expect(!Files.exists(workshop.folder.appending("release")))
    }
  }

  /// What is read of a part of a kernel, and what comes of it when make builds it with the headers of another one.
  @Test func aPartOfAKernelKeepsItsPlace() async throws {
    try await Workshop.use { workshop in
      try workshop.write("linux/Makefile", "VERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 2\nEXTRAVERSION =\n")
      try workshop.write("linux/fs/demofs/Makefile", "obj-$(CONFIG_DEMO_FS) += demofs.o\ndemofs-y := super.o inode.o\n")
      try workshop.write("linux/fs/demofs/Kconfig", "config DEMO_FS\n\ttristate \"Demo file system\"\n")
      try workshop.write(
        "linux/fs/demofs/super.c",
        "#include <linux/demofs/a.h>\n#include <linux/demofs.h>\n" + Self.code
          + "#include <linux/crush/crush.h>\nint demofs_number(void) { return OF_THE_RELEASE + OF_THE_API; }\n")
      try workshop.write("linux/fs/demofs/inode.c", Self.code)
      let header = "/* SPDX-License-Identifier: GPL-2.0-only */\n"
      try workshop.write("linux/include/linux/demofs/a.h", header + "#define OF_THE_RELEASE 1\n")
      try workshop.write("linux/include/uapi/linux/demofs.h", header + "#define OF_THE_API 1\n")
      try workshop.write("linux/include/linux/other.h", "/* SPDX-License-Identifier: GPL-2.0-only */\n")
      let outcome = try await begin(workshop, ["--source", "linux=linux", "--module-folder", "fs/demofs/"])
      try #require(outcome.succeeded, "\(outcome.errors)")
      #expect(outcome.text.contains("include/linux/crush"), "\(outcome.text)")
      let (text, manifest) = try manifest(workshop, "demofs")
      #expect(manifest.summary == "Demo file system" && manifest.version == "{kernel}")
      #expect(
        manifest.rules.map(\.from) == ["fs/demofs", "include/linux/demofs", "include/uapi/linux/demofs.h"], "\(text)")
      let module = manifest.packages[0].modules[0]
      #expect(module.name == "demofs" && module.path == "fs/demofs" && module.install == "/kernel/fs/demofs")
      try await expectCut(workshop, "demofs", ["--source", "linux=linux"])
      let tarball = workshop.output.appending("demofs-7.4.2/demofs-7.4.2.tar.xz").string
      func show(_ path: String) async throws -> String {
        try await Command("tar", ["-xOf", tarball, "demofs-7.4.2/\(path)"]).check(doing: "reading \(path)").text
      }
      let kbuild = try await show("Kbuild")
      #expect(kbuild.contains("export CONFIG_DEMO_FS := m") && kbuild.contains("obj-m += fs/demofs/"))
      #expect(kbuild.contains("-I$(src)/include -I$(src)/include/uapi"))
      #expect(try await show("fs/demofs/Kbuild").contains("CFLAGS_super.o += -include release-version.h"))
      #expect(try await show("include/release-version.h").contains("\"version=7.4.2\""))
      try await expectBuild(workshop, tarball)
    }
  }

  private func expectBuild(_ workshop: Workshop, _ tarball: String) async throws {
    let kernels = ((try? Files.names(in: "/lib/modules")) ?? []).map { FilePath("/lib/modules").appending(bytes: $0) }
    guard let headers = kernels.map({ $0.appending("build") }).first(where: Files.isFolder) else {
      Issue.record("no kernel headers in /lib/modules: apt-get install linux-headers-amd64")
      return
    }
    try await workshop.shell(
      """
      mkdir built && tar -C built -xf '\(tarball)'
      make -C '\(headers)' M="$PWD/built/demofs-7.4.2" modules >make.log 2>&1 || { cat make.log >&2; exit 1; }
      modinfo -F version built/demofs-7.4.2/fs/demofs/demofs.ko >version
      """)
    let version = String(decoding: try Files.read(workshop.folder.appending("version")), as: UTF8.self)
    #expect(version == "7.4.2\n")
  }
}
