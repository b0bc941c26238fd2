// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes

/// The environment variables for programs that fetch: proxies and credentials, but nothing that makes them prompt or
/// skip a check.
enum FetchEnvironment {
  private static let shared = ProxyEnvironment.names + ["KRB5CCNAME", "KRB5_CONFIG"]

  private static let ofGit = [
    "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY", "GIT_SSL_VERSION", "GIT_SSL_CIPHER_LIST",
    "GIT_PROXY_SSL_CAINFO", "GIT_PROXY_SSL_CERT", "GIT_PROXY_SSL_KEY", "GIT_HTTP_PROXY_AUTHMETHOD", "GIT_PROXY_COMMAND",
    "GIT_HTTP_USER_AGENT", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "SSH_AUTH_SOCK",
    // For the user's configuration, .netrc and credential helpers.
    "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "USER", "LOGNAME",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
  ]

  /// For curl.
  static var curl: [String: String] {
    Command.plainEnvironment.merging(ProxyEnvironment.values(of: shared + ["CURL_CA_BUNDLE"])) { $1 }
  }

  /// For git when it talks to a server, and for its ssh.
  ///
  /// The user's configuration applies here, unlike when objects are read: it says how to reach a server
  /// (url.….insteadOf, http.sslCAInfo, credential.helper). The fetched content does not depend on it.
  static var git: [String: String] {
    var found = ProxyEnvironment.values(of: shared + ofGit)
    let count = min(environmentVariable("GIT_CONFIG_COUNT").flatMap { Int($0) } ?? 0, 1000)
    if count > 0 {
      found["GIT_CONFIG_COUNT"] = String(count)
      for number in 0..<count {
        found["GIT_CONFIG_KEY_\(number)"] = environmentVariable("GIT_CONFIG_KEY_\(number)") ?? ""
        found["GIT_CONFIG_VALUE_\(number)"] = environmentVariable("GIT_CONFIG_VALUE_\(number)") ?? ""
      }
    }
    return Command.plainEnvironment.merging(found) { $1 }.merging([
      "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GCM_INTERACTIVE": "never",
      // Not ext::, which runs a command, and no unknown helpers.
      "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    ]) { $1 }
  }
}
