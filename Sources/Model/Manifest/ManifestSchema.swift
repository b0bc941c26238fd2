// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

extension Manifest {
  /// The JSON schema of the format, for editors.
  ///
  /// Draft 7: what editors of TOML read. A manifest that extends another one may leave out whatever that one says.
  package static var jsonSchema: String {
    let schema = shape.schema()
    guard case .object(var members) = schema.jsonSchema() else { return "{}" }
    members["$schema"] = .string("http://json-schema.org/draft-07/schema#")
    members["title"] = .string("lrelease manifest")
    members["definitions"] = .object(schema.definitions.mapValues { $0.jsonSchema() })
    members["if"] = required(extends)
    members["else"] = .object([
      "required": members["required"] ?? .array([]),
      "properties": .object([
        "sources": .object(["minProperties": .number(1)]), "packages": .object(["uniqueItems": .bool(true)]),
      ]),
      "allOf": .array([
        .object([
          "if": .object(["not": within("modules", required("kernels"))]),
          "then": everyPackage(required("kernels"), of: ["packages", "extras"]),
        ]),
        .object([
          "if": .object(["not": within("modules", filled("list"))]),
          "then": everyPackage(filled("modules"), of: ["packages"]),
        ]),
      ]),
    ])
    members["required"] = nil
    return JSONText.object(members).text() + "\n"
  }

  private static func required(_ key: String) -> JSONText { .object(["required": .array([.string(key)])]) }

  private static func filled(_ key: String) -> JSONText { Constraint.notEmpty(key).jsonSchema }

  /// What holds of a table that must be there.
  private static func within(_ key: String, _ inner: JSONText) -> JSONText {
    .object(["required": .array([.string(key)]), "properties": .object([key: inner])])
  }

  /// What holds of every package of the release, and of its extras.
  private static func everyPackage(_ inner: JSONText, of places: [String]) -> JSONText {
    let packages = JSONText.object(["items": inner])
    let extra = JSONText.object(["properties": .object(["packages": packages])])
    let all = ["packages": packages, "extras": .object(["additionalProperties": extra])]
    return .object(["properties": .object(all.filter { places.contains($0.key) })])
  }

  /// Why a value is wrong for a key of the top level; nil if it is right.
  package static func fault(of value: String, for key: String) -> String? {
    var findings = Findings()
    let place = SourceLocation(file: "", line: 1, column: 1)
    let node = TOMLNode(value: .string(value), location: place)
    _ = shape.read(TOMLNode(value: .table([key: node]), location: place), "", &findings)
    if let found = findings.ofValues.first(where: {
      $0.reason.hasPrefix("'\(key)' ") && !$0.reason.contains(" is missing")
    }) {
      return found.reason + (found.remedy?.words.map { "; \($0)" } ?? "")
    }
    guard key == "version" else { return nil }
    do {
      _ = try ReleaseVersion(value)
      return nil
    } catch let error as ReleaseError {
      return error.reason
    } catch {
      return "\(error)"
    }
  }

  /// Reports a version that no release can have, whatever its placeholders become.
  func checkVersion(_ table: inout TableReader, at location: SourceLocation) {
    do {
      _ = try exampleVersion(at: location)
    } catch {
      let known = ["kernel"] + sources.keys.sorted()
      let advice =
        switch error.remedy {
        case nil: "known are \(known.map { "{\($0)}" }.joined(separator: ", "))"
        case let remedy?: remedy.words
        }
      table.report(error.reason, at: error.location, advice: advice)
    }
  }

  /// The version with the shortest text in place of each placeholder: what a release could have.
  package func exampleVersion(at location: SourceLocation? = nil) throws(ReleaseError) -> ReleaseVersion {
    func wrong(_ reason: String, at place: SourceLocation? = nil, _ advice: String?) -> ReleaseError {
      ReleaseError(.input, at: place ?? location, doing: "", reason: reason, advice: advice)
    }
    var rest = version[...]
    var text = ""
    while let open = rest.firstIndex(of: "{") {
      text += rest[..<open]
      guard let end = rest[open...].firstIndex(of: "}") else {
        throw wrong("'version' has a '{' without a '}'", "write {kernel} or {<source>}")
      }
      let name = String(rest[rest.index(after: open)..<end])
      rest = rest[rest.index(after: end)...]
      if name == "kernel" {
        text += "1.0"
        continue
      }
      guard let source = sources[name] else {
        let near = name.nearest(in: ["kernel"] + sources.keys)
        throw wrong("'version' names {\(name)}, which does not exist", near.map { "did you mean {\($0)}?" })
      }
      guard source.version != nil || source.versionFrom != nil else {
        throw wrong(
          "'version' names {\(name)}, and that source has no version", at: source.location,
          "add version-from = { … } or version = \"…\" to [sources.\(name)]")
      }
      text += source.version ?? "1"
    }
    do {
      return try ReleaseVersion(text + rest)
    } catch {
      let cause = (error as? ReleaseError)?.reason ?? "\(error)"
      throw wrong(
        "'version' is '\(version)', and no release can have that: \(cause)",
        (error as? ReleaseError)?.remedy?.words ?? "write it like 7.4, 7.4.2 or {kernel}")
    }
  }
}
