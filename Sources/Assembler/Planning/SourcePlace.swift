// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Releases
import SystemPackage

/// A source on this machine, fetched if it is remote.
enum FoundSource {
  case archive(FilePath, signature: FilePath?, isFetched: Bool)
  case repository(GitSource)
  case folder(FilePath)
}

/// Finds sources. What is found decides how it is read, not the manifest: a tarball may replace a repository, and vice
/// versa.
extension Planner {
  /// Finds a source: at the place on the command line, else at the one in the manifest.
  ///
  /// - Returns: the place as in the plan, without a password.
  func locate(_ name: String, _ source: Manifest.Source) async throws -> (String, FoundSource) {
    let override = request.places[name]
    var place = override ?? source.place
    let doing = "opening the source '\(name)'"
    if override == nil, planned[name] == nil, SourceAddress.hasPassword(place) {
      throw ReleaseError(
        .input, at: source.location, doing: doing,
        reason: "its URL holds a password, which the release would carry with the manifest",
        advice: "take it out, and give it to a credential helper of git or to ~/.netrc")
    }
    if source.kind == .kernel && override == nil { place = try kernelPlace(name, source) }
    // A path on the command line is relative to the working directory, one in the manifest to the manifest.
    func absolute(_ path: FilePath) -> FilePath {
      if !path.isAbsolute, override == nil, let folder = recipe.folder { return Files.absolute(folder.pushing(path)) }
      return Files.absolute(path)
    }
    let address = try SourceAddress(place, kind: source.kind, doing: doing) { Files.exists(absolute($0)) }
    switch address {
    case .repository(let url):
      return (SourceAddress.shown(url), .repository(try await fetched(url, name, source)))
    case .file(let url):
      return try await fetchedFile(url, name, source)
    case .path(let path):
      let path = absolute(path)
      return (path.string, try await found(at: path, name, source, isGiven: override != nil))
    }
  }

  /// The place of the tarball of the requested kernel release.
  private func kernelPlace(_ name: String, _ source: Manifest.Source) throws -> String {
    guard let kernel = request.kernel, let release = KernelRelease(kernel) else {
      throw ReleaseError(
        .input, at: source.location, doing: "finding the kernel release", reason: "no kernel release was named",
        remedy: AssemblerRemedy.nameKernelOrSource(name: name))
    }
    let subfolder = SourceAddress.isRemote(source.place) ? "/v\(release.major).x" : ""
    return "\(source.place)\(subfolder)/linux-\(release).tar.xz"
  }

  // MARK: fetched

  private func fetched(_ address: String, _ name: String, _ source: Manifest.Source) async throws -> GitSource {
    let ref = try ref(name, source)
    let remote = GitRemote(address, cache: request.cache)
    let fetched = try await remote.fetch(ref, pinned: planned[name]?.commit, progress: progress)
    var git = GitSource(repository: fetched.folder, ref: ref)
    git.fetched = fetched
    return git
  }

  /// - Returns: the place where it was found, and its content.
  private func fetchedFile(
    _ url: String, _ name: String, _ source: Manifest.Source
  ) async throws -> (String, FoundSource) {
    let (place, path, signature) = try await fetch(url, with: Fetcher(cache: request.cache), name, source)
    let shown = SourceAddress.shown(place)
    if Self.isBundle(path) { return (shown, .repository(try await fetched(path.string, name, source))) }
    return (shown, .archive(path, signature: signature, isFetched: true))
  }

  // MARK: on this machine

  /// - Parameter isGiven: whether the place comes from the command line.
  private func found(
    at path: FilePath, _ name: String, _ source: Manifest.Source, isGiven: Bool
  ) async throws -> FoundSource {
    let doing = "opening the source '\(name)'"
    if Files.isFolder(path) {
      // A manifest may want the files of a work tree as they are; a bare repository has only git's own files.
      let isRead = source.kind == .folder ? GitRepository.isBare(path) : GitRepository.isRepository(path)
      if isRead || source.kind == .git && !isGiven {
        return .repository(GitSource(repository: path, ref: try ref(name, source)))
      }
      return .folder(path)
    }
    guard Files.exists(path) else {
      throw ReleaseError(
        .source, at: isGiven ? nil : source.location, doing: doing,
        reason: "there is no \(path)", remedy: remedy(for: name, path, isGiven: isGiven))
    }
    if Self.isBundle(path) { return .repository(try await fetched(path.string, name, source)) }
    let signature = signatureNames(of: path.string).map { FilePath($0) }.first(where: Files.exists)
    return .archive(path, signature: signature, isFetched: false)
  }

  /// Somebody who gave a place must correct it, and needs no advice to give one.
  private func remedy(for name: String, _ path: FilePath, isGiven: Bool) -> any Remedy {
    if isGiven { return Advice(Files.neighbour(of: path).map { "did you mean '\($0)'?" } ?? "correct the path") }
    return AssemblerRemedy.giveSource(name: name)
  }

  /// Whether a file is what `git bundle` makes: a repository to fetch from.
  private static func isBundle(_ path: FilePath) -> Bool {
    let start = (try? Files.start(of: path, count: 16)) ?? []
    return ["# v2 git bundle\n", "# v3 git bundle\n"].contains { start.starts(with: $0.utf8) }
  }

  /// The ref to read of a repository.
  private func ref(_ name: String, _ source: Manifest.Source) throws -> String {
    if let ref = request.refs[name] ?? source.ref { return ref }
    if source.kind == .kernel, let kernel = request.kernel { return "v\(kernel)" }
    throw ReleaseError(
      .input, at: source.location, doing: "opening the source '\(name)'",
      reason: "it is a git repository, and no ref says what to read",
      remedy: AssemblerRemedy.giveRef(name: name))
  }
}
