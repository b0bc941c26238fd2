// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Files
import Glibc
import SystemPackage

extension Sandbox {
  /// Whether programs run in sandboxes or, on machines that forbid namespaces, directly as the caller.
  package enum Confinement: Sendable { case namespaces, none }

  /// The setting for this task and its children.
  @TaskLocal package static var confinement = Confinement.namespaces

  /// Why a machine makes no namespaces.
  package enum Obstacle: Sendable, Equatable {
    /// `user.max_user_namespaces` is 0.
    case limit
    /// `kernel.unprivileged_userns_clone` is 0, as Debian once had it.
    case debian
    /// `kernel.apparmor_restrict_unprivileged_userns` is 1, as in Ubuntu 24.04.
    case appArmor
    /// None of these: most likely the rules of a container.
    case container

    /// What this machine says.
    static var here: Obstacle {
      func setting(_ name: String) -> String? {
        (try? Files.read(FilePath("/proc/sys/\(name)"), limit: 100)).map { String(decoding: $0, as: UTF8.self).trimmed }
      }
      if setting("user/max_user_namespaces") == "0" { return .limit }
      if setting("kernel/unprivileged_userns_clone") == "0" { return .debian }
      return setting("kernel/apparmor_restrict_unprivileged_userns") == "1" ? .appArmor : .container
    }
  }

  /// Runs a program in this sandbox to its end, or without one, where that was asked for.
  ///
  /// - Parameter inner: what the program only runs: it must be installed too, and messages name it.
  /// - Throws: `ReleaseError`, where this machine makes no sandbox. A failing exit status of the program is no error here.
  package func run(
    _ program: String, _ arguments: [String], inner: String? = nil, doing: String
  ) async throws -> Command.Outcome {
    if Sandbox.confinement == .none {
      return try await Unconfined(self, doing: doing).run(program, arguments, inner: inner)
    }
    var command = command(program, arguments)
    command.inner = inner ?? command.inner
    let outcome = try await command.run(doing: doing)
    // bwrap also reports a program that it cannot start; then it has made the sandbox.
    if !outcome.succeeded, outcome.complaint.hasPrefix("bwrap: "), !outcome.complaint.contains("execvp") {
      throw ReleaseError(
        .failed, doing: doing, reason: "this machine makes no sandbox for it (\(outcome.complaint))",
        remedy: ProcessesRemedy.allowNamespaces(.here))
    }
    return outcome
  }
}

/// A program that is run on this machine as it is, with what its sandbox would show it where the sandbox would have it:
/// paths that are the same each time, so that what is made has the same bytes.
private struct Unconfined {
  let sandbox: Sandbox
  let doing: String

  init(_ sandbox: Sandbox, doing: String) {
    self.sandbox = sandbox
    self.doing = doing
  }

  /// What must appear at another path.
  private var moved: [(from: FilePath, to: FilePath, isWritable: Bool)] {
    get throws {
      try sandbox.mounts.compactMap { mount in
        switch mount {
        case .readOnly(let path, let place): path == place ? nil : (path, place, false)
        case .writable(let path, let place): path == place ? nil : (path, place, true)
        case .layered:
          throw ReleaseError(
            .input, doing: doing, reason: "it needs a layer over a folder, which only a sandbox has",
            remedy: ProcessesRemedy.useSandbox)
        case .machine, .readOnlyIfThere, .empty, .devices, .device, .processes: nil
        }
      }
    }
  }

  func run(_ program: String, _ arguments: [String], inner: String?) async throws -> Command.Outcome {
    // Whoever uses these paths holds a lock on the folder above them, which every user can have.
    let lock = try FileLock(folder: "/tmp")
    try await lock.acquire(.exclusive)
    defer { lock.release() }
    let moved = try moved
    // The only thing that is shown read-only elsewhere is a program.
    let program = moved.first { !$0.isWritable && $0.to.string == program }?.from.string ?? program
    var command = Command(
      program, arguments, environment: sandbox.environment ?? Command.plainEnvironment, directory: sandbox.directory)
    command.inner = inner
    return try await place(moved.filter(\.isWritable)[...]) { [command] in try await command.run(doing: doing) }
  }

  /// Runs `body` while the folders are at their places.
  private func place<R>(
    _ folders: ArraySlice<(from: FilePath, to: FilePath, isWritable: Bool)>, _ body: () async throws -> R
  ) async throws -> R {
    guard let (from, to, _) = folders.first else { return try await body() }
    try clear(to)
    try await move(from, to)
    let result: Result<R, any Error>
    do { result = .success(try await place(folders.dropFirst(), body)) } catch { result = .failure(error) }
    // Also when this task was cancelled, whose commands would not be started.
    try await Task { try await move(to, from) }.value
    return try result.get()
  }

  /// A place may be taken by the remains of a killed run, as the lock tells; nothing of another user is removed.
  private func clear(_ place: FilePath) throws {
    var status = stat()
    guard lstat(place.string, &status) == 0 else { return }
    guard status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR else {
      throw ReleaseError(
        .failed, doing: doing, reason: "\(place) exists, and is not from lrelease", advice: "remove it")
    }
    try Files.remove(place)
  }

  /// Renames a folder, or copies it to another file system.
  private func move(_ from: FilePath, _ to: FilePath) async throws {
    if rename(from.string, to.string) == 0 { return }
    let doing = "moving \(from) to \(to)"
    guard errno == EXDEV else { throw ReleaseError(errno: errno, doing: doing) }
    _ = try await Command("cp", ["--archive", "--no-target-directory", "--", from.string, to.string]).check(
      doing: doing)
    try Files.remove(from)
  }
}
