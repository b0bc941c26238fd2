// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage

/// A kernel that something is to be built in: its whole source, or its headers.
package struct KernelTree: Sendable {
  package enum Kind: String, Sendable, Codable {
    /// With `fs/` and `net/`: the upstream part is laid over it, and built as a part of the kernel.
    case source
    /// What a distribution ships to build modules with: the upstream part is built beside it.
    case headers
  }

  package var path: FilePath
  package var kind: Kind
  /// As `uname -r` would say.
  package var release: String
  /// Text of the configuration.
  var configuration: String
  /// Symbols that the kernel and its modules export; nil before it was built.
  var exported: Set<String>?

  /// - Throws: `ReleaseError` for what is no kernel, and for one that was not configured or prepared.
  package init(_ path: FilePath) throws {
    let doing = "building in the kernel \(path)"
    self.path = Files.absolute(path)
    guard Files.isFolder(path) else {
      throw ReleaseError(
        .source, doing: doing, reason: "there is no such folder", advice: "give a kernel tree or headers")
    }
    guard Files.exists(path.appending("Makefile")), Files.isFolder(path.appending("scripts")) else {
      throw ReleaseError(
        .source, doing: doing, reason: "it is neither a kernel tree nor headers: it has no Makefile and no scripts",
        advice: "give a kernel tree, or headers such as /lib/modules/RELEASE/build")
    }
    kind = Files.exists(path.appending("init/main.c")) ? .source : .headers
    guard Files.exists(path.appending(".config")) else {
      throw ReleaseError(
        .source, doing: doing, reason: "it is not configured",
        advice: "run 'make defconfig' and 'make modules_prepare' in it")
    }
    configuration = String(decoding: try Files.read(path.appending(".config"), limit: 16 << 20), as: UTF8.self)
    guard Files.exists(path.appending("include/generated/autoconf.h")),
      let release = try? Files.read(path.appending("include/config/kernel.release"), limit: 4096)
    else {
      throw ReleaseError(
        .source, doing: doing, reason: "it is not prepared for building modules",
        advice: "run 'make modules_prepare' in it")
    }
    self.release = String(decoding: release, as: UTF8.self).trimmed
    // It becomes a part of mount options.
    guard !self.path.string.contains(where: { ":,\\\n".contains($0) }) else {
      throw ReleaseError(
        .input, doing: doing, reason: "a path with a colon, comma or backslash cannot be used for an overlay",
        advice: "give it by another path")
    }
    let symbols = path.appending("Module.symvers")
    guard Files.exists(symbols) else { return }
    // CRC TAB NAME TAB MODULE …
    exported = Set(
      try Files.read(symbols, limit: 256 << 20).lines.compactMap { line in
        let fields = line.split(separator: 0x09, maxSplits: 2)
        return fields.count > 1 ? String(decoding: fields[1], as: UTF8.self) : nil
      })
  }

  /// Text of a file of it; nil where it has none.
  func text(_ name: String) throws -> String? {
    let file = path.pushing(FilePath(name))
    guard Files.exists(file) else { return nil }
    return String(decoding: try Files.read(file, limit: 16 << 20), as: UTF8.self)
  }

  /// The value of an option in a configuration: `y`, `m`, a text in quotes; nil when it is not set.
  static func value(of option: String, in configuration: String) -> String? {
    for line in configuration.lines where line.hasPrefix("CONFIG_\(option)=") {
      return String(line.dropFirst("CONFIG_\(option)=".count))
    }
    return nil
  }
}

/// A compiler for kernels: gcc, or LLVM as `make` takes it.
package enum Compiler: Sendable, Equatable {
  case gcc
  /// The value of LLVM=: a folder with `/` at its end, or `-16` for programs whose names end so.
  case llvm(String)

  /// LLVM as it is installed: without a version in its name, else the newest with one.
  package static func installedLLVM() throws -> Compiler {
    let folders = (Command.plainEnvironment["PATH"] ?? "").split(separator: ":").map { FilePath(String($0)) }
    // All of one folder: those of another may be of another LLVM.
    func folder(_ suffix: String) -> FilePath? {
      folders.first { folder in
        ["clang", "ld.lld", "llvm-ar", "llvm-nm", "llvm-objcopy", "llvm-strip", "llvm-readelf"].allSatisfy {
          Files.exists(folder.appending($0 + suffix))
        }
      }
    }
    if let folder = folder("") { return .llvm("\(folder)/") }
    if let version = (11...40).reversed().first(where: { folder("-\($0)") != nil }) { return .llvm("-\(version)") }
    throw ReleaseError(
      .missingTool, doing: "building with LLVM", reason: "clang, lld and llvm are not installed",
      advice: "on Debian: apt-get install clang lld llvm")
  }

  var makeArguments: [String] {
    switch self {
    case .gcc: []
    case .llvm(let value): ["LLVM=\(value)"]
    }
  }

  /// Its nm.
  var nm: String {
    switch self {
    case .gcc: "nm"
    case .llvm(let value): value.hasSuffix("/") ? "\(value)llvm-nm" : "llvm-nm\(value)"
    }
  }
}
