// SPDX-License-Identifier: GPL-2.0-only

import Files
import SystemPackage

// How a target says what its chroots are made of.

extension ChrootDefinition {
  /// - Parameters:
  ///   - file: the file of the target, beside which keys lie.
  ///   - kernels: packages that every root of the target has besides.
  init?(_ table: inout TableReader, _ file: FilePath, kernels: [String]) {
    let suites = table.optional(
      "suites", .array(.text, atLeast: 1), default: [], "suites of a Debian archive, the base first")
    let components = table.optional(
      "components", .texts, default: ["main"], "components of the archive; main where none are named")
    let mirror = table.optional("mirror", .text, "archive; for Debian, the one that this machine uses")
    let keyring = table.optional("keyring", .key(beside: file), "keys of the archive, instead of those of this machine")
    let repositories = table.optional(
      "repositories", .array(.table { Repository(&$0, file) }, atLeast: 1), default: [],
      "repositories of an RPM distribution")
    let releasever = table.optional("releasever", .text, "what dnf puts for $releasever")
    let packages = table.optional(
      "packages", .texts, default: [], "what is in the root besides what the release asks for")
    if let keyring, keyring.value.isURL {
      table.report("the keyring must be a file", at: keyring.location, advice: "put it beside the target")
    }
    self.init(
      suites: suites, components: components, mirror: mirror, repositories: repositories, releasever: releasever,
      packages: packages + kernels)
    self.keyring = keyring?.value
    self.file = file.string
  }
}

extension ChrootDefinition.Repository {
  fileprivate init?(_ table: inout TableReader, _ file: FilePath) {
    let name = table.required(
      "name", .string("letters, digits and . _ -", "^[A-Za-z0-9._-]+$") { $0.isRepositoryName ? $0 : nil },
      "name of the repository")
    let url = table.optional("url", .address, "its baseurl, with $basearch and $releasever")
    let mirrorlist = table.optional("mirrorlist", .address, "where its mirrors are listed, one a line")
    let metalink = table.optional("metalink", .address, "where its mirrors and the digests of its metadata are")
    let keys = table.optional(
      "gpgkey", .array(.key(beside: file), atLeast: 1), "the keys of its packages: files beside the target, or URLs")
    let signsMetadata = table.optional(
      "repo-gpgcheck", .boolean, default: false, "whether its metadata is signed, and must be")
    guard let name else { return nil }
    let places = [url, mirrorlist, metalink].compactMap(\.self)
    if places.count != 1 {
      table.report(
        "the repository '\(name)' names \(places.isEmpty ? "no place" : "\(places.count) places")",
        advice: "give one of url, mirrorlist and metalink")
    }
    if keys == nil {
      table.report(
        "the repository '\(name)' names no key, and unsigned packages are not installed",
        advice: "give gpgkey, a file beside the target or a URL")
    }
    for key in keys ?? [] where !key.value.isURL && key.value.bytes != nil && !key.value.isArmoured {
      table.report(
        "'\(key.value.name)', a gpgkey of the repository '\(name)', is not a public key in text form",
        at: key.location, advice: "'gpg --export --armor' writes one")
    }
    for key in keys ?? [] where key.value.isURL && !["https:", "file:"].contains(where: key.value.name.hasPrefix) {
      table.report(
        "'\(key.value.name)', a gpgkey of the repository '\(name)', comes over a connection that proves nothing",
        at: key.location, advice: "put the key beside the target")
    }
    self.init(
      name: name, url: url, mirrorlist: mirrorlist, metalink: metalink, keys: keys?.map(\.value),
      signsMetadata: signsMetadata ? true : nil)
  }
}

extension Shape where Value == String {
  /// A place for dnf's configuration, in which a line or a word would be another setting.
  fileprivate static var address: Shape {
    .string("an address without spaces", #"^[!-~]+$"#) { $0.utf8.allSatisfy { (0x21...0x7e).contains($0) } ? $0 : nil }
  }
}

extension String {
  fileprivate var isRepositoryName: Bool {
    !isEmpty
      && utf8.allSatisfy { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20 || "0123456789._-".utf8.contains($0) }
  }
}

extension Shape where Value == Located<ChrootDefinition.Key> {
  /// A file of keys. One beside the target must be there; one of this machine need not be there before it is used.
  fileprivate static func key(beside file: FilePath) -> Shape {
    .located(
      .string("a file that is there, or a URL", "^[!-~]+$") { name in
        guard !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        let key = ChrootDefinition.Key(name: name)
        if key.isURL { return key }
        let path = name.hasPrefix("/") ? FilePath(name) : file.removingLastComponent().pushing(FilePath(name))
        let bytes = try? Files.read(path, limit: 16 << 20)
        return bytes == nil && !name.hasPrefix("/") ? nil : ChrootDefinition.Key(name: name, bytes: bytes)
      })
  }
}
