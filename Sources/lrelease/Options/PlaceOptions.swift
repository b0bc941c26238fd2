// SPDX-License-Identifier: GPL-2.0-only

import ArgumentParser
import Assembler
import Diagnostics
import Files

/// Where sources come from, what verifies them, and which extras are added.
struct PlaceOptions: ParsableArguments {
  @Option(
    name: .customLong("source"),
    help: ArgumentHelp(
      "Take a source from a tarball, a git repository or a folder. May be repeated.",
      valueName: "name=path-or-url"))
  var sources: [String] = []

  @Option(
    name: .customLong("ref"),
    help: ArgumentHelp(
      "Read a source's git repository at a tag, branch or commit. May be repeated.", valueName: "name=ref"))
  var refs: [String] = []

  @Option(
    name: .customLong("sha256"),
    help: ArgumentHelp(
      "The SHA-256 that a source's tarball must have; replaces a missing signature. May be repeated.",
      valueName: "name=digest"))
  var hashes: [String] = []

  @Option(
    name: .customLong("with"),
    help: ArgumentHelp("Add an extra of the manifest. May be repeated.", valueName: "extra"),
    completion: Completions.extras)
  var extras: [String] = []

  @Flag(help: "Continue if a signature is missing. The release records this.")
  var allowUnsigned = false

  @Option(
    help: ArgumentHelp(
      "Folder for fetched and unpacked sources, and for what the next cut can use again. (default: lrelease in "
        + "XDG_CACHE_HOME or ~/.cache)",
      valueName: "folder"),
    completion: .directory)
  var cache: String?

  func request() throws -> CutRequest {
    let places = try pairs(sources, option: "--source", form: "NAME=PATH_OR_URL")
    let digests = try pairs(hashes, option: "--sha256", form: "NAME=DIGEST").mapValues { text in
      guard let digest = SHA256Digest(hex: text) else {
        throw ReleaseError(.input, doing: "reading --sha256", reason: "'\(text)' is not 64 hexadecimal digits")
      }
      return digest
    }
    var request = CutRequest(
      places: places, extras: extras.reduce(into: []) { if !$0.contains($1) { $0.append($1) } },
      allowsUnsigned: allowUnsigned, hashes: digests, cache: try SourceOptions.cacheFolder(cache))
    request.refs = try pairs(refs, option: "--ref", form: "NAME=REF")
    return request
  }

  private func pairs(_ texts: [String], option: String, form: String) throws -> [String: String] {
    var pairs: [String: String] = [:]
    for text in texts {
      let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard halves.count == 2 else {
        throw ReleaseError(.input, doing: "reading \(option)", reason: "'\(text)' is not \(form)")
      }
      pairs[halves[0]] = halves[1]
    }
    return pairs
  }
}
