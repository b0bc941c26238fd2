// SPDX-License-Identifier: GPL-2.0-only

/// The names of the packages that bring exactly one kernel, and where its files lie.
///
/// In each, `{kernel}` is the release of the kernel as `uname -r` prints it, and `{version}` the same without what follows
/// its last hyphen: on SUSE `6.4.0-150600.23.25` of `6.4.0-150600.23.25-default`.
package struct KernelNames: Sendable, Equatable {
  package var headers: [String]
  package var images: [String]
  /// Folders that its packages own, by which they are found when it is removed.
  package var folders: [String]
  /// What `uname -r` prints for a `{version}`; nil where names have `{kernel}` alone.
  package var release: String?

  /// What a target says of them; nil for the usual.
  struct Given: Sendable {
    var headers: [String]?
    var images: [String]?
    var folders: [String]?
    var release: String?
  }

  init(_ format: Target.Format, _ given: Given?) {
    let usual = KernelNames(of: format)
    headers = given?.headers ?? usual.headers
    images = given?.images ?? usual.images
    folders = given?.folders ?? usual.folders
    release = given?.release
  }

  /// Those of Debian and Ubuntu, or of Enterprise Linux and Fedora: there kernel-devel has its files in /usr/src alone,
  /// and kernel-core brings the link to them, by which dkms finds them.
  package init(of format: Target.Format) {
    switch format {
    case .deb:
      headers = ["linux-headers-{kernel}"]
      images = ["linux-image-{kernel}"]
      folders = ["/lib/modules/{kernel}", "/usr/src/linux-headers-{kernel}"]
    case .rpm:
      headers = ["kernel-devel-{kernel}", "kernel-core-{kernel}"]
      images = ["kernel-core-{kernel}", "kernel-modules-{kernel}"]
      folders = ["/lib/modules/{kernel}", "/usr/src/kernels/{kernel}"]
    }
  }

  /// Patterns that match the names of the packages of every kernel.
  package var globs: [String] {
    Set(
      (headers + images).map {
        $0.replacing("{kernel}", with: "*").replacing("{version}", with: "*").replacing("**", with: "*")
      }
    ).sorted()
  }

  /// Those of a kernel.
  package func of(_ kernel: String) -> KernelNames {
    let version = kernel.lastIndex(of: "-").map { String(kernel[..<$0]) } ?? kernel
    func filled(_ names: [String]) -> [String] {
      names.map { $0.replacing("{kernel}", with: kernel).replacing("{version}", with: version) }
    }
    var names = self
    names.headers = filled(headers)
    names.images = filled(images)
    names.folders = filled(folders)
    return names
  }
}

extension KernelNames.Given {
  init?(_ table: inout TableReader) {
    headers = table.optional(
      "headers", .array(.text, atLeast: 1), "packages with the headers of {kernel}, which modules are built against")
    images = table.optional("images", .array(.text, atLeast: 1), "packages with its image and its own modules")
    folders = table.optional("folders", .array(.text, atLeast: 1), "folders that its packages own")
    release = table.optional("release", .text, "what uname -r prints for a kernel of the {version} that packages have")
  }
}
