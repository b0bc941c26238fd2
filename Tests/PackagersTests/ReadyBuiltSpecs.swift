// SPDX-License-Identifier: GPL-2.0-only

import Files
import Processes
import SystemPackage
import TestSupport
import Testing

/// The specs of releases, each cut once for all tests.
enum ReadyBuiltSpecs {
  private static let sample = Task { try await cut("sample") { try await $0.cutSample() } }
  private static let lustre = Task {
    try await cut("lustre") { workshop in
      try workshop.writeLustre()
      return try await workshop.run(workshop.cutArguments("lustre.toml", ["--source", "linux=linux"]))
    }
  }

  /// The spec in the tarball of a release.
  private static func cut(
    _ name: String, _ cut: @Sendable (Workshop) async throws -> Command.Outcome
  ) async throws -> String {
    try await Workshop.use { workshop in
      let outcome = try await cut(workshop)
      try #require(outcome.succeeded, "\(outcome.errors)")
      let release = try #require(Files.names(in: workshop.output).first.map { String(decoding: $0, as: UTF8.self) })
      return try await Command(
        "tar",
        ["-xOf", workshop.output.appending(release).appending("\(release).tar.xz").string, "\(release)/\(name).spec"]
      ).check(doing: "reading the tarball").text
    }
  }

  /// The spec in the tarball of a release of the sample, or of a small tree that goes through Lustre's own recipes.
  static func text(_ name: String) async throws -> String {
    try await (name == "sample" ? sample : lustre).value
  }
}

extension Workshop {
  /// A manifest `lustre.toml` that takes a small tree through Lustre's own recipes.
  fileprivate func writeLustre() throws {
    let built = [
      "lustre", "lustre-client", "lustre-osd-wbcfs-mount", "lustre-devel", "lustre-iokit", "lustre-resource-agents",
      "kmod-lustre", "kmod-lustre-devel", "kmod-lustre-lnet-kfilnd", "kmod-lustre-lnet-o2iblnd",
      "kmod-lustre-osd-wbcfs",
    ].map {
      "[[packaging.packages]]\nrpm = \"\($0)\"\nfiles = [\"/fs\"]\n"
    }.joined()
    try write("linux/Makefile", "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n")
    try write("linux/fs/a.c", "/* SPDX-License-Identifier: GPL-2.0 */\nint a;\n")
    try write("linux/fs/Kbuild", "obj-m := a.o\n")
    try write(
      "lustre.toml",
      """
      \(Demo.manifestHead().replacing("\"demo\"", with: "\"lustre\"").replacing(
        "summary = \"lustre\"", with: "summary = \"Lustre parallel file system\""))
      [[tree]]
      from = "linux:fs"
      to = "fs"
      [packaging]
      debian = "\(Workshop.root)/debian/sample"
      spec = "\(Workshop.root)/specs/lustre.spec"
      \(built)
      [[packaging.packages]]
      rpm = "kmod-lustre-client"
      variant = "client"
      files = ["/fs"]
      [[packages]]
      kind = "dkms"
      variant = "client"
      module = "lustre-client"
      summary = "Lustre client kernel modules (DKMS)"
      kernels = { min = "6.1", max = "6.12" }
      make = "make M=$dkms_tree/$module/$module_version/build/fs"
      modules = [{ name = "a", path = "fs" }]
      [packages.deb]
      name = "lustre-client-modules-dkms"
      recipe = "\(Workshop.root)/debian/dkms"
      [packages.rpm]
      name = "lustre-client-dkms"
      recipe = "\(Workshop.root)/specs/dkms.spec"
      provides = ["kmod-lustre-client = %{version}", "lustre-modules = %{version}"]
      conflicts = ["kmod-lustre", "kmod-lustre-client", "lustre-kmp", "lustre-client-kmp"]
      """)
  }
}
