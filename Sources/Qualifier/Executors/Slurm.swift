// SPDX-License-Identifier: GPL-2.0-only

import Diagnostics
import Glibc
import Processes
import SystemPackage

/// The programs of Slurm, as far as they are called here.
struct Slurm: Sendable {
  /// How one task of an array job stands.
  struct TaskState: Sendable, Equatable {
    /// Such as `PENDING`, `RUNNING`, `NODE_FAIL`.
    var state: String
    /// Why it is in that state, in Slurm's words: `Resources`, `NonZeroExitCode`.
    var reason: String
    var node: String

    /// Source: squeue(1), JOB STATE CODES. What is not here, such as COMPLETING or REQUEUED, goes on.
    private static let ends: Set<String> = [
      "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",
      "TIMEOUT",
    ]
    var isOver: Bool { Self.ends.contains(state) }
  }

  /// What these programs get of our environment, and from them the tasks on the nodes.
  ///
  /// TMPDIR is not in it: the nodes have their own. Nor is what Slurm has told us when we are a job ourselves.
  private let environment: [String: String]

  init() {
    var chosen = Command.plainEnvironment
    let names: Set = ["HOME", "USER", "LOGNAME", "SLURM_CONF", "ALL_PROXY"]
    for (name, value) in Slurm.allVariables
    where names.contains(name) || name.hasPrefix("SBATCH_") || name.hasPrefix("LRELEASE_")
      || name.lowercased().hasSuffix("_proxy")
    {
      chosen[name] = value
    }
    environment = chosen
  }

  private static var allVariables: [(String, String)] {
    var found: [(String, String)] = []
    var next = environ
    while let entry = next.pointee {
      let halves = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if halves.count == 2 { found.append((String(halves[0]), String(halves[1]))) }
      next += 1
    }
    return found
  }

  /// - Returns: the number of the job.
  func submit(_ arguments: [String], doing: String) async throws -> String {
    let submitted = try await Command("sbatch", ["--parsable"] + arguments, environment: environment).run(doing: doing)
    guard submitted.succeeded else {
      throw ReleaseError(
        .failed, doing: doing, reason: submitted.lastErrorLine,
        remedy: QualifierRemedy.giveOptionOfSbatch)
    }
    // "17", or "17;cluster".
    let job = submitted.text.trimmed.prefix { $0.isASCII && $0.isNumber }
    guard !job.isEmpty else {
      throw ReleaseError(.failed, doing: doing, reason: "sbatch gave no job number, but '\(submitted.text.trimmed)'")
    }
    return String(job)
  }

  /// The tasks of an array job by their index, as far as Slurm still knows them.
  ///
  /// - Returns: nil when Slurm does not answer.
  func tasks(of job: String, doing: String) async throws -> [Int: TaskState]? {
    // Asked for one job, slurmctld does not send its whole queue. What has ended it knows for MinJobAge, 300 s.
    let outcome = try await Command(
      "squeue", ["--noheader", "--array", "--states=all", "--jobs=\(job)", "--format=%K|%T|%r|%N"],
      environment: environment
    ).run(doing: doing)
    guard outcome.succeeded else { return outcome.errors.contains("Invalid job id") ? [:] : nil }
    return table(outcome.text)
  }

  /// The tasks of an array job that has ended long ago; nothing on a cluster without accounting.
  func pastTasks(of job: String, doing: String) async throws -> [Int: TaskState] {
    let outcome = try? await Command(
      "sacct",
      ["--noheader", "--parsable2", "--allocations", "--jobs=\(job)", "--format=JobID,State,Reason,NodeList"],
      environment: environment
    ).run(doing: doing)
    try Task.checkCancellation()
    guard let outcome, outcome.succeeded else { return [:] }
    // "17_3|CANCELLED by 1000|None|n1"
    return table(outcome.text.replacing("\(job)_", with: ""))
  }

  private func table(_ text: String) -> [Int: TaskState] {
    var tasks: [Int: TaskState] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmed }
      guard fields.count == 4, let index = Int(fields[0]) else { continue }
      let state = fields[1].split(separator: " ").first.map(String.init) ?? ""
      tasks[index] = TaskState(state: state, reason: fields[2], node: fields[3])
    }
    return tasks
  }

  /// The job of a name, when Slurm has one that has not ended.
  func job(named name: String, doing: String) async throws -> String? {
    let outcome = try await Command(
      "squeue", ["--noheader", "--name=\(name)", "--format=%F"], environment: environment
    ).check(doing: doing)
    return outcome.text.split(separator: "\n").first.map { $0.trimmed }
  }

  func cancel(_ job: String, doing: String) async throws {
    _ = try await Command("scancel", [job], environment: environment).check(doing: doing)
  }
}
