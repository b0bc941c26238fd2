// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Model
import Processes
import Releases
import SystemPackage

/// A git repository at a ref, bare or not, read from its objects and never checked out.
package struct GitSource: Sendable {
  package var repository: FilePath
  package var ref: String
  /// When set, the ref must be a tag that one of these has signed.
  package var trust: Trust?
  package var allowsUnsigned: Bool
  /// The commit that a plan pins, read whatever `ref` has come to name since.
  package var commit: String?

  package init(repository: FilePath, ref: String, trust: Trust? = nil, allowsUnsigned: Bool = false) {
    self.repository = repository
    self.ref = ref
    self.trust = trust
    self.allowsUnsigned = allowsUnsigned
  }

  /// Nothing of the user's configuration, no replaced objects, no question on a terminal.
  static let environment: [String: String] = Command.plainEnvironment.merging([
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "HOME": "/nonexistent",
  ]) { $1 }

  private func git(_ arguments: [String]) -> Command {
    // Only objects are read, so that a repository of somebody else runs nothing of theirs. A partial clone must not
    // fetch what it lacks either: that would run what its configuration says.
    Command(
      "git", ["-c", "safe.directory=*", "-C", repository.string] + arguments,
      environment: Self.environment.merging(["GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"]) { $1 })
  }

  private var doing: String { "reading \(repository) at \(ref)" }

  package func read(_ selection: Selection, progress: Progress) async throws -> SourceContent {
    let commit = try await resolve(commit ?? ref)
    let signedBy = try await verifyTag(of: commit)
    // Not 'git log', which may be configured to run a program that looks at signatures.
    let date = try await git(["rev-list", "--max-count=1", "--no-commit-header", "--format=%ct", commit, "--"])
      .check(doing: doing, code: .source)
    guard let seconds = Int64(date.text.trimmed) else {
      throw ReleaseError(.source, doing: doing, reason: "git tells no date of \(commit)")
    }
    let listed = try await list(commit, selection)
    let files = try await progress.step("reading \(ref) of \(repository.name)") {
      try await blobs(listed)
    }
    let kernel = try files["Makefile"].flatMap { KernelRelease(makefile: try $0.readFile()) }
    let pin = SourcePin(
      kind: "git", commit: commit, ref: ref, kernel: kernel?.text, date: seconds, signedBy: signedBy,
      isUnsigned: trust != nil && signedBy == nil ? true : nil)
    return SourceContent(files: files, pin: pin)
  }

  private func resolve(_ ref: String) async throws -> String {
    guard Files.isFolder(repository) else {
      throw ReleaseError(.source, doing: doing, reason: "there is no such folder", remedy: AssemblerRemedy.giveFolder)
    }
    let parsed = try await git(["rev-parse", "--verify", "--quiet", "--end-of-options", "\(ref)^{commit}"])
      .run(doing: doing)
    if parsed.succeeded { return parsed.text.trimmed }
    let tags = try await git(["for-each-ref", "--format=%(refname:short)"]).run(doing: doing)
    guard tags.succeeded else {
      throw ReleaseError(.source, doing: doing, reason: "it is not a git repository: \(tags.lastErrorLine)")
    }
    let near = ref.nearest(in: tags.text.split(separator: "\n").map(String.init))
    throw ReleaseError(
      .source, doing: doing, reason: "there is no such tag, branch or commit",
      advice: near.map { "did you mean '\($0)'?" } ?? "fetch it into the repository first")
  }

  /// The fingerprint that signed the tag, where the manifest names signers; nil when the tag no longer names the
  /// commit that a plan pins, or is not here.
  private func verifyTag(of commit: String) async throws -> String? {
    guard let trust else { return nil }
    if self.commit != nil {
      let parsed = try await git(["rev-parse", "--verify", "--quiet", "--end-of-options", "\(ref)^{commit}"])
        .run(doing: doing)
      guard parsed.succeeded, parsed.text.trimmed == commit else { return nil }
    }
    let what = "the tag \(ref) of \(repository)"
    let raw = try await git(["cat-file", "tag", ref]).run(doing: doing)
    let marker = Array("-----BEGIN PGP SIGNATURE-----".utf8)
    guard raw.succeeded, let start = raw.output.firstRange(of: marker)?.lowerBound else {
      if allowsUnsigned { return nil }
      throw ReleaseError(
        .unverified, doing: "checking \(what)", reason: "it is not a signed tag",
        remedy: AssemblerRemedy.giveSignedTag)
    }
    let armoured = String(decoding: raw.output[start...], as: UTF8.self)
    let check = SignatureCheck(trust: trust, signature: Array(armoured.utf8))
    return try await check.verify(Array(raw.output[..<start]), what: what)
  }

  private struct Listed {
    var path: String
    var mode: String
    var oid: String
  }

  private func list(_ commit: String, _ selection: Selection) async throws -> [Listed] {
    let tree = try await git(["ls-tree", "-rz", "--full-tree", commit]).check(doing: doing, code: .source)
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
      guard isCleanPath(path) else {
        throw ReleaseError(.source, doing: doing, reason: "the path \(path) cannot stand in a release")
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
  private func blobs(_ listed: [Listed]) async throws -> ByPath<SourceFile> {
    guard !listed.isEmpty else { return [:] }
    return try await withScratch { scratch in
      let wanted = scratch.appending("oids")
      try Files.write(Array(listed.map { $0.oid + "\n" }.joined().utf8), to: wanted)
      let input = try FileDescriptor.open(wanted, .readOnly, options: .closeOnExec)
      defer { try? input.close() }
      let command = git(["cat-file", "--batch", "--buffer"])
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
        // Of an object that is there and cannot be unpacked, git says why, and may die of it.
        let why = outcome.errors.split(separator: "\n").first.map { "cannot be read: \($0)" }
        throw ReleaseError(
          .source, doing: doing,
          reason: "the object \(entry.oid) (\(entry.path)) \(why ?? "is missing from the repository")",
          advice: why == nil ? "fetch it, or exclude the file in the manifest" : "see 'git fsck' in the repository")
      }
      guard outcome.succeeded else {
        throw ReleaseError(.source, doing: doing, reason: "git cat-file: \(outcome.lastErrorLine)")
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
    /// It is not there, or git has ended without an answer.
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
