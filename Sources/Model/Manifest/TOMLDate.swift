// SPDX-License-Identifier: GPL-2.0-only

/// Dates and times as TOML writes them. Source: TOML 1.0, "Offset Date-Time" to "Local Time".
///
/// No manifest needs one. But toml++ treats anything that begins like one as a date, and aborts, instead of reporting,
/// if a part is missing.
enum TOMLDate {
  /// Whether a value without quotes looks like a date or time but is not one.
  static func isMalformed(_ value: some Sequence<Unicode.Scalar>) -> Bool {
    var last: UInt8 = 0
    var bytes: [UInt8] = []
    for scalar in value { bytes.append(scalar.isASCII ? UInt8(scalar.value) : 0xff) }
    while let blank = bytes.last, blank == 0x20 || blank == 0x09 { bytes.removeLast() }
    // A number has a minus at its start, and in its exponent.
    let looksLikeOne = bytes.indices.contains { index in
      defer { last = bytes[index] | 0x20 }
      return bytes[index] == UInt8(ascii: ":")
        || bytes[index] == UInt8(ascii: "-") && index > 0 && last != UInt8(ascii: "e")
    }
    var rest = bytes[...]
    return looksLikeOne && !(take(&rest) && rest.isEmpty)
  }

  private static func take(_ rest: inout ArraySlice<UInt8>) -> Bool {
    guard rest.dropFirst(2).first != UInt8(ascii: ":") else { return takeTime(&rest) }
    guard take("0000-00-00", &rest) else { return false }
    guard let mark = rest.first else { return true }
    guard "Tt ".utf8.contains(mark) else { return false }
    rest.removeFirst()
    guard takeTime(&rest) else { return false }
    return rest.isEmpty || take("Z", &rest) || take("z", &rest) || take("+00:00", &rest) || take("-00:00", &rest)
  }

  private static func takeTime(_ rest: inout ArraySlice<UInt8>) -> Bool {
    guard take("00:00:00", &rest) else { return false }
    guard rest.first == UInt8(ascii: ".") else { return true }
    let fraction = rest.dropFirst().prefix { isDigit($0) }
    rest = rest[fraction.endIndex...]
    return !fraction.isEmpty
  }

  /// Takes what `form` says, in which 0 stands for a digit.
  private static func take(_ form: StaticString, _ rest: inout ArraySlice<UInt8>) -> Bool {
    let start = rest.prefix(form.utf8CodeUnitCount)
    let plain = start.map { isDigit($0) ? UInt8(ascii: "0") : $0 }
    guard form.withUTF8Buffer({ plain.elementsEqual($0) }) else { return false }
    rest = rest[start.endIndex...]
    return true
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
