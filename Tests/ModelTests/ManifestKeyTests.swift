// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import FoundationEssentials
import TestSupport
import Testing

@testable import Model

/// The keys as they are declared, against the reference and the JSON schema.
@Suite struct ManifestKeyTests {
  /// A key of a table: `sources.NAME`, `sha256`.
  private struct Key: Hashable, CustomStringConvertible {
    var table: String
    var name: String
    var isRequired: Bool
    /// What the schema says of it.
    var doc = ""

    var description: String { "\(table): \(isRequired ? "**\(name)**" : name) \(doc)" }
  }

  private let declared = Set(keys(of: Manifest.shape.schema(), in: ""))

  private static func keys(of schema: Schema, in table: String) -> [Key] {
    switch schema {
    case .string, .boolean, .integer, .anyTable, .named: []
    case .array(let element, _): keys(of: element, in: table)
    case .either(let one, let other): united(keys(of: one, in: table) + keys(of: other, in: table))
    case .map(let element, _): keys(of: element, in: "\(table).NAME")
    case .table(let fields, _):
      fields.flatMap { field in
        [Key(table: table, name: field.name, isRequired: field.isRequired, doc: field.doc)]
          + keys(of: field.schema(), in: TableReader.join(table, field.name))
      }
    }
  }

  /// The keys of a table with several forms: what one of these can do without need not be there.
  private static func united(_ keys: [Key]) -> [Key] {
    Dictionary(keys.map { ("\($0.table): \($0.name)", $0) }) { $0.isRequired ? $1 : $0 }.values.map(\.self)
  }

  /// A heading names the tables that its section describes; each key begins a row, which goes on in bold when the key
  /// must be there.
  @Test func theReferenceHasEveryKey() throws {
    let path = Workshop.root.appending("docs/manifest.md")
    let text = String(decoding: try Files.read(path), as: UTF8.self)
    var documented: Set<Key> = []
    var tables: [String] = []
    for line in text.split(separator: "\n") {
      if line.hasPrefix("## ") { tables = line.dropFirst(3).split(separator: ", ").map(String.init) }
      guard line.hasPrefix("| `") else { continue }
      let cells = line.split(separator: "|", maxSplits: 1).map(\.trimmed)
      #expect(cells.count == 2 && cells[0].last == "`" && cells[1].count > 5, "\(line)")
      for table in tables {
        let key = Key(
          table: table == "top level" ? "" : table, name: String(cells[0].dropFirst().dropLast()),
          isRequired: cells[1].hasPrefix("**"))
        #expect(documented.insert(key).inserted, "\(key) is there twice")
      }
    }
    let known = Set(declared.map { Key(table: $0.table, name: $0.name, isRequired: $0.isRequired) })
    #expect(known.count == declared.count && known.count > 100)
    #expect(known.subtracting(documented).map(\.description).sorted() == [], "missing in the reference")
    #expect(documented.subtracting(known).map(\.description).sorted() == [], "unknown to the reader")
  }

  @Test func theSchemaHasEveryKey() throws {
    let schema = try JSON.decode(PrintedSchema.self, from: Array(Manifest.jsonSchema.utf8))
    let printed = Set(ManifestKeyTests.keys(of: schema, in: ""))
    #expect(printed.symmetricDifference(declared).map(\.description).sorted() == [])
  }

  private static func keys(of schema: PrintedSchema, in table: String) -> [Key] {
    if let either = schema.anyOf { return united(either.flatMap { keys(of: $0, in: table) }) }
    if let element = schema.items { return keys(of: element, in: table) }
    if case .names(let element) = schema.others { return keys(of: element, in: "\(table).NAME") }
    return (schema.properties ?? [:]).flatMap { name, inner in
      let isRequired = (schema.required ?? schema.otherwise?.required)?.contains(name) == true
      return [Key(table: table, name: name, isRequired: isRequired, doc: inner.description ?? "")]
        + keys(of: inner, in: TableReader.join(table, name))
    }
  }

  /// What of JSON schema lrelease prints.
  private final class PrintedSchema: Decodable {
    enum Others: Decodable {
      case none
      case names(PrintedSchema)

      init(from decoder: any Decoder) throws {
        self = try (try? decoder.singleValueContainer().decode(Bool.self)) == nil ? .names(.init(from: decoder)) : .none
      }
    }
    enum CodingKeys: String, CodingKey {
      case description, items, properties, required, anyOf
      case otherwise = "else"
      case others = "additionalProperties"
    }
    let description: String?
    let items: PrintedSchema?
    /// What has several forms.
    let anyOf: [PrintedSchema]?
    let properties: [String: PrintedSchema]?
    let required: [String]?
    /// What counts at the top where nothing is extended.
    let otherwise: PrintedSchema?
    let others: Others?
  }
}
