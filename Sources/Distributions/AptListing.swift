// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Processes
import SystemPackage

/// The kernels in the signed metadata of an apt archive. An apt with a state of its own reads it: nothing of this machine's
/// apt changes.
struct AptListing: Sendable {
  /// The newest last.
  var kernels: [ListedKernel]
  /// The date of the metadata of each suite, in seconds since 1970.
  var dates: [String: Int64]

  init(_ definition: ChrootDefinition, architecture: String, doing: String) async throws {
    try definition.demandKeys(doing: doing)
    let sources: String
    if let mirror = definition.mirror {
      sources = definition.suites.map { "deb \(mirror) \($0) \(definition.components.joined(separator: " "))\n" }
        .joined()
    } else {
      sources = try await DebianArchive().text(suites: definition.suites, components: definition.components)
    }
    (kernels, dates) = try await withScratch { folder in
      let file = folder.appending(sources.hasPrefix("Types:") ? "archive.sources" : "archive.list")
      try Files.write(Array(sources.utf8), to: file)
      let lists = folder.appending("lists")
      try Files.makeFolder(lists.appending("partial"))
      try Files.write([], to: folder.appending("status"))
      var settings = [
        "Dir::Etc::SourceList=\(file)", "Dir::Etc::SourceParts=/dev/null", "Dir::State=\(folder)",
        "Dir::State::Lists=\(lists)", "Dir::State::status=\(folder)/status", "Dir::Cache=\(folder)/cache",
        "APT::Architecture=\(architecture)", "APT::Architectures=\(architecture)", "APT::Sandbox::User=root",
        "Acquire::Languages=none", "Acquire::Retries=1", "APT::Update::Error-Mode=any",
      ]
      if let keyring = definition.keyring, let keys = keyring.bytes {
        let place = folder.appending(keyring.aptName)
        try Files.write(keys, to: place)
        settings += ["Dir::Etc::Trusted=\(place)", "Dir::Etc::TrustedParts=/dev/null"]
      }
      let options = settings.flatMap { ["-o", $0] }
      @Sendable func apt(_ program: String, _ arguments: [String]) async throws -> String {
        var command = Command(program, options + arguments)
        command.environment.merge(ProxyEnvironment.values) { $1 }
        let outcome = try await command.run(doing: doing)
        guard !outcome.succeeded else { return outcome.text }
        // apt's first error; warnings before it are its consequences.
        let errors = outcome.errors.split(separator: "\n").map { $0.trimmed }
        let cause = errors.first { $0.hasPrefix("E: ") || $0.hasPrefix("Err:") } ?? outcome.complaint
        let isUnsigned = errors.contains { $0.contains("is not signed") || $0.contains("NO_PUBKEY") }
        throw ReleaseError(
          isUnsigned ? .unverified : .failed, doing: doing, reason: cause.cut(to: 1000),
          advice: isUnsigned ? "name the archive's key where apt finds it" : "is the archive reachable?")
      }
      _ = try await apt("apt-get", ["-q", "update"])
      // Headers are packages of an architecture; what only brings the newest of a kind depends on one of them.
      let names = try await apt("apt-cache", ["pkgnames", "linux-"]).split(separator: "\n").filter {
        Self.release($0) != nil
      }
      let records =
        names.isEmpty ? "" : try await apt("apt-cache", ["show", "--no-all-versions"] + names.map(String.init))
      return (Self.kernels(records), try Self.dates(in: lists))
    }
  }

  /// The kernel that a package of headers, or an image, is for: `6.1.0-56-amd64` for `linux-headers-6.1.0-56-amd64`.
  private static func release(_ package: some StringProtocol) -> String? {
    for prefix in ["linux-headers-", "linux-image-"] where package.hasPrefix(prefix) {
      let release = package.dropFirst(prefix.count)
      let isOther = ["-common", "-dbg", "-dbgsym", "-unsigned", "-common-rt", "-all", "-signed-template"].contains {
        release.hasSuffix($0)
      }
      return release.first?.isNumber == true && !isOther ? String(release) : nil
    }
    return nil
  }

  /// The kernels in records of packages. Source: deb-control(5).
  static func kernels(_ records: String) -> [ListedKernel] {
    var found: [String: ListedKernel] = [:]
    for record in records.split(separator: "\n\n") {
      var fields: [Substring: Substring] = [:]
      for line in record.split(separator: "\n") where line.first != " " {
        guard let colon = line.firstIndex(of: ":") else { continue }
        fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == " " }
      }
      guard let package = fields["Package"], let release = release(package), let version = fields["Version"],
        fields["Architecture"] != "all"
      else { continue }
      let kind = package.dropLast(release.count)
      guard !bringsAnother(release, kind, depends: fields["Depends"] ?? "") else { continue }
      let isHeaders = kind == "linux-headers-"
      var kernel = found[release] ?? ListedKernel(release: release, version: "", hasHeaders: false, hasImage: false)
      if isHeaders { kernel.hasHeaders = true } else { kernel.hasImage = true }
      if isHeaders || kernel.version.isEmpty { kernel.version = String(version) }
      found[release] = kernel
    }
    return found.values.sorted()
  }

  /// Whether a package has no kernel of its own: linux-headers-6.12-amd64 needs the headers of the newest 6.12.
  private static func bringsAnother(_ release: String, _ kind: Substring, depends: Substring) -> Bool {
    let needed = depends.split(separator: ",").compactMap { $0.split { $0 == " " || $0 == "(" }.first }
    return needed.contains { other in
      other.hasPrefix(kind) && self.release(other).map { $0 != release && flavour($0) == flavour(release) } == true
    }
  }

  /// `rt-amd64` of `6.1.0-56-rt-amd64`.
  private static func flavour(_ release: String) -> Substring {
    release.split(separator: "-").drop { $0.first?.isNumber == true }.joined(separator: "-")[...]
  }

  /// The dates in the signed files of the suites, which apt has verified. Source: the DebianRepository format.
  private static func dates(in lists: FilePath) throws -> [String: Int64] {
    var dates: [String: Int64] = [:]
    for name in try Files.names(in: lists) where String(decoding: name, as: UTF8.self).hasSuffix("Release") {
      let text = String(decoding: try Files.read(lists.appending(bytes: name), limit: 64 << 20), as: UTF8.self)
      func field(_ name: String) -> String? {
        text.lines.first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)).trimmed }
      }
      guard let suite = field("Codename") ?? field("Suite"), let said = field("Date") else { continue }
      guard let date = date(said) else { continue }
      dates[suite] = max(dates[suite] ?? 0, date.seconds)
    }
    return dates
  }

  /// Reads `Sat, 28 Nov 2026 08:12:33 UTC`.
  static func date(_ text: String) -> Timestamp? {
    let words = text.split(separator: " ").map(String.init)
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard words.count >= 5, let month = months.firstIndex(of: words[2]) else { return nil }
    func two(_ text: String) -> String { text.count == 1 ? "0\(text)" : text }
    return Timestamp(iso8601: "\(words[3])-\(two(String(month + 1)))-\(two(words[1]))T\(words[4])Z")
  }
}
