// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Model

/// The JSON schema, by a validator that others use: it accepts what the reader accepts, and refuses what the reader
/// refuses wherever a schema can say it.
@Suite struct SchemaTests {
  /// What python3-jsonschema says of each document: nothing where it is valid.
  private func judge(_ documents: [String]) async throws -> [String]? {
    try await withScratch { folder in
      try Files.write(Array(Manifest.jsonSchema.utf8), to: folder.appending("schema.json"))
      for (number, text) in documents.enumerated() {
        try Files.write(Array(text.utf8), to: folder.appending("\(number).toml"))
      }
      let program = """
        import json, sys, tomllib, jsonschema
        schema = json.load(open("schema.json"))
        kind = jsonschema.validators.validator_for(schema)
        kind.check_schema(schema)
        validator = kind(schema)
        for number in range(int(sys.argv[1])):
            try:
                document = tomllib.load(open(f"{number}.toml", "rb"))
            except tomllib.TOMLDecodeError as error:
                print("TOML:", str(error).replace("\\n", " "))
                continue
            error = next(validator.iter_errors(document), None)
            print("" if error is None else f"{list(error.absolute_path)}: {error.message[:200]!r}")
        """
      let outcome = try await Command("python3", ["-c", program, "\(documents.count)"], directory: folder)
        .run(doing: "validating")
      guard outcome.succeeded else {
        Issue.record(
          "python3 with tomllib and jsonschema (apt-get install python3-jsonschema): \(outcome.errors)")
        return nil
      }
      return outcome.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
  }

  private static func shipped() throws -> [(name: String, text: String)] {
    let folder = Workshop.root.appending("manifests")
    return try Files.names(in: folder).map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasSuffix(".toml") }
      .sorted().map { ($0, String(decoding: try Files.read(folder.appending($0)), as: UTF8.self)) }
  }

  @Test func theShippedManifestsAreValid() async throws {
    let manifests = try Self.shipped()
    #expect(manifests.contains { $0.text.contains("\nextends") } && manifests.count > 3)
    guard let verdicts = try await judge(manifests.map(\.text)) else { return }
    for (manifest, verdict) in zip(manifests, verdicts) { #expect(verdict.isEmpty, "\(manifest.name): \(verdict)") }
  }

  /// What a name of something else decides, no schema can say.
  private static let ofOthers = [
    "which is not declared", "is named a second time", "must not be above", "which is no other extra",
    "that source has no version", "which does not exist", "each needs a 'when' of its own",
    "and no 'conditions' say which", "'(' is not closed", "')' closes nothing", "names no modules",
    "which another entry of 'kernels' has", "which is not known", "which is not within", "leaves nothing of",
    "is no release of mainline",
    "'kernels' is missing: neither", "so it cannot add modules", "key that is redefined", "WITH follows ')'",
  ]

  /// Strings that stand for many a mistake.
  private static let odd = [
    "", " ", "x\\n", "a\\nb", "../x", "/abs", "x y", "é", "%{x}", "50%é", "$(x)", "-x", "{kernl}", "{kernel", "x/",
    "a//b", "./a", "a/..", "GPL", "GPL-2.0", "MIT AND", "GPL-2.0-only+", "2026-02-30T00:00:00Z", "2027-02-29T00:00:00Z",
    "2028-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "7.2.", "07.2", "999", "1.2.3.4.5", "1-2",
    "v1", "1.0-rc1", "http://é", "\\u2028x", "\\u0085x", "x\\u202e", "a:b", "a:/b", "a:b/../c", "CONFIG_X", "x=y", "=y",
    "N <a@b@c>", "N <a@b> %define", "linux:fs/../x", "linux:",
  ]

  /// Changes a line of a manifest as a slip of the hand would.
  private static func mutated(_ text: String, _ generator: inout SplitMix64) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let places = lines.indices.filter { !lines[$0].trimmed.isEmpty && !lines[$0].hasPrefix("#") }
    guard let place = places.randomElement(using: &generator) else { return text }
    let strings = lines[place].ranges(of: /"[^"\\]*"/)
    func choose<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &generator)] }
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: lines.remove(at: place)
    case 1: lines.insert(lines[place], at: place)
    case let kind where (2...4).contains(kind) && !strings.isEmpty:
      lines[place].replaceSubrange(choose(strings), with: "\"\(choose(odd))\"")
    case 5 where !strings.isEmpty:
      lines[place].replaceSubrange(
        choose(strings), with: choose(["7", "true", "[]", "{}", "1.5", "[\"x\"]", "2026-01-01"]))
    case 6:
      if let key = lines[place].firstRange(of: /[a-z-]+(?=\s*=)/) { lines[place].replaceSubrange(key, with: "zzz") }
    default:
      if let value = lines[place].firstRange(of: /=.*$/) {
        lines[place].replaceSubrange(value, with: "= \(choose(["7", "\"\"", "[]", "{}", "[{}]", "true"]))")
      }
    }
    return lines.joined(separator: "\n")
  }

  @Test func theSchemaIsAsStrictAsTheReader() async throws {
    var generator = SplitMix64(state: 16)
    let shipped = try Self.shipped()
    let bases = Dictionary(uniqueKeysWithValues: shipped)
    let documents = (0..<200).map { Self.mutated(shipped[$0 % shipped.count].text, &generator) }
    guard let verdicts = try await judge(documents) else { return }
    try #require(verdicts.count == documents.count)
    var refused = 0
    for (text, verdict) in zip(documents, verdicts) where !verdict.hasPrefix("TOML:") {
      do {
        _ = try Manifest(parsing: Array(text.utf8), file: "m.toml") { name in
          guard let base = bases[name] else {
            throw ReleaseError(.input, doing: "reading \(name)", reason: "there is none")
          }
          return Array(base.utf8)
        }
        #expect(verdict.isEmpty, "only the schema refuses it: \(verdict)\n\(Self.change(of: text, shipped))")
      } catch let error as Diagnostics {
        refused += 1
        // Of a manifest that extends another, a finding may be of that one.
        let own = error.findings.filter { finding in !Self.ofOthers.contains { finding.reason.contains($0) } }
        #expect(
          own.isEmpty || !verdict.isEmpty, "only the reader refuses it: \(own)\n\(Self.change(of: text, shipped))")
      } catch {
        refused += 1
      }
    }
    #expect(refused > 50, "\(refused)")
  }

  private static func change(of text: String, _ shipped: [(name: String, text: String)]) -> String {
    let lines = Set(shipped.flatMap { $0.text.split(separator: "\n") })
    return text.split(separator: "\n").filter { !lines.contains($0) }.joined(separator: "\n")
  }
}
