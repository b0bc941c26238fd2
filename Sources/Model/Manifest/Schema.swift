// SPDX-License-Identifier: GPL-2.0-only

/// The form of a value without its Swift type, as the declarations of the keys give it.
indirect enum Schema: Sendable {
  /// A string, with the expression that editors check it by.
  case string(String)
  case boolean
  case integer(ClosedRange<Int>)
  case array(Schema, atLeast: Int)
  /// One or the other.
  case either(Schema, Schema)
  /// A table with these keys and no others, and what holds of them together.
  case table([Field], [Constraint])
  /// A table whose keys are names that the author chooses.
  case map(Schema, names: Schema?)
  /// A table with anything in it.
  case anyTable
  /// A form that is in the schema once, and is referred to by name.
  case named(String, Schema)
}

/// Constraints on several keys of a table.
enum Constraint: Sendable {
  /// Exactly one of them is present.
  case oneOf([String])
  /// At least one of them is present.
  case anyOf([String])
  /// If the first is present, so is the second.
  case needs(String, String)
  case notBoth(String, String)
  /// Not both of two arrays have elements.
  case notBothFilled(String, String)
  /// It is there, and has elements.
  case notEmpty(String)
  /// The first has elements, or the second is there.
  case filledOr(String, String)
}

/// A key of a table.
struct Field: Sendable {
  var name: String
  var schema: @Sendable () -> Schema
  var isRequired: Bool
  var doc: String
}

// MARK: - JSON schema

/// JSON in the making, with keys in the order of their names.
indirect enum JSONText {
  case string(String)
  case number(Int)
  case bool(Bool)
  case array([JSONText])
  case object([String: JSONText])

  func text(indent: String = "") -> String {
    let deeper = indent + "  "
    switch self {
    case .string(let text): return JSONText.quote(text)
    case .number(let number): return String(number)
    case .bool(let flag): return String(flag)
    case .array(let items):
      if items.isEmpty { return "[]" }
      return "[\n" + items.map { deeper + $0.text(indent: deeper) }.joined(separator: ",\n") + "\n\(indent)]"
    case .object(let members):
      if members.isEmpty { return "{}" }
      let lines = members.sorted { $0.key < $1.key }.map {
        "\(deeper)\(JSONText.quote($0.key)): \($0.value.text(indent: deeper))"
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    }
  }

  private static func quote(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case _ where scalar.value < 0x20:
        out += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

extension Schema {
  func jsonSchema(doc: String? = nil) -> JSONText {
    var members: [String: JSONText] = [:]
    if let doc { members["description"] = .string(doc) }
    switch self {
    case .string(let expression):
      members["type"] = .string("string")
      members["pattern"] = .string(Schema.portable(expression))
    case .boolean:
      members["type"] = .string("boolean")
    case .integer(let range):
      members["type"] = .string("integer")
      members["minimum"] = .number(range.lowerBound)
      members["maximum"] = .number(range.upperBound)
    case .array(let element, let least):
      members["type"] = .string("array")
      members["items"] = element.jsonSchema()
      if least > 0 { members["minItems"] = .number(least) }
    case .either(let one, let other):
      members["anyOf"] = .array([one.jsonSchema(), other.jsonSchema()])
    case .map(let element, let names):
      members["type"] = .string("object")
      if let names { members["propertyNames"] = names.jsonSchema() }
      members["additionalProperties"] = element.jsonSchema()
    case .anyTable:
      members["type"] = .string("object")
    case .named(let name, _):
      // A description beside a reference would be ignored.
      members["allOf"] = .array([.object(["$ref": .string("#/definitions/\(name)")])])
    case .table(let fields, let constraints):
      members["type"] = .string("object")
      members["additionalProperties"] = .bool(false)
      members["properties"] = .object(
        Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.schema().jsonSchema(doc: $0.doc)) }))
      let required = fields.filter(\.isRequired).map(\.name).sorted()
      if !required.isEmpty { members["required"] = .array(required.map { .string($0) }) }
      if !constraints.isEmpty { members["allOf"] = .array(constraints.map(\.jsonSchema)) }
    }
    return .object(members)
  }

  /// To some readers of expressions, such as Python's, `$` also stands before a line feed at the end.
  private static func portable(_ expression: String) -> String {
    expression.hasSuffix("$") ? "\(expression.dropLast())(?!\\n)$" : expression
  }

  /// What is referred to by name.
  var definitions: [String: Schema] {
    switch self {
    case .string, .boolean, .integer, .anyTable: [:]
    case .array(let element, _): element.definitions
    case .either(let one, let other): one.definitions.merging(other.definitions) { $1 }
    case .map(let element, let names): element.definitions.merging(names?.definitions ?? [:]) { $1 }
    case .named(let name, let inner): inner.definitions.merging([name: inner]) { $1 }
    case .table(let fields, _): fields.reduce(into: [:]) { $0.merge($1.schema().definitions) { $1 } }
    }
  }
}

extension Constraint {
  var jsonSchema: JSONText {
    func required(_ keys: String...) -> JSONText { .object(["required": .array(keys.map { .string($0) })]) }
    func filled(_ key: String) -> JSONText {
      .object([
        "required": .array([.string(key)]), "properties": .object([key: .object(["minItems": .number(1)])]),
      ])
    }
    switch self {
    case .oneOf(let keys): return .object(["oneOf": .array(keys.map { required($0) })])
    case .anyOf(let keys): return .object(["anyOf": .array(keys.map { required($0) })])
    case .needs(let key, let other): return .object(["if": required(key), "then": required(other)])
    case .notBoth(let key, let other): return .object(["not": required(key, other)])
    case .notBothFilled(let key, let other):
      return .object(["not": .object(["allOf": .array([filled(key), filled(other)])])])
    case .notEmpty(let key): return filled(key)
    case .filledOr(let key, let other): return .object(["anyOf": .array([filled(key), required(other)])])
    }
  }
}
