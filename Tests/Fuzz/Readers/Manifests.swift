// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

// What people write to say what a release is made of.

extension FuzzReader {
  /// A manifest; what follows a byte 0, which no manifest holds, is the one that it extends.
  static let manifest = FuzzReader("manifest") { bytes in
    let halves = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map { Array($0) }
    let manifest = try Manifest(parsing: halves[0], file: "m.toml", base: halves.count > 1 ? { _ in halves[1] } : nil)
    for rule in manifest.rules + manifest.rules(of: manifest.extras.keys.sorted()) {
      for path in [rule.from, rule.to] + rule.rename.values where !path.isEmpty {
        try demand(isCleanPath(path), "a rule has the path \(path)")
      }
      _ = rule.source(of: rule.destination(of: "\(rule.from)/a.c") ?? "a.c")
    }
    for file in manifest.generated { try demand(isCleanPath(file.path), "it generates \(file.path)") }
    for package in manifest.packages(with: manifest.extras.keys.sorted()) {
      let support = KernelSupport(package.kernels, families: manifest.families)
      _ = (support.text, support.lines, support.contains("6.1"), support.contains("5.14.0-611.el9"))
      for family in support.supported {
        let expression = support.expression(of: family)
        try demand(expression.utf8.allSatisfy { $0 > 0x20 && $0 != 0x27 && $0 < 0x7f }, "an expression \(expression)")
      }
      for file in package.files { try demand(isCleanPath(file.path), "a package has \(file.path)") }
      for module in package.modules {
        try demand(module.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x2f }, "a module \(module.name)")
      }
      for name in [package.deb?.name, package.rpm?.name].compactMap({ $0 }) {
        try demand(isCleanPath(name) && !name.utf8.contains(0x2f), "a package has the name \(name)")
      }
    }
    _ = manifest.ordered(manifest.extras.keys.sorted())
  }

  /// A target, and a manifest of any kind as text with places.
  static let target = FuzzReader("target") { bytes in
    let target = try withFile(bytes, named: "debian-12.toml") { try Target(reading: $0) }
    _ = (target.payload, Target.table([target]))
  }

  /// Paths, globs and links: a pattern, a path, and a target, with LF between.
  static let path = FuzzReader("path") { bytes in
    let texts = bytes.split(separator: 0x0a, maxSplits: 2, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    let (pattern, name, target) = (texts[0], texts.count > 1 ? texts[1] : "", texts.count > 2 ? texts[2] : "")
    _ = Glob(pattern).matches(name)
    guard let path = RelativePath(name) else { return try demand(RelativePath.fault(of: name) != nil, "no fault") }
    try demand(isPlain(name), "the path \(Array(name.utf8)) was accepted")
    try demand(FilePath(name).string.isSameInBytes(name), "\(name) is another path to the system")
    try demand(Glob(pattern).matches(name) == Glob(pattern).matches(name), "the glob changes its mind")
    guard let inside = path.resolving(link: target) else { return }
    try demand(inside.string.isEmpty || isPlain(inside.string), "the link \(name) leads to \(inside), by \(target)")
    let parts = target.utf8.split(separator: 0x2f)
    try demand(
      parts.count { $0.elementsEqual("..".utf8) } <= path.components.count - 1 + parts.count, "a link leads out")
  }

  /// Whether nothing is in a path that means something to a file system, a terminal or a list of files: said once more,
  /// in other words than `RelativePath` has.
  static func isPlain(_ path: String) -> Bool {
    let parts = "/\(path)/".unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
      .dropLast()
    return parts.allSatisfy { part in
      !part.isEmpty && !part.allSatisfy { $0 == "." } || part.count > 2
    } && path.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } && path.utf8.count <= 1024
  }

  /// Versions, kernel releases, ranges, times and patterns for versions.
  static let version = FuzzReader("version") { bytes in
    let texts = bytes.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    let (text, other) = (texts[0], texts.count > 1 ? texts[1] : "7.4")
    if let version = try? ReleaseVersion(text) {
      for spelling in [version.description, version.tarball, version.debian, version.rpmVersion, version.dkms] {
        try demand(
          spelling.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) || "+-.~_".utf8.contains($0)
          },
          "the version \(text) is spelled \(spelling)")
      }
      let again = try ReleaseVersion(version.tarball)
      try demand(again == version, "\(version.tarball) is another version than \(text)")
      if let other = try? ReleaseVersion(other) {
        try demand(!(version < other && other < version), "\(text) and \(other) are each before the other")
      }
    }
    if let release = KernelRelease(text) {
      try demand(KernelRelease(release.text) == release, "\(release.text) is another release than \(text)")
      if let other = KernelRelease(other), let range = try? KernelRange(release, other) {
        _ = (range.expression, range.dkmsMax, range.contains(text), range.widened(to: range))
      }
    }
    if let time = Timestamp(iso8601: text) {
      try demand(time.iso8601 == text, "the time \(text) is \(time.iso8601)")
      _ = (time.rfc5322, time.changesDate, time.rpmChangelogDate)
    }
    if let pattern = VersionPattern(text) {
      try demand(pattern.description == text, "the pattern \(text) is \(pattern)")
      for found in [pattern.version(inTag: other), pattern.version(inFile: Array(other.utf8))].compactMap({ $0 }) {
        try demand(found.utf8.first.map { (0x30...0x39).contains($0) } == true, "\(found) was found for a version")
      }
    }
    if let template = try? Template(file: "t", bytes: bytes) { _ = try template.render(["A": "", "NAME": "demo"]) }
  }
}
