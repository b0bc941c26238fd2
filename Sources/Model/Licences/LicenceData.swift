// SPDX-License-Identifier: GPL-2.0-only

import CLicences

/// The SPDX License List, and the texts of the licences that are usual beside a kernel.
package enum LicenceData {
  /// What a name stands for.
  enum Entry: Equatable {
    case licence(String)
    /// With the name that replaces it; nil if there is none.
    case deprecated(String, instead: String?)
    case exception(String)
  }

  private static let files: [String: [UInt8]] = {
    var count = 0
    let files = lr_licence_files(&count)
    return Dictionary(
      uniqueKeysWithValues: (0..<count).map { number in
        let file = files[number]
        return (String(cString: file.name), Array(UnsafeBufferPointer(start: file.bytes, count: file.count)))
      })
  }()

  /// By name in small letters: SPDX takes names in capitals and small letters for the same.
  private static let list: (licences: [String: Entry], exceptions: [String: Entry]) = {
    var licences: [String: Entry] = [:]
    var exceptions: [String: Entry] = [:]
    let text = String(decoding: files["spdx.txt"] ?? [], as: UTF8.self)
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      let name = words[1]
      switch words[0] {
      case "license": licences[name.lowercased()] = .licence(name)
      case "deprecated":
        licences[name.lowercased()] = .deprecated(name, instead: words.count > 2 ? words[2] : nil)
      default: exceptions[name.lowercased()] = .exception(name)
      }
    }
    return (licences, exceptions)
  }()

  static func licence(_ name: String) -> Entry? { list.licences[name.lowercased()] }

  static func exception(_ name: String) -> String? {
    if case .exception(let name) = list.exceptions[name.lowercased()] { name } else { nil }
  }

  /// The names that are not deprecated.
  static let licenceNames: [String] = list.licences.values.compactMap {
    if case .licence(let name) = $0 { name } else { nil }
  }.sorted()
  static let exceptionNames: [String] = list.exceptions.values.compactMap {
    if case .exception(let name) = $0 { name } else { nil }
  }.sorted()

  /// An expression for licence expressions, with the names as the list spells them; whether each parenthesis is closed is
  /// more than it can say.
  static let expression: String = {
    func choice(_ names: [String]) -> String {
      // Of two names the longer one goes first, where one is the beginning of the other.
      let escaped = names.sorted { ($1.count, $0) < ($0.count, $1) }.map { $0.replacing(".", with: #"\."#) }
      return "(?:\(escaped.joined(separator: "|")))"
    }
    let own = "(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+"
    // Those that say which versions are meant take no plus.
    let exact = licenceNames.filter { $0.hasSuffix("-only") || $0.hasSuffix("-or-later") }
    let open = licenceNames.filter { !exact.contains($0) }
    let exception = #"(?: +(?:WITH|with) +(?:\#(choice(exceptionNames))|AdditionRef-[A-Za-z0-9.-]+))?"#
    let licence = #"(?:\#(choice(exact))|\#(choice(open))\+?|\#(own))\#(exception)"#
    let term = #"(?:\( *)*\#(licence)(?: *\))*"#
    return "^\(term)(?: +(?:AND|OR|and|or) +\(term))* *$"
  }()

  /// The text of a licence or an exception; nil if lrelease does not have it.
  package static func text(of name: String) -> [UInt8]? {
    let endings = ["-only", "-or-later", "+"]
    let plain = endings.first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) } ?? name
    return plain == "spdx.txt" ? nil : files[plain]
  }
}
