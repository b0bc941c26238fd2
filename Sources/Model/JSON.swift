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
