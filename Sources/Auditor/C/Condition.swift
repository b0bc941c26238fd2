// SPDX-License-Identifier: GPL-2.0-only

/// What is known about macros: true if defined, false if not, missing if unknown.
package typealias KnownMacros = [String: Bool]

/// The value of a test, as far as `known` decides it: 0 is false, nil is not known.
struct Condition {
  private let known: KnownMacros
  private var tokens: ArraySlice<Directive.Token>
  /// How many operators and parentheses are open. Each costs stack, and no test of macros has many.
  private var depth = 0
  private static let deepest = 200

  private init(known: KnownMacros, tokens: ArraySlice<Directive.Token>) {
    self.known = known
    self.tokens = tokens
  }

  static func value(of test: Directive, _ known: KnownMacros) -> Int? {
    switch test.kind {
    case .ifdef, .elifdef, .ifndef, .elifndef:
      guard case .identifier(let name)? = test.tokens.first, let isDefined = known[name] else { return nil }
      return isDefined == (test.kind == .ifdef || test.kind == .elifdef) ? 1 : 0
    case .if, .elif:
      var condition = Condition(known: known, tokens: test.tokens[...])
      let value = condition.binary(above: 0)
      // Something is left over, so the condition was not understood.
      return condition.tokens.isEmpty ? value : nil
    default: return nil
    }
  }

  /// C's operators that tests of macros use, with how tightly they bind. Others end what is understood.
  private static let precedence = [
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5,
  ]

  private mutating func binary(above limit: Int) -> Int? {
    var left = unary()
    while case .punctuator(let sign)? = tokens.first, let level = Condition.precedence[sign], level > limit {
      tokens.removeFirst()
      let right = binary(above: level)
      left = Condition.apply(sign, left, right)
    }
    return left
  }

  private static func apply(_ sign: String, _ left: Int?, _ right: Int?) -> Int? {
    switch sign {
    // One side may decide alone.
    case "&&": return left == 0 || right == 0 ? 0 : left != nil && right != nil ? 1 : nil
    case "||":
      if let left, left != 0 { return 1 }
      if let right, right != 0 { return 1 }
      return left == nil || right == nil ? nil : 0
    default: break
    }
    guard let left, let right else { return nil }
    switch sign {
    case "==": return left == right ? 1 : 0
    case "!=": return left != right ? 1 : 0
    case "<": return left < right ? 1 : 0
    case ">": return left > right ? 1 : 0
    case "<=": return left <= right ? 1 : 0
    case ">=": return left >= right ? 1 : 0
    case "+": return left.addingReportingOverflow(right).partialValue
    default: return left.subtractingReportingOverflow(right).partialValue
    }
  }

  private mutating func unary() -> Int? {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Condition.deepest, let token = tokens.popFirst() else { return nil }
    switch token {
    case .punctuator("!"): return unary().map { $0 == 0 ? 1 : 0 }
    case .punctuator("-"): return unary().map { 0.subtractingReportingOverflow($0).partialValue }
    case .punctuator("("):
      let value = binary(above: 0)
      return close() ? value : nil
    case .number(let text): return Condition.number(text)
    case .identifier("defined"): return defined()
    case .identifier("IS_ENABLED"):
      // True for a macro that is 1; what a probe defines is.
      guard tokens.popFirst() == .punctuator("("), case .identifier(let name)? = tokens.popFirst(), close() else {
        return nil
      }
      return known[name].map { $0 ? 1 : 0 }
    case .identifier(let name):
      // A macro that is called is not understood.
      guard tokens.first != .punctuator("(") else {
        passParentheses()
        return nil
      }
      return known[name].map { $0 ? 1 : 0 }
    case .literal, .header, .punctuator: return nil
    }
  }

  private mutating func defined() -> Int? {
    let isCall = tokens.first == .punctuator("(")
    if isCall { tokens.removeFirst() }
    guard case .identifier(let name)? = tokens.popFirst(), !isCall || close() else { return nil }
    return known[name].map { $0 ? 1 : 0 }
  }

  private mutating func close() -> Bool { tokens.popFirst() == .punctuator(")") }

  private mutating func passParentheses() {
    var depth = 0
    while let token = tokens.popFirst() {
      if token == .punctuator("(") { depth += 1 }
      if token == .punctuator(")") { depth -= 1 }
      if depth == 0 { return }
    }
  }

  private static func number(_ text: String) -> Int? {
    let digits = text.lowercased().prefix { $0.isHexDigit || $0 == "x" }
    if digits.hasPrefix("0x") { return Int(digits.dropFirst(2), radix: 16) }
    return digits.count > 1 && digits.hasPrefix("0") ? Int(digits, radix: 8) : Int(digits)
  }
}

private enum Truth: Int, Comparable {
  case no, perhaps, yes

  init(_ value: Int?) { self = value.map { $0 == 0 ? .no : .yes } ?? .perhaps }

  static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension SourceText {
  /// How many lines are compiled on no kernel for which `known` holds.
  package func deadLines(_ known: KnownMacros) -> Int {
    struct Group {
      var isDeadOutside: Bool
      /// Whether one of its branches so far is taken.
      var isTaken: Truth
      var isDead: Bool
    }
    var dead = 0
    var groups: [Group] = []
    var line = 0
    for directive in directives {
      let wasDead = groups.last?.isDead ?? false
      if wasDead { dead += directive.lines.lowerBound - line - 1 }
      line = directive.lines.upperBound
      let truth = directive.kind == .else ? .yes : Truth(Condition.value(of: directive, known))
      if directive.opensGroup {
        if wasDead { dead += directive.lines.count }
        groups.append(Group(isDeadOutside: wasDead, isTaken: truth, isDead: wasDead || truth == .no))
      } else if directive.isTest || directive.kind == .else, var group = groups.popLast() {
        if group.isDeadOutside { dead += directive.lines.count }
        group.isDead = group.isDeadOutside || group.isTaken == .yes || truth == .no
        group.isTaken = max(group.isTaken, truth)
        groups.append(group)
      } else if directive.kind == .endif, let group = groups.popLast() {
        if group.isDeadOutside { dead += directive.lines.count }
      } else if wasDead {
        dead += directive.lines.count
      }
    }
    return dead
  }

  /// The tests on which it depends whether a line is compiled, the outermost first: those of its own branch and of the
  /// branches before it.
  package func tests(around line: Int) -> [Directive] {
    var groups: [[Directive]] = []
    for directive in directives {
      guard directive.lines.lowerBound < line else { break }
      if directive.opensGroup {
        groups.append([directive])
      } else if directive.kind == .endif {
        _ = groups.popLast()
      } else if directive.isTest, !groups.isEmpty {
        groups[groups.count - 1].append(directive)
      }
    }
    return groups.flatMap { $0 }
  }
}
