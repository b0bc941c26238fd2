// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// Where this machine gets Debian's packages from, so that chroots of any suite come from the same mirror.
///
/// Found in the machine's own apt sources; `LRELEASE_DEBIAN_MIRROR` and `LRELEASE_DEBIAN_SECURITY_MIRROR` go first.
package struct DebianArchive: Sendable {
  package var main: String
  package var security: String?

  /// - Throws: `ReleaseError` with code `missingTool` when neither apt nor the environment names a mirror.
  package init() throws {
    let places = DebianArchive.places()
    func find(_ variable: String, _ name: String) -> String? {
      environmentVariable(variable) ?? places.first { $0.split(separator: "/").last.map(String.init) == name }
    }
    guard let main = find("LRELEASE_DEBIAN_MIRROR", "debian") else {
      throw ReleaseError(
        .missingTool, doing: "finding a mirror of Debian", reason: "the apt sources of this machine name none",
        advice: "set LRELEASE_DEBIAN_MIRROR")
    }
    self.main = main
    security = find("LRELEASE_DEBIAN_SECURITY_MIRROR", "debian-security")
  }

  /// Lines for sources.list, one a suite. Source: sources.list(5).
  package func lines(suites: [String], components: [String]) throws -> [String] {
    try suites.map { suite in
      guard suite.hasSuffix("-security") else {
        return "deb \(main) \(suite) \(components.joined(separator: " "))"
      }
      guard let security else {
        throw ReleaseError(
          .missingTool, doing: "finding a mirror of \(suite)", reason: "the apt sources of this machine name none",
          advice: "set LRELEASE_DEBIAN_SECURITY_MIRROR")
      }
      return "deb \(security) \(suite) \(components.joined(separator: " "))"
    }
  }

  /// The settings of this machine's apt for the age of its archive, as options of apt: if the machine accepts a mirror
  /// that is no longer updated, so do its chroots.
  package func options() async throws -> [String] {
    let outcome = try await Command(
      "apt-config",
      ["dump", "--no-empty", "--format", "%F \"%v\"%n", "Acquire::Check-Valid-Until", "Acquire::Check-Date"]
    ).run(doing: "asking apt about its archive")
    return outcome.text.split(separator: "\n").map(String.init)
  }

  /// All URIs in the apt sources, in both of their formats.
  private static func places() -> [String] {
    var files = [FilePath("/etc/apt/sources.list")]
    let folder = FilePath("/etc/apt/sources.list.d")
    for name in (try? Files.names(in: folder)) ?? [] { files.append(folder.appending(bytes: name)) }
    var places: [String] = []
    for file in files where file.extension == "list" || file.extension == "sources" {
      let text = ((try? Files.read(file)) ?? []).split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
      for line in text where !line.hasPrefix("#") {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        if words.first == "URIs:" || words.first == "deb" { places += words.filter { $0.contains("://") } }
      }
    }
    return places
  }
}
