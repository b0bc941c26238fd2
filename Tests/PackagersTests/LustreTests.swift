// SPDX-License-Identifier: GPL-2.0-only

import Assembler
import Groundwork
import SystemPackage
import Testing

@testable import Packagers

private let lustreRepository = environmentVariable("LRELEASE_LUSTRE_GIT").map { FilePath($0) }

/// Lustre itself, from the git repository that `LRELEASE_LUSTRE_GIT` names: `make test-lustre LUSTRE_GIT=…`.
@Suite(.serialized, .enabled(if: lustreRepository != nil, "LRELEASE_LUSTRE_GIT names no repository of Lustre"))
struct LustreTests {
  private let repository = lustreRepository ?? ""
  private let kernel = "6.12.1"

  private func git(_ arguments: [String]) async throws -> Command.Outcome {
    try await Command("git", ["-C", repository.string] + arguments).check(doing: "reading Lustre")
  }

  /// The state that Lustre is heading for: what mainline holds lies in a kernel release, the rest in the companion.
  private func mainlineTarball(in folder: FilePath) async throws -> FilePath {
    let tree = folder.appending("linux")
    // What mainline holds is what the companion's rule leaves out.
    let manifest = try Manifest(
      parsing: Files.read(Built.repository.appending("manifests/lustre-mainline.toml")), file: "lustre-mainline.toml"
    ) { try Files.read(Built.repository.appending("manifests/\($0)")) }
    let fromKernel = manifest.rules.filter { $0.source == "linux" }
    let companion = try #require(manifest.rules.first { $0.source != "linux" })
    let listed = try await git(["ls-tree", "-r", "--name-only", "HEAD"]).text.split(separator: "\n").map(String.init)
    for path in listed where companion.destination(of: path) == nil && !path.hasSuffix(".bz2") {
      guard let rule = fromKernel.first(where: { path.hasPrefix($0.to + "/") }) else { continue }
      let file = tree.pushing(FilePath(rule.from + path.dropFirst(rule.to.count)))
      try Files.makeFolder(file.removingLastComponent())
      try Files.write(try await git(["cat-file", "blob", "HEAD:\(path)"]).output, to: file)
    }
    let makefile = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n"
    try Files.write(Array(makefile.utf8), to: tree.appending("Makefile"))
    let tarball = folder.appending("linux-\(kernel).tar.xz")
    _ = try await Command(
      "tar", ["-cJf", tarball.string, "--mtime=2024-12-01", "--transform=s,^linux,linux-\(kernel),", "linux"],
      directory: folder
    ).check(doing: "packing the kernel tree")
    return tarball
  }

  @Test func theMainlineStateMakesTheSameModuleSourcesAndAllOfThemBuild() async throws {
    try await withScratch { folder in
      let today = folder.appending("today")
      let mainline = folder.appending("mainline")
      let source = ["--source", "lustre-release=\(repository)"]
      try await Built.cut("lustre.toml", into: today, ["--kernel", kernel] + source)
      let tarball = try await mainlineTarball(in: folder)
      try await Built.cut(
        "lustre-mainline.toml", into: mainline, ["--source", "linux=\(tarball)", "--allow-unsigned"] + source)
      let deb = "lustre-\(kernel)/lustre-client-modules-dkms_\(kernel)-1_all.deb"
      for release in [today, mainline] {
        _ = try await Command(
          "dpkg-deb", ["-x", release.pushing(FilePath(deb)).string, release.appending("unpacked").string]
        ).check(doing: "unpacking")
      }
      let difference = try await Command(
        "diff", ["-r"] + [today, mainline].map { $0.appending("unpacked/usr/src").string }
      ).run(doing: "comparing")
      #expect(difference.succeeded, "\(difference.text.prefix(2000))")

      try await TestRoot.bookworm().use { session in
        let kernels = try await TestRoot.kernels(session)
        #expect(kernels.count == 2)
        let start = ContinuousClock.now
        let installed = try await TestRoot.sh(session, "apt-get install -y /mnt/mainline/\(deb)", folder)
        #expect(installed.succeeded, "\(installed.text.suffix(2000)) \(installed.errors)")
        print("lustre: installed for \(kernels.count) kernels in \(Int((ContinuousClock.now - start).seconds)) s")
        for kernel in kernels {
          let probed = ContinuousClock.now
          let probe = try await TestRoot.sh(
            session,
            "cp -r /usr/src/lustre-client-\(self.kernel) /b; cd /b; sh dkms/pre-build \(kernel) /lib/modules/\(kernel)/build; rm -r /b",
            folder)
          #expect(probe.succeeded, "\(probe.errors)")
          print("lustre: PRE_BUILD for \(kernel) takes \(Int((ContinuousClock.now - probed).seconds)) s")
          let found = try await TestRoot.sh(
            session, "dkms autoinstall -k \(kernel) >&2; find /lib/modules/\(kernel)/updates -name '*.ko*' | wc -l",
            folder)
          #expect(found.text.trimmed == "17", "\(kernel): \(found.errors.suffix(2000))")
          let version = try await TestRoot.sh(session, "modinfo -k \(kernel) -F version lustre", folder)
          #expect(version.text.trimmed == self.kernel)
        }
        let purged = try await TestRoot.sh(session, "apt-get purge -y lustre-client-modules-dkms", folder)
        #expect(purged.succeeded, "\(purged.errors)")
        let left = try await TestRoot.sh(
          session, "find /lib/modules/*/updates /usr/src /var/lib/dkms -ipath '*lustre*' -not -path '*/linux-*'", folder
        )
        #expect(left.text.isEmpty, "\(left.text)")
      }
    }
  }
}
