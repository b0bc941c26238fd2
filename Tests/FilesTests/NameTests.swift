// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage
import Testing

/// Names of files are bytes. To Swift's strings, é as one scalar and é as two are equal, and a slash with an accent on it
/// is no slash.
@Suite struct NameTests {
  private let one = "\u{e9}.h"
  private let two = "e\u{301}.h"

  @Test func pathsAreKeysByTheirBytes() {
    #expect(one == two)
    var files: ByPath = [one: 1, two: 2]
    #expect(files.count == 2 && files[one] == 1 && files[two] == 2)
    files[one] = nil
    #expect(files.keys.map { Array($0.utf8) } == [Array(two.utf8)] && files[one] == nil)
    #expect(ByPath([(one, 1)]) != ByPath([(two, 1)]))
    var set: PathSet = [one]
    #expect(!set.contains(two) && set.insert(two) && !set.insert(two) && set.sortedByBytes().count == 2)
    #expect(set.subtracting([one]).map { Array($0.utf8) } == [Array(two.utf8)])
    #expect(RelativePath(one) != RelativePath(two))
    #expect(Set([RelativePath(one), RelativePath(two)]).count == 2)
    #expect(FileContent.link(one) != FileContent.link(two))
    #expect([one, "f", two].sortedByBytes().map { Array($0.utf8) } == [two, "f", one].map { Array($0.utf8) })
  }

  @Test func bothAreWritten() async throws {
    try await withScratch { folder in
      let entries = ["\(one)/x", "\(two)/x", "\(two)/y", "\(one)/y"].map { TreeWriter.Entry($0, .file(Array($0.utf8))) }
      try TreeWriter(folder).write(entries)
      #expect(try Files.names(in: folder) == [Array(two.utf8), Array(one.utf8)])
      for entry in entries {
        #expect(try Files.read(folder.appending(bytes: Array(entry.path.utf8))) == Array(entry.path.utf8))
      }
    }
  }

  @Test(arguments: [
    ("", "is empty"), ("/a", "is absolute"), ("/\u{338}a", "is absolute"), ("a//b", "nothing before a slash"),
    ("a/", "nothing before a slash"), ("a/..", "'.' or '..'"), ("a/../\u{338}b", "'.' or '..'"), (".", "'.' or '..'"),
    ("a\nb", "a control character"), ("a\0", "a control character"), ("a\u{7f}", "a control character"),
    ("a\u{85}", "a control character"), ("a\u{9b}", "a control character"), ("a\r\n", "a control character"),
    (String(repeating: "x", count: 256), "has a part of 256 bytes, more than 255"),
    (String(repeating: "é", count: 128), "has a part of 256 bytes"),
    (String(repeating: "x/", count: 512) + "x", "has 1025 bytes, more than 1024"),
  ])
  func whatIsNoPath(text: String, words: String) {
    let fault = RelativePath.fault(of: text)
    #expect(fault?.contains(words) == true, "\(text): \(fault ?? "nothing")")
    #expect(!isCleanPath(text))
  }

  @Test(arguments: ["a", "a b/c", "é/\u{338}x", "a\u{a0}b", "back\\slash", "..a/b..", "...", "a:b", "日本/語"])
  func whatIsAPath(text: String) {
    #expect(RelativePath.fault(of: text) == nil && isCleanPath(text))
  }

  @Test func linksStayInsideByBytes() {
    for target in ["/etc", "/\u{338}etc", "../../x", "..\u{338}/../../../x", "a/../../../x", ""] {
      #expect(!linkStaysInside("fs/l", target: target), "\(target)")
    }
    for target in ["x", "../x", "./x", "..\u{338}/../x", "é"] {
      #expect(linkStaysInside("fs/l", target: target), "\(target)")
    }
    #expect(fault(ofLink: "fs/l", to: "a\n")?.contains("a control character in its target") == true)
  }

  @Test func whatLiesBelowAFolder() {
    #expect("a/b".inner(of: "a") == "b" && "a".inner(of: "a") == "" && "a/b".inner(of: "") == "a/b")
    #expect("ab".inner(of: "a") == nil && "b".inner(of: "a") == nil && "a".inner(of: "a/b") == nil)
    #expect("\(one)/x".inner(of: two) == nil)
    // The slash is there, whatever stands on it.
    #expect("a/\u{338}b".inner(of: "a").map { Array($0.utf8) } == Array("\u{338}b".utf8))
    #expect("a/\u{338}b".pathParts.count == 2)
  }

  @Test func aQuestionMarkIsOneScalar() {
    func matches(_ pattern: String, _ path: String) -> Bool { Glob(pattern).matches(path) }
    #expect(matches("?.h", one) && !matches("?.h", two) && matches("??.h", two) && !matches("??.h", one))
    #expect(matches("é.h", one) && !matches("\u{e9}.h", two) && matches(two, two))
    #expect(matches("[à-ÿ].h", one) && !matches("[a-z].h", one) && matches("[!a-z].h", one) && matches("[é日].h", one))
    #expect(matches("*?.h", one) && matches("*日", "本日") && !matches("*???", "本日") && matches("*??", "本日"))
    #expect(matches("a?c", "abc") && !matches("a?c", "ac") && !matches("a?c", "a/c") && matches("a/**", "a/\u{338}b"))
  }
}
