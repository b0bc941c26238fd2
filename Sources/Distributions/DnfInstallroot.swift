// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import Processes
import SystemPackage

/// Makes chroots of RPM distributions with `dnf --installroot`.
struct DnfInstallroot: Bootstrapper {
  var packageManager: any PackageManager { Dnf() }

  /// Where the database of packages is while the chroot is made. No release has one there, so that no package is in its way.
  private static let database = "/.lrelease-rpmdb"

  func makes(_ definition: ChrootDefinition) -> Bool { !definition.repositories.isEmpty }

  func files(for definition: ChrootDefinition) -> [String: [UInt8]] {
    var files = DnfRepositories(definition: definition).files
    files[".rpmmacros"] = Array("%_dbpath \(DnfInstallroot.database)\n".utf8)
    return files
  }

  func commands(
    for definition: ChrootDefinition, in chroot: FilePath, scratch: FilePath
  ) async throws -> [BootstrapCommand] {
    let common =
      DnfRepositories(definition: definition).command(root: chroot, scratch: scratch)
      + ["--setopt=install_weak_deps=False", "--setopt=keepcache=True", "install"]
    // What is done in the chroot later is done with these two.
    let packages = Set(definition.packages + ["dnf", "rpm"]).sorted()
    func dnf(_ words: [String]) -> BootstrapCommand {
      BootstrapCommand(
        words: ["sh", "-c", Script(PackageResources.dnf_sh).text, "dnf", chroot.string] + common + words,
        program: "dnf", environment: ["HOME": scratch.string])
    }
    var commands = [dnf(packages)]
    if let later = definition.later, !later.isEmpty {
      commands.append(dnf(["--downloadonly", "--destdir=\(chroot)/later"] + later))
    }
    commands.append(
      BootstrapCommand(
        words: [
          "sh", "-c", Script(PackageResources.rpm_database_sh).text, "rpm", chroot.string, DnfInstallroot.database,
          "\(scratch)/cache",
        ], program: "rpm"))
    return commands
  }

  var addsPackages: Bool { true }

  func addition(
    _ packages: [String], later: [String], to definition: ChrootDefinition, in folders: [FilePath]
  ) -> ChrootAddition? {
    guard !(packages + later).isEmpty else { return nil }
    let here = definition.repositories.compactMap { $0.url?.hasPrefix("file:/") == true ? $0.url : nil }
    return ChrootAddition(
      words: ["sh", "-c", Script(PackageResources.add_rpm_sh).text, "add", definition.releasever ?? ""]
        + [packages.joined(separator: " ")] + later,
      files: ["/etc/resolv.conf", "/etc/hosts", "/etc/dnf/dnf.conf"]
        + here.map { FilePath("/\($0.dropFirst(5).drop { $0 == "/" })") }, temporary: ["/var/cache/dnf"])
  }
}
