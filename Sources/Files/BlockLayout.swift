// SPDX-License-Identifier: GPL-2.0-only

/// Where the blocks of an .xz archive end. It decides the bytes of a release, so the plan says it.
package enum BlockLayout: String, Sendable, Codable {
  /// Blocks of one size, wherever they end: a changed file can change all blocks behind it. The layout of releases
  /// whose plans name none.
  case even
  /// Between files, mostly where a folder ends: a changed file changes its own block.
  case folders
}
