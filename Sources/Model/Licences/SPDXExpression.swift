// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics

/// A licence expression of SPDX: `GPL-2.0-only OR (MIT AND BSD-3-Clause)`. Source: SPDX 2.3, annex D; SPDX 3.0, annex B.
///
/// It is kept in one form, whatever it was written like: names as the list spells them, alternatives and parts sorted and
/// each of them once.
package indirect enum SPDXExpression: Sendable, Hashable {
  /// A licence of the list, `LicenseRef-…`, or one of both with `+`; and an exception of it.
  case licence(String, exception: String?)
  /// All of them hold at once.
  case all([SPDXExpression])
  /// One of them may be chosen.
  case any([SPDXExpression])
  /// What a plan of an older lrelease says, which read no expressions.
  case unread(String)

  /// Why a text is no expression.
  package struct Fault: Error, Equatable {
    package var reason: String
    package var advice: String?
  }

  /// - Parameter leniently: takes deprecated names for what stands for them now, as the tags of files have them.
  package init(_ text: String, leniently: Bool = false) throws(Fault) {
    var parser = SPDXParser(text, leniently: leniently)
    self = try parser.expression()
  }

  /// What a manifest says, whether it was checked or not.
  package static func stated(_ text: String) -> SPDXExpression {
    (try? SPDXExpression(text, leniently: true)) ?? .unread(text)
  }

  /// What holds for a work of which each part has an expression of its own.
  package static func all(of parts: some Sequence<SPDXExpression>) -> SPDXExpression {
    let flat = parts.flatMap { part in if case .all(let inner) = part { inner } else { [part] } }
    return joined(flat, SPDXExpression.all)
  }

  static func any(of parts: some Sequence<SPDXExpression>) -> SPDXExpression {
    let flat = parts.flatMap { part in if case .any(let inner) = part { inner } else { [part] } }
    return joined(flat, SPDXExpression.any)
  }

  private static func joined(
    _ parts: [SPDXExpression], _ join: ([SPDXExpression]) -> SPDXExpression
  ) -> SPDXExpression {
    let sorted = Set(parts).sorted { $0.text < $1.text }
    return sorted.count == 1 ? sorted[0] : join(sorted)
  }

  /// As SPDX and RPM write it.
  package var text: String {
    switch self {
    case .licence(let name, let exception): name + (exception.map { " WITH \($0)" } ?? "")
    case .all(let parts): parts.map(\.operand).joined(separator: " AND ")
    case .any(let parts): parts.map(\.operand).joined(separator: " OR ")
    case .unread(let text): text
    }
  }

  private var operand: String {
    switch self {
    case .all, .any: "(\(text))"
    case .unread(let text) where text.contains(" "): "(\(text))"
    case .licence, .unread: text
    }
  }

  /// As `debian/copyright` writes it, which has a comma instead of parentheses. Source: DEP 5, "License short name".
  package var debianText: String {
    switch self {
    case .licence(let name, let exception): name + (exception.map { " with \($0) exception" } ?? "")
    case .all(let parts):
      parts.map(\.debianText).joined(separator: parts.contains { $0.isChoice } ? ", and " : " and ")
    case .any(let parts): parts.map(\.debianText).joined(separator: " or ")
    case .unread(let text): text
    }
  }

  private var isChoice: Bool { if case .any = self { true } else { false } }

  /// The licences that it names, each with its exception, in the order of their names.
  package var licences: [SPDXExpression] {
    switch self {
    case .licence: [self]
    case .all(let parts), .any(let parts):
      Set(parts.flatMap(\.licences)).sorted { $0.text < $1.text }
    case .unread: []
    }
  }

  /// The names of licences and of exceptions, each of which has a text.
  package var names: [String] {
    Set(
      licences.flatMap { licence -> [String] in
        if case .licence(let name, let exception) = licence { [name] + (exception.map { [$0] } ?? []) } else { [] }
      }
    ).sorted()
  }

  /// Whether a choice between alternatives leaves one for which `accepts` holds of each licence.
  package func isPossible(_ accepts: (_ name: String, _ exception: String?) -> Bool) -> Bool {
    switch self {
    case .licence(let name, let exception): accepts(name, exception)
    case .all(let parts): parts.allSatisfy { $0.isPossible(accepts) }
    case .any(let parts): parts.contains { $0.isPossible(accepts) }
    case .unread: true
    }
  }
}

/// Reads an expression: `OR` binds least, then `AND`, then `WITH`.
private struct SPDXParser {
  private let tokens: [String]
  private var next = 0
  private let leniently: Bool

  init(_ text: String, leniently: Bool) {
    self.leniently = leniently
    var tokens: [String] = []
    var word = ""
    func end(_ word: inout String) {
      if !word.isEmpty { tokens.append(word) }
      word = ""
    }
    for scalar in text.unicodeScalars {
      switch scalar {
      case " ", "\t", "\n", "\r": end(&word)
      case "(", ")":
        end(&word)
        tokens.append(String(scalar))
      default: word.unicodeScalars.append(scalar)
      }
    }
    end(&word)
    self.tokens = tokens
  }

  private typealias Fault = SPDXExpression.Fault

  mutating func expression() throws(SPDXExpression.Fault) -> SPDXExpression {
    let whole = try choice(depth: 0)
    guard next == tokens.count else {
      throw Fault(
        reason: tokens[next] == ")" ? "')' closes nothing" : "'\(tokens[next])' follows without AND, OR or WITH")
    }
    return whole
  }

  private func isOperator(_ token: String) -> Bool { ["and", "or", "with"].contains(token.lowercased()) }

  /// SPDX 3.0 has operators in capitals or in small letters, never mixed.
  private mutating func take(_ word: String) -> Bool {
    guard next < tokens.count, tokens[next] == word || tokens[next] == word.lowercased() else { return false }
    next += 1
    return true
  }

  private mutating func choice(depth: Int) throws(SPDXExpression.Fault) -> SPDXExpression {
    var parts = [try both(depth: depth)]
    while take("OR") { parts.append(try both(depth: depth)) }
    return .any(of: parts)
  }

  private mutating func both(depth: Int) throws(SPDXExpression.Fault) -> SPDXExpression {
    var parts = [try simple(depth: depth)]
    while take("AND") { parts.append(try simple(depth: depth)) }
    return .all(of: parts)
  }

  private mutating func simple(depth: Int) throws(SPDXExpression.Fault) -> SPDXExpression {
    guard next < tokens.count else {
      throw Fault(
        reason: tokens.isEmpty ? "it names no licence" : "a licence is missing after '\(tokens[tokens.count - 1])'")
    }
    let token = tokens[next]
    next += 1
    if token == "(" {
      guard depth < 32 else { throw Fault(reason: "more than 32 parentheses are open") }
      let inner = try choice(depth: depth + 1)
      guard next < tokens.count, tokens[next] == ")" else { throw Fault(reason: "'(' is not closed") }
      next += 1
      if next < tokens.count, tokens[next].lowercased() == "with" {
        throw Fault(reason: "WITH follows ')'; an exception belongs to one licence")
      }
      return inner
    }
    guard token != ")", !isOperator(token) else {
      throw Fault(
        reason: next == 1
          ? "a licence is missing before '\(token)'"
          : "a licence is missing between "
            + "'\(tokens[next - 2])' and '\(token)'")
    }
    let licence = try licence(token)
    guard take("WITH") else { return licence }
    return try with(licence)
  }

  private mutating func with(_ licence: SPDXExpression) throws(SPDXExpression.Fault) -> SPDXExpression {
    guard next < tokens.count else { throw Fault(reason: "an exception is missing after 'WITH'") }
    let token = tokens[next]
    next += 1
    guard case .licence(let name, nil) = licence else {
      throw Fault(reason: "'\(licence.text)' has an exception already")
    }
    if let exception = LicenceData.exception(token) { return .licence(name, exception: exception) }
    if isReference(token, "AdditionRef-") { return .licence(name, exception: token) }
    if LicenceData.licence(token) != nil { throw Fault(reason: "'\(token)' after WITH is a licence, not an exception") }
    throw Fault(
      reason: "SPDX has no exception '\(token)'",
      advice: nearest(token, in: LicenceData.exceptionNames))
  }

  private func licence(_ token: String) throws(SPDXExpression.Fault) -> SPDXExpression {
    let isLater = token.hasSuffix("+")
    // Some deprecated names have the plus in them.
    let whole = LicenceData.licence(token)
    let name = isLater && whole == nil ? String(token.dropLast()) : token
    switch whole ?? LicenceData.licence(name) {
    case .licence(let listed):
      guard isLater, listed.hasSuffix("-only") || listed.hasSuffix("-or-later") else {
        return .licence(isLater ? "\(listed)+" : listed, exception: nil)
      }
      let later = listed.replacing("-only", with: "-or-later")
      if leniently { return .licence(later, exception: nil) }
      throw Fault(reason: "'\(token)' says twice which versions are meant", advice: "write \(later)")
    case .deprecated(let listed, let instead):
      if leniently {
        guard let instead, let now = try? SPDXExpression(instead) else { return .licence(listed, exception: nil) }
        return now
      }
      guard let instead else { throw Fault(reason: "SPDX has deprecated '\(listed)', without another name for it") }
      throw Fault(reason: "SPDX has deprecated '\(listed)'", advice: "write \(instead)")
    case .exception, nil: break
    }
    let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 1, isReference(name, "LicenseRef-") { return .licence(token, exception: nil) }
    if parts.count == 2, isReference(parts[0], "DocumentRef-"), isReference(parts[1], "LicenseRef-") {
      return .licence(token, exception: nil)
    }
    if LicenceData.exception(name) != nil {
      throw Fault(reason: "'\(name)' is an exception, not a licence", advice: "write LICENCE WITH \(name)")
    }
    throw Fault(
      reason: "SPDX has no licence '\(name)'",
      advice: nearest(name, in: LicenceData.licenceNames) ?? "a licence of its own is called LicenseRef-NAME")
  }

  private func isReference(_ token: String, _ prefix: String) -> Bool {
    token.hasPrefix(prefix) && token.utf8.count > prefix.utf8.count
      && token.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e: true
        default: false
        }
      }
  }

  private func nearest(_ token: String, in names: [String]) -> String? {
    // 'GPLv2' is far from 'GPL-2.0-only' by letters, and what most people write.
    let usual = [
      "gpl": "GPL-2.0-only", "gplv2": "GPL-2.0-only", "gpl-2": "GPL-2.0-only", "gpl2": "GPL-2.0-only",
      "gplv2+": "GPL-2.0-or-later", "gpl-2+": "GPL-2.0-or-later", "gplv3": "GPL-3.0-only", "gpl-3": "GPL-3.0-only",
      "gplv3+": "GPL-3.0-or-later", "lgpl": "LGPL-2.1-or-later", "lgplv2.1": "LGPL-2.1-only",
      "lgplv2": "LGPL-2.0-only", "lgplv2+": "LGPL-2.0-or-later", "bsd": "BSD-3-Clause", "apache": "Apache-2.0",
      "apache2": "Apache-2.0", "apache-2": "Apache-2.0", "apachev2": "Apache-2.0", "expat": "MIT", "mit/x11": "MIT",
    ]
    let found = usual[token.lowercased()] ?? token.nearest(in: names)
    return found.map { "did you mean '\($0)'?" }
  }
}
