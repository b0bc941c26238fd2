// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// What a value of the manifest must look like. One description serves the strict reader, the JSON schema for editors
/// and the reference in the documentation.
package indirect enum Shape: Sendable {
  /// A string; `pattern` names what it must look like beyond that.
  case string(Pattern)
  case boolean
  case integer(ClosedRange<Int>)
  case array(Shape, atLeast: Int)
  /// A table with these keys and no others.
  case table([Field])
  /// A table whose keys are names that the author chooses.
  case map(Shape)

  /// What a string must look like: a name for the message, an expression for editors, a check for us.
  package struct Pattern: Sendable {
    package var name: String
    package var expression: String?
    package var accepts: @Sendable (String) -> Bool
  }
}

package struct Field: Sendable {
  var name: String
  var shape: Shape
  var isRequired: Bool
  var doc: String

  package init(_ name: String, _ shape: Shape, required: Bool = false, _ doc: String) {
    self.name = name
    self.shape = shape
    self.isRequired = required
    self.doc = doc
  }
}

extension Shape {
  package static let text = Shape.string(
    .init(name: "text that is not empty", expression: ".", accepts: { !$0.isEmpty }))
  package static let texts = Shape.array(.text, atLeast: 0)

  /// A relative path with `/` between its parts, none of which is `.` or `..`.
  static let path = Shape.string(
    .init(name: "a relative path without '.' or '..'", expression: "^[^/].*$", accepts: isCleanPath))

  package static func oneOf(_ words: [String]) -> Shape {
    .string(
      .init(
        name: "one of \(words.joined(separator: ", "))", expression: "^(\(words.joined(separator: "|")))$",
        accepts: { words.contains($0) }))
  }

  /// All that is wrong with `node`, each finding at its own place.
  package func findings(in node: TOMLNode, at path: String) -> [ReleaseError] {
    func wrong(_ expected: String) -> [ReleaseError] {
      [finding(node.location, "'\(path)' must be \(expected), not \(node.kind)")]
    }
    switch self {
    case .string(let pattern):
      guard let text = node.string else { return wrong("a string") }
      if pattern.accepts(text) { return [] }
      return [finding(node.location, "'\(path)' must be \(pattern.name), not '\(text)'")]
    case .boolean:
      return node.boolean == nil ? wrong("true or false") : []
    case .integer(let range):
      guard let number = node.integer else { return wrong("an integer") }
      if range.contains(number) { return [] }
      return [
        finding(node.location, "'\(path)' must be between \(range.lowerBound) and \(range.upperBound), not \(number)")
      ]
    case .array(let element, let least):
      guard case .array(let nodes) = node.value else { return wrong("an array") }
      if nodes.count < least {
        return [finding(node.location, "'\(path)' must hold at least \(least) element\(least == 1 ? "" : "s")")]
      }
      return nodes.enumerated().flatMap { element.findings(in: $1, at: "\(path)[\($0)]") }
    case .map(let element):
      guard case .table(let table) = node.value else { return wrong("a table") }
      return table.sorted { $0.key < $1.key }.flatMap { element.findings(in: $1, at: Shape.join(path, $0)) }
    case .table(let fields):
      guard case .table(let table) = node.value else { return wrong("a table") }
      var findings: [ReleaseError] = []
      for (key, inner) in table.sorted(by: { $0.key < $1.key }) {
        if let field = fields.first(where: { $0.name == key }) {
          findings += field.shape.findings(in: inner, at: Shape.join(path, key))
        } else {
          let hint = key.nearest(in: fields.map(\.name)).map { "did you mean '\($0)'?" }
          findings.append(finding(inner.location, "unknown key '\(Shape.join(path, key))'", hint))
        }
      }
      for field in fields where field.isRequired && table[field.name] == nil {
        findings.append(finding(node.location, "'\(Shape.join(path, field.name))' is missing (\(field.doc))"))
      }
      return findings
    }
  }

  private static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private func finding(_ location: SourceLocation, _ reason: String, _ advice: String? = nil) -> ReleaseError {
    ReleaseError(.input, at: location, doing: "", reason: reason, advice: advice)
  }
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

extension Shape {
  func jsonSchema(doc: String? = nil) -> JSONText {
    var members: [String: JSONText] = [:]
    if let doc { members["description"] = .string(doc) }
    switch self {
    case .string(let pattern):
      members["type"] = .string("string")
      if let expression = pattern.expression { members["pattern"] = .string(expression) }
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
    case .map(let element):
      members["type"] = .string("object")
      members["additionalProperties"] = element.jsonSchema()
    case .table(let fields):
      members["type"] = .string("object")
      members["additionalProperties"] = .bool(false)
      members["properties"] = .object(
        Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.shape.jsonSchema(doc: $0.doc)) }))
      let required = fields.filter(\.isRequired).map(\.name).sorted()
      if !required.isEmpty { members["required"] = .array(required.map { .string($0) }) }
    }
    return .object(members)
  }
}
