// SPDX-License-Identifier: GPL-2.0-only

import FoundationEssentials

/// JSON with sorted keys: the same value gives the same bytes.
package enum JSON {
  /// - Parameter snakeCase: whether keys are written as `log_url`, for formats that need it.
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

/// Finds a duplicate key in an object of a JSON text: readers differ in which of the two they take.
///
/// The text must have been decoded before, so that it is well-formed and not too deep.
struct RepeatedKey {
  private let bytes: [UInt8]
  private var index = 0

  /// - Returns: the key as it is written; nil where there is none.
  static func find(in bytes: [UInt8]) -> String? {
    var scanner = RepeatedKey(bytes: bytes)
    return scanner.scan()
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func scan() -> String? {
    // The keys of each object that is open; nil for an array.
    var open: [Set<ArraySlice<UInt8>>?] = []
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "{"): open.append([])
      case UInt8(ascii: "["): open.append(nil)
      case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
      case UInt8(ascii: "\""):
        let text = string()
        guard isKey, !open.isEmpty, open[open.count - 1] != nil else { continue }
        if open[open.count - 1]?.insert(text).inserted == false { return String(decoding: text, as: UTF8.self) }
        continue
      default: break
      }
      index += 1
    }
    return nil
  }

  /// The string that begins at this quote, with escapes of letters resolved.
  private mutating func string() -> ArraySlice<UInt8> {
    index += 1
    let start = index
    var hasEscape = false
    while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
      if bytes[index] == UInt8(ascii: "\\") {
        hasEscape = true
        index += 1
      }
      index += 1
    }
    let text = bytes[start..<min(index, bytes.count)]
    index += 1
    guard hasEscape, isKey, let decoded = try? JSON.decode([String].self, from: [0x5b, 0x22] + text + [0x22, 0x5d])
    else { return text }
    return Array((decoded.first ?? "").utf8)[...]
  }

  /// Whether a colon comes next.
  private var isKey: Bool {
    var next = index
    while next < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[next]) { next += 1 }
    return next < bytes.count && bytes[next] == UInt8(ascii: ":")
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
      // For the top level, there is no key to name.
      context.codingPath.isEmpty
        ? "it is not JSON" : "\(Self.path(context.codingPath)): \(Self.plain(context.debugDescription).prefix(200))"
    @unknown default: "it cannot be read"
    }
  }

  /// Foundation names the Swift type of a word that is none of those that the type has.
  private static func plain(_ description: String) -> String {
    guard let start = description.firstRange(of: "from invalid String value ") else { return description }
    return "'\(description[start.upperBound...])' is not one of the words for it"
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
