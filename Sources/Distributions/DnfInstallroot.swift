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
    var files = [
      "repos/lrelease.repo": Array(definition.repositories.map(section).joined(separator: "\n").utf8),
      ".rpmmacros": Array("%_dbpath \(DnfInstallroot.database)\n".utf8),
    ]
    for repository in definition.repositories {
      for (file, key) in keys(of: repository) { files[file] = key.bytes }
    }
    return files
  }

  /// The keys that are files, by their place in the scratch folder.
  private func keys(of repository: ChrootDefinition.Repository) -> [(String, ChrootDefinition.Key)] {
    (repository.keys ?? []).filter { !$0.isURL }.enumerated().map { ("keys/\(repository.name)-\($0 + 1).asc", $1) }
  }

  private func section(_ repository: ChrootDefinition.Repository) -> String {
    // Lists of dnf have spaces between their items, which a path may have: its working folder is the scratch folder.
    let keys =
      self.keys(of: repository).map { "file:///proc/self/cwd/\($0.0)" }
      + (repository.keys ?? []).filter(\.isURL).map(\.name)
    let lines = [
      "[\(repository.name)]", "name=\(repository.name)", repository.url.map { "baseurl=\($0)" },
      repository.mirrorlist.map { "mirrorlist=\($0)" }, repository.metalink.map { "metalink=\($0)" }, "gpgcheck=1",
      keys.isEmpty ? nil : "gpgkey=\(keys.joined(separator: " "))",
      repository.signsMetadata == true ? "repo_gpgcheck=1" : nil,
    ]
    return lines.compactMap { $0.map { "\($0)\n" } }.joined()
  }

  func commands(
    for definition: ChrootDefinition, in chroot: FilePath, scratch: FilePath
  ) async throws -> [BootstrapCommand] {
    // What is set on this machine must not leave a repository out.
    let common = [
      "dnf", "--assumeyes", "--quiet", "--noplugins", "--setopt=skip_if_unavailable=False", "--installroot=\(chroot)",
      "--setopt=reposdir=/proc/self/cwd/repos",
      "--releasever=\(definition.releasever ?? "")", "--setopt=install_weak_deps=False",
      "--setopt=cachedir=\(scratch)/cache", "--setopt=keepcache=True", "install",
    ]
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
