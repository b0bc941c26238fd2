// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Releases

/// Whose key signs a release that is made.
struct SigningOptions: ParsableArguments {
  @Option(
    name: .customLong("sign"),
    help: ArgumentHelp(
      "Sign it with this key of gpg: a fingerprint, a key ID or an address. The .rpm files are signed too.",
      valueName: "id"))
  var id: String?

  /// nil where the release is not to be signed.
  func key() async throws -> SigningKey? {
    guard let id else { return nil }
    return try await SigningKey(id)
  }
}
