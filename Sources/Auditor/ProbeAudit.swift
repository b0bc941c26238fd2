// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// What configure, or a probe script, found out about one kernel: a `config.h`.
package struct ProbeResults: Sendable {
  /// The kernel, as the user calls it.
  package var kernel: String
  package var values: KnownMacros

  /// Reads what `KERNEL=FILE` names, for each.
  package static func read(_ arguments: [String], for tree: AuditedTree) throws -> [ProbeResults] {
    guard !arguments.isEmpty else { return [] }
    let doing = "reading --probes"
    guard let probes = tree.audit.probes else {
      throw ReleaseError(
        .input, at: tree.audit.location, doing: doing, reason: "[audit] does not mention probes",
        remedy: AuditorRemedy.leaveOutProbes)
    }
    guard arguments.count > 1 else {
      throw ReleaseError(
        .input, doing: doing, reason: "on one kernel every probe has one answer",
        advice: "give it for the oldest and the newest supported kernel at least")
    }
    return try arguments.map { text in
      let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard halves.count == 2 else { throw ReleaseError(.input, doing: doing, reason: "'\(text)' is not KERNEL=FILE") }
      return try ProbeResults(kernel: halves[0], file: FilePath(halves[1]), probes)
    }
  }

  /// Reads `#define NAME`, `/* #undef NAME */` and `/* NAME is not set */`.
  ///
  /// - Throws: `ReleaseError` for a file that says nothing of the probes.
  package init(kernel: String, file: FilePath, _ probes: Manifest.Audit.Probes) throws {
    let doing = "reading the probes of \(kernel)"
    let bytes = try Files.read(file, limit: 64 << 20, doing: "\(doing) (\(file))")
    self.init(kernel: kernel, bytes, probes)
    guard values.isEmpty else { return }
    let text = String(decoding: bytes.prefix(1 << 16), as: UTF8.self)
    let isCache = text.contains("_cv_")
    throw ReleaseError(
      .input, doing: doing,
      reason: isCache
        ? "\(file) is a cache of configure, whose names are not those of the code"
        : "no line of \(file) defines or undefines a name that begins with \(probes.prefix)",
      advice: "give the config.h that was made for that kernel")
  }

  init(kernel: String, _ bytes: [UInt8], _ probes: Manifest.Audit.Probes) {
    self.kernel = kernel
    var values: KnownMacros = [:]
    var renamed: KnownMacros = [:]
    for line in bytes.lines {
      guard let (name, isSet) = ProbeResults.result(String(decoding: line, as: UTF8.self)) else { continue }
      if name.hasPrefix(probes.prefix) { values[name] = isSet }
      if let (from, to) = probes.aliases.first(where: { name.hasPrefix($0.key) }) {
        renamed[to + name.dropFirst(from.count)] = isSet
      }
    }
    self.values = values.merging(renamed) { $1 }
  }

  private static func result(_ line: String) -> (name: String, isSet: Bool)? {
    let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
    if words.count >= 2, words[0] == "#define" { return (words[1], true) }
    if words.count >= 2, words[0] == "#undef" { return (words[1], false) }
    if words.count == 4, words[0] == "/*", words[1] == "#undef" { return (words[2], false) }
    if words.count == 6, words[0] == "/*", words[2...4] == ["is", "not", "set"] { return (words[1], false) }
    return nil
  }
}

/// Probes with the same answer everywhere, and unused probes.
package struct ProbeAudit: Sendable, Codable, Equatable {
  /// A probe that has one answer on every kernel.
  package struct Constant: Sendable, Codable, Equatable {
    package var name: String
    package var isTrue: Bool
    /// Tests that name it, by the part of the tree.
    package var tests: [String: Int]
    /// Lines that no kernel compiles, because of it alone.
    package var deadLines: Int
  }

  /// The kernels whose results were given.
  package var kernels: [String] = []
  /// How many probes have a result for each of them.
  package var known = 0
  package var constant: [Constant] = []
  /// Lines of the upstream part and the compatibility layer that no kernel compiles, because of all of these together.
  package var deadLines = 0
  /// Defined, and named nowhere.
  package var unused: [String] = []
  /// Tested in the upstream part or the compatibility layer, and defined nowhere.
  package var undefined: [String] = []

  package init(_ tree: AuditedTree, _ source: SourceAudit, _ results: [ProbeResults]) {
    guard let probes = tree.audit.probes else { return }
    kernels = results.map(\.kernel)
    let uses = Uses(tree, source, probes)
    if !results.isEmpty { judge(results, uses, source) }

    let definitions = probes.definitions(in: tree, source)
    unused = definitions.subtracting(uses.everywhere).sorted()
    // What a result names is defined, if by a macro of autoconf that does not spell it.
    let given = results.flatMap(\.values.keys)
    undefined = definitions.isEmpty ? [] : uses.tested.subtracting(definitions).subtracting(given).sorted()
  }

  private mutating func judge(_ results: [ProbeResults], _ uses: Uses, _ source: SourceAudit) {
    var answers: [String: [Bool]] = [:]
    for result in results {
      for (name, isSet) in result.values { answers[name, default: []].append(isSet) }
    }
    answers = answers.filter { $0.value.count == results.count }
    known = answers.count
    var constants: KnownMacros = [:]
    for (name, values) in answers where Set(values).count == 1 { constants[name] = values[0] }
    constant = constants.sorted { $0.key < $1.key }.map { name, isTrue in
      let paths = uses.places[name] ?? []
      let dead = paths.reduce(0) { $0 + (source.texts[$1]?.deadLines([name: isTrue]) ?? 0) }
      return Constant(name: name, isTrue: isTrue, tests: uses.tests[name] ?? [:], deadLines: dead)
    }
    deadLines = Set(constants.keys.flatMap { uses.places[$0] ?? [] }).reduce(0) {
      $0 + (source.texts[$1]?.deadLines(constants) ?? 0)
    }
  }
}

/// Where probes are named.
private struct Uses {
  /// Probe → part of the tree → tests that name it.
  var tests: [String: [String: Int]] = [:]
  /// Probe → files of the upstream part and the compatibility layer that test it.
  var places: [String: Set<String>] = [:]
  /// Named in code, in a make file, or in the definition of another probe.
  var everywhere: Set<String> = []

  /// Those that the upstream part or the compatibility layer tests.
  var tested: Set<String> { Set(places.keys) }

  init(_ tree: AuditedTree, _ source: SourceAudit, _ probes: Manifest.Audit.Probes) {
    for (path, text) in source.texts {
      everywhere.formUnion(text.mentions.keys)
      let part = tree.part(of: path)
      for directive in text.directives {
        if directive.kind == .define {
          // The name itself is no use of it, what stands behind it is.
          everywhere.formUnion(directive.identifiers.dropFirst().filter { $0.hasPrefix(probes.prefix) })
        }
        guard directive.isTest else { continue }
        for name in directive.identifiers where name.hasPrefix(probes.prefix) {
          everywhere.insert(name)
          tests[name, default: [:]][part.rawValue, default: 0] += 1
          if part != .other { places[name, default: []].insert(path) }
        }
      }
    }
    for path in tree.paths {
      let name = path.split(separator: "/").last ?? ""
      if name.hasPrefix("Makefile") || name.hasPrefix("Kbuild") || name.hasSuffix(".am"), let bytes = tree[path] {
        everywhere.formUnion(AutoconfText(bytes, probes.prefix).names)
      } else if probes.isAutoconf(path), let bytes = tree[path] {
        everywhere.formUnion(AutoconfText(bytes, probes.prefix).uses)
      }
    }
  }
}

extension Manifest.Audit.Probes {
  /// Input of autoconf, by the end of its name.
  fileprivate func isAutoconf(_ path: String) -> Bool {
    (path.hasSuffix(".m4") || path.hasSuffix(".ac")) && defined.contains { $0.matches(path) }
  }

  /// The probes that the tree defines.
  fileprivate func definitions(in tree: AuditedTree, _ source: SourceAudit) -> Set<String> {
    var names: Set<String> = []
    for path in tree.paths {
      if files.contains(where: { $0.matches(path) }) {
        let stem = (path.split(separator: "/").last ?? "").prefix { $0 != "." }
        names.insert(prefix + stem.uppercased())
      } else if isAutoconf(path), let bytes = tree[path] {
        names.formUnion(AutoconfText(bytes, prefix).definitions)
      } else if defined.contains(where: { $0.matches(path) }), let bytes = tree[path] {
        let text = source.texts[path] ?? SourceText(bytes)
        for directive in text.directives where directive.kind == .define || directive.kind == .undef {
          if case .identifier(let name)? = directive.tokens.first, name.hasPrefix(prefix) { names.insert(name) }
        }
      }
    }
    return names
  }
}

/// Names with a prefix in the input of autoconf, or in a make file.
struct AutoconfText {
  /// Those that are defined: `AC_DEFINE(NAME`, or `[NAME]`, an argument of a macro that defines it.
  private(set) var definitions: Set<String> = []
  /// Those that are named otherwise, such as in the program of another probe.
  private(set) var uses: Set<String> = []

  var names: Set<String> { definitions.union(uses) }

  private static let macros = ["AC_DEFINE", "AC_DEFINE_UNQUOTED", "AH_TEMPLATE"]

  init(_ bytes: [UInt8], _ prefix: String) {
    for line in bytes.lines where line.contains(prefix.utf8) {
      let words = AutoconfText.words(line)
      // A comment, unless it is a directive of a program that is compiled.
      if words.first == "dnl" { continue }
      if words.first == "#", words.count > 1, Directive.Kind(rawValue: words[1]) == nil { continue }
      for (index, word) in words.enumerated() where word.hasPrefix(prefix) {
        let before = words[..<index].filter { $0 != "[" }.suffix(2)
        let isArgument = before.last == "(" && before.first.map { AutoconfText.macros.contains($0) } ?? false
        let isAlone =
          index > 0 && words[index - 1] == "[" && index + 1 < words.count && words[index + 1] == "]"
          && before.first != "AM_CONDITIONAL"
        if isArgument || isAlone { definitions.insert(word) } else { uses.insert(word) }
      }
    }
  }

  /// Words, and single characters between them; no blanks.
  private static func words(_ line: ArraySlice<UInt8>) -> [String] {
    var words: [String] = []
    var rest = String(decoding: line, as: UTF8.self)[...]
    while let first = rest.first {
      if first.isWhitespace {
        rest.removeFirst()
        continue
      }
      let word = rest.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
      words.append(String(word.isEmpty ? rest.prefix(1) : word))
      rest.removeFirst(max(1, word.count))
    }
    return words
  }
}
