// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Processes

/// Where the programs that a cut runs are confined.
struct SandboxOptions: ParsableArguments {
  enum Kind: String, ExpressibleByArgument, CaseIterable { case namespaces, none }

  @Option(
    help: ArgumentHelp(
      "How prepare steps, patches and specs are confined; with 'none' they run with your rights on this machine.",
      valueName: "kind"))
  var sandbox = Kind.namespaces

  /// Runs `body` with the chosen confinement.
  func apply(_ console: Console, _ body: () async throws -> Void) async throws {
    guard sandbox == .none else { return try await body() }
    console.progress.warning(
      "no sandbox: whatever the manifest, its patches and specs run has your rights on this machine, and the network"
    )
    try await Sandbox.$confinement.withValue(.none) { try await body() }
  }
}
