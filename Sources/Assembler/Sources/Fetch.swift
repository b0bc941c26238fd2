// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// Brings files into the cache, with curl.
package struct Fetcher: Sendable {
  package var cache: FilePath
  /// The most bytes that are taken of one file: some servers never stop.
  package var limit: Int64 = 4 << 30
  /// How long a server in trouble is left alone before it is asked again.
  var retryDelay = Duration.seconds(1)

  package init(cache: FilePath) { self.cache = cache }
}
