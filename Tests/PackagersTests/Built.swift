// SPDX-License-Identifier: GPL-2.0-only

import Groundwork
import SystemPackage

/// What was built, for the tests that use it as a person would.
enum Built {
  static let repository = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
  static let lrelease = repository.appending(".build/debug/lrelease").string
}
