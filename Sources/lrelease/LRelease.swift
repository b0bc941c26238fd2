// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import CMalloc
import CVersion
import Diagnostics
import Glibc
import Operations
import Packagers
import SystemPackage

@main
enum Main {
  static func main() async {
    // A parent that ignores the end of its children passes that on; the kernel would then not tell how ours ended.
    signal(SIGCHLD, SIG_DFL)
    raiseFileLimit()
    // The child that makes an RPM package runs this program: see RPMWorker.
    if CommandLine.arguments.dropFirst().first == RPMWorker.word {
      exit(RPMWorker.main(arguments: Array(CommandLine.arguments.dropFirst(2))))
    }
    setlocale(LC_CTYPE, "C.UTF-8")
    signal(SIGPIPE, SIG_IGN)
    umask(0o022)
    // Large blocks return to the system when they are freed, instead of staying with the thread.
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    await Interruption.run { await LRelease.start() }
  }

  /// Some shells allow very few open files, and let programs raise that.
  private static func raiseFileLimit() {
    let (least, enough): (rlim_t, rlim_t) = (64, 1024)
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < enough else { return }
    limit.rlim_cur = min(limit.rlim_max, enough)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    guard limit.rlim_cur < least else { return }
    // What runs our children stops the program where it finds no descriptor left.
    let message =
      "error: starting: at most \(limit.rlim_cur) files may be open at a time, and \(least) are needed; "
      + "raise the limit (ulimit -n)\n"
    _ = try? FileDescriptor.standardError.writeAll(message.utf8)
    exit(ReleaseError.Code.failed.rawValue)
  }
}

struct LRelease: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lrelease",
    abstract: "Cut releases of kernel code: reproducible tarballs and DKMS packages.",
    discussion: """
      A manifest says which files of a kernel release and of other sources make up a release. 'lrelease cut' takes \
      these files, makes a tarball and the DKMS packages, and writes them to one folder. That folder never changes \
      afterwards.

      Write a first manifest for kernel modules in this folder, then cut their first release:

        lrelease init . --output release
        lrelease cut release/hello.toml --output out

      Cut the release for a kernel release:

        lrelease cut manifests/ceph.toml --kernel 6.12.117 --output releases

      Look first, cut later, check the result:

        lrelease plan manifests/ceph.toml --kernel 6.12.117 --save ceph.json
        lrelease cut --plan ceph.json --output releases
        lrelease verify releases/ceph-6.12.117

      Sign it, and check who signed it:

        lrelease sign releases/ceph-6.12.117 --key release@example.org
        lrelease verify releases/ceph-6.12.117 --keyring example.gpg

      Build it again from the tarball alone with your own patches, and see what changed:

        lrelease rebuild ceph-6.12.117.tar.xz --vendor acme \\
            --patches acme/series --output releases
        lrelease diff releases/ceph-6.12.117 releases/ceph-6.12.117+by.acme.1

      Try its packages on real kernels, and publish the results:

        lrelease qualify releases/sample-7.2.1 --target debian-12
        lrelease export page releases/sample-7.2.1.qualification \\
            --output kernels.html

      Exit status: 0 done, 1 failed, 2 wrong manifest or argument, 3 source missing or damaged, 4 signature or hash \
      missing or wrong, 5 the release exists with other content, 6 differences found, 7 a program is missing, 64 \
      wrong usage, 130 interrupted.

      Environment: XDG_CACHE_HOME, else HOME/.cache, is where the cache folder lrelease is (see --cache). TMPDIR, \
      else /tmp, is where scratch folders are; with LRELEASE_KEEP_SCRATCH=1 they are kept, and named. Fetching uses \
      http_proxy, https_proxy, no_proxy and ALL_PROXY, signing GNUPGHOME and GPG_TTY. NO_COLOR turns colour off.
      """,
    version: "lrelease \(String(cString: lr_version()))",
    subcommands: [
      InitCommand.self, CutCommand.self, PlanCommand.self, BuildCommand.self, TargetsCommand.self, RootsCommand.self,
      RebuildCommand.self,
      DiffCommand.self, QualifyCommand.self, QualifyCaseCommand.self, ExportCommand.self, VerifyCommand.self,
      SignCommand.self, ShowCommand.self, AuditCommand.self, LicensesCommand.self, ManifestCommand.self,
    ])
}
