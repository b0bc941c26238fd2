// SPDX-License-Identifier: GPL-2.0-only

import Glibc
import Model
import Processes
import SystemPackage

/// Makes chroots of Debian and what derives from it with mmdebstrap(1).
struct Mmdebstrap: Bootstrapper {
  var packageManager: any PackageManager { Apt() }

  func makes(_ definition: ChrootDefinition) -> Bool { !definition.suites.isEmpty }

  func files(for definition: ChrootDefinition) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    if let control = definition.buildDependencies { files["build-dependencies/debian/control"] = Array(control.utf8) }
    if let keyring = definition.keyring { files[keyring.aptName] = keyring.bytes }
    return files
  }

  func commands(
    for definition: ChrootDefinition, in chroot: FilePath, scratch: FilePath
  ) async throws -> [BootstrapCommand] {
    let sources: String
    var options: [String] = []
    if let mirror = definition.mirror {
      sources = definition.suites.map { "deb \(mirror) \($0) \(definition.components.joined(separator: " "))\n" }
        .joined()
      if let keyring = definition.keyring {
        // Only these are asked while the chroot is made, even by apt's user, who may not come into the scratch folder.
        let file = scratch.appending(keyring.aptName)
        let script = Script.quote(Script(PackageResources.keyring_sh).text)
        options = [
          "--keyring=\(file)", "--aptopt=APT::Sandbox::User \"root\"",
          "--customize-hook=sh -c \(script) keyring \"$1\" \(Script.quote(file.string))",
        ]
      }
    } else {
      let archive = try await DebianArchive()
      sources = try archive.text(suites: definition.suites, components: definition.components)
      options = try await archive.options().map { "--aptopt=\($0)" }
      let files = try archive.files(suites: definition.suites)
      if !files.isEmpty {
        let words = files.map { Script.quote($0.string) }.joined(separator: " ")
        let script = Script.quote(Script(PackageResources.keys_sh).text)
        options.append("--customize-hook=sh -c \(script) keys \"$1\" \(words)")
      }
    }
    let words =
      [
        "mmdebstrap", "--verbose", "--mode=root", "--variant=apt", "--format=directory",
        "--aptopt=APT::Install-Recommends \"false\"", "--aptopt=Acquire::Retries \"1\"",
        "--include=\(definition.packages.joined(separator: ","))",
      ] + options + hooks(for: definition, scratch: scratch) + [definition.suites[0], chroot.string, "-"]
    return [BootstrapCommand(words: words, input: Array(sources.utf8))]
  }

  /// What is done in the chroot last. Hooks of mmdebstrap are lines of sh.
  private func hooks(for definition: ChrootDefinition, scratch: FilePath) -> [String] {
    var hooks: [String] = []
    if definition.buildDependencies != nil {
      hooks += [
        "copy-in \(Script.quote("\(scratch)/build-dependencies")) /tmp",
        "chroot \"$1\" apt-get build-dep --yes --quiet /tmp/build-dependencies",
        "rm -r \"$1/tmp/build-dependencies\"",
      ]
    }
    if let later = definition.later, !later.isEmpty {
      hooks += [
        "mkdir -p \"$1/later/partial\"",
        "chroot \"$1\" apt-get install --yes --quiet --download-only "
          + "-o Dir::Cache::archives=/later \(later.map(Script.quote).joined(separator: " "))",
        "rm -rf \"$1/later/partial\" \"$1/later/lock\"",
      ]
    }
    return hooks.map { "--customize-hook=\($0)" }
  }
}

extension ChrootDefinition.Key {
  /// The name of its file. apt looks at how it ends to know what is in it.
  var aptName: String { isArmoured ? "keyring.asc" : "keyring.gpg" }
}
