// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes

/// What the programs that fetch take from the environment of lrelease: the way to a server, and who asks. Nothing that
/// would make them ask a person, or skip a check.
enum FetchEnvironment {
  private static let shared = [
    // HTTP_PROXY in capitals is not among them, as curl has it: a CGI program gets it from its client.
    "http_proxy", "https_proxy", "HTTPS_PROXY", "ftp_proxy", "FTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
    "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "KRB5CCNAME", "KRB5_CONFIG",
  ]

  private static let ofGit = [
    "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_SSL_KEY", "GIT_SSL_VERSION", "GIT_SSL_CIPHER_LIST",
    "GIT_PROXY_SSL_CAINFO", "GIT_PROXY_SSL_CERT", "GIT_PROXY_SSL_KEY", "GIT_HTTP_PROXY_AUTHMETHOD", "GIT_PROXY_COMMAND",
    "GIT_HTTP_USER_AGENT", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "SSH_AUTH_SOCK",
    // Where the user's configuration, .netrc and credential helpers are, and what these need.
    "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "USER", "LOGNAME",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
  ]

  /// For curl.
  static var curl: [String: String] { Command.plainEnvironment.merging(values(of: shared + ["CURL_CA_BUNDLE"])) { $1 } }

  /// For git where it talks to a server, and for the ssh that it runs.
  ///
  /// The user's own configuration counts there, unlike where objects are read: it says how a server is reached
  /// (url.….insteadOf, http.sslCAInfo, credential.helper). What is fetched does not depend on it.
  static var git: [String: String] {
    var found = values(of: shared + ofGit)
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
      // Neither ext::, which runs a command, nor helpers of unknown make.
      "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    ]) { $1 }
  }

  private static func values(of names: [String]) -> [String: String] {
    var found: [String: String] = [:]
    for name in names {
      if let value = environmentVariable(name) { found[name] = value }
    }
    return found
  }
}
