// SPDX-License-Identifier: GPL-2.0-only

import Files
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
    if let foreign = definition.foreign {
      let native = try await Command("dpkg", ["--print-architecture"]).check(doing: "making a chroot").text.trimmed
      options.append("--architectures=\(native),\(foreign.architecture)")
      if !foreign.standsFor.isEmpty {
        let words = ([foreign.architecture] + foreign.standsFor).map(Script.quote).joined(separator: " ")
        let script = Script.quote(Script(PackageResources.foreign_sh).text)
        options.append("--essential-hook=sh -c \(script) foreign \"$1\" \(words)")
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

  var addsPackages: Bool { true }

  func addition(
    _ packages: [String], later: [String], to definition: ChrootDefinition, in folders: [FilePath]
  ) -> ChrootAddition? {
    guard !(packages + later).isEmpty else { return nil }
    // Mirrors on this machine's disk are where they are, and their names and certificates as this machine knows them.
    let files = ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"].map { FilePath($0) }
    return ChrootAddition(
      words: ["sh", "-c", Script(PackageResources.add_deb_sh).text, "add", packages.joined(separator: " ")] + later,
      files: files + Mmdebstrap.localMirrors(of: folders), temporary: ["/var/lib/apt/lists", "/var/cache/apt"])
  }

  /// The folders that the sources of a chroot name: `file:` and `copy:`.
  private static func localMirrors(of folders: [FilePath]) -> [FilePath] {
    let lists = folders.compactMap { try? Files.read($0.appending("etc/apt/sources.list"), limit: 1 << 20) }
    let words = lists.flatMap { String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isWhitespace) }
    return words.compactMap { word in
      guard let scheme = ["file:", "copy:"].first(where: word.hasPrefix) else { return nil }
      let path = word.dropFirst(scheme.count).drop { $0 == "/" }
      return FilePath("/\(path)")
    }
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
