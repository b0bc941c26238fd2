// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

/// What a person gives wrongly, to the whole command: one line, the right status, nothing left.
@Suite struct BadInputTests {
  // MARK: manifests and requests

  @Test func wrongRequests() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest("[extras.trace]\nsummary = \"x\"\nlicense = \"MIT\"")
      try workshop.write("garbage.toml", [0xff, 0x00, 0x5b])
      try workshop.write("open.toml", "name = \"x")
      try workshop.write("empty.json", "{}")
      try await workshop.shell("mkfifo fifo; mkdir folder")
      let here = ["--source", "linux=linux"]
      for (arguments, status, words) in [
        (["demo.toml"] + here + ["--with", "trase"], 2, "did you mean 'trace'?"),
        (["demo.toml", "--source", "linus=linux"], 2, "did you mean 'linux'?"),
        (["demo.toml", "--source", "linux"], 2, "'linux' is not NAME=PATH_OR_URL"),
        (["demo.toml"], 2, "no kernel release was named"),
        (["demo.toml"] + here + ["--kernel", "7.5"], 3, "its Makefile says 7.4, --kernel says 7.5"),
        (["demo.toml"] + here + ["--kernel", "seven"], 2, "'seven' is not a kernel release"),
        (["demo.toml"] + here + ["--respin", "100"], 2, "--respin"),
        (["demo.toml", "--source", "linux=nowhere"], 3, "there is no \(workshop.folder)/nowhere"),
        (["demo.toml", "--source", "linux=folder"], 3, "its Makefile states no kernel release"),
        (["demo.toml", "--source", "linux=fifo"], 3, "not a regular file"),
        (["demo.toml", "--source", "linux=demo.toml"], 3, "it is not a tarball"),
        (["none.toml"] + here, 2, "reading the manifest none.toml: No such file"),
        (["folder"] + here, 2, "not a regular file"), (["fifo"] + here, 2, "not a regular file"),
        (["garbage.toml"] + here, 2, "garbage.toml:1:1"), (["open.toml"] + here, 2, "open.toml:1:"),
        (["--plan", "none.json"], 2, "reading the plan none.json: No such file"),
        (
          ["--plan", "demo.toml"], 2,
          "reading the plan demo.toml: it is not a plan of lrelease: it is not JSON; make one"
        ),
        (
          ["--plan", "empty.json"], 2,
          "it is not a plan of lrelease: 'format' is missing; make one with 'lrelease plan'"
        ),
        (["--plan", "fifo"], 2, "not a regular file"),
      ] {
        let outcome = try await workshop.run(["cut", "--quiet", "--output", workshop.output.string] + arguments)
        workshop.expectRefusal(outcome, Int32(status), words)
      }
    }
  }

  @Test func wrongFilesToLookAt() async throws {
    try await Workshop.use { workshop in
      try workshop.write("text", "no archive\n")
      try workshop.write("bad.deb", "!<arch>\nno archive\n")
      try workshop.write("bad.rpm", [0xed, 0xab, 0xee, 0xdb] + [UInt8](repeating: 0, count: 200))
      try await workshop.shell(
        """
        mkdir top; echo x > top/a; tar -cf plain.tar top; tar -cJf plain.tar.xz top
        head -c 100 plain.tar.xz > cut.tar.xz; mkfifo fifo
        """)
      for command in ["verify", "show"] {
        for (file, words) in [
          ("text", "it is not a tarball"), ("cut.tar.xz", "Unexpected end of input"), ("none", "No such file"),
          ("fifo", "not a regular file"),
        ] {
          let outcome = try await workshop.run([command, "--quiet", file])
          let status: Int32 = command == "show" && ["none", "fifo"].contains(file) ? 2 : 3
          workshop.expectRefusal(outcome, status, "reading \(file)", words)
        }
      }
      workshop.expectRefusal(
        try await workshop.run(["verify", "--quiet", "plain.tar"]), 3, "it holds no lrelease/plan.json")
      for file in ["bad.deb", "bad.rpm"] {
        workshop.expectRefusal(try await workshop.run(["show", "--quiet", file]), 3, "reading \(file)")
      }
    }
  }

  /// A kernel release that lacks what the manifest takes: the message names the shipped manifest that fits.
  @Test func aKernelWithoutTheFilesOfTheManifest() async throws {
    try await Workshop.use { workshop in
      let linux = Workshop.root.appending("Examples/sample/linux")
      try await workshop.shell("cp -r \(linux) linux-7.2.1; tar -cJf linux-7.2.1.tar.xz linux-7.2.1")
      try await workshop.shell(
        """
        cp -r \(linux) repository; cd repository; git init -q .; git add .
        git -c user.name=A -c user.email=a@b commit -q -m x; git tag v7.2.1
        """)
      let ceph = Workshop.root.appending("manifests/ceph.toml").string
      let lines = String(decoding: try Files.read(FilePath(ceph)), as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false)
      let line = try #require(lines.firstIndex(of: "[[tree]]")) + 2
      for place in ["linux-7.2.1", "linux-7.2.1.tar.xz", "repository"] {
        for command in ["cut", "plan"] {
          let target = command == "cut" ? ["--output", workshop.output.string] : []
          let outcome = try await workshop.run(
            [command, "--quiet", ceph, "--source", "linux=\(place)", "--kernel", "7.2.1", "--allow-unsigned"]
              + target)
          workshop.expectRefusal(
            outcome, 3, "ceph.toml:\(line):1", "the rule from linux:fs/ceph matches no file", "cut with sample.toml")
          #expect(!Files.exists(workshop.folder.appending("plan.json")))
        }
      }
      // Neither fits this one.
      try workshop.write("bare/Makefile", "VERSION = 7\nPATCHLEVEL = 4\n")
      let outcome = try await workshop.run(workshop.cutArguments(ceph, ["--source", "linux=bare", "--allow-unsigned"]))
      workshop.expectRefusal(outcome, 3, "ceph.toml:\(line):1", "give a kernel tree that does")
      #expect(!outcome.errors.contains("sample.toml"))
    }
  }

  @Test func aFailingPrepareStepOrPatchLeavesNothing() async throws {
    try await Workshop.use { workshop in
      for (command, words) in [
        ("echo why >&2; exit 3", "why"), ("kill -9 $$", "running 'sh"), ("mkfifo p", "p is not a file"),
        ("ln -s /nowhere l", "leads nowhere, to /nowhere"), ("ln -s /etc/shadow l", "not part of an installed package"),
        ("touch $(printf 'a\\\\377')", "is not UTF-8"), ("echo x > /etc/x", "Read-only"),
      ] {
        try workshop.writeManifest("[[prepare]]\nrun = [\"sh\", \"-c\", \"\(command)\"]")
        let outcome = try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"]))
        workshop.expectRefusal(outcome, 1, words)
      }
      try workshop.writeManifest("[[prepare]]\nrun = [\"true\"]\ntools = [\"no-such-tool\"]")
      workshop.expectRefusal(
        try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"])), 7,
        "demo.toml:13:1", "no-such-tool is not installed")

      try workshop.writeManifest(source: "patches = \"patches/series\"")
      try workshop.write("patches/series", "fix.patch\n")
      try workshop.write("patches/fix.patch", "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1 +1 @@\n-int b;\n+int c;\n")
      workshop.expectRefusal(
        try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"])), 3,
        "fix.patch of patches/series", "fs/a.c: hunk #1")
    }
  }

  /// The packages come last: what was written before them goes away again.
  @Test func aPackageThatCannotBeMadeLeavesNothing() async throws {
    try await Workshop.use { workshop in
      let root = Workshop.root
      try await workshop.shell("cp -r \(root)/debian/dkms deb; cp \(root)/specs/dkms.spec rpm.spec; chmod -R u+w deb")
      let packages = Workshop.packages.replacing("\(root)/debian/dkms", with: "deb")
        .replacing("\(root)/specs/dkms.spec", with: "rpm.spec")
      for (change, words) in [
        ("echo 'Depends' >> deb/control", "reading the control file"),
        (
          "sed -i s/@PACKAGE@/Not_Good/ deb/control; sed -i 's/^Depends:.*/Depends: a (/' deb/control",
          "'Depends' field"
        ),
        ("sed -i s/@SUMMARY@/@SUMARY@/ deb/control", "deb/control:14:14"),
        ("sed -i 's/^License:.*//' rpm.spec", "License field must be present"),
        ("rm -r deb; mkdir deb", "deb"), ("rm rpm.spec", "rpm.spec"),
      ] {
        try await workshop.shell(
          "rm -rf deb; cp -r \(root)/debian/dkms deb; cp \(root)/specs/dkms.spec rpm.spec; \(change)")
        try workshop.writeManifest(packages)
        let outcome = try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"]))
        workshop.expectRefusal(outcome, 2, words)
      }
    }
  }

  // MARK: trust

  @Test func signaturesDecide() async throws {
    try await Workshop.use { workshop in
      try await workshop.shell(
        """
        export GNUPGHOME=$PWD/gnupg; mkdir -m 700 gnupg
        gpg --batch --quiet --passphrase '' --quick-generate-key a@example.org ed25519 sign never
        gpg --batch --quiet --with-colons --list-keys | awk -F: '/^fpr/ {print $10; exit}' > key
        gpg --batch --quiet --export > keys.gpg
        """)
      let key = String(decoding: try Files.read(workshop.folder.appending("key")), as: UTF8.self).trimmed
      try workshop.writeManifest(source: "keyring = \"keys.gpg\"\nsigners = [\"\(key)\"]")
      try await workshop.shell("mv linux linux-7.4; tar -cf linux.tar linux-7.4; xz -k linux.tar; mkdir upstream")
      func cut(_ more: [String] = []) async throws -> Command.Outcome {
        try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux.tar.xz"] + more))
      }
      workshop.expectRefusal(try await cut(), 4, "checking \(workshop.folder)/linux.tar.xz", "linux.tar.sign")
      workshop.expectRefusal(
        try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux-7.4"])), 4,
        "a folder has none")

      // Loud, and in the record for good.
      for (place, name) in [("linux.tar.xz", "a"), ("linux-7.4", "b")] {
        var box = workshop
        box.output = workshop.folder.appending(name)
        let outcome = try await box.run(
          box.cutArguments("demo.toml", ["--source", "linux=\(place)", "--allow-unsigned"]))
        #expect(outcome.succeeded, "\(outcome.errors)")
        #expect(outcome.errors.contains("warning: the source 'linux' is not signed: --allow-unsigned was given"))
        #expect(outcome.errors.split(separator: "\n").count == 1)
        for plan in ["plan.json", "unpacked/demo-7.4/lrelease/plan.json"] {
          try await box.shell(
            "cd \(name)/demo-7.4; mkdir -p unpacked; tar -C unpacked -xf demo-7.4.tar.xz; grep -q '\"isUnsigned\" : true' \(plan)"
          )
        }
      }
      try await workshop.shell(
        """
        export GNUPGHOME=$PWD/gnupg
        gpg --batch --quiet --output linux.tar.sign --detach-sign linux.tar; gpgconf --kill gpg-agent
        """)
      // A wrong signature is never taken, and what the unsigned cut left in the cache does not count.
      let signed = try await cut()
      #expect(signed.succeeded && signed.errors.isEmpty, "\(signed.errors)")
      let plan = String(decoding: try Files.read(workshop.output.appending("demo-7.4/plan.json")), as: UTF8.self)
      #expect(plan.contains("\"signedBy\" : \"\(key)\"") && !plan.contains("isUnsigned"))
      try Files.remove(workshop.output)
      try await workshop.shell("echo '/* more */' >> linux-7.4/fs/a.c; tar -cf linux.tar linux-7.4; xz -kf linux.tar")
      workshop.expectRefusal(try await cut(["--allow-unsigned"]), 4, "the signature does not match the content")
    }
  }

  /// A plan is input like any other: its name becomes that of a folder.
  @Test func aPlanThatWasChangedIsRefused() async throws {
    try await Workshop.use { workshop in
      try workshop.writeManifest()
      _ = try await workshop.run(["plan", "--quiet", "demo.toml", "--source", "linux=linux"])
      let plan = String(decoding: try Files.read(workshop.folder.appending("plan.json")), as: UTF8.self)
      for (old, new, status, words) in [
        ("\"name\" : \"demo\"", "\"name\" : \"../../demo\"", 4, "it says ../../demo 7.4, its manifest demo 7.4"),
        ("\"version\" : \"7.4\"", "\"version\" : \"7.5\"", 4, "it says demo 7.5, its manifest demo 7.4"),
        ("\"version\" : \"7.4\"", "\"version\" : \"x\"", 2, "'x' is not a number"),
        ("\"extras\" : [", "\"extras\" : [\"../x\"", 2, "no extra '../x'"),
        ("\"format\" : 1", "\"format\" : 3", 2, "needs a newer version of lrelease"),
        ("summary = ", "summary  = ", 4, "its file demo.toml was changed"),
        ("\"sourceDate\" : ", "\"sourceDate\" : -9223372036854775808, \"x\" : ", 2, "not a possible time of a release"),
        ("\"manifest\" : \"demo.toml\"", "\"manifest\" : \"none\"", 2, "does not hold its manifest none"),
      ] {
        #expect(plan.contains(old), "\(old)")
        try workshop.write("changed.json", plan.replacing(old, with: new, maxReplacements: 1))
        let outcome = try await workshop.run(
          ["cut", "--quiet", "--plan", "changed.json", "--output", workshop.output.string])
        workshop.expectRefusal(outcome, Int32(status), words)
      }
      try workshop.write("linux/fs/a.c", "int other;\n")
      let outcome = try await workshop.run(
        ["cut", "--quiet", "--plan", "plan.json", "--output", workshop.output.string])
      workshop.expectRefusal(outcome, 4, "opening the source 'linux'", "differs from the one that the plan pins")
    }
  }
}
