// SPDX-License-Identifier: GPL-2.0-only

import Files
import Model
import SystemPackage

/// The repositories of a target, as dnf reads them in a scratch folder: nothing that is set on this machine counts.
struct DnfRepositories {
  let definition: ChrootDefinition

  /// Files that dnf reads, by their path in the scratch folder, which is its working folder.
  var files: [String: [UInt8]] {
    var files = ["repos/lrelease.repo": Array(definition.repositories.map(section).joined(separator: "\n").utf8)]
    for repository in definition.repositories {
      for (file, key) in keys(of: repository) { files[file] = key.bytes }
    }
    return files
  }

  /// dnf, with the options that every use of it has.
  func command(root: FilePath, scratch: FilePath) -> [String] {
    // What is set on this machine must not leave a repository out.
    [
      "dnf", "--assumeyes", "--quiet", "--noplugins", "--setopt=skip_if_unavailable=False", "--installroot=\(root)",
      "--setopt=reposdir=/proc/self/cwd/repos", "--releasever=\(definition.releasever ?? "")",
      "--setopt=cachedir=\(scratch)/cache",
    ]
  }

  /// The repository that a folder of dnf's cache is of: `NAME-NUMBER`.
  func name(ofCache folder: String) -> String? {
    definition.repositories.map(\.name).first {
      folder.hasPrefix("\($0)-") && !folder.dropFirst($0.count + 1).contains("-")
    }
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
}
