// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import Testing

@testable import Assembler

/// Repositories and folders that are damaged, incomplete, or made to do harm.
@Suite struct SourceDefenceTests {
  private let all = Selection(rules: [Fixture.rule(from: "")])

  private func withRepository(_ script: String, _ body: (FilePath) async throws -> Void) async throws {
    try await withScratch { folder in
      let repository = folder.appending("repository")
      try Files.makeFolder(repository)
      let start = "git init -q . && git config user.name A && git config user.email a@b\n"
      try await Fixture.shell(start + script, in: repository)
      try await body(repository)
    }
  }

  private func read(_ repository: FilePath, _ ref: String = "HEAD") async throws -> SourceContent {
    try await GitSource(repository: repository, ref: ref).read(all, progress: .silent)
  }

  // MARK: git

  @Test func missingAndDamagedObjectsAreNamed() async throws {
    let commit = "mkdir fs && echo one > fs/a && git add . && git commit -q -m one\n"
    // What to damage, and what is said of it.
    for (object, damage, words) in [
      ("HEAD:fs/a", "rm -f", "(fs/a) is missing"), ("HEAD:fs", "rm -f", "reading"), ("HEAD^{tree}", "rm -f", "reading"),
      ("HEAD", "rm -f", "that 'HEAD' names is missing"), ("HEAD", "truncate -s 9", "that 'HEAD' names cannot be read"),
      ("HEAD:fs/a", "truncate -s 9", "(fs/a) cannot be read"), ("HEAD^{tree}", "truncate -s 9", "reading"),
    ] {
      let script = """
        o=$(git rev-parse '\(object)'); f=.git/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-)
        chmod u+w $f; \(damage) $f
        """
      try await withRepository(commit + script) { repository in
        await Fixture.refusal("\(repository)", words, code: .source) { _ = try await read(repository) }
      }
    }
  }

  @Test func namesInATreeAreChecked() async throws {
    for (name, mode, words) in [
      (#"\377"#, "100644,blob", "is not UTF-8"), ("..", "100644,blob", "is not allowed in a release"),
      (String(repeating: "x/", count: 2000) + "x", "100644,blob", "is not allowed in a release"),
      ("l", "120000,blob", "the link l leads out of the tree, to /etc/passwd"),
      ("sub", "160000,commit", "is a submodule"),
    ] {
      // Not through the index, which would refuse such names.
      let script = """
        import subprocess, hashlib
        def git(*a, data=b""): return subprocess.run(("git",) + a, input=data, capture_output=True, check=True).stdout.strip()
        blob = git("hash-object", "-w", "--stdin", data=b"/etc/passwd").decode()
        parts = "\(name)".encode("latin-1").split(b"/")
        mode, oid = "\(mode)".split(",")[0].encode(), bytes.fromhex(blob)
        for part in reversed(parts):
            tree = mode + b" " + part + b"\\0" + oid
            oid = bytes.fromhex(git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", data=tree).decode())
            mode = b"40000"
        git("update-ref", "refs/heads/bad", git("commit-tree", oid.hex(), "-m", "bad").decode())
        """
      try await withRepository("cat > make.py <<'EOF'\n\(script)\nEOF\npython3 make.py") { repository in
        await Fixture.refusal("\(repository) at bad", words, code: .source) { _ = try await read(repository, "bad") }
      }
    }
  }

  /// Reading runs nothing that the configuration of the repository names.
  @Test func aRepositoryOfSomebodyElseRunsNothing() async throws {
    try await withScratch { folder in
      let ran = folder.appending("ran")
      let program = folder.appending("program")
      try Files.write(Array("#!/bin/sh\necho $0 $@ >> \(ran)\nexit 1\n".utf8), to: program, mode: 0o755)
      let script = """
        mkdir full && cd full && git init -q . && git config uploadpack.allowFilter true && mkdir fs && echo one > fs/a
        git add . && git -c user.name=A -c user.email=a@b commit -q -m one
        printf 'tree %s\\nauthor A <a@b> 1 +0000\\ncommitter A <a@b> 1 +0000\\ngpgsig -----BEGIN PGP SIGNATURE-----\\n \\n -----END PGP SIGNATURE-----\\n\\nx\\n' $(git rev-parse HEAD^{tree}) > c
        git update-ref HEAD $(git hash-object -t commit -w c)
        cd .. && git clone -q --no-checkout --filter=blob:none file://$PWD/full partial && cd partial
        git config log.showSignature true
        for key in gpg.program remote.origin.uploadpack core.sshCommand core.fsmonitor core.pager pager.log diff.external
        do git config $key \(program); done
        """
      try await Fixture.shell(script, in: folder)
      await Fixture.refusal("(fs/a) is missing", "it is a partial clone", code: .source) {
        _ = try await read(folder.appending("partial"))
      }
      #expect(!Files.exists(ran), "\((try? Files.read(ran)).map { String(decoding: $0, as: UTF8.self) } ?? "")")
      #expect(try await read(folder.appending("full")).files.keys.sorted() == ["fs/a"])
    }
  }

  @Test func whatIsNoRepositoryIsNamed() async throws {
    try await withScratch { folder in
      await Fixture.refusal("it is not a git repository", code: .source) { _ = try await read(folder) }
      await Fixture.refusal("there is no such folder", code: .source) { _ = try await read(folder.appending("no")) }
    }
  }

  // MARK: folders

  @Test(arguments: [
    ("touch $(printf 'fs/\\377')", "is not UTF-8"), ("mkfifo fs/p", "fs/p is a device"),
    ("ln -s /etc/passwd fs/l", "the link fs/l leads out of the tree, to /etc/passwd"),
    ("ln -s ../../x fs/l", "leads out of the tree"), ("ln -s $(printf '\\377') fs/l", "not UTF-8"),
    ("mknod fs/n c 1 3", "fs/n is a device"),
  ])
  func aFolderIsLookedAtAsAnArchiveIs(script: String, words: String) async throws {
    try await withScratch { folder in
      try await Fixture.shell("mkdir fs; \(script)", in: folder)
      await Fixture.refusal("\(folder)", words, code: .source) {
        _ = try await FolderSource(path: folder, date: 1).read(Selection(rules: [Fixture.rule()]))
      }
    }
  }

  @Test func aPathOf4000BytesIsRefused() async throws {
    try await withScratch { folder in
      // Longer than a path that can be opened in one go, so made and removed step by step.
      let script = """
        import os, sys
        os.makedirs("fs"); os.chdir("fs")
        for _ in range(25): os.mkdir("d" * 200); os.chdir("d" * 200)
        open("f", "w").close()
        """
      _ = try await Command("python3", ["-c", script], directory: folder).check(doing: "making folders")
      await Fixture.refusal("\(folder)", "a path has 1007 bytes or more: fs/ddd", code: .source) {
        _ = try await FolderSource(path: folder, date: 1).read(Selection(rules: [Fixture.rule()]))
      }
      try await Fixture.shell("rm -rf fs", in: folder)
    }
  }
}
