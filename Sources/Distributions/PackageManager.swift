// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Model
import Processes
import SystemPackage

/// The distribution's own tool, as commands that are run in a root without network.
package struct PackageManager: Sendable {
  package let format: Target.Format

  package init(format: Target.Format) { self.format = format }

  /// Installs files, or upgrades to them.
  package func install(_ files: [String]) -> [String] {
    switch format {
    case .deb: ["apt-get", "install", "--yes", "--allow-downgrades"] + files
    case .rpm: ["dnf", "install", "--assumeyes", "--disablerepo=*"] + files
    }
  }

  package func reinstall(_ files: [String]) -> [String] {
    switch format {
    case .deb: ["apt-get", "install", "--yes", "--reinstall"] + files
    case .rpm: ["dnf", "reinstall", "--assumeyes", "--disablerepo=*"] + files
    }
  }

  /// Removes packages, with their configuration.
  package func remove(_ names: [String]) -> [String] {
    switch format {
    case .deb: ["apt-get", "purge", "--yes"] + names
    case .rpm: ["dnf", "remove", "--assumeyes", "--noautoremove"] + names
    }
  }

  /// Prints what is half-installed or broken, and nothing when all is well.
  package var audit: [String] {
    switch format {
    case .deb: ["dpkg", "--audit"]
    case .rpm: ["rpm", "--verify", "--all", "--nofiles", "--nodigest"]
    }
  }

  /// The packages that bring exactly this kernel, its headers and its image.
  package static func packages(of kernel: String, _ format: Target.Format) -> (headers: [String], images: [String]) {
    switch format {
    case .deb: (["linux-headers-\(kernel)"], ["linux-image-\(kernel)"])
    case .rpm: (["kernel-devel-\(kernel)"], ["kernel-core-\(kernel)", "kernel-modules-\(kernel)"])
    }
  }

  /// What built packages need of the distribution, as the root's recipe names it.
  package static func dependencies(of files: [FilePath], _ format: Target.Format, doing: String) async throws
    -> [String]
  {
    var needed: Set<String> = []
    var own: Set<String> = []
    for file in files {
      switch format {
      case .deb:
        let shown = try await Command(
          "dpkg-deb", ["--field", file.string, "Package", "Provides", "Pre-Depends", "Depends"]
        ).check(doing: doing)
        for line in shown.text.split(separator: "\n") {
          let halves = line.split(separator: ":", maxSplits: 1).map { $0.trimmed }
          guard halves.count == 2 else { continue }
          let names = halves[1].split(separator: ",").compactMap { item in
            item.split(separator: "|").first?.split { $0 == "(" || $0 == ":" || $0 == " " }.first.map(String.init)
          }
          if halves[0].hasSuffix("Depends") { needed.formUnion(names) } else { own.formUnion(names) }
        }
      case .rpm:
        let shown = try await Command("rpm", ["-qp", "--nosignature", "--requires", file.string]).check(doing: doing)
        let provided = try await Command("rpm", ["-qp", "--nosignature", "--provides", file.string]).check(doing: doing)
        func names(_ text: String) -> [String] {
          text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
        }
        needed.formUnion(names(shown.text).filter { !$0.hasPrefix("rpmlib(") && !$0.hasPrefix("config(") })
        own.formUnion(names(provided.text))
      }
    }
    return needed.subtracting(own).sorted()
  }
}
