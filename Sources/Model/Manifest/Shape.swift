// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// The form of a value in a document, and the type that it is read as.
package struct Shape<Value: Sendable>: Sendable {
  /// The same without the Swift type: for the JSON schema, and for the test of the reference.
  let schema: @Sendable () -> Schema
  /// Reads a value, which messages call `path`; nil if it cannot be read.
  ///
  /// Reading goes on after a finding, so that all of them are there in one run: an array, map or table counts only when
  /// there is none.
  let read: @Sendable (_ node: TOMLNode, _ path: String, _ findings: inout Findings) -> Value?

  /// Reads a whole document. All mistakes are reported in one run.
  ///
  /// - Parameter isStored: it was accepted before, maybe by an older lrelease.
  package func read(_ document: TOMLNode, isStored: Bool = false) throws(Diagnostics) -> Value {
    var findings = Findings(isStored: isStored)
    let value = read(document, "", &findings)
    guard findings.isEmpty, let value else { throw findings.diagnostics }
    return value
  }
}

/// What is wrong with a document.
package struct Findings: Sendable {
  /// The document was accepted before: what older versions did not check is read as it is.
  let isStored: Bool
  /// What is wrong with one value by itself.
  var ofValues: [ReleaseError] = []
  /// Mistakes that involve several values. They may follow from a wrong value, and count only if there is none.
  var together: [ReleaseError] = []

  init(isStored: Bool = false) { self.isStored = isStored }

  var isEmpty: Bool { ofValues.isEmpty && together.isEmpty }
  /// In the order of the text.
  var diagnostics: Diagnostics {
    func place(_ error: ReleaseError) -> (String, Int, Int) {
      (error.location?.file ?? "", error.location?.line ?? 0, error.location?.column ?? 0)
    }
    return Diagnostics((ofValues.isEmpty ? together : ofValues).sorted { place($0) < place($1) })
  }

  static func finding(_ location: SourceLocation, _ reason: String, _ advice: String? = nil) -> ReleaseError {
    ReleaseError(.input, at: location, doing: "", reason: "\(reason)", advice: advice)
  }

  /// - Returns: nil, the value that was not read.
  fileprivate mutating func refuse<Value>(
    _ node: TOMLNode, _ path: String, _ words: String, _ advice: String? = nil
  ) -> Value? {
    ofValues.append(Findings.finding(node.location, "'\(path)' must \(words)", advice))
    return nil
  }
}

/// A value with its place, for later checks.
package struct Located<Value: Sendable>: Sendable {
  package var value: Value
  package var location: SourceLocation
}

extension Shape {
  /// A string that `parse` takes; `name` says what that is in messages, and `expression` to editors.
  package static func string(
    _ name: String, _ expression: String, _ parse: @escaping @Sendable (String) -> Value?
  ) -> Shape {
    Shape {
      .string(expression)
    } read: { node, path, findings in
      guard let text = node.string else { return findings.refuse(node, path, "be a string, not \(node.kind)") }
      return parse(text) ?? findings.refuse(node, path, "be \(name), not '\(text)'")
    }
  }

  package static func array<Element>(_ element: Shape<Element>, atLeast least: Int = 0) -> Shape
  where Value == [Element] {
    Shape {
      .array(element.schema(), atLeast: least)
    } read: { node, path, findings in
      guard case .array(let nodes) = node.value else {
        // A heading with one bracket too few.
        let isHeading = node.table.isEmpty == false && !path.contains(".")
        return findings.refuse(
          node, path, "be an array, not \(node.kind)", isHeading ? "did you mean [[\(path)]]?" : nil)
      }
      if nodes.count < least {
        return findings.refuse(node, path, "hold at least \(least) element\(least == 1 ? "" : "s")")
      }
      var values: [Element] = []
      for (index, node) in nodes.enumerated() {
        if let value = element.read(node, "\(path)[\(index)]", &findings) { values.append(value) }
      }
      return values
    }
  }

  /// A table whose keys are names that the author chooses, as `name` has them; `element` gets the name.
  package static func map<Element>(
    _ name: Shape<String>? = nil, _ element: @escaping @Sendable (String) -> Shape<Element>
  ) -> Shape where Value == [String: Element] {
    Shape {
      .map(element("").schema(), names: name?.schema())
    } read: { node, path, findings in
      guard case .table(let table) = node.value else {
        return findings.refuse(node, path, "be a table, not \(node.kind)")
      }
      var values: [String: Element] = [:]
      for (key, node) in table.sorted(by: { $0.key < $1.key }) {
        let ownPath = TableReader.join(path, key)
        if let name {
          let key = TOMLNode(value: .string(key), location: node.location)
          guard name.read(key, ownPath, &findings) != nil else { continue }
        }
        values[key] = element(key).read(node, ownPath, &findings)
      }
      return values
    }
  }

  package static func map<Element>(_ element: Shape<Element>) -> Shape where Value == [String: Element] {
    .map { _ in element }
  }

  /// A table with the keys that `declare` reads, and no others.
  package static func table(_ declare: @escaping @Sendable (inout TableReader) -> Value?) -> Shape {
    Shape {
      TableReader.schema(declare)
    } read: { node, path, findings in
      guard case .table = node.value else { return findings.refuse(node, path, "be a table, not \(node.kind)") }
      var table = TableReader(node, path, isStored: findings.isStored)
      let value = declare(&table)
      table.finish(&findings)
      return value
    }
  }

  /// An array that `array` reads, or a table that `table` reads.
  static func either(table: Shape, array: Shape) -> Shape {
    Shape {
      .either(table.schema(), array.schema())
    } read: { node, path, findings in
      switch node.value {
      case .table: table.read(node, path, &findings)
      case .array: array.read(node, path, &findings)
      default: findings.refuse(node, path, "be a table or an array of tables, not \(node.kind)")
      }
    }
  }

  /// What was read, as another type.
  func map<Other>(_ convert: @escaping @Sendable (Value) -> Other) -> Shape<Other> {
    Shape<Other>(schema: schema) { node, path, findings in read(node, path, &findings).map(convert) }
  }

  /// The same, which editors check by another expression.
  func checked(by expression: String) -> Shape { Shape(schema: { .string(expression) }, read: read) }

  /// A value with its place.
  package static func located<Inner>(_ inner: Shape<Inner>) -> Shape where Value == Located<Inner> {
    Shape(schema: inner.schema) { node, path, findings in
      inner.read(node, path, &findings).map { Located(value: $0, location: node.location) }
    }
  }
}

extension Shape where Value == TOMLNode {
  /// A table that is read elsewhere.
  static var anyTable: Shape {
    Shape {
      .anyTable
    } read: { node, path, findings in
      guard case .table = node.value else { return findings.refuse(node, path, "be a table, not \(node.kind)") }
      return node
    }
  }
}

extension Shape where Value == Bool {
  package static var boolean: Shape {
    Shape {
      .boolean
    } read: { node, path, findings in
      node.boolean ?? findings.refuse(node, path, "be true or false, not \(node.kind)")
    }
  }
}

extension Shape where Value == Int {
  package static func integer(_ range: ClosedRange<Int>) -> Shape {
    Shape {
      .integer(range)
    } read: { node, path, findings in
      guard let number = node.integer else { return findings.refuse(node, path, "be an integer, not \(node.kind)") }
      if range.contains(number) { return number }
      return findings.refuse(node, path, "be between \(range.lowerBound) and \(range.upperBound), not \(number)")
    }
  }
}

extension Shape where Value == String {
  /// A string that stays as it is.
  package static func string(
    _ name: String, _ expression: String, where accepts: @escaping @Sendable (String) -> Bool
  ) -> Shape {
    .string(name, expression) { accepts($0) ? $0 : nil }
  }

  package static var text: Shape { .string("text that is not empty", #"[\s\S]"#) { !$0.isEmpty } }

  /// A relative path with `/` between its parts, none of which is `.` or `..`.
  static var path: Shape {
    .string("a relative path without '.' or '..'", "^\(PlainText.anyPathPattern)$", where: isCleanPath)
  }

  package static func oneOf(_ words: [String]) -> Shape { .oneOf(words) { $0 } }
}

extension Shape where Value == [String] {
  package static var texts: Shape { .array(.text) }
}

extension Shape where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the words of an enumeration.
  package static func oneOf(_ type: Value.Type) -> Shape {
    .oneOf(type.allCases.map(\.rawValue)) { Value(rawValue: $0) }
  }
}

extension Shape {
  private static func oneOf(_ words: [String], _ parse: @escaping @Sendable (String) -> Value?) -> Shape {
    .string("one of \(words.joined(separator: ", "))", "^(\(words.joined(separator: "|")))$") {
      words.contains($0) ? parse($0) : nil
    }
  }
}
