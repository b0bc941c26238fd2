// SPDX-License-Identifier: GPL-2.0-only

import Files

/// The environment variables by which programs that fetch find a proxy and trust a server.
package enum ProxyEnvironment {
  package static let names = [
    // Like curl, ignore HTTP_PROXY in capitals: in a CGI program, a client sets it.
    "http_proxy", "https_proxy", "HTTPS_PROXY", "ftp_proxy", "FTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
    "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
  ]

  /// Those of them that are set.
  package static var values: [String: String] { values(of: names) }

  package static func values(of names: [String]) -> [String: String] {
    var found: [String: String] = [:]
    for name in names {
      if let value = environmentVariable(name) { found[name] = value }
    }
    return found
  }
}
