// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import SystemPackage

/// The address of a source, as a manifest or the command line writes it.
enum SourceAddress: Equatable {
  /// A repository to fetch with git.
  case repository(String)
  /// A file to fetch with curl.
  case file(String)
  /// A local path.
  case path(FilePath)

  /// - Parameters:
  ///   - kind: the kind in the manifest, which decides for ambiguous http addresses.
  ///   - isHere: whether such a file or folder exists, which takes precedence over an scp-like ssh address.
  init(_ text: String, kind: Manifest.Source.Kind, doing: String, isHere: (FilePath) -> Bool) throws {
    if let helper = text.firstRange(of: "::")?.lowerBound, text[..<helper].allSatisfy(SourceAddress.isOfScheme),
      helper > text.startIndex
    {
      throw ReleaseError(
        .input, doing: doing, reason: "'\(text[..<helper])::' names a helper program of git, and none is run",
        advice: "give a URL of git, ssh, http or https, or a path")
    }
    guard let scheme = SourceAddress.scheme(of: text) else {
      let path = FilePath(text)
      let isSSH = SourceAddress.isOfSSH(text) && !SourceAddress.isTarball(text) && !isHere(path)
      let mayBeRepository = kind == .git || kind == .kernel || SourceAddress.isRepository(text)
      self = isSSH && mayBeRepository ? .repository(text) : .path(path)
      return
    }
    switch scheme {
    case "file":
      self = .path(SourceAddress.path(ofFileURL: text))
    case "git", "ssh", "git+ssh", "ssh+git":
      self = .repository(text)
    case "http", "https":
      let isRepository =
        SourceAddress.isRepository(text)
        || kind == .git && !SourceAddress.isTarball(text) && !SourceAddress.isBundle(text)
      self = isRepository ? .repository(text) : .file(text)
    default:
      self = .file(text)
    }
  }

  /// Whether it is remote.
  static func isRemote(_ text: String) -> Bool { scheme(of: text).map { $0 != "file" } ?? false }

  /// The address for messages and plans: without password, and for http without user name, which is often the secret.
  /// For ssh, the user name is part of the address.
  static func shown(_ text: String) -> String {
    guard let (range, scheme) = userInfo(of: text) else { return text }
    if !scheme.hasSuffix("ssh"), !scheme.hasPrefix("ssh"), let end = text[range.upperBound...].first, end == "@" {
      return text.replacingCharacters(in: range.lowerBound..<text.index(after: range.upperBound))
    }
    guard let colon = text[range].firstIndex(of: ":") else { return text }
    return text.replacingCharacters(in: colon..<range.upperBound)
  }

  /// The output of a program that knows the address, without what `shown` leaves out.
  static func shown(_ words: String, of address: String) -> String {
    guard let (range, _) = userInfo(of: address), shown(address) != address else { return words }
    let secret = String(address[range])
    var plain = words.replacing(address, with: shown(address)).replacing("\(secret)@", with: "")
    if let colon = secret.firstIndex(of: ":"), secret.index(after: colon) < secret.endIndex {
      plain = plain.replacing(secret[secret.index(after: colon)...], with: "…")
    }
    return plain
  }

  /// Whether it contains a password, which readers of the manifest could see.
  static func hasPassword(_ text: String) -> Bool { userInfo(of: text).map { text[$0.0].contains(":") } ?? false }

  // MARK: parts

  private static func isOfScheme(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "+-.".contains(character))
  }

  /// `https` of `https://…`, in lower case.
  private static func scheme(of text: String) -> String? {
    guard let mark = text.firstRange(of: "://"), mark.lowerBound > text.startIndex,
      text[..<mark.lowerBound].allSatisfy(isOfScheme)
    else { return nil }
    return text[..<mark.lowerBound].lowercased()
  }

  /// `user:password` of `https://user:password@host/…`, and the scheme.
  private static func userInfo(of text: String) -> (Range<String.Index>, String)? {
    guard let scheme = scheme(of: text), let mark = text.firstRange(of: "://") else { return nil }
    let rest = text[mark.upperBound...]
    let authority = rest[..<(rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex)]
    guard let at = authority.lastIndex(of: "@"), at > authority.startIndex else { return nil }
    return (authority.startIndex..<at, scheme)
  }

  /// Whether it is `user@host:path` or `host:path`, by git's rule: a colon before the first slash.
  private static func isOfSSH(_ text: String) -> Bool {
    // Compare bytes, as git and ssh do: for Swift, a dash with a combining accent is another character.
    let bytes = text.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > bytes.startIndex,
      bytes.first != UInt8(ascii: "-")
    else { return false }
    // The host of [::1]:path contains colons.
    if bytes.first == UInt8(ascii: "["), let close = bytes.firstIndex(of: UInt8(ascii: "]")) {
      return bytes[close...].starts(with: "]:".utf8)
    }
    return !bytes[..<colon].contains(0x2f)
  }

  /// The path of a URL without query and fragment, in lower case.
  private static func name(of text: String) -> String {
    var path = text[..<(text.firstIndex { "?#".contains($0) } ?? text.endIndex)]
    while path.last == "/" { path.removeLast() }
    return path.lowercased()
  }

  static func isRepository(_ text: String) -> Bool { name(of: text).hasSuffix(".git") }

  static func isBundle(_ text: String) -> Bool { name(of: text).hasSuffix(".bundle") }

  static func isTarball(_ text: String) -> Bool {
    let name = name(of: text)
    let packed = ["", ".gz", ".xz", ".zst", ".bz2", ".lz", ".lzma", ".z"].map { ".tar\($0)" }
    return (packed + [".tgz", ".txz", ".tzst", ".tbz", ".tbz2", ".tlz"]).contains { name.hasSuffix($0) }
  }

  /// The path of `file:///path` or `file://localhost/path`, percent-decoded.
  private static func path(ofFileURL text: String) -> FilePath {
    var rest = Array(text.utf8.dropFirst("file://".utf8.count))
    if rest.starts(with: "localhost/".utf8) { rest.removeFirst("localhost".utf8.count) }
    var bytes: [UInt8] = []
    var index = 0
    while index < rest.count {
      // UInt8(_:radix:) would accept a sign.
      if rest[index] == 0x25, index + 2 < rest.count, rest[index + 1] != UInt8(ascii: "+"),
        let byte = UInt8(String(decoding: rest[(index + 1)...(index + 2)], as: UTF8.self), radix: 16), byte != 0
      {
        bytes.append(byte)
        index += 3
      } else {
        bytes.append(rest[index])
        index += 1
      }
    }
    return FilePath(String(decoding: bytes, as: UTF8.self))
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>) -> String {
    String(self[..<range.lowerBound] + self[range.upperBound...])
  }
}
