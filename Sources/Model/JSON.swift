// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials

/// JSON with sorted keys: the same value gives the same bytes.
package enum JSON {
  /// - Parameter snakeCase: whether keys are written as `log_url`, as formats of others have it.
  package static func encode(
    _ value: some Encodable, pretty: Bool = true, snakeCase: Bool = false
  ) throws -> [UInt8] {
    let encoder = JSONEncoder()
    if snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
    encoder.outputFormatting =
      pretty
      ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      : [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value)) + [0x0a]
  }

  package static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
    try JSONDecoder().decode(type, from: Data(bytes))
  }
}

extension DecodingError {
  /// What is wrong, and with which key: `'sourceDate' is missing`, `sources.linux.sha256: not a SHA-256: abc`.
  package var reason: String {
    switch self {
    case .keyNotFound(let key, let context): "'\(Self.path(context.codingPath + [key]))' is missing"
    case .valueNotFound(_, let context): "'\(Self.path(context.codingPath))' is null"
    case .typeMismatch(let type, let context):
      context.codingPath.isEmpty
        ? "it is not \(Self.name(of: type))" : "'\(Self.path(context.codingPath))' is not \(Self.name(of: type))"
    case .dataCorrupted(let context):
      // Of the whole, there is only one thing to say.
      context.codingPath.isEmpty
        ? "it is not JSON" : "\(Self.path(context.codingPath)): \(context.debugDescription.prefix(200))"
    @unknown default: "it cannot be read"
    }
  }

  /// `sources.linux.patches[0].name`
  private static func path(_ keys: [any CodingKey]) -> String {
    keys.reduce(into: "") { path, key in
      if let index = key.intValue {
        path += "[\(index)]"
      } else {
        path += (path.isEmpty ? "" : ".") + key.stringValue
      }
    }
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Bool.Type: "true or false"
    case is any BinaryInteger.Type, is any BinaryFloatingPoint.Type: "a number"
    case is [Any].Type: "an array"
    default: "an object"
    }
  }
}
