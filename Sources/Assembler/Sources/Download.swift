// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Processes
import SystemPackage

/// One file of a server and its place in the cache: the file, or a part of it while it is incomplete, each with the
/// header of its HTTP response beside it. The user of this type holds the lock.
struct Download {
  let url: String
  let folder: FilePath
  let doing: String
  /// The largest accepted size in bytes.
  let limit: Int64
  /// The delay before a failing server is asked again; it doubles each time.
  let retryDelay: Duration

  /// The last part of the address, if it can be a file name.
  private var name: String {
    let last = url.prefix { $0 != "?" && $0 != "#" }.pathParts.last.map(String.init) ?? ""
    return last.utf8.count <= 200 && isCleanPath(last) ? last : "file"
  }
  private var whole: FilePath { folder.appending(name) }
  private var part: FilePath { folder.appending(name + ".part") }
  private func head(of path: FilePath) -> FilePath { Fetcher.head(of: path) }

  func file(
    _ freshness: Freshness, isOptional: Bool, progress: Progress
  ) async throws -> (path: FilePath, wasAskedFor: Bool)? {
    var conditions: [String] = []
    if Files.exists(whole) {
      switch freshness {
      case .any: return (whole, false)
      case .pinned(let digest):
        if let found = try? await BlockingExecutor.run({ try Files.digest(whole).0 }), found == digest {
          return (whole, false)
        }
        try Fetcher.forget(whole)
      case .current: conditions = Head(reading: head(of: whole)).conditions
      }
    }
    let isKnown = Files.exists(whole)
    // A partial file may be of another version than the complete one.
    if isKnown { try Fetcher.forget(part) }
    let answer = try await ask(conditions, isPinned: freshness != .current, progress: progress)
    if isKnown, answer.head.status == 304, answer.outcome.succeeded {
      try Fetcher.forget(part)
      return (whole, true)
    }
    if answer.isComplete {
      try await moveIntoPlace(replacing: isKnown, progress: progress)
      return (whole, true)
    }
    if isKnown, answer.isUnreachable {
      try Fetcher.forget(part)
      progress.warning(
        "\(SourceAddress.shown(url)) cannot be asked for (\(reason(answer))): the copy that was fetched before is used")
      return (whole, true)
    }
    // Nothing to resume.
    if size(of: part) == 0 { try Fetcher.forget(part) }
    if [404, 410].contains(answer.head.status) {
      // A withdrawn file is not used any more.
      try Fetcher.forget(whole)
      if isOptional { return nil }
    }
    throw failure(answer)
  }

  private func size(of path: FilePath) -> Int64? {
    var status = stat()
    return lstat(path.string, &status) == 0 ? Int64(status.st_size) : nil
  }

  private func moveIntoPlace(replacing isKnown: Bool, progress: Progress) async throws {
    let (old, new) = (whole, part)
    if isKnown, try await BlockingExecutor.run({ try Files.digest(old).0 != Files.digest(new).0 }) {
      progress.note("\(SourceAddress.shown(url)) has changed since it was fetched before: the new one is used")
    }
    // In between, the file has no header, so that it would be fetched again.
    try Files.remove(head(of: whole))
    try Files.move(part, to: whole)
    if Files.exists(head(of: part)) { try Files.move(head(of: part), to: head(of: whole)) }
  }

  // MARK: requests

  private struct Answer {
    var outcome: Command.Outcome
    var head: Head
    /// Why lrelease stopped reading.
    var failure: ReleaseError?

    var isComplete: Bool { failure == nil && outcome.succeeded && head.status != 304 }

    /// Whether no server answered about the file itself.
    var isUnreachable: Bool {
      if outcome.status == .exited(22) { return head.isTrouble }
      return [5, 6, 7, 16, 18, 28, 52, 55, 56, 92].contains { outcome.status == .exited($0) }
    }
  }

  private func ask(_ conditions: [String], isPinned: Bool, progress: Progress) async throws -> Answer {
    let step = "fetching \(name)"
    return try await progress.step(step) {
      var delay = retryDelay
      var attempt = 0
      while true {
        let answer = try await askOnce(conditions, isPinned: isPinned, step: step, progress: progress)
        // Errors that curl calls transient. The next run resumes a transfer that broke off.
        let mayGoBy =
          answer.outcome.status == .exited(22) && answer.head.isTrouble || answer.outcome.status == .exited(28)
        guard mayGoBy, attempt < 3 else { return answer }
        try await Task.sleep(for: delay)
        delay *= 2
        attempt += 1
      }
    }
  }

  /// Resumes the last attempt if the server can tell that the file is unchanged; otherwise starts again.
  private func askOnce(
    _ conditions: [String], isPinned: Bool, step: String, progress: Progress
  ) async throws -> Answer {
    let have = size(of: part) ?? 0
    let same = Head(reading: head(of: part)).sameFile
    if have > 0, have < limit, same != nil || isPinned {
      let only = same.map { ["If-Range: \($0)"] } ?? []
      let answer = try await transfer(conditions + only, from: have, step: step, progress: progress)
      // The server cannot resume, or has another or a shorter file now.
      let cannotGoOn = [33, 36].contains { answer.outcome.status == .exited($0) } || answer.head.status == 416
      // Some servers resume in another file, in spite of If-Range.
      let isOther = answer.head.status == 206 && answer.head.sameFile.map { same != nil && $0 != same } ?? false
      if !cannotGoOn, !isOther { return answer }
    }
    try Fetcher.forget(part)
    return try await transfer(conditions, from: 0, step: step, progress: progress)
  }

  private func transfer(
    _ headers: [String], from offset: Int64, step: String, progress: Progress
  ) async throws -> Answer {
    let newHead = FilePath(head(of: part).string + ".new")
    try Files.remove(newHead)
    defer { try? Files.remove(newHead) }
    let curl = Command(
      "curl",
      [
        "--disable", "--fail", "--location", "--max-redirs", "10", "--silent", "--show-error",
        "--proto", "=https,http,ftp",
        // A server that is reached by https does not lead to one that anybody can play.
        "--proto-redir", url.lowercased().hasPrefix("https:") ? "=https" : "=https,http,ftp",
        // Give up on a server that is silent for a minute.
        "--connect-timeout", "60", "--speed-limit", "1", "--speed-time", "60", "--dump-header", newHead.string,
      ] + headers.flatMap { ["--header", $0] } + (offset > 0 ? ["--continue-at", String(offset)] : []) + ["--", url],
      environment: FetchEnvironment.curl)
    let output: FileDescriptor
    do {
      output = try FileDescriptor.open(
        part, .writeOnly, options: offset > 0 ? [.closeOnExec, .append] : [.create, .truncate, .closeOnExec],
        permissions: FilePermissions(rawValue: 0o644))
    } catch let error as Errno {
      throw cannotTake(error)
    }
    defer { try? output.close() }
    let (result, outcome) = try await curl.stream(input: nil, doing: doing) { body in
      await BlockingExecutor.run {
        Result {
          try store(body, in: output, from: offset) { done, isFirst in
            // The header is complete when the first bytes arrive: from here on, a broken transfer can be resumed.
            if isFirst { rename(newHead.string, head(of: part).string) }
            progress.advanced(step, done, of: Head(reading: head(of: part)).length.map { $0 + offset })
          }
        }
      }
    }
    let found = Head(reading: Files.exists(newHead) ? newHead : head(of: part))
    switch result {
    case .success: return Answer(outcome: outcome, head: found)
    case .failure(let error as Errno): throw cannotTake(error)
    case .failure(let error as ReleaseError): return Answer(outcome: outcome, head: found, failure: error)
    case .failure(let error): throw error
    }
  }

  private func store(
    _ body: FileDescriptor, in output: FileDescriptor, from offset: Int64, _ report: (Int64, _ isFirst: Bool) -> Void
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    var done = offset
    while true {
      try Task.checkCancellation()
      let count = try body.read(into: buffer)
      if count == 0 { return }
      if done + Int64(count) > limit {
        throw ReleaseError(
          .source, doing: doing, reason: "the server sends more than \(limit) bytes",
          remedy: AssemblerRemedy.checkAddress)
      }
      try output.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      report(done + Int64(count), done == offset)
      done += Int64(count)
    }
  }

  // MARK: errors

  private func cannotTake(_ error: Errno) -> ReleaseError {
    ReleaseError(
      .failed, doing: doing, reason: "\(folder) cannot take it: \(error)",
      remedy: AssemblerRemedy.chooseCacheWithSpace, cause: error)
  }

  /// The error of curl: the line that begins with its name, not the hints about its manual.
  private func reason(_ answer: Answer) -> String {
    let lines = answer.outcome.errors.split(separator: "\n").map(String.init)
    let line = lines.last { $0.hasPrefix("curl: (") } ?? answer.outcome.complaint
    guard let start = url.firstRange(of: "://")?.upperBound,
      let end = SourceAddress.shown(url).isSameInBytes(url) ? nil : url[start...].firstIndex(of: "@")
    else { return line }
    return line.replacing(url[start..<end], with: "…")
  }

  private func failure(_ answer: Answer) -> ReleaseError {
    func refused(_ reason: String, _ remedy: AssemblerRemedy) -> ReleaseError {
      ReleaseError(.source, doing: doing, reason: reason, remedy: remedy)
    }
    if let failure = answer.failure {
      try? Fetcher.forget(part)
      return failure
    }
    let status = answer.head.status ?? 0
    switch answer.outcome.status {
    case .exited(22) where [404, 410].contains(status): return Fetcher.notFound(url, status)
    case .exited(22) where [401, 403, 407].contains(status):
      return refused("the server refuses access (\(status))", .checkAddress)
    case .exited(22) where !answer.head.isTrouble: return refused(reason(answer), .checkAddress)
    // An unsupported protocol, a bad address, or endless redirects.
    case .exited(1), .exited(3), .exited(47), .exited(78): return refused(reason(answer), .checkAddress)
    case .exited(35), .exited(51), .exited(58), .exited(60), .exited(77):
      return ReleaseError(
        .source, doing: doing, reason: reason(answer),
        advice: "if the server has a certificate of your site, name its CA in CURL_CA_BUNDLE")
    default: return refused(reason(answer), .tryFetchAgain)
    }
  }
}

/// The header of the last response of a server, after redirects. Source: RFC 9110.
struct Head {
  private(set) var status: Int?
  private var fields: [String: String] = [:]

  /// - Parameter path: the output of curl's --dump-header; it may be missing.
  init(reading path: FilePath) {
    guard let bytes = try? Files.read(path, limit: 1 << 20) else { return }
    for raw in bytes.split(separator: 0x0a) {
      let line = String(decoding: raw, as: UTF8.self).trimmed
      if line.hasPrefix("HTTP/") {
        status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        fields = [:]
      } else if let colon = line.firstIndex(of: ":") {
        fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmed
      }
    }
  }

  /// The length of the response body: the whole file, or the rest of it.
  var length: Int64? { fields["content-length"].flatMap { Int64($0) } }

  /// Whether the server has a transient problem.
  var isTrouble: Bool { status.map { $0 >= 500 || [408, 425, 429].contains($0) } ?? false }

  /// For If-Range: a strong validator. A weak tag does not promise identical bytes.
  var sameFile: String? {
    if let tag = fields["etag"], !tag.hasPrefix("W/") { return tag }
    return fields["etag"] == nil ? fields["last-modified"] : nil
  }

  /// Headers for a conditional request.
  var conditions: [String] {
    if let tag = fields["etag"] { return ["If-None-Match: \(tag)"] }
    return fields["last-modified"].map { ["If-Modified-Since: \($0)"] } ?? []
  }
}
