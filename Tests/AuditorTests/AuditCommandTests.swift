// SPDX-License-Identifier: GPL-2.0-only

import Files
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

/// The whole command, on the sample that is shipped and on what a person gives wrongly.
@Suite struct AuditCommandTests {
  static let sample = Workshop.root.appending("manifests/sample.toml").string

  private func run(_ arguments: [String], in folder: FilePath) async throws -> Command.Outcome {
    try await Command(
      Workshop.lrelease, arguments,
      environment: Command.plainEnvironment.merging(["HOME": folder.string]) { $1 }, directory: folder
    ).run(doing: "running lrelease")
  }

  private func shell(_ script: String, in folder: FilePath) async throws {
    _ = try await Command("sh", ["-ec", script], directory: folder).check(doing: "running \(script)")
  }

  /// The sample, cut into `out`.
  private func cut(in folder: FilePath) async throws {
    let outcome = try await run(
      [
        "cut", "--quiet", AuditCommandTests.sample, "--output", "out", "--source",
        "linux=\(Workshop.root)/Examples/sample/linux",
      ], in: folder)
    #expect(outcome.succeeded, "\(outcome.errors)")
  }

  @Test func theSample() async throws {
    try await withScratch { folder in
      try await cut(in: folder)
      // Written for one kernel: nothing in it must go.
      let release = try await run(["audit", "out/sample-7.2.1", "--json", "--fail-above", "0"], in: folder)
      #expect(release.succeeded, "\(release.errors)")
      #expect(release.text.contains("\"probeTests\" : 0") && release.text.contains("\"release\" : \"sample-7.2.1\""))
      #expect(release.text.contains("\"unused\" : [\n\n"), "\(release.text)")
      let tarball = try await run(["audit", "out/sample-7.2.1/sample-7.2.1.tar.xz", "--json"], in: folder)
      #expect(tarball.output == release.output)

      // The same laid out as a tree and with something to find.
      try await shell(
        """
        tar -xf out/sample-7.2.1/sample-7.2.1.tar.xz; mv sample-7.2.1 tree; rm -r tree/lrelease
        printf '#ifdef HAVE_GUARD\\n#endif\\n#include <sample_compat/fs.h>\\n' >> tree/sample/inode.c
        printf '#define HAVE_GUARD 1\\n' > a.h; cp a.h b.h
        """, in: folder)
      try Files.write(release.output, to: folder.appending("old.json"))
      let tree = try await run(
        ["audit", "tree", "--manifest", AuditCommandTests.sample, "--compare", "old.json", "--fail-above", "1"]
          + ["--probes", "6.1=a.h", "--probes", "7.2=b.h"], in: folder)
      #expect(tree.status == .exited(6) && tree.errors.contains("2 places must change, more than 1"), "\(tree.errors)")
      let words = tree.text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
      for line in [
        "sample 3 1 0 1", "all 7 1 0 1", "HAVE_GUARD set 1 1 29", "sample 0 2 +2", "tests of probes 0 1 +1",
      ] {
        #expect(words.contains { $0.hasPrefix(line) }, "\(line) in \(tree.text)")
      }

      // The same kernel, and one in which a file has changed.
      try await shell(
        "cp -r \(Workshop.root)/Examples/sample/linux linux; echo 'int x;' >> linux/net/sample/samplenet.c",
        in: folder)
      let drift = try await run(["audit", "out/sample-7.2.1", "--against", "linux"], in: folder)
      #expect(
        drift.text.contains("drift to Linux 7.2.1: files: 1 changed, 0 added, 0 removed, 10 the same; lines: 1 added"),
        "\(drift.text)\(drift.errors)")
    }
  }

  @Test func wrongRequests() async throws {
    try await withScratch { folder in
      try await cut(in: folder)
      let ceph = Workshop.root.appending("manifests/ceph.toml").string
      try await shell(
        """
        mkdir empty; echo text > text; mkdir -p bare/sample; echo 'int a;' > bare/sample/a.c
        sed '/^\\[audit/,$d' \(AuditCommandTests.sample) > without.toml
        sed '/^\\[audit.probes/,$d' \(AuditCommandTests.sample) > noprobes.toml
        sed 's/^kernel = .*/folder = "x"/' \(AuditCommandTests.sample) > nokernel.toml
        echo 'lb_cv_x=${lb_cv_x=yes}' > config.cache; echo '{}' > bad.json; echo '#define HAVE_GUARD 1' > a.h
        """, in: folder)
      let release = "out/sample-7.2.1"
      let tree = ["bare", "--manifest", AuditCommandTests.sample]
      for (arguments, status, words) in [
        (["nowhere"], 3, "there is no such release or tree"), (["text"], 3, "it is not a tarball"),
        (["empty"], 2, "a tree does not say what belongs to mainline"),
        (["empty", "--manifest", AuditCommandTests.sample], 3, "it holds nothing of what belongs to mainline"),
        (["bare", "--manifest", "without.toml"], 2, "its manifest has no [audit]"),
        (["bare", "--manifest", "nokernel.toml"], 2, "nothing says what belongs to mainline"),
        (["bare", "--manifest", "none.toml"], 2, "reading the manifest none.toml: No such file"),
        (tree + ["--ref", "v1"], 3, "not a git repository"),
        ([release + "/plan.json", "--ref", "v1"], 2, "leave --ref out"),
        (tree + ["--probes", "6.1=a.h"], 2, "on one kernel every probe has one answer"),
        (tree + ["--probes", "6.1", "--probes", "7.2=a.h"], 2, "'6.1' is not KERNEL=FILE"),
        (tree + ["--probes", "6.1=a.h", "--probes", "7.2=none"], 2, "reading the probes of 7.2 (none): No such file"),
        (tree + ["--probes", "6.1=a.h", "--probes", "7.2=text"], 2, "no line of text defines or undefines"),
        (tree + ["--probes", "6.1=a.h", "--probes", "7.2=config.cache"], 2, "is a cache of configure"),
        (tree + ["--probes", "6.1=a.h", "--probes", "7.2=empty"], 2, "not a regular file"),
        (
          ["bare", "--manifest", "noprobes.toml", "--probes", "a=a.h", "--probes", "b=a.h"], 2,
          "does not mention probes"
        ),
        ([release, "--compare", "bad.json"], 2, "it is not a report of lrelease: "),
        ([release, "--compare", "none.json"], 2, "reading the report none.json: No such file"),
        ([release, "--against", "empty"], 3, "it holds nothing of what belongs to mainline (fs/sample"),
        ([release, "--against", "nowhere"], 3, "No such file"), ([release, "--against", "text"], 3, "not a tarball"),
        ([release, "--build", "nowhere"], 3, "building in the kernel nowhere: there is no such folder"),
        ([release, "--build", "empty"], 3, "it is neither a kernel tree nor headers"),
        ([release, "--manifest", ceph], 3, "it holds nothing of what belongs to mainline"),
      ] {
        let outcome = try await run(["audit", "--quiet"] + arguments, in: folder)
        let lines = outcome.errors.split(separator: "\n")
        #expect(outcome.status == .exited(Int32(status)), "\(arguments): \(outcome.errors)")
        #expect(lines.count == 1 && outcome.output.isEmpty, "\(arguments): \(outcome.errors)\(outcome.text)")
        #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
      }
    }
  }
}
