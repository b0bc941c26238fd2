// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// Extracts the changes of a patch: unified diffs of diff, quilt, svn, hg and git, with or without a mail around them.
///
/// Everything else is text, even a quoted diff after blanks or `>`, which GNU patch would apply. A change of an
/// unsupported kind is refused. So programs get all changes and nothing else. Source: git-diff(1), "Generating patch
/// text with -p"; the POSIX and GNU descriptions of diff.
struct PatchReader {
  typealias Line = ArraySlice<UInt8>

  private let bytes: [UInt8]
  private let file: String
  let name: String
  let strip: Int
  /// Without LF, but with a CR before it.
  var lines: [Line] = []
  var at = 0
  private var found: [PatchPart] = []
  private var done: [PatchStep] = []
  private var mail = PatchMail()
  /// The last `Index:` line of svn that no change has followed yet, and its file.
  private var index: (line: Int, file: String)?

  init(_ bytes: [UInt8], file: String, name: String, strip: Int) {
    self.bytes = bytes
    self.file = file
    self.name = name
    self.strip = strip
  }

  func refused(_ reason: String, line: Int? = nil, advice: String? = nil) -> ReleaseError {
    ReleaseError(
      .input, at: SourceLocation(file: file, line: (line ?? at) + 1, column: 1), doing: "reading the patch \(name)",
      reason: reason, advice: advice)
  }

  /// A line without a CR at its end; an empty one after the last.
  func line(_ number: Int) -> Line {
    guard number < lines.count else { return [] }
    return lines[number].last == 0x0d ? lines[number].dropLast() : lines[number]
  }

  func begins(_ number: Int, _ text: StaticString) -> Bool {
    guard number < lines.count else { return false }
    return text.withUTF8Buffer { lines[number].starts(with: $0) }
  }

  /// Whether unified headers start here, followed by a hunk.
  func beginsPlain(_ number: Int) -> Bool {
    begins(number, "--- ") && begins(number + 1, "+++ ") && begins(number + 2, "@@ -")
  }

  mutating func steps() throws -> [PatchStep] {
    let text = try PatchText.decoded(bytes, doing: "reading the patch \(name)")
    lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    while at < lines.count {
      if try readPart() { continue }
      if let encoding = mail.read(line(at)) {
        throw refused(
          "it is a mail in \(encoding), which changes its text",
          advice: "decode it: 'git am' and 'git format-patch', or 'b4 am', make a patch of it")
      }
      // The changes of the next mail come after those of this one.
      if mail.isAnother { finishStep() }
      try checkText()
      at += 1
    }
    try checkIndex()
    finishStep()
    guard !done.isEmpty else { throw changesNothing() }
    return done
  }

  /// Sorts the parts of a mail into steps.
  private mutating func finishStep() {
    var step = PatchStep(parts: [])
    // A second change of a file belongs to the next step. git's renames and copies refer to the tree before the step.
    var made = PathSet()
    for part in found {
      let isLater = part.change != .rename && part.change != .copy && part.paths.contains(where: made.contains)
      if let first = step.parts.first, first.isGit != part.isGit || isLater {
        done.append(step)
        step.parts = []
        made = []
      }
      step.parts.append(part)
      if let new = part.new { made.insert(new) }
    }
    if !step.parts.isEmpty { done.append(step) }
    found = []
  }

  /// Reads a part that begins here.
  private mutating func readPart() throws -> Bool {
    var part: PatchPart?
    if begins(at, "diff --git ") {
      part = try readGit()
    } else if beginsPlain(at) {
      part = try readPlain()
    }
    guard let part else { return false }
    index = nil
    found.append(part)
    return true
  }

  // MARK: unsupported changes

  /// Refuses a line that belongs to a change other than a unified diff.
  private mutating func checkText() throws {
    let line = line(at)
    let unified = "make it with 'diff -u' or git"
    if begins(at, "*** "), begins(at + 1, "--- "), begins(at + 2, "***************") {
      throw refused("it is a context diff", advice: unified)
    }
    if begins(at, "--- "), begins(at + 1, "+++ ") {
      throw refused("headers without a change behind them: it is cut short, or an ed script", advice: unified)
    }
    // A message may mention a hunk.
    if begins(at, "@@ -"), line.dropFirst(4).first?.isDigit == true, !(found.isEmpty && done.isEmpty) {
      throw refused("a hunk without headers")
    }
    if begins(at, "@@@ -") || begins(at, "diff --cc ") || begins(at, "diff --combined ") {
      throw refused("it is a combined diff of a merge", advice: "make it against one parent: 'git diff PARENT MERGE'")
    }
    if begins(at, "Binary files "), line.hasSuffix(" differ") {
      throw refused(
        "'\(line.shown)': it does not hold what changed", advice: "make it with 'git diff --binary'")
    }
    if begins(at, "Cannot display: file marked as a binary type.") || begins(at, "GIT binary patch") {
      throw refused("a binary change without what changed", advice: "make it with 'git diff --binary'")
    }
    for property in ["svn:executable", "svn:special"] {
      for word in ["Added", "Deleted", "Name"] where line.elementsEqual("\(word): \(property)".utf8) {
        throw refused("svn's property \(property) is not read", advice: "make it with 'git diff' or 'svn diff --git'")
      }
    }
    if begins(at, "Index: "), begins(at + 1, "===================") {
      try checkIndex()
      index = (at, line.dropFirst(7).shown)
    }
    if isCommand(at), at > 0, begins(at - 1, "diff ") || begins(at - 1, "Index: ") || begins(at - 1, "=======") {
      throw refused("it is \(kindOfCommand(at))", advice: unified)
    }
  }

  /// For an empty file, svn prints nothing more.
  private func checkIndex() throws {
    guard let index else { return }
    throw refused(
      "no change of \(index.file) follows: an empty file?", line: index.line,
      advice: "make it with 'git diff' or 'svn diff --git'")
  }

  /// A line of a normal diff, such as `3c3` or `5,7d4`, or of an ed script.
  private func isCommand(_ number: Int) -> Bool {
    let line = line(number)
    guard line.first?.isDigit == true else { return false }
    let halves = line.split(omittingEmptySubsequences: false) { "acd".utf8.contains($0) }
    return halves.count == 2 && halves.joined().allSatisfy { $0.isDigit || $0 == UInt8(ascii: ",") }
  }

  private func kindOfCommand(_ number: Int) -> String {
    begins(number + 1, "< ") || begins(number + 1, "> ") ? "a diff without format (a normal diff)" : "an ed script"
  }

  private func changesNothing() -> ReleaseError {
    if let command = lines.indices.first(where: isCommand) {
      return refused(
        "it is \(kindOfCommand(command))", line: command, advice: "make it with 'diff -u' or git")
    }
    let quoted = lines.indices.contains { number in
      let line = line(number)
      return line.first.map { $0 == 0x20 || $0 == 0x3e } == true
        && line.drop { $0 == 0x20 || $0 == 0x3e }.starts(with: "@@ -".utf8)
    }
    return refused(
      "it changes no file", line: 0,
      advice: quoted ? "the diff in it is indented or quoted: take the patch itself, not a reply to it" : nil)
  }
}

/// The state of reading the mails of a patch.
struct PatchMail {
  private var isInHeaders = true
  private var isFirst = true
  private var isMail = false
  private var isMultipart = false
  private(set) var isAnother = false

  /// Takes the next line of text.
  ///
  /// - Returns: an encoding that changes the text of the mail, if the line states one.
  mutating func read(_ line: ArraySlice<UInt8>) -> String? {
    isAnother = false
    defer { isFirst = false }
    if line.starts(with: "From ".utf8), line.suffix(4).allSatisfy(\.isDigit), line.contains(UInt8(ascii: ":")) {
      isAnother = !isFirst
      isInHeaders = true
      isMail = true
      isMultipart = false
      return nil
    }
    if line.isEmpty {
      isInHeaders = isFirst
      return nil
    }
    if isMultipart, line.starts(with: "--".utf8) {
      isInHeaders = true
      return nil
    }
    guard isInHeaders else { return nil }
    let text = String(decoding: line, as: UTF8.self).lowercased()
    if text.hasPrefix("content-type:"), text.contains("multipart/") { isMultipart = true }
    if text.hasPrefix("content-transfer-encoding:") {
      return ["base64", "quoted-printable"].first(where: text.contains)
    }
    // It may be on a line of its own, which begins with blanks.
    return text.contains("format=flowed") || text.contains("format=\"flowed\"") ? "format=flowed" : nil
  }
}

extension UInt8 {
  var isDigit: Bool { (0x30...0x39).contains(self) }
}

extension ArraySlice<UInt8> {
  var shown: String { String(decoding: self, as: UTF8.self) }

  func hasSuffix(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
