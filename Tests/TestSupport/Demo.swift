// SPDX-License-Identifier: GPL-2.0-only

/// A manifest for tests.
package enum Demo {
  /// What every manifest begins with, up to the kernel that it takes files from.
  package static func manifestHead(version: String = "{kernel}") -> String {
    """
    name = "demo"
    version = "\(version)"
    summary = "demo"
    license = "GPL-2.0-only"
    homepage = "https://example.org/"
    maintainer = "A <a@example.org>"
    [sources.linux]
    kernel = "upstream"
    """
  }
}

/// A small generator with a seed, so that a failing case comes again.
package struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
