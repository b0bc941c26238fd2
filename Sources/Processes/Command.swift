// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import Subprocess
import SystemPackage

/// A program to run as a child process: with an environment of its own, and ended when the task is cancelled.
///
/// Nothing goes through a shell. The child gets only the variables in `environment`.
package struct Command: Sendable {
  /// A name to find on the `PATH` of lrelease, or a path.
  package var program: String
  package var arguments: [String]
  package var environment: [String: String]
  package var directory: FilePath?
  /// The program that `program` only runs: it must be installed too, and messages name it.
  package var inner: String?
  /// How it is ended when the task is cancelled.
  package var teardown = Teardown.terminate(grace: .milliseconds(500))

  /// The program that messages name.
  package var name: String { inner ?? program }

  /// How a child and its process group are ended.
  package enum Teardown: Sendable {
    /// It is sent SIGTERM, and killed if it has not ended after this time.
    case terminate(grace: Duration)
    case kill
  }

  /// Environment in which programs print the same words everywhere.
  package static let plainEnvironment: [String: String] = [
    "PATH": getenv("PATH").map { String(cString: $0) }
      ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
  ]

  package init(
    _ program: String, _ arguments: [String], environment: [String: String] = Command.plainEnvironment,
    directory: FilePath? = nil
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
  }

  /// How a child ended.
  package struct Outcome: Sendable {
    package var status: TerminationStatus
    package var output: [UInt8]
    /// The end of what it wrote to standard error, 64 KiB at most.
    package var errors: String

    package var succeeded: Bool { status.isSuccess }
    package var text: String { String(decoding: output, as: UTF8.self) }

    /// The line of standard error that says why: the first that calls itself an error, as what follows is advice or comes
    /// of it; else the last; or how the child ended.
    package var complaint: String {
      let lines = errors.lines.map { String($0).trimmed }.filter { !$0.isEmpty }
      let marks = ["fatal: ", "error: ", "e: "]
      let line = lines.first { line in marks.contains(where: line.lowercased().hasPrefix) } ?? lines.last ?? ending
      return line.cut(to: 1000)
    }

    package var ending: String {
      switch status {
      case .exited(let code): "it ended with status \(code)"
      case .signaled(let signal): "it was stopped by signal \(signal)"
      }
    }
  }

  /// Runs the program to its end and collects what it printed.
  ///
  /// - Parameters:
  ///   - input: what the child reads on its standard input.
  ///   - limit: the most bytes of standard output that are taken; more is an error.
  /// - Throws: `ReleaseError` when the program cannot be started; a failing exit status is no error here.
  package func run(input: [UInt8] = [], limit: Int = 64 << 20, doing: String) async throws -> Outcome {
    try Task.checkCancellation()
    if let inner, !isInstalled(inner) { throw missing(inner, doing: doing) }
    let errors = try ErrorSink(doing: doing)
    do {
      let result = try await Subprocess.run(
        configuration, input: .array(input), output: .bytes(limit: limit),
        error: .fileDescriptor(errors.descriptor, closeAfterSpawningProcess: false))
      try Task.checkCancellation()
      return Outcome(status: result.terminationStatus, output: result.standardOutput, errors: errors.tail())
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      throw failure(error, doing: doing)
    }
  }

  /// Runs the program; a failing exit status is an error.
  package func check(
    input: [UInt8] = [], doing: String, code: ReleaseError.Code = .failed, remedy: (any Remedy)? = nil
  ) async throws -> Outcome {
    let outcome = try await run(input: input, doing: doing)
    guard outcome.succeeded else {
      throw ReleaseError(code, doing: doing, reason: "\(name): \(outcome.complaint)", remedy: remedy)
    }
    return outcome
  }

  /// Runs the program with its standard output as a descriptor that `body` reads while the child runs.
  ///
  /// - Parameters:
  ///   - input: a descriptor that the child reads from; it stays open.
  ///   - body: must read up to end of file, or throw.
  package func stream<R: Sendable>(
    input: FileDescriptor?, doing: String, body: (FileDescriptor) async throws -> R
  ) async throws -> (result: R, outcome: Outcome) {
    try Task.checkCancellation()
    let errors = try ErrorSink(doing: doing)
    let pipe = try makePipe(doing: doing)
    enlarge(pipe.readEnd)
    var readEndIsOpen = true
    func closeReadEnd() {
      if readEndIsOpen { try? pipe.readEnd.close() }
      readEndIsOpen = false
    }
    defer { closeReadEnd() }
    let feed = try input ?? FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec)
    defer { if input == nil { try? feed.close() } }
    do {
      let result = try await Subprocess.run(
        configuration, input: .fileDescriptor(feed, closeAfterSpawningProcess: false),
        output: .fileDescriptor(pipe.writeEnd, closeAfterSpawningProcess: true),
        error: .fileDescriptor(errors.descriptor, closeAfterSpawningProcess: false)
      ) { _ in
        // Closing here lets a child that is still writing end by itself when `body` has thrown.
        defer { closeReadEnd() }
        return try await body(pipe.readEnd)
      }
      try Task.checkCancellation()
      return (
        result.closureResult, Outcome(status: result.terminationStatus, output: [], errors: errors.tail())
      )
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      throw failure(error, doing: doing)
    }
  }

  /// Runs the program with its standard input as a descriptor that `body` writes to, and collects its output.
  package func feed<R: Sendable>(
    doing: String, body: (FileDescriptor) async throws -> R
  ) async throws -> (result: R, outcome: Outcome) {
    // If a child ends early, its status tells; without this, writing to it would kill us.
    Command.ignoreBrokenPipes
    let errors = try ErrorSink(doing: doing)
    let sink = try ErrorSink(doing: doing)
    let pipe = try makePipe(doing: doing)
    enlarge(pipe.writeEnd)
    var writeEndIsOpen = true
    func closeWriteEnd() {
      if writeEndIsOpen { try? pipe.writeEnd.close() }
      writeEndIsOpen = false
    }
    defer { closeWriteEnd() }
    do {
      let result = try await Subprocess.run(
        configuration, input: .fileDescriptor(pipe.readEnd, closeAfterSpawningProcess: true),
        output: .fileDescriptor(sink.descriptor, closeAfterSpawningProcess: false),
        error: .fileDescriptor(errors.descriptor, closeAfterSpawningProcess: false)
      ) { _ in
        defer { closeWriteEnd() }
        return try await body(pipe.writeEnd)
      }
      try Task.checkCancellation()
      let outcome = Outcome(
        status: result.terminationStatus, output: Array(sink.tail().utf8), errors: errors.tail())
      return (result.closureResult, outcome)
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      throw failure(error, doing: doing)
    }
  }

  private static let ignoreBrokenPipes: Void = { signal(SIGPIPE, SIG_IGN) }()

  private var configuration: Configuration {
    var options = PlatformOptions()
    // A group of its own: Ctrl-C goes to lrelease alone, which ends its children and says so in one line. Otherwise a
    // child that dies first would look like a failure.
    options.processGroupID = 0
    options.teardownSequence =
      switch teardown {
      case .terminate(let grace): [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: grace)]
      case .kill: [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
      }
    let variables = environment.map { key, value in Array("\(key)=\(value)\0".utf8) }
    return Configuration(
      executable: program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
      environment: .custom(variables), workingDirectory: directory, platformOptions: options)
  }

  private func failure(_ error: SubprocessError, doing: String) -> ReleaseError {
    if error.code == .executableNotFound { return missing(program, doing: doing, cause: error) }
    if error.code == .outputLimitExceeded {
      return ReleaseError(.failed, doing: doing, reason: "\(name) printed more than the limit", cause: error)
    }
    return ReleaseError(.failed, doing: doing, reason: "\(name) could not be run: \(error)", cause: error)
  }

  private func missing(_ program: String, doing: String, cause: (any Error)? = nil) -> ReleaseError {
    ReleaseError(
      .missingTool, doing: doing, reason: "the program \(program) is not installed",
      advice: Command.packages[program].map { "on Debian: apt-get install \($0)" } ?? "install it", cause: cause)
  }

  private func isInstalled(_ program: String) -> Bool {
    program.contains("/")
      ? access(program, X_OK) == 0 : Command.find(program, in: environment["PATH", default: ""]) != nil
  }

  /// Where a program is.
  package static func find(
    _ program: String, in path: String = Command.plainEnvironment["PATH", default: ""]
  ) -> FilePath? {
    path.split(separator: ":").lazy.map { FilePath("\($0)/\(program)") }.first { access($0.string, X_OK) == 0 }
  }

  /// Checks that it is installed, before the work that needs it begins.
  package func demandInstalled(doing: String) throws {
    if !isInstalled(program) { throw missing(program, doing: doing) }
  }

  /// Debian packages of the programs that lrelease calls.
  private static let packages = [
    "bwrap": "bubblewrap", "git": "git", "gpgv": "gpgv", "gpg": "gpg", "rpmsign": "rpm", "rpmkeys": "rpm",
    "patch": "patch", "xz": "xz-utils", "zstd": "zstd",
    "curl": "curl", "gzip": "gzip", "diff": "diffutils", "sbatch": "slurm-client",
    "qemu-system-x86_64": "qemu-system-x86",
  ]
}

/// An unnamed file that takes what a child prints, however much, without a reader on our side.
private struct ErrorSink: ~Copyable {
  let descriptor: FileDescriptor

  init(doing: String) throws {
    descriptor = try Files.unnamedFile(in: Files.temporaryFolder, doing: doing)
  }

  deinit { try? descriptor.close() }

  func tail(limit: Int = 64 << 10) -> String {
    guard let end = try? descriptor.seek(offset: 0, from: .end) else { return "" }
    let start = Swift.max(0, end - Int64(limit))
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(end - start)) { buffer, count in
      count = (try? descriptor.read(fromAbsoluteOffset: start, into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A pipe that no other child inherits: as long as somebody holds the end that is written to,
/// the reader waits.
private func makePipe(doing: String) throws -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
  let pipe: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
  do {
    pipe = try FileDescriptor.pipe()
  } catch let error as Errno {
    throw ReleaseError(errno: error.rawValue, doing: doing)
  }
  for end in [pipe.readEnd, pipe.writeEnd] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
  return pipe
}

/// A pipe of 1 MiB where the kernel allows it: fewer switches between a decompressor and its reader.
private func enlarge(_ descriptor: FileDescriptor) {
  let setPipeSize: Int32 = 1031  // F_SETPIPE_SZ, from linux/fcntl.h
  _ = fcntl(descriptor.rawValue, setPipeSize, 1 << 20)
}

extension FileDescriptor {
  /// Writes all of `bytes` to a child; a child that has ended is no error here: its status tells why.
  package func writeToReader(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      do {
        let count = try write(rest)
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } catch let error as Errno where error == .brokenPipe {
        return
      }
    }
  }
}
