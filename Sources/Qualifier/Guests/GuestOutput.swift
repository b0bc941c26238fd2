// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Synchronization
import SystemPackage

/// What a guest writes to its serial lines, taken as it comes.
///
/// QEMU writes to pipes and lrelease to the logs. So no report depends on the room on a disk, and a log that cannot be
/// written is an error where it happens.
final class GuestOutput: Sendable {
  /// The serial lines of a guest, in their order.
  enum Channel: String, CaseIterable, Sendable {
    /// The console of its kernel.
    case console
    /// The reports of its steps.
    case report
    /// What its programs write.
    case programs

    /// The name of the pipe that QEMU writes to; with answers, it has one for each direction.
    func pipe(_ hasAnswers: Bool) -> String { "guest.\(rawValue)" + (isAnswered(hasAnswers) ? ".out" : "") }

    /// The name of the pipe that QEMU reads from; nil for none.
    func answers(_ hasAnswers: Bool) -> String? { isAnswered(hasAnswers) ? "guest.\(rawValue).in" : nil }

    private func isAnswered(_ hasAnswers: Bool) -> Bool { hasAnswers && self == .report }

    /// The options of QEMU for its serial line.
    func options(in folder: FilePath, hasAnswers: Bool) -> [String] {
      guard isAnswered(hasAnswers) else { return ["-serial", "file:\(folder.appending(pipe(false)))"] }
      let path = folder.appending("guest.\(rawValue)").string.replacing(",", with: ",,")
      return ["-chardev", "pipe,id=\(rawValue),path=\(path)", "-serial", "chardev:\(rawValue)"]
    }
  }

  private struct State {
    var reports: GuestReports
    var times: [Double] = []
    var last = 0.0
    /// What is not a whole line yet.
    var rest: [Channel: [UInt8]] = [:]
    var console: [UInt8] = []
    var programs: [UInt8] = []
    var isEnded = false
  }

  private let pipes: [Channel: FileDescriptor]
  /// What it is told, on the line of its reports.
  private let answers: FileDescriptor?
  private let consoleLog: LogFile
  private let reportLog: LogFile
  private let start = ContinuousClock.now
  private let state: Mutex<State>

  /// - Parameters:
  ///   - folder: where its pipes are made.
  ///   - logs: where `console.log` and `report.log` are written, with `prefix` before their names.
  ///   - hasAnswers: whether the guest reads answers to its reports.
  init(
    in folder: FilePath, logs: FilePath, prefix: String = "", reports: GuestReports, hasAnswers: Bool = false,
    doing: String
  ) throws {
    consoleLog = try LogFile(logs.appending("\(prefix)console.log"))
    reportLog = try LogFile(logs.appending("\(prefix)report.log"))
    var opened: [FileDescriptor] = []
    func make(_ name: String) throws -> FileDescriptor {
      let path = folder.appending(name)
      try Files.remove(path)
      guard mkfifo(path.string, 0o600) == 0 else { throw ReleaseError(errno: errno, doing: doing) }
      // With both directions, opening does not wait for QEMU, and reading never finds an end.
      let raw = open(path.string, O_RDWR | O_NONBLOCK | O_CLOEXEC)
      guard raw >= 0 else { throw ReleaseError(errno: errno, doing: doing) }
      _ = fcntl(raw, 1031, 1 << 20)  // F_SETPIPE_SZ, from linux/fcntl.h
      opened.append(FileDescriptor(rawValue: raw))
      return FileDescriptor(rawValue: raw)
    }
    do {
      var pipes: [Channel: FileDescriptor] = [:]
      for channel in Channel.allCases { pipes[channel] = try make(channel.pipe(hasAnswers)) }
      answers = try Channel.report.answers(hasAnswers).map(make)
      self.pipes = pipes
    } catch {
      for pipe in opened { try? pipe.close() }
      throw error
    }
    state = Mutex(State(reports: reports))
  }

  deinit {
    for pipe in pipes.values { try? pipe.close() }
    try? answers?.close()
  }

  /// Tells the guest a word, as a line.
  func tell(_ word: String) throws { _ = try answers?.writeAll(Array("\(word)\n".utf8)) }

  var seconds: Double { (ContinuousClock.now - start).seconds }
  var reports: [GuestReport] { state.withLock { $0.reports.reports } }
  var times: [Double] { state.withLock { $0.times } }
  var disturbance: GuestReports.Disturbance? { state.withLock { $0.reports.disturbance } }
  /// The time of the last report, in seconds from the start.
  var lastTime: Double { state.withLock { $0.last } }
  /// Bytes of its console and its programs.
  var written: Int64 { state.withLock { Int64($0.console.count + $0.programs.count) } }
  /// What the kernel has written to its console.
  var console: KernelLog { KernelLog(state.withLock { $0.console }) }
  /// The lines of its programs.
  var programs: [String] {
    state.withLock { $0.programs }.lines.map { String(decoding: $0, as: UTF8.self).trimmed }.filter { !$0.isEmpty }
  }

  /// Takes what has come since the last call.
  ///
  /// - Parameter isLast: the guest has ended, and incomplete lines are taken too.
  /// - Throws: `ReleaseError` if a log cannot be written, because its disk is full or broken.
  func take(isLast: Bool = false) throws {
    try state.withLock { state in
      guard !state.isEnded else { return }
      state.isEnded = isLast
      for channel in Channel.allCases { try take(channel, isLast, &state) }
    }
  }

  private func take(_ channel: Channel, _ isLast: Bool, _ state: inout State) throws {
    var bytes = state.rest[channel] ?? []
    bytes += read(channel)
    // A line without an end must not keep what comes from the log for ever.
    let end = isLast || bytes.count > 64 << 10 ? bytes.endIndex : (bytes.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0)
    var lines = Array(bytes[..<end])
    state.rest[channel] = Array(bytes[end...])
    guard !lines.isEmpty else { return }
    if isLast, lines.last != 0x0a { lines.append(0x0a) }
    switch channel {
    case .console:
      state.console += lines
      try consoleLog.append(lines)
    case .programs:
      state.programs += lines
      try consoleLog.append(lines.lines.flatMap { Array("| ".utf8) + $0 + [0x0a] })
    case .report:
      let now = seconds
      for line in lines.lines {
        guard state.reports.take(String(decoding: line, as: UTF8.self)) != nil else { continue }
        state.times.append(now)
        state.last = now
      }
      try reportLog.append(lines.filter { $0 != 0x0d })
    }
  }

  private func read(_ channel: Channel) -> [UInt8] {
    guard let pipe = pipes[channel] else { return [] }
    var all: [UInt8] = []
    // At most what a pipe holds a few times: a guest that never stops writing is stopped by its limit.
    for _ in 0..<64 {
      let chunk = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
        count = max(0, Glibc.read(pipe.rawValue, buffer.baseAddress, 64 << 10))
      }
      if chunk.isEmpty { break }
      all += chunk
    }
    return all
  }
}

/// A log that is appended to.
private final class LogFile: Sendable {
  private let path: FilePath
  private let file: FileDescriptor

  init(_ path: FilePath) throws {
    self.path = path
    // A log of an earlier run may still be read by others: this one is another file.
    try Files.remove(path)
    do {
      file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .exclusiveCreate, .append, .closeOnExec],
        permissions: [
          .ownerReadWrite, .groupRead, .otherRead,
        ])
    } catch let error as Errno {
      throw ReleaseError(errno: error.rawValue, doing: "writing \(path)")
    }
  }

  deinit { try? file.close() }

  func append(_ bytes: [UInt8]) throws {
    do {
      try file.writeAll(bytes)
    } catch let error as Errno {
      throw ReleaseError(errno: error.rawValue, doing: "writing \(path)")
    }
  }
}
