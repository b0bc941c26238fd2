// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import SystemPackage

/// The kernels in the metadata of dnf's repositories. A dnf with a root and a cache of its own reads it.
struct DnfListing: Sendable {
  /// The newest last.
  var kernels: [ListedKernel]
  /// The date of the metadata of each repository, in seconds since 1970. It is signed where the target demands that.
  var dates: [String: Int64]

  init(_ definition: ChrootDefinition, names: KernelNames, doing: String) async throws {
    try definition.demandKeys(doing: doing)
    (kernels, dates) = try await withScratch { scratch in
      let repositories = DnfRepositories(definition: definition)
      try scratch.write(repositories.files)
      let root = scratch.appending("root")
      try Files.makeFolder(root)
      @Sendable func query(_ words: [String]) async throws -> String {
        let dnf = repositories.command(root: root, scratch: scratch) + ["repoquery"] + words
        // As root, nothing of it may stay mounted or running: see the script.
        var sandbox = Sandbox.leavingNothing
        sandbox.directory = scratch
        var command =
          geteuid() == 0
          ? sandbox.command("sh", ["-c", Script(PackageResources.dnf_sh).text, "dnf", root.string] + dnf)
          : Command(dnf[0], Array(dnf.dropFirst()), directory: scratch)
        command.environment.merge(ProxyEnvironment.values) { $1 }
        command.environment["HOME"] = scratch.string
        let outcome = try await command.run(doing: doing)
        guard outcome.succeeded else {
          throw outcome.bootstrapFailure(
            of: "dnf", making: definition, cache: scratch.appending("cache"), doing: doing)
        }
        return outcome.text
      }
      let format = ["--queryformat", Self.format]
      let globs = names.globs
      let named = try await query(format + globs)
      let providing = try await query(format + ["--whatprovides", globs.joined(separator: ",")])
      return (
        try Self.kernels(Self.packages(named + providing), names, doing: doing),
        try Self.dates(in: scratch.appending("cache"), of: repositories)
      )
    }
  }

  /// A package a line, then what it provides.
  private static let format = "=%{name}\\t%{version}-%{release}\\t%{arch}\\n%{provides}"

  struct Package: Hashable {
    var name: String
    var version: String
    var architecture: String
    /// What it provides without a version.
    var capabilities: [String] = []
    /// The versions of what it provides with one, as `NAME-VERSION`.
    var versioned: [String] = []
  }

  /// The packages in what dnf printed.
  static func packages(_ text: String) -> Set<Package> {
    var packages: [Package] = []
    for line in text.split(separator: "\n") {
      if line.first == "=" {
        let fields = line.dropFirst().split(separator: "\t").map(String.init)
        guard fields.count == 3 else { continue }
        packages.append(Package(name: fields[0], version: fields[1], architecture: fields[2]))
      } else if !packages.isEmpty {
        let words = line.split(separator: " ").map(String.init)
        if words.count == 1 { packages[packages.count - 1].capabilities.append(words[0]) }
        if words.count == 3, words[1] == "=" {
          packages[packages.count - 1].versioned.append("\(words[0])-\(words[2])")
        }
      }
    }
    return Set(packages)
  }

  /// The kernels that packages are for.
  static func kernels(_ packages: Set<Package>, _ names: KernelNames, doing: String) throws -> [ListedKernel] {
    var releases: Set<String> = []
    for package in packages {
      for name in names.headers + names.images {
        if let release = try package.release(by: name, names, doing: doing) { releases.insert(release) }
      }
    }
    return releases.compactMap { release in
      let wanted = names.of(release)
      func found(_ names: [String]) -> [Package?] { names.map { name in packages.first { $0.answers(to: name) } } }
      let (headers, images) = (found(wanted.headers), found(wanted.images))
      let (hasHeaders, hasImage) = (!headers.contains(nil), !images.contains(nil))
      // Of a kernel that is another package's, such as one for debugging, one of several names may be there.
      guard hasHeaders || hasImage, let package = (hasHeaders ? headers : images).first ?? nil else { return nil }
      return ListedKernel(release: release, version: package.version, hasHeaders: hasHeaders, hasImage: hasImage)
    }.sorted()
  }

  /// The dates of the metadata that dnf has fetched. Source: createrepo_c's repomd.xml.
  private static func dates(in cache: FilePath, of repositories: DnfRepositories) throws -> [String: Int64] {
    var dates: [String: Int64] = [:]
    for bytes in try Files.names(in: cache) {
      let folder = String(decoding: bytes, as: UTF8.self)
      let file = cache.appending(bytes: bytes).appending("repodata/repomd.xml")
      guard let name = repositories.name(ofCache: folder), Files.exists(file) else { continue }
      dates[name] = date(String(decoding: try Files.read(file, limit: 16 << 20), as: UTF8.self))
    }
    return dates
  }

  /// The date of the newest of the files that a repomd.xml names.
  static func date(_ repomd: String) -> Int64? {
    repomd.matches(of: /<timestamp>\s*(?<seconds>[0-9]+)(\.[0-9]+)?\s*<\/timestamp>/)
      .compactMap { Int64($0.seconds) }.max()
  }
}

extension DnfListing.Package {
  /// Whether dnf takes it for a name: its own with version and architecture, or what it provides.
  func answers(to name: String) -> Bool {
    let own = "\(self.name)-\(version)"
    return fnmatch(name, own, 0) == 0 || fnmatch(name, "\(own).\(architecture)", 0) == 0 || capabilities.contains(name)
  }

  /// The kernel that it is for, if its name is one of a pattern; nil if it is not.
  fileprivate func release(by pattern: String, _ names: KernelNames, doing: String) throws -> String? {
    if pattern.contains("{kernel}") {
      return (["\(name)-\(version).\(architecture)"] + capabilities).compactMap {
        $0.filling("{kernel}", of: pattern)
      }.first
    }
    // Its release may have more than the kernel's: of what it provides, the shortest is the kernel's.
    let start = pattern.prefix { $0 != "*" }
    let found = versioned.compactMap { $0.filling("{version}", of: String(start)) }
    guard let least = found.min(by: { $0.utf8.count < $1.utf8.count }) else { return nil }
    guard let release = names.release else {
      throw ReleaseError(
        .input, doing: doing, reason: "the target does not say which release a kernel of the version \(least) has",
        advice: "say release in its [kernel], such as \"{version}-default\"")
    }
    return release.replacing("{version}", with: least)
  }
}

extension String {
  /// What stands for a placeholder of a pattern: a version, which begins with a digit.
  fileprivate func filling(_ placeholder: String, of pattern: String) -> String? {
    guard let place = pattern.firstRange(of: placeholder) else { return nil }
    let (start, end) = (pattern[..<place.lowerBound], pattern[place.upperBound...])
    guard count > start.count + end.count, hasPrefix(start), hasSuffix(end) else { return nil }
    let filling = dropFirst(start.count).dropLast(end.count)
    return filling.first?.isNumber == true ? String(filling) : nil
  }
}
