// SPDX-License-Identifier: GPL-2.0-only

import Model
import SystemPackage

/// Makes chroots of RPM distributions with `dnf --installroot`.
struct DnfInstallroot: Bootstrapper {
  var packageManager: any PackageManager { Dnf() }

  func makes(_ definition: ChrootDefinition) -> Bool { !definition.repositories.isEmpty }

  func files(for definition: ChrootDefinition) -> [String: String] {
    let sections = definition.repositories.map { "[\($0.name)]\nname=\($0.name)\nbaseurl=\($0.url)\ngpgcheck=1\n" }
    return ["repos/lrelease.repo": sections.joined(separator: "\n")]
  }

  func commands(
    for definition: ChrootDefinition, in chroot: FilePath, scratch: FilePath
  ) async throws -> [BootstrapCommand] {
    // dnf splits this setting at spaces and commas, which the path may have; its working folder is the scratch folder.
    let here = "/proc/self/cwd"
    let common = [
      "dnf", "--assumeyes", "--quiet", "--installroot=\(chroot)", "--setopt=reposdir=\(here)/repos",
      "--releasever=\(definition.releasever ?? "")",
    ]
    var commands = [
      common + ["--setopt=install_weak_deps=False", "--setopt=cachedir=\(scratch)/cache", "install"]
        + definition.packages
    ]
    if let later = definition.later, !later.isEmpty {
      commands.append(common + ["download", "--resolve", "--destdir=\(chroot)/later"] + later)
    }
    return commands.map { BootstrapCommand(words: $0) }
  }
}
