// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Model
import Releases
import SystemPackage

/// A source as it was found, fetched where it is remote.
enum FoundSource {
  case archive(FilePath, signature: FilePath?, isFetched: Bool)
  case repository(GitSource)
  case folder(FilePath)
}

/// Where sources are. What stands there decides how it is read, whatever the manifest takes it for: a tarball may stand
/// in for a repository, and the other way round.
extension Planner {
  /// Finds a source: what the command line says, else what the manifest says.
  ///
  /// - Returns: the place as the plan has it, without a password.
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
    // A path on the command line is relative to where we are, one in the manifest to the manifest.
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

  /// Where the tarball of the kernel release lies that was asked for.
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

  /// - Returns: the place where it was found in the end, and what is there.
  private func fetchedFile(
    _ url: String, _ name: String, _ source: Manifest.Source
  ) async throws -> (String, FoundSource) {
    let (place, path, signature) = try await fetch(url, with: Fetcher(cache: request.cache), name, source)
    let shown = SourceAddress.shown(place)
    if Self.isBundle(path) { return (shown, .repository(try await fetched(path.string, name, source))) }
    return (shown, .archive(path, signature: signature, isFetched: true))
  }

  // MARK: on this machine

  /// - Parameter isGiven: it replaces what the manifest says.
  private func found(
    at path: FilePath, _ name: String, _ source: Manifest.Source, isGiven: Bool
  ) async throws -> FoundSource {
    let doing = "opening the source '\(name)'"
    if Files.isFolder(path) {
      // Of a work tree, a manifest may want the files as they are; a bare repository has none but git's own.
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

  /// Who gave a place needs another one, and not the advice to give one.
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
