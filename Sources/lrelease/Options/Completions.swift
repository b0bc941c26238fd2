// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Files
import Model
import Releases
import SystemPackage

/// What a shell offers for values that only the files at hand can tell. What cannot be read offers nothing.
enum Completions {
  /// The names of the targets.
  static let targets = CompletionKind.custom { words, _, _ in
    var options = TargetOptions()
    options.folder = value(of: "--targets", in: words)
    guard let place = try? options.place(), let targets = try? Target.all(in: place) else { return [] }
    return targets.map(\.name)
  }

  /// The extras of the manifest that the command line names, or of its plan or release.
  static let extras = CompletionKind.custom { words, _, _ in manifest(in: words)?.extras.keys.sorted() ?? [] }

  /// The variants of the packages of the release that the command line names.
  static let variants = CompletionKind.custom { words, _, _ in
    manifest(in: words)?.packages.map(\.variant) ?? []
  }

  private static func value(of option: String, in words: [String]) -> String? {
    for (word, next) in zip(words, words.dropFirst()) where word == option { return next }
    return words.first { $0.hasPrefix("\(option)=") }.map { String($0.dropFirst(option.count + 1)) }
  }

  private static func manifest(in words: [String]) -> Manifest? {
    if let plan = value(of: "--plan", in: words) { return try? Plan(reading: FilePath(plan)).parsedManifest() }
    // The program and the subcommand come first.
    for word in words.dropFirst(2) where !word.hasPrefix("-") {
      let path = FilePath(word)
      if word.hasSuffix(".toml"), let bytes = try? Files.read(path, limit: 16 << 20) {
        let folder = Files.absolute(path).removingLastComponent()
        return try? Manifest(parsing: bytes, file: word) { try Files.read(folder.pushing(FilePath($0))) }
      }
      let plan = path.appending(ReleaseFolder.plan)
      if Files.exists(plan) { return try? Plan(reading: plan).parsedManifest() }
      // The plan lies beside a tarball in its release folder.
      let beside = Files.absolute(path).removingLastComponent().appending(ReleaseFolder.plan)
      if word.contains(".tar"), Files.exists(beside) { return try? Plan(reading: beside).parsedManifest() }
    }
    return nil
  }
}
