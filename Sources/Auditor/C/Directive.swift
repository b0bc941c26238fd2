// SPDX-License-Identifier: GPL-2.0-only

/// A preprocessing directive of a C file, as the preprocessor sees it: without comments, its lines joined.
package struct Directive: Sendable, Equatable {
  package enum Kind: String, Sendable {
    case `if`, ifdef, ifndef, elif, elifdef, elifndef, `else`, endif, include, define, undef
  }

  package enum Token: Sendable, Equatable {
    case identifier(String)
    case number(String)
    /// A string or a character, with its quotes.
    case literal(String)
    /// What stands between `<` and `>` of an include.
    case header(String)
    case punctuator(String)
  }

  package var kind: Kind
  /// The lines of the file that it stands on, from 1; more than one where it is continued, or a comment in it is.
  package var lines: ClosedRange<Int>
  /// What follows the name of the directive.
  package var tokens: [Token]

  /// Whether it decides if what follows is compiled.
  package var isTest: Bool {
    switch kind {
    case .if, .ifdef, .ifndef, .elif, .elifdef, .elifndef: true
    case .else, .endif, .include, .define, .undef: false
    }
  }

  package var opensGroup: Bool { kind == .if || kind == .ifdef || kind == .ifndef }

  /// The names in it, in order, each once.
  package var identifiers: [String] {
    var names: [String] = []
    var known: Set<String> = []
    for case .identifier(let name) in tokens where known.insert(name).inserted { names.append(name) }
    return names
  }

  /// The file that an include names; nil for other directives, and for a macro.
  package var header: String? {
    guard kind == .include else { return nil }
    switch tokens.first {
    case .header(let name): return name
    case .literal(let text): return String(text.dropFirst().dropLast())
    default: return nil
    }
  }
}
