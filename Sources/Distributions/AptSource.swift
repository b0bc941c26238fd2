// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import SystemPackage

/// A repository that apt uses, as its sources name it. Source: sources.list(5).
struct AptSource: Sendable, Equatable {
  /// Without a slash at the end.
  var uri: String
  var suite: String
  /// What its sources say of the keys that may sign it: files and fingerprints, or a key itself; nil for those that the
  /// machine trusts.
  var signedBy: String?

  /// - Parameters:
  ///   - entry: where apt found it: `FILE:NUMBER`, as `apt-get indextargets` calls it.
  ///   - text: what a file of sources holds.
  init(uri: String, suite: String, entry: String, text: (FilePath) -> String?) {
    self.uri = AptSource.plain(uri)
    self.suite = suite
    let file = FilePath(entry.lastIndex(of: ":").map { String(entry[..<$0]) } ?? entry)
    guard let lines = text(file)?.lines.map(String.init) else { return }
    signedBy =
      file.extension == "sources"
      ? AptSource.key(inStanzas: lines, self.uri, suite) : AptSource.key(inLines: lines, self.uri, suite)
  }

  static func plain(_ uri: some StringProtocol) -> String {
    String(uri.hasSuffix("/") ? String(uri.dropLast()) : String(uri))
  }

  /// The name of the archive at this place: `debian`, `debian-security`. A list of mirrors has the name of its first.
  func name(text: (FilePath) -> String?) -> String? {
    var place = uri
    if let list = mirrorList {
      let first = text(list)?.lines.first { !$0.trimmed.isEmpty && !$0.hasPrefix("#") }
      place = first.flatMap { $0.split(whereSeparator: \.isWhitespace).first }.map { AptSource.plain($0) } ?? place
    }
    return place.split(separator: "/").last.map(String.init)
  }

  /// The file of this machine that lists its mirrors, of a `mirror+file:` repository.
  var mirrorList: FilePath? {
    for scheme in ["mirror+file://", "mirror+file:"] where uri.hasPrefix(scheme) {
      return FilePath(String(uri.dropFirst(scheme.count)))
    }
    return nil
  }

  var hasEmbeddedKey: Bool { signedBy?.contains("-----BEGIN ") == true }

  /// The files with its keys.
  var keyFiles: [FilePath] {
    hasEmbeddedKey
      ? [] : AptSource.words(signedBy ?? "").filter { $0.hasPrefix("/") }.map { FilePath($0) }
  }

  private static func words(_ text: String) -> [String] {
    text.split { $0.isWhitespace || $0 == "," }.map(String.init)
  }

  // MARK: reading

  /// Fields by their names in small letters, of the stanzas of a file `*.sources`.
  private static func stanzas(_ lines: [String]) -> [[String: String]] {
    var stanzas: [[String: String]] = [[:]]
    var last: String?
    for line in lines {
      if line.hasPrefix("#") { continue }
      if line.trimmed.isEmpty {
        stanzas.append([:])
        last = nil
      } else if line.first == " " || line.first == "\t" {
        // A dot alone stands for an empty line.
        let more = line.trimmed == "." ? "" : line.trimmed
        if let last { stanzas[stanzas.count - 1][last, default: ""] += "\n\(more)" }
      } else if let colon = line.firstIndex(of: ":") {
        let name = line[..<colon].trimmed.lowercased()
        stanzas[stanzas.count - 1][name] = line[line.index(after: colon)...].trimmed
        last = name
      }
    }
    return stanzas
  }

  private static func key(inStanzas lines: [String], _ uri: String, _ suite: String) -> String? {
    let own = stanzas(lines).first { fields in
      !["no", "false", "without", "off", "disable"].contains((fields["enabled"] ?? "").lowercased())
        && words(fields["types"] ?? "").contains("deb")
        && words(fields["uris"] ?? "").contains { plain($0) == uri }
        && words(fields["suites"] ?? "").contains { plain($0) == plain(suite) }
    }
    return own?["signed-by"].map { $0.trimmed }
  }

  private static func key(inLines lines: [String], _ uri: String, _ suite: String) -> String? {
    for line in lines {
      let text = line.prefix { $0 != "#" }.trimmed
      guard text.hasPrefix("deb "), let open = text.firstIndex(of: "["), let close = text.firstIndex(of: "]"),
        open < close
      else { continue }
      let place = text[text.index(after: close)...].split(whereSeparator: \.isWhitespace).map(String.init)
      guard place.count > 1, plain(place[0]) == uri, plain(place[1]) == plain(suite) else { continue }
      let options = text[text.index(after: open)..<close].split(whereSeparator: \.isWhitespace)
      return options.first { $0.lowercased().hasPrefix("signed-by=") }.map { String($0.dropFirst(10)) }
    }
    return nil
  }

  // MARK: writing

  /// A line for sources.list.
  func line(_ suite: String, _ components: [String]) -> String {
    let keys = hasEmbeddedKey ? [] : AptSource.words(signedBy ?? "")
    let options = keys.isEmpty ? "" : "[signed-by=\(keys.joined(separator: ","))] "
    return "deb \(options)\(uri) \(suite) \(components.joined(separator: " "))"
  }

  /// A stanza for a file `*.sources`, which may hold a key.
  func stanza(_ suite: String, _ components: [String]) -> String {
    var fields = ["Types: deb", "URIs: \(uri)", "Suites: \(suite)", "Components: \(components.joined(separator: " "))"]
    if let signedBy {
      let lines = signedBy.lines.map { $0.isEmpty ? " ." : " \($0)" }
      fields.append("Signed-By:" + (hasEmbeddedKey ? "\n\(lines.joined(separator: "\n"))" : " \(signedBy)"))
    }
    return fields.joined(separator: "\n") + "\n"
  }
}
