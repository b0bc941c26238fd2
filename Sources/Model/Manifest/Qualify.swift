// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

extension Manifest {
  /// What is tried on a booted kernel: `[qualify]`. See docs/qualification.md.
  package struct Qualify: Sendable {
    /// A script of the tree that is run in the guest when the modules have been loaded and unloaded.
    package var smoke: String?
    /// The variants that the script is for; empty for all but those of extras.
    package var variants: [String]
    /// Binary packages of the release that the guest's programs come from, by format.
    package var debPackages: [String]
    package var rpmPackages: [String]
    /// Programs and further files of the target that the script needs, as names on the PATH or absolute paths.
    package var programs: [String]
    /// Modules of the kernel itself that the script needs.
    package var kernelModules: [String]
    /// Lines for modprobe.d in the guest.
    package var options: [String]
    /// MiB.
    package var memory: Int
    /// How long the script may take, where the guest has hardware virtualisation; without it, ten times that.
    package var seconds: Int
    /// Messages of compilers and kernels, with the kernel change behind them.
    package var known: [KnownChange]

    /// Whether the script is for a package.
    package func covers(_ package: Package) -> Bool {
      variants.isEmpty ? package.extra == nil : variants.contains(package.variant)
    }

    /// The binary packages of a format.
    package func packages(_ format: Target.Format) -> [String] {
      switch format {
      case .deb: debPackages
      case .rpm: rpmPackages
      }
    }

    /// A change in the kernel that is known by what it makes fail.
    package struct KnownChange: Sendable, Equatable {
      /// What the message holds.
      package var error: String
      package var change: String
    }

    /// Nothing but loading and unloading.
    package static let plain = Qualify(
      smoke: nil, variants: [], debPackages: [], rpmPackages: [], programs: [], kernelModules: [], options: [],
      memory: 512, seconds: 60, known: [])

    /// The kernel change behind a message, where the manifest knows it.
    package func change(behind message: String) -> String? {
      known.first { message.contains($0.error) }?.change
    }
  }
}

extension Manifest.Qualify {
  static let shape = Shape.table([
    Field("smoke", .path, "script of the tree that is run in the guest when the modules have been loaded"),
    Field("variants", .texts, "variants that the script is for; all but those of extras when it is left out"),
    Field("deb-packages", .texts, "binary packages of the release that the guest's programs come from"),
    Field("rpm-packages", .texts, "the same for RPM distributions"),
    Field("programs", .texts, "programs and files of the target that the script needs: names on the PATH, or paths"),
    Field("kernel-modules", .texts, "modules of the kernel itself that the script needs"),
    Field("options", .texts, "lines for modprobe.d in the guest"),
    Field("memory", .integer(64...65536), "memory of the guest in MiB; 512 when it is left out"),
    Field("seconds", .integer(1...86400), "how long the script may take, with hardware virtualisation"),
    Field("known", .array(known, atLeast: 0), "what is known of kernel changes that make it fail"),
  ])

  private static let known = Shape.table([
    Field("error", .text, required: true, "part of the message of a compiler or kernel"),
    Field("change", .text, required: true, "the kernel change behind it"),
  ])

  init(_ node: TOMLNode) {
    func list(_ key: String) -> [String] { node[key]?.strings ?? [] }
    let plain = Manifest.Qualify.plain
    self.init(
      smoke: node["smoke"]?.string, variants: list("variants"), debPackages: list("deb-packages"),
      rpmPackages: list("rpm-packages"), programs: list("programs"), kernelModules: list("kernel-modules"),
      options: list("options"), memory: node["memory"]?.integer ?? plain.memory,
      seconds: node["seconds"]?.integer ?? plain.seconds,
      known: (node["known"]?.array ?? []).map {
        KnownChange(error: $0["error"]?.string ?? "", change: $0["change"]?.string ?? "")
      })
  }
}
