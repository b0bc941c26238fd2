// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage
import TestSupport
import Testing

/// What the fuzzers have tried and found, through the readers once more. `make fuzz` adds to it.
@Suite(.serialized) struct ReplayTests {
  private static let folder = Workshop.root.appending("Tests/Fuzz")

  private func inputs(_ kind: String, of reader: FuzzReader) throws -> [(name: String, bytes: [UInt8])] {
    let folder = Self.folder.appending(kind).appending(reader.name)
    guard Files.isFolder(folder) else { return [] }
    return try Files.names(in: folder).map {
      (String(decoding: $0, as: UTF8.self), try Files.read(folder.appending(bytes: $0)))
    }
  }

  /// Demands that it is read or refused, in time.
  private func replay(_ bytes: [UInt8], _ name: String, by reader: FuzzReader) {
    let start = ContinuousClock.now
    if let fault = reader.fault(bytes) { Issue.record("\(reader.name), \(name): \(fault)") }
    let taken = (ContinuousClock.now - start).seconds
    #expect(taken < 10, "\(reader.name), \(name) took \(taken) s")
  }

  @Test(arguments: FuzzReader.all.map(\.name))
  func whatWasTriedAndFoundIsReadOrRefused(_ name: String) throws {
    let reader = try #require(FuzzReader.named(name))
    let corpus = try inputs("corpus", of: reader)
    #expect(!corpus.isEmpty, "\(name) has no corpus")
    for input in try corpus + inputs("finds", of: reader) { replay(input.bytes, input.name, by: reader) }
  }
}
