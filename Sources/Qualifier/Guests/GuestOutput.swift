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

    /// The name of its pipe.
    var pipe: String { "guest.\(rawValue)" }
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
  private let consoleLog: LogFile
  private let reportLog: LogFile
  private let start = ContinuousClock.now
  private let state: Mutex<State>

  /// - Parameters:
  ///   - folder: where its pipes are made.
  ///   - logs: where `console.log` and `report.log` are written.
  init(in folder: FilePath, logs: FilePath, reports: GuestReports, doing: String) throws {
    consoleLog = try LogFile(logs.appending("console.log"))
    reportLog = try LogFile(logs.appending("report.log"))
    var pipes: [Channel: FileDescriptor] = [:]
    for channel in Channel.allCases {
      let path = folder.appending(channel.pipe)
      try Files.remove(path)
      guard mkfifo(path.string, 0o600) == 0 else { throw ReleaseError(errno: errno, doing: doing) }
      // With both directions, opening does not wait for QEMU, and reading never finds an end.
      let raw = open(path.string, O_RDWR | O_NONBLOCK | O_CLOEXEC)
      guard raw >= 0 else {
        let error = errno
        for other in pipes.values { try? other.close() }
        throw ReleaseError(errno: error, doing: doing)
      }
      _ = fcntl(raw, 1031, 1 << 20)  // F_SETPIPE_SZ, from linux/fcntl.h
      pipes[channel] = FileDescriptor(rawValue: raw)
    }
    self.pipes = pipes
    state = Mutex(State(reports: reports))
  }

  deinit { for pipe in pipes.values { try? pipe.close() } }

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
