// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// What sites run says the same about a kernel as lrelease does: dkms.conf, to the code of each dkms, and PRE_BUILD.
@Suite struct FamilyScriptTests {
  private static let versions = ["2.8.4", "3.0.10", "3.0.13", "3.1.8", "3.2.2", "3.4.3"]

  /// Cuts a release for the kernels of the table, and unpacks what dkms gets.
  private func withSources(_ body: (Workshop, FilePath) async throws -> Void) async throws {
    try await Workshop.use { workshop in
      let kernels = #"kernels = { min = "7.0", max = "7.9" }"#
      try workshop.writeManifest(
        Workshop.packages.replacing(kernels, with: KernelReleaseCase.manifest) + "\n" + KernelReleaseCase.families)
      let cut = try await workshop.run(workshop.cutArguments("demo.toml", ["--source", "linux=linux"]))
      try #require(cut.succeeded, "\(cut.errors)")
      try await workshop.shell("dpkg-deb -x out/*/demo-dkms_*.deb packed")
      try await body(workshop, workshop.folder.appending("packed/usr/src/demo-7.4"))
    }
  }

  /// dkms's own functions read dkms.conf for each kernel, as `dkms build` does.
  private static let build = """
    shopt -s extglob
    . "$1"
    readonly package_conf=$2
    dkms_tree=/nonexistent install_tree=/nonexistent source_tree=/nonexistent module=demo module_version=7.4
    show_deprecation_warnings=0 tmp_location=${TMPDIR:-/tmp}
    die() { echo "died: $*"; exit 1; }
    deprecated() { :; }
    while read -r k; do
      build_exclude=
      read_conf "$k" x86_64 "$package_conf" >/dev/null || die "$k"
      echo "$k ${build_exclude:-no}"
    done
    """

  @Test(arguments: versions) func dkmsSkipsWhatIsNotSupported(version: String) async throws {
    try await withSources { workshop, sources in
      let functions = Workshop.root.appending("Tests/Fixtures/dkms/\(version).bash")
      let input = KernelReleaseCase.all.map { "\($0.release)\n" }.joined()
      let outcome = try await Command(
        "bash", ["-c", Self.build, "dkms", functions.string, sources.appending("dkms.conf").string],
        environment: workshop.environment
      ).run(input: Array(input.utf8), doing: "asking dkms \(version)")
      let answers = outcome.text.split(separator: "\n").map(String.init)
      try #require(answers.count == KernelReleaseCase.all.count, "\(outcome.errors) \(answers.last ?? "")")
      #expect(outcome.errors.isEmpty, "\(outcome.errors)")
      for (kernel, answer) in zip(KernelReleaseCase.all, answers) {
        #expect(answer == "\(kernel.release) \(kernel.isSupported ? "no" : "yes")")
      }
    }
  }

  /// While dkms looks for what to install, it reads dkms.conf for another kernel, or for none, and the outer variable tells.
  @Test func autoinstallLeavesOutWhatIsNotSupported() async throws {
    try await withSources { workshop, sources in
      let script = """
        safe_source() { . "$1"; }
        read_conf() { local kernelver=$1; safe_source "$2"; }
        autoinstall() { local kernelver=$1; (read_conf "$2" "$conf"; echo "$1 $AUTOINSTALL"); }
        conf=$1
        while read -r k; do autoinstall "$k" "" 2>>said; autoinstall "$k" 6.1.0 2>>said; done
        . "$conf"
        echo "none $AUTOINSTALL"
        """
      let input = KernelReleaseCase.all.map { "\($0.release)\n" }.joined()
      let outcome = try await Command(
        "bash", ["-c", script, "bash", sources.appending("dkms.conf").string], environment: workshop.environment,
        directory: workshop.folder
      ).run(input: Array(input.utf8), doing: "asking bash")
      let wanted = KernelReleaseCase.all.flatMap { kernel in
        Array(repeating: "\(kernel.release) \(kernel.isSupported ? "yes" : "")", count: 2)
      }
      #expect(outcome.text.split(separator: "\n").map(String.init) == wanted + ["none yes"], "\(outcome.errors)")
      let said = String(decoding: try Files.read(workshop.folder.appending("said")), as: UTF8.self)
      #expect(
        said.contains(
          "demo 7.4: kernel 6.12.0-160000.5-default is skipped: it is one of sles16, of which none is supported; supported are 6.1"
        ))
      #expect(
        said.contains(
          "kernel 5.14.0-688.1.el9.x86_64 is skipped: supported of el9 are 5.14.0-611 to 5.14.0-611.55.1 and"))
    }
  }

  @Test(arguments: [["dash"], ["busybox", "sh"], ["bash", "--posix"]]) func preBuildSaysTheSame(shell: [String])
    async throws
  {
    try await withSources { workshop, sources in
      let script = """
        while read -r k; do
          status=0
          said=$("$@" dkms/pre-build --supports "$k") || status=$?
          echo "$k $status $said"
        done
        """
      let kernels = KernelReleaseCase.all
      let outcome = try await Command(
        "sh", ["-c", script, "sh"] + shell, environment: workshop.environment, directory: sources
      ).run(input: Array(kernels.map { "\($0.release)\n" }.joined().utf8), doing: "asking \(shell)")
      let answers = outcome.text.split(separator: "\n").map(String.init)
      try #require(answers.count == kernels.count, "\(outcome.errors)")
      #expect(outcome.errors.isEmpty, "\(outcome.errors)")
      for (kernel, answer) in zip(kernels, answers) {
        #expect(answer.hasPrefix("\(kernel.release) \(kernel.isSupported ? "0 " : "77 ")"), "\(answer)")
        #expect(answer.contains("supported ") != kernel.isSupported, "\(answer)")
      }
    }
  }

  /// The packages tell people the same, with how it is known.
  @Test func thePackagesSaySo() async throws {
    try await withSources { workshop, _ in
      let described = try await Command(
        "sh",
        ["-c", "dpkg-deb -f out/*/demo-dkms_*.deb Description; rpm -qp --qf '%{DESCRIPTION}' out/*/demo-dkms-*.rpm"],
        directory: workshop.folder
      ).check(doing: "reading descriptions").text
      let line = "- el8 4.18.0-553: stated by the ChangeLog of 2.17.90\n"
      #expect(described.ranges(of: line).count == 2, "\(described)")
      #expect(
        described.contains("\n  - kernels 6.1 to 6.6.49, 6.6 since 6.6.60, 6.8, 6.11 to 6.12: untried\n"),
        "\(described)")
    }
  }
}
