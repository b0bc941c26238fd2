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
  private let mainSource: AptSource
  private let securitySource: AptSource?

  package var main: String { mainSource.uri }
  package var security: String? { securitySource?.uri }

  /// - Throws: `ReleaseError` with code `missingTool` when neither apt nor the environment names a mirror.
  package init() async throws {
    let sources = try await DebianArchive.sources()
    func find(_ variable: String, _ name: String) -> AptSource? {
      guard let place = environmentVariable(variable) else {
        return sources.first { $0.name(text: DebianArchive.text) == name }
      }
      // Its key is known if apt uses it, too.
      return sources.first { $0.uri == AptSource.plain(place) }
        ?? AptSource(uri: place, suite: "", entry: "") { _ in nil }
    }
    guard let main = find("LRELEASE_DEBIAN_MIRROR", "debian") else {
      throw ReleaseError(
        .missingTool, doing: "finding a mirror of Debian", reason: "the apt sources of this machine name none",
        advice: "set LRELEASE_DEBIAN_MIRROR")
    }
    mainSource = main
    securitySource = find("LRELEASE_DEBIAN_SECURITY_MIRROR", "debian-security")
  }

  /// Lines for sources.list, one a suite. Source: sources.list(5).
  package func lines(suites: [String], components: [String]) throws -> [String] {
    try suites.map { try source(of: $0).line($0, components) }
  }

  /// The sources of suites as apt reads them: lines, or stanzas if one of them must hold a key.
  func text(suites: [String], components: [String]) throws -> String {
    let sources = try suites.map { ($0, try source(of: $0)) }
    if sources.contains(where: \.1.hasEmbeddedKey) {
      return sources.map { $1.stanza($0, components) }.joined(separator: "\n")
    }
    return sources.map { $1.line($0, components) + "\n" }.joined()
  }

  /// The files of this machine that the sources of suites name: keys, and lists of mirrors.
  func files(suites: [String]) throws -> [FilePath] {
    var files: [FilePath] = []
    for suite in suites {
      let source = try source(of: suite)
      for file in source.keyFiles + (source.mirrorList.map { [$0] } ?? []) where !files.contains(file) {
        files.append(file)
      }
    }
    return files
  }

  private func source(of suite: String) throws -> AptSource {
    guard suite.hasSuffix("-security") else { return mainSource }
    guard let securitySource else {
      throw ReleaseError(
        .missingTool, doing: "finding a mirror of \(suite)", reason: "the apt sources of this machine name none",
        advice: "set LRELEASE_DEBIAN_SECURITY_MIRROR")
    }
    return securitySource
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

  private static func text(_ file: FilePath) -> String? {
    (try? Files.read(file, limit: 16 << 20)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The repositories that apt would update: no disabled ones, and no sources.
  private static func sources() async throws -> [AptSource] {
    let command = Command(
      "apt-get",
      [
        "indextargets", "--no-release-info", "--format", "$(SOURCESENTRY)\t$(REPO_URI)\t$(RELEASE)",
        "Created-By: Packages",
      ])
    let listed: [String]
    do {
      listed = try await command.check(doing: "asking apt for its sources").text.lines.map(String.init)
    } catch let error as ReleaseError where error.code == .missingTool {
      return []
    }
    var sources: [AptSource] = []
    for line in listed {
      let fields = line.split(separator: "\t").map(String.init)
      guard fields.count == 3 else { continue }
      let source = AptSource(uri: fields[1], suite: fields[2], entry: fields[0], text: text)
      if !sources.contains(source) { sources.append(source) }
    }
    return sources
  }
}
