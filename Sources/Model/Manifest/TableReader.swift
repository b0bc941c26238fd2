// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// Reads a table, key by key. The keys that the code reads are the keys that the table may hold: reading, checking and
/// the JSON schema all come from the one place where a key is read.
///
///     init?(_ table: inout TableReader) {
///       let name = table.required("name", .moduleName, "module name, without .ko")
///       install = table.optional("install", .text, default: "", "folder below /lib/modules/<kernel>")
///       guard let name else { return nil }
///       self.name = name
///     }
///
/// Every run asks for all keys, before any `return`: the schema comes from a run without a table.
package struct TableReader {
  /// Nil when there is nothing to read, and the keys are only declared.
  private let node: TOMLNode?
  private let path: String
  private let isStored: Bool
  private var fields: [Field] = []
  private var constraints: [Constraint] = []
  /// What is wrong with values, by key.
  private var findings: [String: [ReleaseError]] = [:]
  private var missing: [ReleaseError] = []
  private var together: [ReleaseError] = []

  /// The keys that `declare` asks for.
  static func schema(_ declare: (inout TableReader) -> (some Any)?) -> Schema {
    var table = TableReader(nil, "")
    _ = declare(&table)
    return .table(table.fields, table.constraints)
  }

  init(_ node: TOMLNode?, _ path: String, isStored: Bool = false) {
    self.node = node
    self.path = path
    self.isStored = isStored
  }

  /// Where the table stands.
  package var location: SourceLocation { node?.location ?? SourceLocation(file: "", line: 1, column: 1) }

  /// The value of a key that must be there; nil where it is missing or wrong, which is reported.
  package mutating func required<Value>(_ key: String, _ shape: Shape<Value>, _ doc: String) -> Value? {
    if let node, node[key] == nil {
      missing.append(Findings.finding(node.location, "'\(TableReader.join(path, key))' is missing (\(doc))"))
    }
    return read(Field(name: key, schema: shape.schema, isRequired: true, doc: doc), shape)
  }

  /// The value of a key that may be left out.
  package mutating func optional<Value>(_ key: String, _ shape: Shape<Value>, _ doc: String) -> Value? {
    read(Field(name: key, schema: shape.schema, isRequired: false, doc: doc), shape)
  }

  /// The value of a key, or what counts where it is left out.
  package mutating func optional<Value>(
    _ key: String, _ shape: Shape<Value>, default value: Value, _ doc: String
  ) -> Value {
    optional(key, shape, doc) ?? value
  }

  private mutating func read<Value>(_ field: Field, _ shape: Shape<Value>) -> Value? {
    fields.append(field)
    guard let inner = node?[field.name] else { return nil }
    var found = Findings(isStored: isStored)
    let value = shape.read(inner, TableReader.join(path, field.name), &found)
    if !found.ofValues.isEmpty { findings[field.name] = found.ofValues }
    together += found.together
    return value
  }

  /// Tells editors what holds of keys together. Whoever declares it also reports where it does not hold.
  mutating func constrain(_ constraint: Constraint) { constraints.append(constraint) }

  /// Reports what is wrong with values together. It counts only where each value by itself is right.
  package mutating func report(_ reason: String, at location: SourceLocation? = nil, advice: String? = nil) {
    together.append(Findings.finding(location ?? self.location, reason, advice))
  }

  /// Hands over what was found, with the keys that nobody asked for.
  consuming func finish(_ all: inout Findings) {
    let known = fields.map(\.name)
    for (key, inner) in node?.table ?? [:] where !known.contains(key) {
      let hint = key.nearest(in: known).map { "did you mean '\($0)'?" }
      findings[key] = [Findings.finding(inner.location, "unknown key '\(TableReader.join(path, key))'", hint)]
    }
    all.ofValues += findings.values.joined() + missing
    all.together += together
  }

  static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
