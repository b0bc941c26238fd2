// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Releases

/// Whose key signs a release that is made.
struct SigningOptions: ParsableArguments {
  @Option(
    name: .customLong("sign"),
    help: ArgumentHelp(
      "Sign the release and its .rpm files with this key of gpg: a fingerprint, a key ID or an address.",
      valueName: "id"))
  var id: String?

  /// nil where the release is not to be signed.
  func key() async throws -> SigningKey? {
    guard let id else { return nil }
    return try await SigningKey(id)
  }
}
