// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// What apt or dnf wrote when it could not make a chroot.
struct BootstrapComplaint {
  private let lines: [String]
  private let definition: ChrootDefinition
  /// Where dnf has put what it downloaded: `REPOSITORY-NUMBER/packages/FILE`.
  private let cache: FilePath?

  init(_ errors: String, of definition: ChrootDefinition, cache: FilePath?) {
    lines = errors.lines.map { $0.trimmed }
    self.definition = definition
    self.cache = cache
  }

  /// The first error of apt or dnf; the last line only says that it failed.
  var cause: String? {
    lines.first {
      ["E: ", "Error: "].contains(where: $0.hasPrefix) || $0.contains(" Depends: ") && $0.contains(" but ")
    }
  }

  /// What is wrong with a signature or a key, and in which repository; nil if that is not what is wrong.
  var refusal: String? {
    for repository in definition.repositories {
      for key in repository.keys ?? [] where key.isURL {
        guard let line = lines.first(where: { $0.contains(key.name) && !$0.hasPrefix("From ") }) else { continue }
        return "the key of the repository '\(repository.name)' could not be fetched: \(line)"
      }
    }
    let words = [
      // apt
      "NO_PUBKEY", "BADSIG", "EXPKEYSIG", "REVKEYSIG", "EXPSIG", "is not signed", "The following signatures",
      // dnf
      "GPG signature", "GPG keys listed", "is not installed. Failing package", "GPG check FAILED", "retrieve GPG key",
    ]
    guard let line = lines.first(where: { line in words.contains(where: line.contains) }) else { return nil }
    guard let name = repository(in: line) else { return line }
    return "\(line) (of the repository '\(name)')"
  }

  /// Whether dnf found no mirror to ask in a list that it has.
  var isWithoutMirrors: Bool {
    lines.contains {
      $0.contains("Cannot prepare internal mirrorlist") && !$0.contains("Status code") && !$0.contains("Curl error")
    }
  }

  /// The repository of the package that a line is about, where the line does not name it.
  private func repository(in line: String) -> String? {
    let names = definition.repositories.map(\.name)
    if names.isEmpty || names.contains(where: { line.contains("'\($0)'") || line.contains("\"\($0)\"") }) { return nil }
    guard let cache else { return nil }
    for bytes in (try? Files.names(in: cache)) ?? [] {
      let folder = String(decoding: bytes, as: UTF8.self)
      guard let name = DnfRepositories(definition: definition).name(ofCache: folder) else { continue }
      let files = (try? Files.names(in: cache.appending(bytes: bytes).appending("packages"))) ?? []
      if files.contains(where: { line.contains(String(decoding: $0, as: UTF8.self)) }) { return name }
    }
    return nil
  }
}
