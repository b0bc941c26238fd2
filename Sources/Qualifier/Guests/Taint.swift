// SPDX-License-Identifier: GPL-2.0-only

/// The state of a kernel that something has tainted: the bits of /proc/sys/kernel/tainted. Source:
/// Documentation/admin-guide/tainted-kernels.rst.
struct Taint: Sendable, Equatable {
  var bits: UInt64

  init(_ bits: UInt64) { self.bits = bits }

  /// What the bits of mainline mean, from bit 0 on.
  private static let meanings: [(letter: Character, words: String)] = [
    ("P", "a proprietary module was loaded"), ("F", "a module was loaded by force"),
    ("S", "the processor is out of its specification"), ("R", "a module was unloaded by force"),
    ("M", "the processor reported a machine check"), ("B", "a page is bad"),
    ("U", "a program asked for it"), ("D", "the kernel has died"), ("A", "an ACPI table was overridden"),
    ("W", "the kernel has warned"), ("C", "a staging driver was loaded"),
    ("I", "the firmware has a bug"), ("O", "an out-of-tree module was loaded"),
    ("E", "an unsigned module was loaded"), ("L", "a processor was stuck"), ("K", "the kernel was patched live"),
    ("X", "the distribution has marked it"), ("T", "structures have a random layout"),
    ("N", "a test of the kernel was run"), ("J", "fwctl was used"),
  ]

  /// The bits that modules of a release set rightly: O and E, as they are out of the kernel's tree and perhaps unsigned;
  /// X and those from 20 on, with which distributions say what they support.
  private static let expected: UInt64 = 1 << 12 | 1 << 13 | 1 << 16 | ~0 << 20

  /// The bits that were set since, and count against the release.
  ///
  /// - Parameter isProprietary: the modules rightly say that their licence is not that of the kernel, which sets P.
  func faults(since before: Taint, isProprietary: Bool) -> Taint {
    Taint(bits & ~before.bits & ~Taint.expected & ~(isProprietary ? 1 : 0))
  }

  /// `W (the kernel has warned), D (the kernel has died)`.
  var text: String {
    Taint.meanings.indices.filter { bits >> UInt64($0) & 1 == 1 }
      .map { "\(Taint.meanings[$0].letter) (\(Taint.meanings[$0].words))" }.joined(separator: ", ")
  }
}
