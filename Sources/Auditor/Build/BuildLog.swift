// SPDX-License-Identifier: GPL-2.0-only

import SystemPackage

/// Why a file does not compile, by the first error in it.
package enum Cause: String, Sendable, Codable, CaseIterable {
  /// It gets a header of the compatibility layer.
  case compat = "header of the compatibility layer"
  case header = "missing header"
  /// The line is only compiled without the answer of a probe: it is there for other kernels.
  case probe = "answer of a probe missing"
  case function = "unknown function"
  case name = "unknown name"
  case type = "unknown type"
  case member = "unknown member"
  case arguments = "wrong arguments"
  case redefinition = "defined twice"
  /// The code itself refuses to be compiled this way.
  case directive = "#error or #warning"
  /// make has no rule for it.
  case rule = "no rule to make it"
  case other = "other"

  /// The meaning of a message of gcc or clang, and the name in it.
  static func of(_ message: String) -> (cause: Cause, subject: String?) {
    let text = message.replacing("\u{2018}", with: "'").replacing("\u{2019}", with: "'")
    let quoted = text.split(separator: "'", omittingEmptySubsequences: false).dropFirst().first.map(String.init)
    func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
    if text.hasSuffix(": No such file or directory") { return (.header, String(text.prefix { $0 != ":" })) }
    if says("file not found") { return (.header, quoted) }
    // clang prints the text alone, and marks a warning.
    if text.hasPrefix("#error") || text.hasPrefix("#warning") || text.hasSuffix("-W#warnings]") {
      return (.directive, nil)
    }
    if says("is not defined, evaluates to 0") {
      return (.name, text.split { "'\"".contains($0) }.first.map(String.init))
    }
    if says("implicit declaration of function", "call to undeclared function", "undeclared library function") {
      return (.function, quoted)
    }
    if says("has no member named", "no member named", "does not refer to any field") {
      return (.member, quoted.flatMap { memberName(text) ?? $0 })
    }
    if says("undeclared") { return (.name, quoted) }
    if says(
      "unknown type name", "incomplete type", "storage size of", "undefined type", "incomplete definition",
      "tentative definition has type", "invalid application of 'sizeof'")
    {
      return (.type, quoted)
    }
    if says(
      "too few arguments", "too many arguments", "passing argument", "incompatible pointer", "incompatible type",
      "incompatible function pointer", "conflicting types", "incompatible integer to pointer")
    {
      return (says("conflicting types") ? .redefinition : .arguments, quoted)
    }
    if says("redefinition", "redeclar") { return (.redefinition, quoted) }
    return (.other, nil)
  }

  /// gcc names the structure first, clang the member.
  private static func memberName(_ text: String) -> String? {
    guard let range = text.firstRange(of: "member named '") else { return nil }
    return String(text[range.upperBound...].prefix { $0 != "'" })
  }
}

/// What `make -k -Otarget` printed, by the object that it is about.
struct BuildLog {
  struct Message: Equatable {
    /// `file:line`, as the compiler names it; the file alone, and nil where there is none.
    var file: String?
    var line: Int?
    var text: String

    /// `file:line: `, as far as it is known.
    var place: String {
      [file, line.map(String.init)].compactMap { $0 }.map { "\($0):" }.joined() + (file == nil ? "" : " ")
    }
  }

  /// Object → its errors, in order; never none.
  private(set) var failures: [String: [Message]] = [:]
  /// What make has no rule for, besides objects.
  private(set) var missing: Set<String> = []
  /// Symbols that modpost did not find.
  private(set) var undefined: Set<String> = []
  /// The first line that says that something else failed.
  private(set) var complaint: String?

  /// - Parameter folder: is cut off where names begin with it.
  init(_ output: String, below folder: String) {
    var pending: [Message] = []
    for line in output.split(separator: "\n") {
      if line.hasPrefix("  CC ") || line.hasPrefix("  CC\t") {
        pending = []
      } else if let message = BuildLog.message(line, folder) {
        pending.append(message)
      } else if let object = BuildLog.failedObject(line, folder) {
        // It may have failed without a message, which is rare.
        if failures[object] == nil { failures[object] = pending.isEmpty ? [Message(text: "it failed")] : pending }
        pending = []
      } else if let (object, target) = BuildLog.withoutRule(line, folder) {
        if object.hasSuffix(".o") {
          failures[object] = [Message(text: "No rule to make target '\(target)'")]
        } else {
          missing.insert(object)
        }
      } else if let symbol = BuildLog.undefinedSymbol(line) {
        undefined.insert(symbol)
      } else if complaint == nil, line.contains("*** ") || line.contains("rror: ") {
        // Of a part of the kernel itself, the compiler has told more than make.
        complaint = pending.first.map { "\($0.place)\($0.text)" } ?? String(line)
      }
    }
  }

  private static func relative(_ path: some StringProtocol, _ folder: String) -> String {
    // Make files name objects of other folders as ../x.o.
    let path = FilePath(String(path)).lexicallyNormalized().string
    return path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path
  }

  /// `FILE:LINE:COLUMN: error: TEXT`, also without a column, and `fatal error`.
  private static func message(_ line: Substring, _ folder: String) -> Message? {
    for mark in [": error: ", ": fatal error: "] {
      guard let range = line.firstRange(of: mark) else { continue }
      let place = line[..<range.lowerBound].split(separator: ":", omittingEmptySubsequences: false)
      guard place.count >= 2, !place[0].isEmpty, let number = Int(place[1]) else { continue }
      return Message(file: relative(place[0], folder), line: number, text: String(line[range.upperBound...]))
    }
    return nil
  }

  /// `make[4]: *** [scripts/Makefile.build:229: fs/sample/inode.o] Error 1`
  private static func failedObject(_ line: Substring, _ folder: String) -> String? {
    guard line.hasPrefix("make"), let open = line.firstRange(of: "*** ["),
      let close = line[open.upperBound...].firstRange(of: ".o] Error")
    else { return nil }
    let inner = line[open.upperBound..<close.lowerBound]
    return relative(inner[(inner.lastIndex(of: " ").map(inner.index(after:)) ?? inner.startIndex)...], folder) + ".o"
  }

  /// `make[4]: *** No rule to make target 'fs/a.o', needed by 'fs/b.o'.  Stop.`
  private static func withoutRule(_ line: Substring, _ folder: String) -> (object: String, target: String)? {
    guard line.hasPrefix("make"), line.contains("*** No rule to make target") else { return nil }
    let names = line.replacing("\u{2018}", with: "'").replacing("\u{2019}", with: "'").replacing("`", with: "'")
      .split(separator: "'", omittingEmptySubsequences: false)
    guard names.count > 1 else { return nil }
    let target = relative(names[1], folder)
    // An object of its own, else what would have been made of it.
    let object = target.hasSuffix(".o") || names.count < 4 ? target : relative(names[3], folder)
    return (object, target)
  }

  /// `ERROR: modpost: "name" [fs/sample/samplefs.ko] undefined!`
  private static func undefinedSymbol(_ line: Substring) -> String? {
    guard line.hasPrefix("ERROR: modpost: \""), line.hasSuffix("] undefined!") else { return nil }
    return line.split(separator: "\"").dropFirst().first.map(String.init)
  }
}
