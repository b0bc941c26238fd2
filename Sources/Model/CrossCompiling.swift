// SPDX-License-Identifier: GPL-2.0-only

/// How a target compiles for an architecture that its roots cannot run: `[cross]`.
///
/// Its roots are of this machine's architecture and hold a compiler and the kernel headers of the other one.
package struct CrossCompiling: Sendable, Hashable, Codable {
  /// What the names of the compiler's programs begin with: `aarch64-linux-gnu`.
  package let triplet: String
  /// What `uname -m` says there.
  package let machine: String
  /// What the kernel's makefiles call it: `arm64`.
  package let kernelArchitecture: String
  /// Packages of this machine's architecture that bring the compiler.
  package let packages: [String]
  /// Packages of the other architecture that the headers ask for, and this compiler stands for.
  package let standsFor: [String]
}

extension CrossCompiling {
  init?(_ table: inout TableReader) {
    let triplet = table.required("triplet", .word, "what the names of the compiler's programs begin with")
    let machine = table.required("machine", .word, "what uname -m says on such a machine")
    let kernelArchitecture = table.required("arch", .word, "ARCH of the kernel's makefiles")
    let packages = table.required("packages", .array(.word, atLeast: 1), "packages that bring the compiler")
    let standsFor = table.optional(
      "stands-for", .array(.word), default: [],
      "packages of the target's architecture that the headers ask for, and the compiler stands for")
    guard let triplet, let machine, let kernelArchitecture, let packages else { return nil }
    self.init(
      triplet: triplet, machine: machine, kernelArchitecture: kernelArchitecture, packages: packages,
      standsFor: standsFor)
  }
}
