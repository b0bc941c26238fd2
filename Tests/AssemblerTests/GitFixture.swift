// SPDX-License-Identifier: GPL-2.0-only

/// Repositories for tests, made by git.
enum GitFixture {
  static let identity = "git config user.name A; git config user.email a@example.org"

  /// Two commits, each with a tag object.
  static let twoTags = """
    echo one > a.c; git add a.c; git commit -qm one; git tag -a -m v1 v1
    echo two > a.c; git commit -qam two; git tag -a -m v2 v2
    """

  /// A manifest of one source, `up`, all of which is released.
  static func manifest(_ source: String, version: String = "1.0", more: String = "") -> String {
    """
    name = "demo"
    version = "\(version)"
    summary = "demo"
    license = "GPL-2.0-only"
    homepage = "https://example.org/"
    maintainer = "A <a@example.org>"
    [sources.up]
    \(source)
    [[tree]]
    from = "up:"
    \(more)
    """
  }
}
