// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files

/// The two forms of a unified diff.
extension PatchReader {
  /// Reads `---`, `+++` and their hunks.
  mutating func readPlain() throws -> PatchPart {
    var part = PatchPart(isGit: false, line: at + 1)
    let names = try (0...1).map { try headerName(at + $0, isGit: false) }
    // If one of them has fewer folders, as in --- a.c.orig and +++ b/a.c, take the other.
    let deep = names.map { ($0?.split(separator: 0x2f, omittingEmptySubsequences: false).count ?? 0) > strip }
    let paths = try (0...1).map { which -> String? in
      guard let name = names[which], deep[which] || !deep[1 - which] else { return nil }
      return try path(name, without: strip, at + which)
    }
    part.hasOneName = names[0] != nil && names[0] == names[1]
    guard names.contains(where: { $0 != nil }) else { throw refused("both names are /dev/null") }
    (part.old, part.new) = (paths[0] ?? paths[1], paths[1] ?? paths[0])
    if names[0] == nil { (part.change, part.old) = (.make, nil) }
    if names[1] == nil { (part.change, part.new) = (.remove, nil) }
    let isCRLF = lines[at].last == 0x0d || lines[at + 1].last == 0x0d
    for which in 0...1 {
      var header = line(at + which)
      // For GNU patch, a name ends at the first blank unless a tab follows.
      if let name = names[which], !header.contains(0x09), header.dropFirst(4).first != UInt8(ascii: "\"") {
        header = header.prefix(4) + name + (name.contains(0x20) ? [0x09] : header.dropFirst(4 + name.count))
      }
      part.text += header + [0x0a]
    }
    at += 2
    try readHunks(&part, isCRLF: isCRLF)
    return part
  }

  /// Reads a part that begins with `diff --git`; nil if no change follows, as in a message.
  mutating func readGit() throws -> PatchPart? {
    let start = at
    var part = PatchPart(isGit: true, line: at + 1)
    part.text += line(at) + [0x0a]
    let isCRLF = lines[at].last == 0x0d
    at += 1
    while try readExtended(&part) {}
    let isBare = at == start + 1
    if begins(at, "GIT binary patch") {
      part.isBinary = true
      readBinary(&part)
    } else if begins(at, "Binary files "), line(at).hasSuffix(" differ") {
      throw refused("'\(line(at).shown)': it does not hold what changed", advice: "make it with 'git diff --binary'")
    } else if beginsPlain(at), try readGitNames(&part, isBare: isBare, start) {
      try readHunks(&part, isCRLF: isCRLF || lines[start + 1].last == 0x0d)
    } else if isBare {
      at = start
      return nil
    }
    try name(&part, start)
    return part
  }

  /// Reads `---` and `+++` of git, which must agree with the lines before them.
  ///
  /// - Returns: false if they belong to a diff of other files that git did not write.
  private mutating func readGitNames(_ part: inout PatchPart, isBare: Bool, _ start: Int) throws -> Bool {
    let names = try (0...1).map { which in
      try headerName(at + which, isGit: true).map { try path($0, without: strip, at + which) }
    }
    if !isBare {
      try name(&part, start)
      if Set(names.compactMap { $0 }).isDisjoint(with: part.paths) { return false }
    }
    // Hand-written patches omit these lines.
    if names[0] == nil, part.change == .modify {
      part.change = .make
      part.text += "new file mode 100644\n".utf8
    }
    if names[1] == nil, part.change == .modify {
      part.change = .remove
      part.text += "deleted file mode 100644\n".utf8
    }
    let isAsSaid =
      switch part.change {
      case .make: names[0] == nil && names[1] != nil
      case .remove: names[0] != nil && names[1] == nil
      case .modify: names[0] != nil && names[0] == names[1]
      case .rename, .copy: names[0] == part.old && names[1] == part.new
      }
    guard isAsSaid else { throw refused("its names are not those that the lines before it say") }
    (part.old, part.new) = (names[0], names[1])
    part.text += line(at) + [0x0a] + line(at + 1) + [0x0a]
    at += 2
    return true
  }

  /// Sets the names of a part without `---` and `+++`, and refuses what a release cannot hold.
  private func name(_ part: inout PatchPart, _ start: Int) throws {
    if part.old == nil, part.new == nil {
      guard let path = try defaultPath(start) else {
        throw refused("the file that it changes has no name", line: start)
      }
      part.old = part.change == .make ? nil : path
      part.new = part.change == .remove ? nil : path
    }
    let modes = [part.oldMode, part.newMode].compactMap { $0 }
    if modes.contains(PatchPart.submodule) {
      throw refused("\(part.paths[0]) is a submodule, which is no file", line: start)
    }
    for mode in modes where ![0o100644, 0o100755, 0o100664, PatchPart.link].contains(mode) {
      throw refused("\(part.paths[0]) has the mode \(String(mode, radix: 8))", line: start)
    }
    if part.change == .modify, let old = part.oldMode, let new = part.newMode,
      (old == PatchPart.link) != (new == PatchPart.link)
    {
      throw refused("\(part.paths[0]) cannot become another kind of file by its mode", line: start)
    }
  }

  /// Reads an extended header line of git.
  private mutating func readExtended(_ part: inout PatchPart) throws -> Bool {
    func value(_ prefix: StaticString) -> Line? {
      begins(at, prefix) ? line(at).dropFirst(prefix.utf8CodeUnitCount) : nil
    }
    func mode(_ text: Line) throws -> UInt32 {
      guard let mode = UInt32(text.shown, radix: 8) else { throw refused("the mode '\(text.shown)' cannot be read") }
      return mode
    }
    func path(_ text: Line) throws -> String {
      var rest = text
      let name = rest.first == UInt8(ascii: "\"") ? try unquoted(&rest, at) : text
      return try self.path(name, without: max(0, strip - 1), at)
    }
    if let text = value("old mode ") {
      part.oldMode = try mode(text)
    } else if let text = value("new mode ") {
      part.newMode = try mode(text)
    } else if let text = value("new file mode ") {
      (part.change, part.newMode) = (.make, try mode(text))
    } else if let text = value("deleted file mode ") {
      (part.change, part.oldMode) = (.remove, try mode(text))
    } else if let text = value("rename from ") ?? value("rename old ") {
      (part.change, part.old) = (.rename, try path(text))
    } else if let text = value("rename to ") ?? value("rename new ") {
      (part.change, part.new) = (.rename, try path(text))
    } else if let text = value("copy from ") {
      (part.change, part.old) = (.copy, try path(text))
    } else if let text = value("copy to ") {
      (part.change, part.new) = (.copy, try path(text))
    } else if let text = value("index ") {
      // The unchanged mode of a file.
      if let space = text.firstIndex(of: 0x20) {
        let kept = try mode(text[(space + 1)...])
        if kept == PatchPart.link || kept == PatchPart.submodule { (part.oldMode, part.newMode) = (kept, kept) }
      }
    } else if !begins(at, "similarity index ") && !begins(at, "dissimilarity index ") {
      return false
    }
    part.text += line(at) + [0x0a]
    at += 1
    return true
  }

  /// Reads a binary change, and the reverse one if present. Each ends with an empty line.
  private mutating func readBinary(_ part: inout PatchPart) {
    repeat {
      repeat {
        part.text += line(at) + [0x0a]
        at += 1
      } while at < lines.count && !line(at).isEmpty
      part.text.append(0x0a)
      at += 1
    } while begins(at, "literal ") || begins(at, "delta ")
  }

  // MARK: hunks

  private mutating func readHunks(_ part: inout PatchPart, isCRLF: Bool) throws {
    var count = 0
    let isCRLF = isCRLF || lines[at].last == 0x0d
    while begins(at, "@@ -"), let range = hunkRange(at) {
      count += 1
      part.fillsFile = count == 1 && range.old.count == 0
      part.emptiesFile = count == 1 && range.new.count == 0
      try readHunk(&part, old: range.old.count, new: range.new.count, isCRLF: isCRLF)
    }
    if begins(at, "@@ -") { throw refused("the head of a hunk cannot be read") }
  }

  private mutating func readHunk(_ part: inout PatchPart, old: Int, new: Int, isCRLF: Bool) throws {
    var (old, new) = (old, new)
    part.text += line(at) + [0x0a]
    let start = at
    at += 1
    while old > 0 || new > 0 {
      guard at < lines.count else {
        // Editors strip empty lines at the end of a file.
        guard old == new, old <= 3 else { throw refused("malformed patch: a hunk ends early", line: start) }
        part.text += Array(repeating: [0x20, 0x0a], count: old).joined()
        return
      }
      let text = isCRLF ? line(at) : lines[at]
      switch text.first {
      case UInt8(ascii: "-"):
        old -= 1
        part.removed += 1
      case UInt8(ascii: "+"):
        new -= 1
        part.added += 1
      case UInt8(ascii: "\\"): break
      // An empty context line whose blank was stripped by an editor or a mailer.
      case UInt8(ascii: " "), nil:
        old -= 1
        new -= 1
      case 0x09, 0x0d:
        part.text.append(0x20)
        old -= 1
        new -= 1
      default: throw refused("malformed patch: a hunk ends early, or its text was changed")
      }
      guard old >= 0, new >= 0 else { throw refused("malformed patch: a hunk is longer than its head says") }
      part.text += text + [0x0a]
      at += 1
    }
    if begins(at, "\\") {
      part.text += line(at) + [0x0a]
      at += 1
    }
  }

  private func hunkRange(_ number: Int) -> (old: (start: Int, count: Int), new: (start: Int, count: Int))? {
    let words = line(number).split(separator: 0x20, maxSplits: 4)
    guard words.count >= 4, words[1].first == UInt8(ascii: "-"), words[2].first == UInt8(ascii: "+"),
      words[3].elementsEqual("@@".utf8)
    else { return nil }
    let ranges = words[1...2].map { word in
      word.dropFirst().split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        .compactMap { Int(String(decoding: $0, as: UTF8.self)) }
    }
    guard ranges.allSatisfy({ (1...2).contains($0.count) && $0.allSatisfy { $0 >= 0 && $0 < 1 << 40 } }) else {
      return nil
    }
    let both = ranges.map { (start: $0[0], count: $0.count == 2 ? $0[1] : 1) }
    return (both[0], both[1])
  }
}
