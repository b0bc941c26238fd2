// SPDX-License-Identifier: GPL-2.0-only

import Distributions
import Files
import Model
import Processes
import Releases
import SystemPackage
import TestSupport
import Testing

@testable import Packagers

/// What was built, for the tests that use it as a person would.
enum Built {
  /// Cuts a release with a manifest of this repository, and demands that it succeeds.
  static func cut(_ manifest: String, into folder: FilePath, _ arguments: [String]) async throws {
    _ = try await Command(
      Workshop.lrelease,
      ["cut", Workshop.root.appending("manifests/\(manifest)").string, "--output", folder.string] + arguments
    ).check(doing: "cutting \(manifest)")
  }
}

/// A root with dkms, rpm and the headers of the two kernels of Debian 12, and with nothing else that a package could need.
///
/// It is kept below `LRELEASE_TEST_CACHE`, else below /var/tmp.
enum TestRoot {
  static func bookworm(with more: [String] = []) async throws -> Chroot {
    try await root(["dkms", "rpm", "linux-headers-amd64", "linux-headers-6.12-amd64"] + more)
  }

  /// A root in which packages are built, with the headers of one kernel.
  static func builder(for kernel: String, dependencies control: String? = nil) async throws -> Chroot {
    try await root(["build-essential", "debhelper", "rpm", "linux-headers-\(kernel)"], dependencies: control)
  }

  private static func root(_ packages: [String], dependencies control: String? = nil) async throws -> Chroot {
    let cache = environmentVariable("LRELEASE_TEST_CACHE") ?? "/var/tmp/lrelease-tests"
    return try await ChrootCache(FilePath(cache)).chroot(
      ChrootDefinition(
        suites: ["bookworm", "bookworm-updates", "bookworm-security"], packages: packages, buildDependencies: control),
      progress: .silent)
  }

  static func kernels(_ session: ChrootSession) async throws -> [String] {
    let outcome = try await session.run(["ls", "/lib/modules"], doing: "listing kernels")
    return outcome.text.split(separator: "\n").map(String.init)
  }

  /// Runs a script in the root, which sees `folder` as /mnt.
  static func sh(_ session: ChrootSession, _ script: String, _ folder: FilePath) async throws -> Command.Outcome {
    try await session.run(["sh", "-ec", script], folders: ["/mnt": folder], doing: "working in the root")
  }

  /// What apt has installed in the root, told to rpm, so that rpm checks everything else.
  static func tellRPM(_ session: ChrootSession, provides more: String = "") async throws {
    let script = """
      cd /root
      cat >from-apt.spec <<'SPEC'
      Name: from-apt
      Version: 1
      Release: 1
      Summary: What apt has installed
      License: GPL-2.0-only
      BuildArch: noarch
      Provides: dkms = %(dpkg-query -W -f '${source:Upstream-Version}' dkms) findutils gcc kmod make /bin/sh \(more)
      %description
      What apt has installed.
      %files
      SPEC
      rpmbuild -bb from-apt.spec && rpm -i rpmbuild/RPMS/noarch/from-apt-1-1.noarch.rpm
      """
    let outcome = try await sh(session, script, "/usr/share")
    try #require(outcome.succeeded, "\(outcome.errors)")
  }
}

/// A root in which packages come and go, and what is in it of one release, or of the packages before it.
struct Machine {
  let session: ChrootSession
  /// What the root sees as /mnt.
  let folder: FilePath
  /// What is in the names of the release's files and folders.
  let name: String

  /// Runs a script that must succeed, without a complaint of a maintainer script.
  @discardableResult
  func run(_ script: String, sourceLocation: Testing.SourceLocation = #_sourceLocation) async throws -> Command.Outcome
  {
    let outcome = try await TestRoot.sh(session, "cd /mnt; \(script)", folder)
    try #require(
      outcome.succeeded && !outcome.errors.contains("scriptlet failed"),
      "\(script): \(outcome.text.suffix(4000)) \(outcome.errors.suffix(2000))", sourceLocation: sourceLocation)
    return outcome
  }

  /// Runs a script that must fail, and say these words.
  func refuses(_ script: String, _ words: String, sourceLocation: Testing.SourceLocation = #_sourceLocation)
    async throws
  {
    let outcome = try await TestRoot.sh(session, "cd /mnt; \(script)", folder)
    #expect(
      !outcome.succeeded && (outcome.text + outcome.errors).contains(words),
      "\(script): \(outcome.text.suffix(4000)) \(outcome.errors.suffix(2000))", sourceLocation: sourceLocation)
  }

  /// Demands that there is this of the release, and nothing else.
  func expect(_ expected: [String], sourceLocation: Testing.SourceLocation = #_sourceLocation) async throws {
    let found = try await holds()
    let differences = found.difference(from: expected.sorted())
    #expect(differences.isEmpty, "\(differences)", sourceLocation: sourceLocation)
  }

  /// What there is of the release: `KERNEL updates/dkms/NAME VERSION` for each module that is not the kernel's own, then
  /// folders of sources, folders and links of dkms, configuration. And what is wrong with them.
  private func holds() async throws -> [String] {
    let script = """
      cd /lib/modules
      for kernel in *; do
        cd $kernel
        modules=$(find * -path kernel -prune -o -name '*.ko*' -print | sort)
        for module in $modules; do
          plain=${module%%.ko*}
          echo "$kernel $plain $(modinfo -F version $module | cut -d ' ' -f 1)"
          test "$(modinfo -k $kernel -F filename ${plain##*/})" = $PWD/$module || echo "$kernel loads another $plain"
        done
        known=$(sed -e 's/:.*//' -e '/^kernel/d' modules.dep | sort)
        test "$known" = "$modules" || echo "$kernel has modules.dep of" $known
        find * -name '*\(name)*' -type d -empty -printf "$kernel %p is empty\\n"
        cd ..
      done
      find /usr/src /etc /run -path '/usr/src/linux-*' -prune -o -name '*\(name)*' -prune -print
      find /var/lib/dkms -mindepth 1 -maxdepth 2 -path '*\(name)*'
      """
    let outcome = try await TestRoot.sh(session, script, folder)
    #expect(outcome.succeeded, "\(outcome.errors)")
    return outcome.text.split(separator: "\n").map(String.init).sorted()
  }
}
