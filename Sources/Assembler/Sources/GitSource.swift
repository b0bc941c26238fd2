// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import Releases
import SystemPackage

/// A git repository at a ref, bare or not. Its objects are read; nothing is checked out.
package struct GitSource: Sendable {
  package var repository: FilePath
  package var ref: String
  /// If set, the ref must be a tag that one of these signed.
  package var trust: Trust?
  package var allowsUnsigned: Bool
  /// The commit that a plan pins. It is read even if `ref` has moved.
  package var commit: String?
  /// The fetched revision, if the repository is a copy in the cache.
  var fetched: FetchedRevision?

  package init(repository: FilePath, ref: String, trust: Trust? = nil, allowsUnsigned: Bool = false) {
    self.repository = repository
    self.ref = ref
    self.trust = trust
    self.allowsUnsigned = allowsUnsigned
  }

  /// The repository as messages name it.
  private var shown: String { fetched?.place ?? repository.string }
  private var doing: String { "reading \(shown) at \(ref)" }

  package func read(_ selection: Selection, progress: Progress) async throws -> SourceContent {
    let repository = try GitRepository(self.repository, isFetched: fetched != nil, doing: doing)
    let (commit, revision) = try await resolve(in: repository, progress)
    let signedBy = try await verifyTag(revision, in: repository)
    // Not 'git log', which may be configured to run a program for signatures.
    let date = try await repository.git([
      "rev-list", "--max-count=1", "--no-commit-header", "--format=%ct", commit, "--",
    ]).check(doing: doing, code: .source)
    guard let seconds = Int64(date.text.trimmed) else {
      throw ReleaseError(.source, doing: doing, reason: "git gives no date of \(commit)")
    }
    let listed = try await list(commit, selection, in: repository)
    let files = try await progress.step("reading \(ref) of \(name)") {
      try await blobs(listed, in: repository)
    }
    let kernel = try files["Makefile"].flatMap { KernelRelease(makefile: try $0.readFile()) }
    let pin = SourcePin(
      kind: "git", commit: commit, ref: ref, kernel: kernel?.text, date: seconds, signedBy: signedBy,
      isUnsigned: trust != nil && signedBy == nil ? true : nil)
    return SourceContent(files: files, pin: pin, tag: revision?.tag)
  }

  private var name: String {
    guard let fetched else { return repository.name }
    return fetched.place.split { "/:".contains($0) }.last.map(String.init) ?? fetched.place
  }

  /// The commit to read, and what `ref` names if it is the same commit: the ref may have moved since the plan.
  private func resolve(
    in repository: GitRepository, _ progress: Progress
  ) async throws -> (commit: String, GitRevision?) {
    if let fetched { return (fetched.commit, fetched.revision) }
    guard let commit else {
      let revision = try await repository.resolve(ref, progress)
      return (revision.commit, revision)
    }
    let pinned = try await repository.commit(of: commit, named: commit)
    do {
      let revision = try await repository.resolve(ref, progress)
      return (pinned, revision.commit == pinned ? revision : nil)
    } catch let error as ReleaseError where error.code == .source {
      return (pinned, nil)
    }
  }

  /// The fingerprint that signed the tag, if the manifest names signers; nil if the tag has moved since the plan, or is
  /// missing.
  private func verifyTag(_ revision: GitRevision?, in repository: GitRepository) async throws -> String? {
    guard let trust, let revision else { return nil }
    let what = "the tag \(ref) of \(shown)"
    func unsigned(_ reason: String) throws -> String? {
      if allowsUnsigned { return nil }
      throw ReleaseError(
        .unverified, doing: "checking \(what)", reason: reason, remedy: AssemblerRemedy.giveSignedTag)
    }
    let raw = try await repository.git(["cat-file", "tag", revision.object]).run(doing: doing)
    // For a commit, git fails because it is not a tag.
    guard revision.object != revision.commit, raw.succeeded, let tag = GitTag(raw.output), let signature = tag.signature
    else { return try unsigned("it is not a signed tag") }
    switch signature {
    case .ssh: return try unsigned("it is signed by an SSH key, and a keyring of OpenPGP cannot tell whose that is")
    case .x509: return try unsigned("it is signed by an X.509 certificate, which a keyring of OpenPGP cannot check")
    case .malformed(let reason):
      throw ReleaseError(.unverified, doing: "checking \(what)", reason: reason, advice: "do not use this tag")
    case .openPGP(let armoured):
      if let name = revision.name, name.split(separator: "/", maxSplits: 2).last.map(String.init) != tag.name {
        throw ReleaseError(
          .unverified, doing: "checking \(what)",
          reason: "the signature is for the tag '\(tag.name)', which was put under another name",
          advice: "name the tag that was signed, if that is what you want")
      }
      return try await SignatureCheck(trust: trust, signature: armoured).verify(tag.payload, what: what)
    }
  }

  /// Every path of what is read.
  func paths() async throws -> [String] {
    let repository = try GitRepository(self.repository, isFetched: fetched != nil, doing: doing)
    let commit = try await resolve(in: repository, .silent).commit
    let listed = try await repository.git(["ls-tree", "-rz", "--full-tree", "--name-only", commit])
      .check(doing: doing, code: .source)
    return listed.output.split(separator: 0).compactMap { String(validating: $0, as: UTF8.self) }
  }

  private struct Listed {
    var path: String
    var mode: String
    var oid: String
  }

  private func list(
    _ commit: String, _ selection: Selection, in repository: GitRepository
  ) async throws -> [Listed] {
    let tree = try await repository.git(["ls-tree", "-rz", "--full-tree", commit]).run(doing: doing)
    guard tree.succeeded else { throw try await repository.missing("a folder of \(commit)", tree) }
    var listed: [Listed] = []
    for line in tree.output.split(separator: 0) {
      // <mode> SP <type> SP <oid> TAB <path>
      guard let tab = line.firstIndex(of: 0x09) else { continue }
      let fields = line[..<tab].split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
      guard fields.count == 3 else { continue }
      guard let path = String(validating: line[(tab + 1)...], as: UTF8.self) else {
        let shown = String(decoding: line[(tab + 1)...], as: UTF8.self)
        throw ReleaseError(.source, doing: doing, reason: "the name \(shown) is not UTF-8")
      }
      guard selection.wants(path) else { continue }
      guard !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
        throw ReleaseError(
          .source, doing: doing, reason: "the name \(path.singleLine) holds a control character",
          advice: "exclude it in the manifest")
      }
      guard isCleanPath(path) else {
        throw ReleaseError(.source, doing: doing, reason: "the path \(path) is not allowed in a release")
      }
      if fields[1] == "commit" {
        throw ReleaseError(
          .source, doing: doing, reason: "\(path) is a submodule",
          advice: "exclude it, or add it as a source of its own")
      }
      listed.append(Listed(path: path, mode: fields[0], oid: fields[2]))
    }
    return listed
  }

  /// The wanted blobs through one `git cat-file --batch`. A missing object is a line in its output, not a status.
  private func blobs(_ listed: [Listed], in repository: GitRepository) async throws -> ByPath<SourceFile> {
    guard !listed.isEmpty else { return [:] }
    return try await withScratch { scratch in
      let wanted = scratch.appending("oids")
      try Files.write(Array(listed.map { $0.oid + "\n" }.joined().utf8), to: wanted)
      let input = try FileDescriptor.open(wanted, .readOnly, options: .closeOnExec)
      defer { try? input.close() }
      let command = repository.git(["cat-file", "--batch", "--buffer"])
      let (result, outcome) = try await command.stream(input: input, doing: doing) { output in
        try await BlockingExecutor.run {
          var reader = BatchReader(output)
          let (_, contents) = try ContentStore.temporary()
          var files = ByPath<SourceFile>()
          for (number, entry) in listed.enumerated() {
            if number % 256 == 0 { try Task.checkCancellation() }
            switch try reader.blob(entry.oid) {
            case .found(let bytes): files[entry.path] = try file(entry, bytes, contents)
            case .missing: return (files, entry as Listed?)
            }
          }
          try contents.flush()
          return (files, nil)
        }
      }
      if let entry = result.1 {
        throw try await repository.missing("the object \(entry.oid) (\(entry.path))", outcome)
      }
      guard outcome.succeeded else {
        throw ReleaseError(.source, doing: doing, reason: "git cat-file: \(outcome.complaint)")
      }
      return result.0
    }
  }

  private func file(_ entry: Listed, _ bytes: [UInt8], _ contents: ContentStore.Writer) throws -> SourceFile {
    guard entry.mode == "120000" else {
      return SourceFile(
        content: .regular(try contents.add(bytes)), isExecutable: entry.mode == "100755", blob: entry.oid)
    }
    guard let target = String(validating: bytes, as: UTF8.self), linkStaysInside(entry.path, target: target) else {
      throw ReleaseError(
        .source, doing: doing,
        reason: "the link \(entry.path) leads out of the tree, to \(String(decoding: bytes, as: UTF8.self))",
        advice: "exclude it in the manifest")
    }
    return SourceFile(content: .link(target), isExecutable: false, blob: entry.oid)
  }
}

/// Reads the answers of `git cat-file --batch`: `<oid> <type> <size>\n<bytes>\n`, or `<oid> missing\n`.
private struct BatchReader {
  private let input: FileDescriptor
  private var buffer: [UInt8] = []
  private var start = 0

  init(_ input: FileDescriptor) { self.input = input }

  enum Answer {
    case found([UInt8])
    /// It is missing, or git ended without an answer.
    case missing
  }

  mutating func blob(_ oid: String) throws -> Answer {
    guard let header = try line()?.split(separator: " ").map(String.init) else { return .missing }
    guard header.count == 3, header[0] == oid, let size = Int(header[2]) else { return .missing }
    while buffer.count - start < size + 1 {
      guard try fill() else { return .missing }
    }
    let bytes = Array(buffer[start..<start + size])
    start += size + 1
    return .found(bytes)
  }

  private mutating func line() throws -> String? {
    while true {
      if let end = buffer[start...].firstIndex(of: 0x0a) {
        defer { start = end + 1 }
        return String(decoding: buffer[start..<end], as: UTF8.self)
      }
      guard try fill() else { return nil }
    }
  }

  private mutating func fill() throws -> Bool {
    if start > 1 << 20 {
      buffer.removeFirst(start)
      start = 0
    }
    let chunk = try [UInt8](unsafeUninitializedCapacity: 1 << 18) { raw, count in
      count = try input.read(into: UnsafeMutableRawBufferPointer(raw))
    }
    buffer += chunk
    return !chunk.isEmpty
  }
}
