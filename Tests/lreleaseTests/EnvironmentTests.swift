// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// What stands in the environment of the command neither changes a byte of a release nor breaks it.
@Suite struct EnvironmentTests {
  /// Variables that programs which lrelease runs would take.
  private static let variables = [
    "POSIXLY_CORRECT": "1", "PATCH_GET": "1", "VERSION_CONTROL": "numbered", "SIMPLE_BACKUP_SUFFIX": ".x",
    "QUILT_PATCHES": "x", "QUILT_PATCH_OPTS": "-R", "QUILTRC": "/x", "TAR_OPTIONS": "--bogus", "XZ_OPT": "-0",
    "XZ_DEFAULTS": "-0", "GZIP": "-1", "ZSTD_CLEVEL": "1", "ZSTD_NBTHREADS": "3", "DEB_BUILD_OPTIONS": "nocheck",
    "DEB_VENDOR": "x", "DEBFULLNAME": "x", "DEBEMAIL": "x", "SOURCE_DATE_EPOCH": "1", "RPM_CONFIGDIR": "/x",
    "RPM_PACKAGER": "x", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr", "CDPATH": "/", "IFS": "x",
    "GREP_OPTIONS": "-v", "ENV": "/x", "BASH_ENV": "/x", "BASH_FUNC_cd%%": "() { exit 9; }",
    // As in a hook of git.
    "GIT_DIR": "/x", "GIT_WORK_TREE": "/x", "GIT_INDEX_FILE": "/x", "GIT_OBJECT_DIRECTORY": "/x", "GIT_PREFIX": "x",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/x", "GIT_EXEC_PATH": "/x", "GIT_TRACE": "1", "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "apply.whitespace", "GIT_CONFIG_VALUE_0": "fix",
  ]

  private func use(_ body: (Workshop, [String]) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      try workshop.write("linux/fs/Kbuild", "obj-m := demo.o\n")
      try workshop.write("linux/fs/a.c", "int a; \n")
      try workshop.writeManifest(Workshop.packages, source: "git = \"up\"\nref = \"v7.4\"\npatches = \"series\"")
      try await workshop.shell(
        """
        sed -i '/^kernel = /d; s/{kernel}/7.4/' demo.toml
        printf 'one.patch\\ntwo.patch\\n' > series
        printf -- '--- a/fs/a.c\\n+++ b/fs/a.c\\n@@ -1 +1 @@\\n-int a; \\n+int b; \\n' > one.patch
        printf -- 'diff --git a/fs/a.c b/fs/a.c\\n--- a/fs/a.c\\n+++ b/fs/a.c\\n@@ -1 +1 @@\\n-int b; \\n+int c; \\n' > two.patch
        cp -r linux up; git -C up init -q; git -C up add .
        git -C up -c user.name=A -c user.email=a@b commit -q -m x --date 2026-01-01T00:00:00Z; git -C up tag v7.4
        """)
      let arguments = workshop.cutArguments("\(workshop.folder)/demo.toml")
      let cut = try await workshop.run(arguments)
      #expect(cut.succeeded && cut.errors.isEmpty, "\(cut.errors)")
      try await workshop.shell("mv out/demo-7.4 good; rmdir out")
      try await body(workshop, arguments)
    }
  }

  private func same(
    _ workshop: Workshop, _ script: String, _ environment: [String: String] = [:],
    _ location: Testing.SourceLocation = #_sourceLocation
  ) async throws {
    let outcome = try await Command(
      "sh", ["-c", script], environment: workshop.environment.merging(environment) { $1 }, directory: workshop.folder
    ).run(doing: "running \(script)")
    #expect(outcome.succeeded && outcome.errors.isEmpty, "\(script): \(outcome.errors)", sourceLocation: location)
    try await workshop.shell("cmp good/SHA256SUMS out/demo-7.4/SHA256SUMS; rm -r out")
  }

  @Test func noneOfItChangesAByte() async throws {
    try await use { workshop, arguments in
      let cut = ([Workshop.lrelease] + arguments).map { Script.quote($0) }.joined(separator: " ")
      try await workshop.shell(
        """
        printf '%%_binary_payload w1.gzdio\\n%%_buildhost evil\\n' > .rpmmacros
        printf '[core]\\n autocrlf = true\\n[apply]\\n whitespace = fix\\n[diff]\\n noprefix = true\\n' > .gitconfig
        echo 'QUILT_PATCH_OPTS=-R' > .quiltrc
        """)
      try await same(workshop, "\(cut)", Self.variables)
      // Programs that happen to lie in the folder in which it runs are not those that were meant.
      try await workshop.shell(
        "for p in tar xz patch git sh bwrap; do printf '#!/bin/sh\\nexit 9\\n' > $p; chmod +x $p; done")
      try await same(workshop, "PATH=\":$PATH:\"; export PATH; \(cut)")
      try await workshop.shell("rm tar xz patch git sh bwrap")
      for folder in ["a b", "a:b", "a,b", "a\nb", "a$(id)'\"%", "ä"] {
        let place = workshop.folder.appending("tmp dirs").appending(folder)
        try Files.makeFolder(place)
        try await same(workshop, cut, ["TMPDIR": place.string])
        #expect(try Files.names(in: place).isEmpty)
      }
      try await same(workshop, "mkdir rel; TMPDIR=rel \(cut)")
      try await same(workshop, "unset HOME XDG_CACHE_HOME; \(cut)")
      try await same(workshop, "\(cut) <&- >&- 2>&-")
      try await same(workshop, "umask 0777; \(cut)")
      try await same(workshop, "ulimit -n 64; \(cut)")
      try await same(workshop, "mkdir gone; cd gone; rmdir ../gone; cd \(workshop.folder); \(cut)")
    }
  }

  @Test func whatCannotBeSaysWhy() async throws {
    try await use { workshop, arguments in
      let cut = ([Workshop.lrelease] + arguments).map { Script.quote($0) }.joined(separator: " ")
      for (script, status, words) in [
        ("TMPDIR=/nonexistent \(cut)", 1, "set TMPDIR to a folder that can be written"),
        ("TMPDIR=/proc \(cut)", 1, "set TMPDIR to a folder that can be written"),
        ("TMPDIR=/dev/null \(cut)", 1, "set TMPDIR to a folder that can be written"),
        ("ulimit -f 8; \(cut)", 1, "File too large"),
        ("mkdir gone; cd gone; rmdir ../gone; \(cut)", 1, "it was removed: change to another"),
        ("env PATH= \(cut)", 7, "is not installed"),
        ("\(Workshop.lrelease) manifest schema >/dev/full", 1, "writing standard output: No space left on device"),
        ("\(Workshop.lrelease) show --quiet --json good >/dev/full", 1, "writing standard output: No space left"),
      ] {
        let outcome = try await Command(
          "/bin/sh", ["-c", script], environment: workshop.environment, directory: workshop.folder
        ).run(doing: "running \(script)")
        workshop.expectRefusal(outcome, Int32(status), words)
      }
    }
  }
}
