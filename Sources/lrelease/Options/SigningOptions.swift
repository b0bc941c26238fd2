// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Releases

/// The key that signs a new release.
struct SigningOptions: ParsableArguments {
  @Option(
    name: .customLong("sign"),
    help: ArgumentHelp(
      "Sign the release and its .rpm files with this key of gpg: a fingerprint, a key ID or an address.",
      valueName: "id"))
  var id: String?

  /// nil if the release is not signed.
  func key() async throws -> SigningKey? {
    guard let id else { return nil }
    return try await SigningKey(id)
  }
}
