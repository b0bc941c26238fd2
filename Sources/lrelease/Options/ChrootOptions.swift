// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Distributions
import Files

/// Where the chroots of targets are.
struct ChrootCacheOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder for chroots. (default: lrelease in XDG_CACHE_HOME or ~/.cache)", valueName: "folder"),
    completion: .directory)
  var cache: String?

  func roots(refresh: String? = nil, runsPrograms: Bool = false) throws -> ChrootCache {
    ChrootCache(try SourceOptions.cacheFolder(cache, runsPrograms: runsPrograms).appending("roots"), refresh: refresh)
  }
}

/// Where the chroots of targets are, and whether to recreate them.
struct ChrootOptions: ParsableArguments {
  @OptionGroup var place: ChrootCacheOptions

  @Flag(help: "Recreate the chroots, with the newest kernels and packages of their archives.")
  var refresh = false

  func roots() throws -> ChrootCache {
    try place.roots(
      refresh: refresh ? String(UInt64.random(in: 0 ... .max), radix: 16) : nil, runsPrograms: true)
  }
}
