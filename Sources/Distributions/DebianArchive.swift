// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// Where this machine gets Debian's packages from, so that chroots of any suite come from the same mirror.
///
/// Found in the sources that the machine's own apt uses; `LRELEASE_DEBIAN_MIRROR` and `LRELEASE_DEBIAN_SECURITY_MIRROR`
/// go first.
package struct DebianArchive: Sendable {
  package var main: String
  package var security: String?

  /// - Throws: `ReleaseError` with code `missingTool` when neither apt nor the environment names a mirror.
  package init() async throws {
    let places = try await DebianArchive.places()
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

  /// The settings of this machine's apt for its archive, as options of apt: if the machine accepts a mirror that is no
  /// longer updated, or asks a proxy, so do its chroots.
  package func options() async throws -> [String] {
    let asked = [
      "Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::http", "Acquire::https", "Acquire::ftp",
    ]
    let outcome = try await Command("apt-config", ["dump", "--no-empty", "--format", "%F \"%v\"%n"] + asked)
      .run(doing: "asking apt about its archive")
    return outcome.text.split(separator: "\n").map(String.init).filter { line in
      // A proxy for all servers, or for one: `Acquire::http::Proxy::mirror.example.org`.
      let key = line.prefix { $0 != " " }.lowercased()
      return key.hasPrefix("acquire::check-") || key.hasSuffix("::proxy") || key.contains("::proxy::")
    }
  }

  /// The URIs of the repositories that apt would update: no disabled ones, and no sources.
  private static func places() async throws -> [String] {
    let doing = "asking apt for its sources"
    let command = Command(
      "apt-get", ["indextargets", "--no-release-info", "--format", "$(REPO_URI)", "Created-By: Packages"])
    let listed: [String]
    do {
      listed = try await command.check(doing: doing).text.split(separator: "\n").map(String.init)
    } catch let error as ReleaseError where error.code == .missingTool {
      return []
    }
    var places: [String] = []
    for place in listed where !places.contains(place) { places.append(place) }
    return places.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
  }
}
