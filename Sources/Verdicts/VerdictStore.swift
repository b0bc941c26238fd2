// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// The folder that keeps what was found out about a release, `RELEASE.qualification`: a file `verdicts/CASE.json` and a
/// folder `logs/CASE/` for each case.
package struct VerdictStore: Sendable {
  package let folder: FilePath

  package init(_ folder: FilePath) { self.folder = folder }

  /// The name of the file, among the logs of a case, that holds what the probe of the modules has found.
  package static let probeResults = "probe-results"

  /// The folder of the logs of a case, relative to the store.
  package static func logs(of id: String) -> String { "logs/\(id)" }

  package func file(of id: String) -> FilePath { folder.appending("verdicts").appending("\(id).json") }

  /// The verdict on a case, where it has these inputs; nil for one that cannot be read.
  package func verdict(on id: String, inputs: SHA256Digest) -> Verdict? {
    guard let bytes = try? Files.read(file(of: id)), let verdict = try? JSON.decode(Verdict.self, from: bytes),
      verdict.inputs == inputs
    else { return nil }
    return verdict
  }

  package func keep(_ verdict: Verdict, on id: String) throws {
    try Files.makeFolder(folder.appending("verdicts"))
    try Files.replace(file(of: id), with: try JSON.encode(verdict))
  }

  /// Moves the verdict on a case that is about to be tried again to a folder: the next one that appears is new.
  package func setAside(_ id: String, in folder: FilePath) throws {
    if Files.exists(file(of: id)) { try Files.move(file(of: id), to: folder.appending("\(id).json")) }
  }

  /// Moves it back, unless there is a new one.
  package func putBack(_ id: String, from folder: FilePath) throws {
    let aside = folder.appending("\(id).json")
    if Files.exists(aside), !Files.exists(file(of: id)) { try Files.move(aside, to: file(of: id)) }
  }

  /// All verdicts, in the order of their files.
  ///
  /// - Throws: `ReleaseError` with code `source` for a folder that keeps none, `input` for a file that is not a verdict.
  package func all() throws -> [Verdict] {
    let place = folder.appending("verdicts")
    guard Files.isFolder(place) else {
      throw ReleaseError(
        .source, doing: "reading verdicts", reason: "\(folder) holds none",
        remedy: VerdictsRemedy.qualify)
    }
    return try Files.names(in: place).map { place.appending(bytes: $0) }.filter { $0.extension == "json" }.map { path in
      do {
        return try JSON.decode(Verdict.self, from: Files.read(path))
      } catch let error as DecodingError {
        throw ReleaseError(
          .input, doing: "reading verdicts", reason: "\(path) is none: \(error.reason)",
          advice: "remove it and qualify again", cause: error)
      }
    }
  }

  /// What the probe has found, as the case of a verdict kept it.
  package func probeResults(of verdict: Verdict, doing: String) throws -> String {
    // An edited verdict must not make us read another file.
    guard isCleanPath(verdict.logs) else {
      throw ReleaseError(.input, doing: doing, reason: "'\(verdict.logs)' is not a path below \(folder)")
    }
    let path = folder.pushing(FilePath(verdict.logs)).appending(VerdictStore.probeResults)
    return String(decoding: try Files.read(path, limit: 1 << 20, doing: doing), as: UTF8.self)
  }
}
